//! From Hounsfield units to the images that networks see.

use std::sync::Arc;

use cm_data::{Image, Window, resample_center, standardized_gray};
use cm_train::{Error, training::check};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::nodule::Nodule;

/// How patches become images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pixels {
    /// How Hounsfield units become gray levels.
    pub gray: Gray,
    /// Side in millimeters of the square around the nodule's middle that every image shows; `None` for a square of `size` pixels
    /// as they were stored, so that a nodule is as large as its scan happened to show it.
    pub field_of_view: Option<f64>,
    /// Height and width of the images.
    pub size: usize,
}

/// How Hounsfield units become gray levels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gray {
    /// The same for all: what a gray level stands for is known.
    Window(Window),
    /// By mean and deviation of each image; so many deviations from the mean are black and white.
    Standardized(f32),
}

impl Pixels {
    /// From air to bone, −1000 to 400 Hounsfield units: calcified and solid tissue are told apart, which the window in which
    /// radiologists look at lungs (level −600, width 1500) shows in one white.
    pub const CHEST: Window = Window { level: -300.0, width: 1400.0 };

    /// Checks every number.
    ///
    /// # Errors
    ///
    /// [`Error::Option`], with the name and what it may be.
    pub fn validate(&self) -> Result<(), Error> {
        check("size", "from 16 to 512", self.size, (16..=512).contains(&self.size))?;
        if let Some(field) = self.field_of_view {
            check("field-of-view", "from 5 to 500 mm", field, (5.0..=500.0).contains(&field))?;
        }
        match self.gray {
            Gray::Window(Window { level, width }) => {
                check("window-level", "a number", level, level.is_finite())?;
                check("window-width", "above 0", width, width > 0.0 && width.is_finite())
            }
            Gray::Standardized(most) => {
                check("standardized", "above 0", most, most > 0.0 && most.is_finite())
            }
        }
    }

    /// The image of a nodule.
    pub fn image(&self, nodule: &Nodule) -> Image {
        let size = self.size;
        let side = self.field_of_view.map_or(size as f64, |field| field / nodule.spacing);
        let values = resample_center(&nodule.values, [nodule.side; 2], side, size);
        let pixels = match self.gray {
            Gray::Window(window) => values.into_iter().map(|value| window.gray(value)).collect(),
            Gray::Standardized(most) => standardized_gray(&values, most),
        };
        Image { width: size, height: size, channels: 1, pixels }
    }

    /// The images of nodules, in their order.
    pub fn images(&self, nodules: &[Nodule]) -> Vec<Arc<Image>> {
        nodules.par_iter().map(|nodule| Arc::new(self.image(nodule))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk of 40 HU in air, as a scan of this spacing shows it.
    fn disk(diameter: f64, spacing: f64) -> Nodule {
        let side = 71;
        let inside = |i: usize| {
            let [x, y] = [i % side, i / side].map(|at| (at as f64 - 35.0) * spacing);
            x.hypot(y) < diameter / 2.0
        };
        Nodule {
            id: "1".to_owned(),
            name: "disk".to_owned(),
            patient: "none".to_owned(),
            spacing,
            diameter,
            malignancy: vec![3],
            subtlety: vec![5],
            side,
            values: (0..side * side).map(|i| if inside(i) { 40.0 } else { -850.0 }).collect(),
        }
    }

    fn bright(image: &Image) -> f64 {
        image.pixels.iter().filter(|&&gray| gray > 108).count() as f64
    }

    #[test]
    fn a_field_of_view_shows_a_nodule_in_its_size_whatever_the_spacing() {
        let field = Pixels { gray: Gray::Window(Pixels::CHEST), field_of_view: Some(40.0), size: 48 };
        let stored = Pixels { field_of_view: None, ..field };
        let [fine, coarse] = [0.5, 0.9].map(|spacing| disk(12.0, spacing));
        let ratio = |pixels: Pixels| bright(&pixels.image(&fine)) / bright(&pixels.image(&coarse));
        assert!((ratio(field) - 1.0).abs() < 0.1, "{}", ratio(field));
        assert!((ratio(stored) - 3.24).abs() < 0.3, "{}", ratio(stored));
        let expected = std::f64::consts::PI * (6.0f64 * 48.0 / 40.0).powi(2);
        assert!((bright(&field.image(&fine)) / expected - 1.0).abs() < 0.05);
    }

    #[test]
    fn a_window_keeps_what_a_gray_level_stands_for_and_standardizing_does_not() {
        let brighter = |pixels: Pixels| {
            let mut nodule = disk(12.0, 0.7);
            let before = pixels.image(&nodule);
            nodule.values.iter_mut().for_each(|value| *value = 0.5 * *value + 30.0);
            pixels.image(&nodule) == before
        };
        let window = Pixels { gray: Gray::Window(Pixels::CHEST), field_of_view: None, size: 32 };
        assert!(!brighter(window));
        assert!(brighter(Pixels { gray: Gray::Standardized(3.0), ..window }));
    }
}
