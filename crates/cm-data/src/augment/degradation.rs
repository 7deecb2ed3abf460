//! Some of the images at lower quality.

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::{DataError, Degradation, Image, degrade};

/// Degrades a share of the images, anew in each epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomDegradation {
    /// What becomes of them.
    pub kind: Degradation,
    /// Share of the images, from 0 to 1.
    pub fraction: f32,
    /// Smallest and largest severity, from 1 to 4; each between them is evenly likely.
    #[serde(default = "all_severities")]
    pub severities: [u8; 2],
    /// A kind that `mixed` leaves out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without: Option<Degradation>,
}

fn all_severities() -> [u8; 2] {
    [1, 4]
}

impl RandomDegradation {
    pub(super) fn validate(&self) -> Result<(), DataError> {
        let setting = |name, value, reason| Err(DataError::Setting { name, value, reason });
        if !(0.0..=1.0).contains(&self.fraction) {
            let reason = "it has to be from 0 to 1";
            return setting("augmentation.degrade.fraction", self.fraction.to_string(), reason);
        }
        let [least, most] = self.severities;
        if !(1..=4).contains(&least) || !(least..=4).contains(&most) {
            let reason = "it has to hold the smallest and the largest severity, from 1 to 4";
            return setting("augmentation.degrade.severities", format!("{:?}", self.severities), reason);
        }
        match self.without {
            Some(without) if self.kind != Degradation::Mixed || without == Degradation::Mixed => {
                let reason = "it has to be one of the kinds that mixed is made of, beside kind = \"mixed\"";
                setting("augmentation.degrade.without", without.to_string(), reason)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn apply(&self, image: Image, random: &mut impl Rng) -> Image {
        if !random.random_bool(f64::from(self.fraction)) {
            return image;
        }
        let [least, most] = self.severities;
        let severity = random.random_range(least..=most);
        let kind = match self.without {
            Some(without) => {
                let mut left = Degradation::SINGLE.into_iter().filter(|kind| *kind != without);
                left.nth(random.random_range(0..Degradation::SINGLE.len() - 1)).unwrap_or(self.kind)
            }
            None => self.kind,
        };
        degrade(&image, kind, severity, random.random(), random.random())
    }
}
