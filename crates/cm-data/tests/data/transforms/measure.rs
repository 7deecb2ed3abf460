use std::sync::Arc;

use cm_data::{Cached, DataError, Image, ImageSet, MemorySet, Resize, measure};
use rayon::ThreadPoolBuilder;

use super::{input, pictures};

#[test]
fn mean_and_deviation_are_those_of_the_preprocessed_pixels() {
    let (set, spec) = (pictures(150), input(5, 4, 3, Resize::Stretch));
    let (mean, std) = measure(&set, &spec).unwrap();
    for c in 0..3 {
        // In two passes, in f64.
        let images: Vec<Image> = set.images.iter().map(|image| spec.apply(image).unwrap()).collect();
        let values: Vec<f64> = images
            .iter()
            .flat_map(|image| image.pixels.iter().skip(c).step_by(3))
            .map(|&p| f64::from(p) / 255.0)
            .collect();
        let exact = values.iter().sum::<f64>() / values.len() as f64;
        let squares = values.iter().map(|value| (value - exact).powi(2)).sum::<f64>() / values.len() as f64;
        assert!((f64::from(mean[c]) - exact).abs() < 1e-7, "{} {exact}", mean[c]);
        assert!((f64::from(std[c]) - squares.sqrt()).abs() < 1e-7, "{} {}", std[c], squares.sqrt());
    }
}

#[test]
fn any_number_of_threads_measures_the_same_bits() {
    let (set, spec) = (pictures(300), input(5, 4, 1, Resize::Crop));
    let measured = [1, 2, 8].map(|threads| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| measure(&set, &spec).unwrap())
    });
    assert_eq!(measured[0], measured[1]);
    assert_eq!(measured[0], measured[2]);
    // Images that are preprocessed already count as they are.
    let cached = Cached::new(Arc::new(set), spec.clone(), 1 << 20).unwrap();
    assert_eq!(measure(&cached, &spec).unwrap(), measured[0]);
}

#[test]
fn images_that_are_all_alike_have_a_deviation_that_can_be_divided_by() {
    let white = MemorySet::gray(4, 4, &[255; 48], vec![0; 3]);
    assert_eq!(measure(&white, &input(2, 2, 1, Resize::Crop)).unwrap(), (vec![1.0], vec![1.0]));
}

#[test]
fn the_first_bad_image_is_named_and_so_is_an_empty_set() {
    let mut set = pictures(400);
    for bad in [390, 130, 131] {
        set.images[bad] = Arc::new(Image { width: 3, ..(*set.images[bad]).clone() });
    }
    for _ in 0..5 {
        let error = measure(&set, &input(8, 6, 3, Resize::None)).unwrap_err();
        assert!(matches!(&error, DataError::InImage { name, .. } if *name == set.name(130)), "{error}");
    }
    let empty = measure(&MemorySet::default(), &input(8, 6, 3, Resize::None)).unwrap_err().to_string();
    assert!(empty.contains("at least one image"), "{empty}");
}
