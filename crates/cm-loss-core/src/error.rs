//! What a caller can get wrong.

use crate::Preset;

/// A configuration or input that no loss can be computed with.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A number of a configuration lies outside what the formula allows.
    #[error("{what} must be {allowed}, but is {value}")]
    OutOfRange {
        /// The quantity, for example `scale of the sigmoid contraction`.
        what: &'static str,
        /// What is allowed, in words.
        allowed: &'static str,
        /// What was given.
        value: f64,
    },
    /// The regulariser of MagFace is weaker than its margin needs: norms would not settle between their bounds.
    #[error(
        "the weight of the MagFace regulariser must be at least {least:.2} with this scale and margin, but is {weight}"
    )]
    RegularizerTooWeak {
        /// The weight given.
        weight: f64,
        /// The least weight, `s k u² l² / (u² − l²)`.
        least: f64,
    },
    /// A term of a combined margin that insightface leaves out or does not compute.
    #[error(
        "insightface does not compute {term} = {value} with these other margins; build a CombinedMargin to have every \
         term counted, or set it to its neutral value"
    )]
    MarginIgnored {
        /// `m1` or `m2`.
        term: &'static str,
        /// Its value.
        value: f64,
    },
    /// A loss name that no preset has.
    #[error("there is no loss named \"{name}\"; the losses are {}", Preset::names())]
    UnknownPreset {
        /// The name as given.
        name: String,
    },
    /// A target that is no class of the head.
    #[error("target {index} of the batch is {target}, but the head has {classes} classes, 0 to {}", classes - 1)]
    TargetOutOfRange {
        /// Position in the batch.
        index: usize,
        /// The target found.
        target: i64,
        /// Classes of the head.
        classes: usize,
    },
}

impl Error {
    /// `Ok` if `value` is finite and positive.
    pub(crate) fn check_positive(what: &'static str, value: f64) -> Result<(), Self> {
        Self::check(what, "a finite number above 0", value, value.is_finite() && value > 0.0)
    }

    /// `Ok` if `valid`, else an [`Error::OutOfRange`].
    pub(crate) fn check(
        what: &'static str,
        allowed: &'static str,
        value: f64,
        valid: bool,
    ) -> Result<(), Self> {
        if valid { Ok(()) } else { Err(Self::OutOfRange { what, allowed, value }) }
    }
}
