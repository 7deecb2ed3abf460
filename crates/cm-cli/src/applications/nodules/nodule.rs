//! A nodule with what radiologists say of it.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// Height and width in pixels of the patches that are drawn.
pub const SIDE: usize = 71;

/// The highest rating; the lowest is 1.
pub const HIGHEST_RATING: u8 = 5;

/// A nodule: the slice on which it is largest, around its middle.
#[derive(Debug, Clone, PartialEq)]
pub struct Nodule {
    /// What the user's table calls it.
    pub id: String,
    /// What messages and captions call it.
    pub name: String,
    /// The patient, who may have several nodules, and several scans.
    pub patient: String,
    /// Millimeters from a pixel to the next.
    pub spacing: f64,
    /// Diameter in millimeters of the circle that has its area.
    pub diameter: f64,
    /// Ratings of malignancy, 1 (highly unlikely) to 5 (highly suspicious), of those radiologists who marked it.
    pub malignancy: Vec<u8>,
    /// Their ratings of subtlety, 1 (extremely subtle) to 5 (obvious).
    pub subtlety: Vec<u8>,
    /// Height and width of the patch in pixels.
    pub side: usize,
    /// Hounsfield units, row after row.
    pub values: Vec<f32>,
}

/// Which nodules are benign and which malignant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LabelRule {
    /// Nodules that fewer radiologists than this marked are left out.
    pub min_raters: usize,
    /// Nodules whose mean rating is from the first to the second number are left out. Below it is benign, above it malignant.
    pub undecided: [f64; 2],
}

/// Names of the classes, by their labels.
pub const CLASSES: [&str; 2] = ["benign", "malignant"];

/// Why a nodule is not in the study.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// Too few radiologists marked it.
    FewRaters,
    /// They do not lean to either side.
    Undecided,
}

impl Nodule {
    /// Mean of the ratings of malignancy.
    pub fn mean_malignancy(&self) -> f64 {
        mean(&self.malignancy)
    }

    /// Mean of the ratings of subtlety: low for nodules that are hard to see.
    pub fn mean_subtlety(&self) -> f64 {
        mean(&self.subtlety)
    }

    /// Standard deviation of the ratings of malignancy, over their number: how much the radiologists disagree. `None` for a
    /// single one.
    pub fn disagreement(&self) -> Option<f64> {
        let mean = self.mean_malignancy();
        let squares: f64 = self.malignancy.iter().map(|&rating| (f64::from(rating) - mean).powi(2)).sum();
        (self.malignancy.len() > 1).then(|| (squares / self.malignancy.len() as f64).sqrt())
    }

    /// Its class by a rule, or why it has none.
    pub fn label(&self, rule: &LabelRule) -> Result<u32, LeftOut> {
        let undecided: RangeInclusive<f64> = rule.undecided[0]..=rule.undecided[1];
        let mean = self.mean_malignancy();
        match () {
            () if self.malignancy.len() < rule.min_raters => Err(LeftOut::FewRaters),
            () if undecided.contains(&mean) => Err(LeftOut::Undecided),
            () => Ok(u32::from(mean > *undecided.end())),
        }
    }
}

#[cfg(test)]
impl Nodule {
    /// A nodule of one pixel with these ratings.
    pub fn rated(malignancy: &[u8], subtlety: &[u8]) -> Self {
        Self {
            id: "1".to_owned(),
            name: "a nodule".to_owned(),
            patient: "a patient".to_owned(),
            spacing: 0.7,
            diameter: 8.0,
            malignancy: malignancy.to_vec(),
            subtlety: subtlety.to_vec(),
            side: 1,
            values: vec![0.0],
        }
    }
}

fn mean(ratings: &[u8]) -> f64 {
    ratings.iter().map(|&rating| f64::from(rating)).sum::<f64>() / ratings.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rated(malignancy: &[u8]) -> Nodule {
        Nodule::rated(malignancy, &vec![4; malignancy.len()])
    }

    #[test]
    fn a_class_is_what_the_mean_leans_to_and_the_middle_is_left_out() {
        let rule = LabelRule { min_raters: 1, undecided: [3.0, 3.0] };
        let label = |ratings: &[u8]| rated(ratings).label(&rule);
        assert_eq!(label(&[3, 3, 2, 3]), Ok(0));
        assert_eq!(label(&[3, 3, 4]), Ok(1));
        assert_eq!((label(&[3]), label(&[1, 5])), (Err(LeftOut::Undecided), Err(LeftOut::Undecided)));
        let strict = LabelRule { min_raters: 3, undecided: [2.5, 3.5] };
        assert_eq!(rated(&[5, 5]).label(&strict), Err(LeftOut::FewRaters));
        assert_eq!(rated(&[3, 3, 4, 4]).label(&strict), Err(LeftOut::Undecided));
        assert_eq!(rated(&[4, 4, 3]).label(&strict), Ok(1));
        assert_eq!(rated(&[2, 2, 3]).label(&strict), Ok(0));
    }

    #[test]
    fn one_radiologist_does_not_disagree() {
        assert_eq!(rated(&[4]).disagreement(), None);
        assert_eq!(rated(&[2, 4]).disagreement(), Some(1.0));
    }
}
