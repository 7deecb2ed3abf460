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
    /// Features of another length than the head was made for.
    #[error("features have {columns} columns, but the head was made for {feature_dim}")]
    FeatureDim {
        /// Columns of the features.
        columns: usize,
        /// What the head was made for.
        feature_dim: usize,
    },
    /// More or fewer targets than features.
    #[error("{targets} targets were given for a batch of {features} features")]
    TargetCount {
        /// Number of targets.
        targets: usize,
        /// Number of features.
        features: usize,
    },
    /// A feature that is infinite or undefined.
    #[error(
        "feature {row} of the batch has {value} in column {column}; the network in front of the head has diverged, or \
         its input is not finite"
    )]
    NotFinite {
        /// Position in the batch.
        row: usize,
        /// Dimension of the feature.
        column: usize,
        /// What was found there.
        value: f32,
    },
    /// A center that is infinite or undefined.
    #[error(
        "center {row} has {value} in column {column}; where it came from, the training has diverged or the file is damaged"
    )]
    CenterNotFinite {
        /// Row of the centers.
        row: usize,
        /// Dimension of the feature.
        column: usize,
        /// What was found there.
        value: f32,
    },
    /// Centers of another shape than the head has.
    #[error(
        "centers have the shape {found:?}, but the head takes {expected:?}: a row for each center, a column for each \
         dimension; a checkpoint with a column for each class fits transposed"
    )]
    CenterShape {
        /// `[rows, columns]` given.
        found: [usize; 2],
        /// `[rows, columns]` of the head.
        expected: [usize; 2],
    },
    /// Gradients that are not those of the loss at hand.
    #[error(
        "there is no gradient of the drawn centers: the gradients are not those of this step's loss, or were taken already"
    )]
    NoGradient,
    /// A part of a state that this head does not remember.
    #[error("this head has no {what}, so that it cannot be set")]
    NoSuchState {
        /// The part.
        what: &'static str,
    },
    /// More or fewer class weights than classes.
    #[error("{weights} class weights were given for {classes} classes")]
    ClassWeights {
        /// Number of weights.
        weights: usize,
        /// Number of classes.
        classes: usize,
    },
    /// More or fewer margins than classes.
    #[error("{margins} margins were given for {classes} classes")]
    ClassMargins {
        /// Number of margins.
        margins: usize,
        /// Number of classes.
        classes: usize,
    },
    /// More or fewer shares than features.
    #[error("{shares} shares of mixed samples were given for a batch of {features} features")]
    ShareCount {
        /// Number of shares.
        shares: usize,
        /// Number of features.
        features: usize,
    },
    /// A share of a mixed sample outside 0 to 1.
    #[error("the share of sample {index} of the batch must be from 0 to 1, but is {share}")]
    ShareOutOfRange {
        /// Position in the batch.
        index: usize,
        /// The share found.
        share: f32,
    },
    /// Two parts that exclude each other.
    #[error("{what} cannot be combined with {with}: {reason}")]
    DoesNotCombine {
        /// A part.
        what: &'static str,
        /// The other one.
        with: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// A scale with which even perfect features leave the target's probability low.
    #[error(
        "with a scale of {scale} and {classes} classes, even a feature that lies on its center gets a probability of \
         {reached:.4}; {wanted} takes a scale of at least {least:.2}"
    )]
    ScaleTooSmall {
        /// The scale given.
        scale: f64,
        /// Number of classes.
        classes: usize,
        /// The largest probability that the scale allows.
        reached: f64,
        /// The probability asked for.
        wanted: f64,
        /// The least scale that allows it.
        least: f64,
    },
    /// A target that is no class of the head.
    #[error("target {index} of the batch is {target}, but the head has {classes} classes, 0 to {}", classes.saturating_sub(1))]
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
    /// `Ok` if `value` is finite and positive, in 32 bits too.
    pub(crate) fn check_positive(what: &'static str, value: f64) -> Result<(), Self> {
        let single = value as f32;
        Self::check(what, "a finite 32-bit number above 0", value, single.is_finite() && single > 0.0)
    }

    /// `Ok` if `value` is a share that is not 0.
    pub(crate) fn check_rate(what: &'static str, value: f64) -> Result<(), Self> {
        Self::check(what, "above 0 and at most 1", value, value > 0.0 && value <= 1.0)
    }

    /// `Ok` if `value` is an additive margin of cosines.
    pub(crate) fn check_cosine_margin(what: &'static str, value: f64) -> Result<(), Self> {
        Self::check(
            what,
            "at least 0 and below 2, a difference of cosines",
            value,
            (0.0..2.0).contains(&value),
        )
    }

    /// An [`Error::DoesNotCombine`] if both parts are there.
    pub(crate) fn exclude(
        both: bool,
        what: &'static str,
        with: &'static str,
        reason: &'static str,
    ) -> Result<(), Self> {
        if both { Err(Self::DoesNotCombine { what, with, reason }) } else { Ok(()) }
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
