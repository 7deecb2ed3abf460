use cm_data::{Image, InputSpec, PADDING, Resize};
use proptest::prelude::*;

use super::{input, picture};

/// Gray levels without blocks, as in the Python below.
fn gradients() -> Image {
    let value = |i: usize| {
        let (x, y) = (i % 12, i / 12);
        ((x * 9 + y * 5 + (x * y) % 7 * 13) % 256) as u8
    };
    Image { width: 12, height: 10, channels: 1, pixels: (0..120).map(value).collect() }
}

fn assert_near(found: &[u8], expected: &[u8]) {
    assert_eq!(found.len(), expected.len());
    let furthest = found.iter().zip(expected).map(|(&a, &b)| a.abs_diff(b)).max();
    assert!(furthest <= Some(1), "{found:?} is not {expected:?}");
}

/// Pillow 13.0.0, whose filter is the same; both round in between, so that levels may differ by 1:
///
/// ```python
/// i = Image.new("L", (12, 10))
/// i.putdata([(x * 9 + y * 5 + (x * y) % 7 * 13) % 256 for y in range(10) for x in range(12)])
/// ```
#[test]
fn resized_images_are_those_of_pillow() {
    let apply = |spec: InputSpec| spec.apply(&gradients()).unwrap().pixels;
    // i.resize((5, 4), BILINEAR)
    let expected =
        [25, 63, 88, 93, 126, 53, 90, 104, 121, 153, 68, 94, 104, 132, 156, 63, 103, 126, 131, 165];
    assert_near(&apply(input(5, 4, 1, Resize::Stretch)), &expected);
    // i.resize((5, 4), BILINEAR, box=(0, 0.2, 12, 9.8))
    let expected =
        [26, 65, 90, 94, 128, 54, 90, 104, 121, 154, 68, 94, 103, 133, 156, 62, 101, 125, 130, 164];
    assert_near(&apply(input(5, 4, 1, Resize::Crop)), &expected);
    // i.crop((3, 2, 11, 8)).resize((4, 4), BILINEAR, box=(1, 0, 7, 6))
    let expected = [84, 107, 94, 142, 105, 112, 105, 140, 116, 107, 116, 156, 85, 91, 108, 138];
    assert_near(&apply(InputSpec { region: Some([3, 2, 8, 6]), ..input(4, 4, 1, Resize::Crop) }), &expected);
    // i.resize((18, 7), BILINEAR), the first and the last row
    let larger = apply(input(18, 7, 1, Resize::Stretch));
    assert_near(&larger[..18], &[2, 9, 17, 27, 36, 44, 54, 63, 71, 81, 74, 67, 76, 85, 94, 103, 112, 119]);
    let expected = [43, 59, 79, 99, 120, 130, 111, 121, 141, 162, 137, 111, 132, 152, 172, 193, 184, 169];
    assert_near(&larger[108..], &expected);
}

#[test]
fn fit_shows_everything_between_gray_borders() {
    let wide = Image { width: 40, height: 20, channels: 3, pixels: [255, 0, 10].repeat(800) };
    let fitted = input(10, 10, 3, Resize::Fit).apply(&wide).unwrap();
    for (row, pixels) in fitted.pixels.chunks_exact(30).enumerate() {
        let expected = if (2..7).contains(&row) { [255, 0, 10] } else { [PADDING; 3] };
        assert_eq!(pixels, expected.repeat(10), "row {row}");
    }
    let high = Image { width: 20, height: 40, ..wide };
    let fitted = input(10, 10, 3, Resize::Fit).apply(&high).unwrap();
    let row = [[PADDING; 3].repeat(2), [255, 0, 10].repeat(5), [PADDING; 3].repeat(3)].concat();
    assert_eq!(fitted.pixels, row.repeat(10));
}

/// Bilinear with a triangle as wide as a pixel of the smaller image, in f64 and without rounding;
/// `box` is the part of the source in x or y.
fn reference(source: &Image, [x, y]: [[f64; 2]; 2], [width, height]: [usize; 2]) -> Vec<f64> {
    let weights = |[start, length]: [f64; 2], size: usize, most: usize| {
        let scale = length / size as f64;
        let reach = scale.max(1.0);
        (0..size).map(move |to| {
            let center = start + (to as f64 + 0.5) * scale;
            let raw: Vec<f64> =
                (0..most).map(|from| (1.0 - ((from as f64 + 0.5 - center) / reach).abs()).max(0.0)).collect();
            let sum: f64 = raw.iter().sum();
            raw.into_iter().map(|weight| weight / sum).collect::<Vec<_>>()
        })
    };
    let columns: Vec<_> = weights(x, width, source.width).collect();
    let mut values = Vec::new();
    for row in weights(y, height, source.height) {
        for column in &columns {
            for c in 0..source.channels {
                let at = |i: usize, j: usize| {
                    f64::from(source.pixels[(i * source.width + j) * source.channels + c])
                };
                let along = |i: usize| (0..source.width).map(|j| column[j] * at(i, j)).sum::<f64>();
                values.push((0..source.height).map(|i| row[i] * along(i)).sum());
            }
        }
    }
    values
}

proptest! {
    #[test]
    fn every_size_becomes_every_other_as_the_formula_says(
        found in [1usize..30, 1usize..30], expected in [1usize..30, 1usize..30], color: bool,
    ) {
        let image = picture(found[0], found[1], if color { 3 } else { 1 });
        let whole = found.map(|side| [0.0, side as f64]);
        let [w, h] = found.map(|side| side as f64);
        let ratio = expected[0] as f64 / expected[1] as f64;
        let (width, height) = (w.min(h * ratio), h.min(w / ratio));
        let middle = [[(w - width) / 2.0, width], [(h - height) / 2.0, height]];
        for (resize, part) in [(Resize::Stretch, whole), (Resize::Crop, middle)] {
            let spec = input(expected[0], expected[1], image.channels, resize);
            let resized = spec.apply(&image).unwrap();
            prop_assert_eq!([resized.width, resized.height, resized.channels], [expected[0], expected[1], image.channels]);
            for (found, exact) in resized.pixels.iter().zip(reference(&image, part, expected)) {
                prop_assert!((f64::from(*found) - exact).abs() < 1.3, "{:?}: {} for {}", resize, found, exact);
            }
        }
    }

    #[test]
    fn fit_keeps_proportions_and_touches_two_borders(
        found in [1usize..40, 1usize..40], expected in [1usize..40, 1usize..40],
    ) {
        let white = Image { width: found[0], height: found[1], channels: 1, pixels: vec![255; found[0] * found[1]] };
        let fitted = input(expected[0], expected[1], 1, Resize::Fit).apply(&white).unwrap();
        let rows: Vec<&[u8]> = fitted.pixels.chunks_exact(expected[0]).collect();
        let width = rows.iter().map(|row| row.iter().filter(|&&p| p == 255).count()).max().unwrap();
        let height = rows.iter().filter(|row| row.contains(&255)).count();
        prop_assert!(width == expected[0] || height == expected[1]);
        let factor = (expected[0] as f64 / found[0] as f64).min(expected[1] as f64 / found[1] as f64);
        for (side, found) in [width, height].into_iter().zip(found) {
            let exact = (found as f64 * factor).max(1.0);
            prop_assert!((side as f64 - exact).abs() <= 0.5 + 1e-9, "{} for {}", side, exact);
        }
        prop_assert_eq!(fitted.pixels.iter().filter(|&&p| p == 255).count(), width * height);
        prop_assert!(fitted.pixels.iter().all(|&p| p == 255 || p == PADDING));
    }
}
