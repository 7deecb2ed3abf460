//! How an image looks, in a few numbers.

use fast_image_resize::Resizer;

use crate::{ContentHash, Image, InputSpec, Resize, resize::prepare};

/// How an image looks, in a few numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// 1 (gray), 3 (color), or the slices of a volume, of which the one in the middle is looked at.
    pub channels: usize,
    /// Mean of the gray values, from 0 (black) to 255.
    pub light: f64,
    /// Their standard deviation, from 0 for an image of one gray.
    pub contrast: f64,
    /// Variance of the Laplacian `4 v − (left + right + up + down)` of the gray image, with sides of at most 128 pixels: low where
    /// it is blurred. 0 for an image with a side below 3 pixels.
    pub sharpness: f64,
    /// Sum of the bytes of the file.
    pub content: ContentHash,
    /// Gray image of 17 x 16 pixels, by which copies are found.
    pub(super) small: Box<[u8; SMALL]>,
}

/// Pixels of the small image: one column more than there are differences in a row.
pub(super) const SMALL: usize = 17 * 16;

/// Longest side on which sharpness is measured, so that images of other sizes can be compared.
const SIDE: usize = 128;

impl Look {
    /// Of an image, and the sum of the bytes of its file.
    pub fn of(image: &Image, content: ContentHash) -> Self {
        let gray = image.to_gray();
        let (light, contrast) = moments(gray.pixels.iter().map(|&value| f64::from(value)));
        let longer = image.width.max(image.height).max(1);
        let fitted = |side: usize| if longer > SIDE { (side * SIDE / longer).max(1) } else { side };
        let measured = resized(&gray, [fitted(image.width), fitted(image.height)]);
        let small = resized(&gray, [17, 16]);
        let small = Box::new(<[u8; SMALL]>::try_from(&small.pixels[..]).unwrap_or([0; SMALL]));
        Self {
            width: image.width,
            height: image.height,
            channels: image.channels,
            light,
            contrast,
            sharpness: laplacian_variance(&measured),
            content,
            small,
        }
    }
}

fn resized(gray: &Image, [width, height]: [usize; 2]) -> Image {
    let (mean, std) = (vec![0.0], vec![1.0]);
    let spec = InputSpec { width, height, channels: 1, resize: Resize::Stretch, region: None, mean, std };
    match prepare(gray, &spec, &mut Resizer::new()) {
        Ok(Some(resized)) => resized,
        // It has the size already; what was decoded is whole.
        _ => gray.clone(),
    }
}

fn laplacian_variance(gray: &Image) -> f64 {
    let (width, height) = (gray.width, gray.height);
    if width < 3 || height < 3 {
        return 0.0;
    }
    let at = |x: usize, y: usize| f64::from(gray.pixels[y * width + x]);
    let inner = (1..height - 1).flat_map(|y| (1..width - 1).map(move |x| (x, y)));
    let values =
        inner.map(|(x, y)| 4.0 * at(x, y) - at(x - 1, y) - at(x + 1, y) - at(x, y - 1) - at(x, y + 1));
    moments(values).1.powi(2)
}

/// Mean and standard deviation, over n.
fn moments(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for value in values {
        count += 1.0;
        sum += value;
        squares += value * value;
    }
    if count == 0.0 {
        return (0.0, 0.0);
    }
    // Whole numbers, whose sums are exact for images of any size that is read.
    let mean: f64 = sum / count;
    (mean, (squares / count - mean * mean).max(0.0).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gray(width: usize, height: usize, value: impl Fn(usize, usize) -> u8) -> Image {
        let pixels = (0..width * height).map(|i| value(i % width, i / width)).collect();
        Image { width, height, channels: 1, pixels }
    }

    #[test]
    fn light_contrast_and_sharpness_are_those_of_numpy_and_opencv() {
        // numpy: v = (x * 9 + y * 5 + (x * y) % 7 * 13) % 256 on 8 x 6; v.mean(), v.std(), and the variance of
        // 4 v[1:-1, 1:-1] - v[1:-1, :-2] - v[1:-1, 2:] - v[:-2, 1:-1] - v[2:, 1:-1] (cv2.Laplacian with the sign turned,
        // without its border).
        let image = gray(8, 6, |x, y| ((x * 9 + y * 5 + (x * y) % 7 * 13) % 256) as u8);
        let look = Look::of(&image, ContentHash([0; 32]));
        let expected = [72.4375, 38.973_765_882_749_04, 16_202.581_597_222_22];
        for (found, expected) in [look.light, look.contrast, look.sharpness].into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6 * expected, "{found}, not {expected}");
        }
    }

    #[test]
    fn an_image_of_one_gray_has_no_contrast_and_no_sharpness_whatever_its_size() {
        for (width, height) in [(1, 1), (2, 9), (3, 3), (300, 200)] {
            let look = Look::of(&gray(width, height, |_, _| 77), ContentHash([0; 32]));
            assert_eq!((look.light, look.contrast, look.sharpness), (77.0, 0.0, 0.0));
        }
    }
}
