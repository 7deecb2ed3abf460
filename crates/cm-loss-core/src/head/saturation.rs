//! Whether the norm still matters to a head.

use std::fmt;

/// How much of a batch lies where the norm map is flat, with a derivative under a thousandth of its largest.
///
/// There the loss is its peer of constant scale, and no gradient reaches the norm.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Saturation {
    /// Share of the features, from 0 to 1.
    pub share: f64,
    /// Mean norm of the batch.
    pub mean_norm: f64,
}

impl Saturation {
    /// Below this share of the largest derivative a norm map counts as flat.
    pub const FLAT: f64 = 1e-3;

    /// Most of the batch is where the norm map is flat.
    pub fn is_serious(&self) -> bool {
        self.share > 0.5
    }
}

impl fmt::Display for Saturation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the norm map is flat for {:.0} % of the features (mean norm {:.1})",
            self.share * 100.0,
            self.mean_norm
        )?;
        match self.is_serious() {
            true => f.write_str(
                ": the loss is the one with a constant scale, and learns nothing of the norm; a calibrated sigmoid, weight \
                 decay or a smaller learning rate change that",
            ),
            false => Ok(()),
        }
    }
}
