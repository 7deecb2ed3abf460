use cm_train::data::synthetic_digits;

#[test]
fn the_same_seed_draws_the_same_digits_and_another_seed_others() {
    let (a, b, c) =
        (synthetic_digits(200, 50, 3), synthetic_digits(200, 50, 3), synthetic_digits(200, 50, 4));
    assert_eq!((&a.train, &a.test, &a.checksums), (&b.train, &b.test, &b.checksums));
    assert_ne!(a.train.pixels, c.train.pixels);
    assert_ne!(a.train.pixels[..50 * 784], a.test.pixels[..50 * 784]);
}

#[test]
fn the_training_images_do_not_depend_on_how_many_test_images_there_are() {
    let (few, many) = (synthetic_digits(40, 0, 0), synthetic_digits(40, 30, 0));
    assert_eq!(few.train, many.train);
}

#[test]
fn there_are_ten_balanced_classes_of_28_by_28_pixels_and_it_is_not_called_mnist() {
    let digits = synthetic_digits(1000, 100, 0);
    assert_eq!((digits.train.rows, digits.train.cols, digits.train.len()), (28, 28, 1000));
    for class in 0..10 {
        assert_eq!(digits.train.labels.iter().filter(|&&label| label == class).count(), 100);
    }
    let described = format!("{} {} {:?}", digits.name, digits.source, digits.checksums).to_lowercase();
    assert!(!described.contains("mnist") && described.contains("synthetic digits"), "{described}");
}

#[test]
fn classes_look_different_but_not_so_different_that_means_suffice() {
    let digits = synthetic_digits(3000, 1000, 0);
    let mut means = vec![vec![0.0f64; 784]; 10];
    for i in 0..digits.train.len() {
        let mean = &mut means[usize::from(digits.train.labels[i])];
        mean.iter_mut().zip(digits.train.image(i)).for_each(|(m, &p)| *m += f64::from(p) / 300.0);
    }
    let nearest = |image: &[u8]| {
        let distance = |mean: &Vec<f64>| -> f64 {
            mean.iter().zip(image).map(|(m, &p)| (m - f64::from(p)).powi(2)).sum()
        };
        (0..10).min_by(|&a, &b| distance(&means[a]).total_cmp(&distance(&means[b]))).unwrap()
    };
    let right = (0..1000).filter(|&i| nearest(digits.test.image(i)) == usize::from(digits.test.labels[i]));
    let accuracy = right.count() as f64 / 1000.0;
    assert!((0.6..0.97).contains(&accuracy), "the nearest class mean is right for {accuracy}");
}

#[test]
fn every_digit_has_ink_and_stays_within_the_image() {
    let digits = synthetic_digits(500, 0, 1);
    for i in 0..500 {
        let image = digits.train.image(i);
        let ink: f64 = image.iter().map(|&p| f64::from(p) / 255.0).sum();
        assert!((20.0..250.0).contains(&ink), "digit {} has {ink} pixels of ink", digits.train.labels[i]);
        let border: f64 = (0..28).map(|k| f64::from(image[k]) + f64::from(image[27 * 28 + k])).sum();
        assert!(border < 0.1 * 255.0 * ink, "digit {} touches the border", digits.train.labels[i]);
    }
}
