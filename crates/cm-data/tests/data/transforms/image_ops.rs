use cm_data::Image;
use proptest::prelude::*;

use super::picture;

#[test]
fn gray_is_the_luma_that_pillow_gives() {
    // Pillow 13.0.0: i = Image.new("RGB", (8, 1)); i.putdata([(10, 200, 30), …]); i.convert("L")
    let colors = [
        [10, 200, 30],
        [0, 0, 255],
        [255, 255, 255],
        [1, 2, 3],
        [77, 78, 79],
        [200, 100, 50],
        [3, 0, 1],
        [128, 129, 127],
    ];
    let image = Image { width: 8, height: 1, channels: 3, pixels: colors.concat() };
    assert_eq!(image.to_gray().pixels, [124, 29, 255, 2, 78, 124, 1, 128]);
}

#[test]
fn mirrors_exchange_columns_and_rows() {
    let mut image = Image { width: 3, height: 2, channels: 3, pixels: (0..18).collect() };
    image.flip_horizontally();
    assert_eq!(image.pixels, [6, 7, 8, 3, 4, 5, 0, 1, 2, 15, 16, 17, 12, 13, 14, 9, 10, 11]);
    image.flip_vertically();
    assert_eq!(image.pixels, [15, 16, 17, 12, 13, 14, 9, 10, 11, 6, 7, 8, 3, 4, 5, 0, 1, 2]);
}

#[test]
fn rows_become_columns() {
    let mut image = Image { width: 3, height: 2, channels: 3, pixels: (0..18).collect() };
    image.transpose();
    assert_eq!((image.width, image.height), (2, 3));
    assert_eq!(image.pixels, [0, 1, 2, 9, 10, 11, 3, 4, 5, 12, 13, 14, 6, 7, 8, 15, 16, 17]);
}

#[test]
fn a_part_that_is_not_inside_is_named_with_the_size_of_the_image() {
    let image = picture(5, 4, 1);
    assert_eq!(
        image.part([1, 2, 3, 2]).unwrap().pixels,
        [&image.pixels[11..14], &image.pixels[16..19]].concat()
    );
    for region in [[3, 0, 3, 1], [0, 4, 1, 1], [usize::MAX, 0, 2, 1], [0, 0, 1, usize::MAX]] {
        let message = image.part(region).unwrap_err().to_string();
        assert!(message.contains("5 x 4") && message.contains(&format!("{region:?}")), "{message}");
    }
}

proptest! {
    #[test]
    fn two_mirrors_give_the_image_back(width in 1usize..20, height in 1usize..20, color: bool) {
        let image = picture(width, height, if color { 3 } else { 1 });
        let mut mirrored = image.clone();
        mirrored.flip_horizontally();
        prop_assert_eq!(image.pixels == mirrored.pixels, width == 1);
        mirrored.flip_horizontally();
        prop_assert_eq!(&image, &mirrored);
        mirrored.flip_vertically();
        prop_assert_eq!(image.pixels == mirrored.pixels, height == 1);
        mirrored.flip_vertically();
        prop_assert_eq!(&image, &mirrored);
    }

    #[test]
    fn luma_is_the_weighted_sum_rounded_and_gray_stays_gray(color: [u8; 3], gray: u8) {
        let image = |pixel: [u8; 3]| Image { width: 1, height: 1, channels: 3, pixels: pixel.to_vec() };
        let sum = 0.299 * f64::from(color[0]) + 0.587 * f64::from(color[1]) + 0.114 * f64::from(color[2]);
        let luma = image(color).to_gray().pixels[0];
        prop_assert!((f64::from(luma) - sum).abs() < 0.51, "{} for {}", luma, sum);
        prop_assert_eq!(image([gray; 3]).to_gray().to_rgb().pixels, [gray; 3]);
    }
}
