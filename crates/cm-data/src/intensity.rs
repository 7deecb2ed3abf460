//! From measured values, such as those of computed tomography, to gray levels.

use fast_image_resize::{
    FilterType, ResizeAlg, ResizeOptions, Resizer,
    images::{TypedImage, TypedImageRef},
    pixels::F32,
};
use serde::{Deserialize, Serialize};

/// The range of values that gray levels are given to, as radiologists choose it: what lies below is black, what lies above is
/// white.
///
/// A value `x` becomes `255 · ((x − level) / width + 1/2)`, cut at 0 and 255 and rounded. One gray level stands for
/// `width / 255`. The function LINEAR_EXACT of DICOM PS3.3, C.11.2.1.3.2.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The value in the middle, in the unit of the values (Hounsfield units for computed tomography).
    pub level: f32,
    /// From black to white, in the same unit. Above 0.
    pub width: f32,
}

impl Window {
    /// The gray level of a value. NaN is black.
    pub fn gray(&self, value: f32) -> u8 {
        // Casting to u8 saturates.
        (255.0 * ((value - self.level) / self.width + 0.5)).round() as u8
    }
}

/// Gray levels by the mean and the standard deviation of the values themselves: `most` deviations below the mean are black, as
/// many above it are white, and the mean is 127.5 before it is rounded. Values that are all alike become 128.
pub fn standardized_gray(values: &[f32], most: f32) -> Vec<u8> {
    let count = values.len() as f64;
    let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
    let variance = values.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / count;
    // Without any deviation every width gives the same.
    let deviation = if variance > 0.0 { variance.sqrt() } else { 1.0 };
    let window = Window { level: mean as f32, width: 2.0 * most * deviation as f32 };
    values.iter().map(|&value| window.gray(value)).collect()
}

/// The middle of a plane of values in another resolution: a square of `side` x `side` of its pixels around the center becomes
/// `size` x `size`, each a mean weighted by a triangle that is as wide as the larger of both pixels (as for
/// [`InputSpec`](crate::InputSpec)). Where the square goes beyond the plane, the border goes on.
///
/// `side = millimeters / spacing` shows the same field of view of planes of any spacing. With a `side` of `size` pixels values are as they
/// were; the square lies half a pixel beside the middle then if one of plane and square has an even side and the other has not.
///
/// # Panics
///
/// If there are not `width · height` values, or a size is 0 or not a number.
pub fn resample_center(values: &[f32], [width, height]: [usize; 2], side: f64, size: usize) -> Vec<f32> {
    assert_eq!(values.len(), width * height, "there is a value for each pixel");
    assert!(side > 0.0 && side.is_finite() && size > 0 && !values.is_empty(), "{side} x {side} pixels");
    // Room for the whole square, and for the triangle around it.
    let margin = |length: usize| ((side - length as f64) / 2.0).ceil().max(0.0) as usize + 1;
    let margins = [margin(width), margin(height)];
    let wide = bordered(values, [width, height], margins);
    let as_they_were = side == size as f64;
    let [full_width, full_height] = [width + 2 * margins[0], height + 2 * margins[1]];
    let begin = |length: usize| {
        let begin = (length as f64 - side) / 2.0;
        if as_they_were { begin.floor() } else { begin }
    };
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear)).crop(
        begin(full_width),
        begin(full_height),
        side,
        side,
    );
    let wide: Vec<F32> = wide.into_iter().map(F32::new).collect();
    let mut target = TypedImage::<F32>::new(size as u32, size as u32);
    let resized = TypedImageRef::new(full_width as u32, full_height as u32, &wide)
        .ok()
        .and_then(|source| Resizer::new().resize_typed(&source, &mut target, &options).ok());
    assert!(resized.is_some(), "the square lies in the plane");
    target.pixels().iter().map(|pixel| pixel.0).collect()
}

/// A plane with its border repeated around it.
fn bordered(values: &[f32], [width, height]: [usize; 2], [beside, above]: [usize; 2]) -> Vec<f32> {
    let mut wide = Vec::with_capacity((width + 2 * beside) * (height + 2 * above));
    for row in 0..height + 2 * above {
        let row = &values[row.saturating_sub(above).min(height - 1) * width..][..width];
        let columns = (0..width + 2 * beside).map(|column| column.saturating_sub(beside).min(width - 1));
        wide.extend(columns.map(|column| row[column]));
    }
    wide
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_its_level_in_the_middle_and_cuts_at_its_ends() {
        let lung = Window { level: -600.0, width: 1500.0 };
        assert_eq!([-1350.0, -2000.0, 150.0, 3000.0, f32::NAN].map(|hu| lung.gray(hu)), [0, 0, 255, 255, 0]);
        assert_eq!([lung.gray(-600.0), lung.gray(-597.0)], [128, 128]);
        assert_eq!(lung.gray(-1350.0 + 10.0 * 1500.0 / 255.0), 10);
    }

    #[test]
    fn standardized_values_do_not_depend_on_their_unit() {
        let values = [1.0, 2.0, 3.0, 10.0];
        let others = values.map(|value| 7.0 * value - 1000.0);
        assert_eq!(standardized_gray(&values, 3.0), standardized_gray(&others, 3.0));
        assert_eq!(standardized_gray(&[5.0; 3], 3.0), [128; 3]);
    }

    #[test]
    fn a_plane_in_its_own_resolution_stays_and_the_border_goes_on() {
        let values: Vec<f32> = (0..25).map(|i| i as f32 * 10.0 - 1000.0).collect();
        assert_eq!(resample_center(&values, [5, 5], 5.0, 5), values);
        let middle = resample_center(&values, [5, 5], 3.0, 3);
        assert_eq!(middle[..4], [-940.0, -930.0, -920.0, -890.0]);
        let beyond = resample_center(&values, [5, 5], 9.0, 9);
        assert_eq!((beyond[0], beyond[80], beyond[2 * 9 + 2]), (-1000.0, -760.0, -1000.0));
        // An even square of an odd plane: no pixel is a mean of others.
        assert_eq!(resample_center(&values, [5, 5], 4.0, 4)[..4], values[..4]);
        let half = resample_center(&[7.0; 49], [7, 7], 3.3, 12);
        assert!(half.iter().all(|value| (value - 7.0).abs() < 1e-5), "{half:?}");
    }
}
