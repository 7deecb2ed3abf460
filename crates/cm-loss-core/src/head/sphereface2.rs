//! One-vs-all classification on the sphere.

use std::ops::Range;

use burn::{
    module::{Flag, Module, Param},
    nn::Initializer,
    tensor::{Device, IndexingUpdateOp, Int, Tensor, activation::sigmoid},
};
use serde::{Deserialize, Serialize};

use super::{
    ConfigVersion, HeadOutput, HeadState, LossOutput, Saturation,
    radius::{Polar, Radius},
    shared::{Parts, centers_in_a_field, is_training, mixed},
    state,
};
use crate::{
    Error, LossOptions, NormMap, NormStatistics, exact, margin::MarginGradient, norm_map::Constant,
    targets::Targets,
};

/// SphereFace2: every class against all others by binary cross entropy, not one softmax over all of them.
///
/// ```text
/// g(c) = 2 ((c + 1) / 2)^t − 1
/// z_ij = phi(r_i) (g(cos θ_ij) − m) + b    for j = y_i
/// z_ij = phi(r_i) (g(cos θ_ij) + m) + b    for the others
/// L_i  = l (α softplus(−z_iy) + (1 − α) Σ_{j≠y} softplus(z_ij))
/// ```
///
/// with a learned bias `b`. With another margin of the others, `g = cos` (`t = 1`), `α = 1/2` and `l = 2` it is the unified
/// cross entropy of UniTSFace (Q. Li et al., "UniTSFace: Unified Threshold Integrated Sample-to-Sample Loss for Face
/// Recognition", NeurIPS 2023, arXiv 2311.02523), whose authors' code clamps each `z` to `±phi` in value.
///
/// From Y. Wen, W. Liu, A. Weller, B. Raj, R. Singh, "SphereFace2: Binary Classification is All You Need for Deep Face
/// Recognition", ICLR 2022, arXiv 2108.01513, with a constant `phi`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SphereFace2Config {
    /// `phi`.
    pub norm_map: NormMap,
    /// The margin `m`, at least 0 and below 2.
    pub margin: f64,
    /// The margin of the others, where it is not that of the target, at least 0 and below 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin_of_others: Option<f64>,
    /// The exponent `t` of `g`, at least 1.
    pub exponent: f64,
    /// The share `α` of the target's loss, above 0 and below 1.
    pub balance: f64,
    /// The weight `l` of the loss, above 0.
    pub weight: f64,
    /// Where the bias begins.
    #[serde(skip_serializing_if = "FirstBias::is_balanced")]
    pub first_bias: FirstBias,
    /// With [`MarginGradient::Detached`], `g` and `m` have the derivative 1 by the cosine, as in OpenSphere.
    pub margin_gradient: MarginGradient,
    /// What is done with the loss of each sample; only class weights and the index to ignore have a meaning here.
    #[serde(skip_serializing_if = "LossOptions::is_plain")]
    pub options: LossOptions,
    /// The version of the format that this was written in.
    pub version: ConfigVersion,
}

/// Where the bias of a one-vs-all head begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FirstBias {
    /// Where it has no gradient for cosines of 0: as in SphereFace2.
    #[default]
    Balanced,
    /// At `−ln(10 C)` for `C` classes: as in UniTSFace.
    LogClasses,
}

impl FirstBias {
    fn is_balanced(&self) -> bool {
        *self == Self::Balanced
    }
}

impl Default for SphereFace2Config {
    /// `phi = 40`, `m = 0.4`, `t = 3`, `α = 0.7`, and OpenSphere's weight of 50 divided by `phi`.
    fn default() -> Self {
        Self {
            norm_map: NormMap::Constant(Constant { scale: 40.0 }),
            margin: 0.4,
            margin_of_others: None,
            exponent: 3.0,
            balance: 0.7,
            weight: 1.25,
            first_bias: FirstBias::Balanced,
            margin_gradient: MarginGradient::Exact,
            options: LossOptions::default(),
            version: ConfigVersion::default(),
        }
    }
}

impl SphereFace2Config {
    /// Checks every number.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] for a number outside what the formula allows; [`Error::DoesNotCombine`] with label smoothing
    /// or focal modulation.
    pub fn validate(&self) -> Result<(), Error> {
        self.norm_map.validate()?;
        self.options.validate()?;
        Error::check_cosine_margin("margin of SphereFace2", self.margin)?;
        Error::check_cosine_margin("margin of the others of SphereFace2", self.others())?;
        let exponent = self.exponent;
        let valid = exponent >= 1.0 && exponent.is_finite();
        Error::check("exponent of SphereFace2", "finite and at least 1", exponent, valid)?;
        let balance = self.balance;
        let valid = balance > 0.0 && balance < 1.0;
        Error::check("balance of SphereFace2", "above 0 and below 1", balance, valid)?;
        Error::check_positive("weight of SphereFace2", self.weight)?;
        self.options.without_softmax("SphereFace2")
    }

    /// A head with random class centers, drawn as Glorot's uniform initialization has it.
    ///
    /// # Errors
    ///
    /// As [`validate`](Self::validate), and [`Error::OutOfRange`] without features or classes,
    /// [`Error::ClassWeights`] if there is not one weight for each class.
    pub fn init(
        &self,
        feature_dim: usize,
        classes: usize,
        device: &Device,
    ) -> Result<SphereFace2Head, Error> {
        super::check_size(feature_dim, classes)?;
        self.validate()?;
        let initializer = Initializer::XavierUniform { gain: 1.0 };
        let fan = (Some(feature_dim), Some(classes));
        let bias = Tensor::from_data([self.first_bias(classes) as f32], device);
        Ok(SphereFace2Head {
            class_centers: initializer.init_with([classes, feature_dim], fan.0, fan.1, device),
            bias: Param::from_tensor(bias),
            training: Param::from_bool(true),
            class_weights: self.options.weights(classes, device)?,
            radius: Radius::new(&self.norm_map, feature_dim, device),
            config: self.clone(),
        })
    }

    /// The margin of the others.
    fn others(&self) -> f64 {
        self.margin_of_others.unwrap_or(self.margin)
    }

    /// The bias whose gradient is 0 if every cosine is 0 and every radius the norm map's largest (1, if it has none).
    fn first_bias(&self, classes: usize) -> f64 {
        if self.first_bias == FirstBias::LogClasses {
            return -(10.0 * classes as f64).ln();
        }
        if classes < 2 {
            return 0.0;
        }
        let radius = self.norm_map.largest_radius().unwrap_or(1.0);
        let middle = 2.0 * 0.5f64.powf(self.exponent) - 1.0;
        let (target, other) = (radius * (middle - self.margin), radius * (middle + self.others()));
        // α sigmoid(−(target + b)) = (1 − α) (C − 1) sigmoid(other + b), a quadratic in exp(b).
        let odds = self.balance / ((1.0 - self.balance) * (classes - 1) as f64);
        let root = ((1.0 - odds).powi(2) + 4.0 * odds * (target - other).exp()).sqrt();
        // Of its two forms the one without a difference of nearly equal numbers.
        match odds < 1.0 {
            true => (2.0 * odds).ln() - other - (1.0 - odds + root).ln(),
            false => (odds - 1.0 + root).ln() - 2f64.ln() - target,
        }
    }
}

/// The head of [`SphereFace2Config`].
///
/// A zero feature has cosine 0 with every center and receives no gradient. 16-bit features are computed in 32 bits.
#[derive(Module, Debug)]
pub struct SphereFace2Head {
    /// A center a class: `[classes, feature_dim]`. Only their directions matter.
    pub class_centers: Param<Tensor<2>>,
    /// The bias `b`: `[1]`.
    pub bias: Param<Tensor<1>>,
    /// Whether the head remembers what it is trained on.
    pub training: Param<Flag>,
    /// `[classes]`
    class_weights: Option<Tensor<1>>,
    pub(super) radius: Radius,
    #[module(skip)]
    config: SphereFace2Config,
}

impl SphereFace2Head {
    /// What the head was made from.
    pub fn config(&self) -> &SphereFace2Config {
        &self.config
    }

    /// Losses, inference logits and feature norms; see [`Head::forward`](super::Head::forward).
    pub fn forward(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> HeadOutput {
        let margins = [self.config.margin, self.config.others()];
        self.pass(features, targets, margins, true)
    }

    /// Losses, predictions and feature norms; see [`Head::loss`](super::Head::loss).
    pub fn loss(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> LossOutput {
        self.forward(features, targets).into()
    }

    /// The loss without margins; see [`Head::validation_loss`](super::Head::validation_loss).
    pub fn validation_loss(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> LossOutput {
        self.pass(features, targets, [0.0; 2], false).into()
    }

    fn pass(
        &self,
        features: Tensor<2>,
        targets: Tensor<1, Int>,
        [margin, of_others]: [f64; 2],
        remembers: bool,
    ) -> HeadOutput {
        let [classes, feature_dim] = self.class_centers.dims();
        let targets = Targets::new(&features, targets, feature_dim, classes, &self.config.options);
        let polar = Polar::new(features, self.class_centers.val());
        let training = is_training(&polar.norms, &self.training);
        if remembers && training {
            self.radius.take_in(&polar.norms, targets.ignored.as_ref());
        }
        let stretched = self.stretched(polar.cosines());
        let radii = match training && remembers {
            true => self.radius.of_batch(polar.norms.clone(), targets.ignored.as_ref()),
            false => self.radius.forward(polar.norms.clone()),
        };
        let bias = self.bias.val().cast(radii.dtype()).unsqueeze::<2>();
        let logits = stretched.clone() * radii.clone() + bias.clone();

        let column = targets.columns.clone();
        // Each logit with the sign of what it should not be: z of the others, −z of the target.
        let others = stretched.clone().add_scalar(of_others) * radii.clone() + bias.clone();
        let target = (stretched.gather(1, column.clone()).sub_scalar(margin) * radii + bias).neg();
        let replaced = target - others.clone().gather(1, column.clone());
        let losses = softplus(others.scatter(1, column.clone(), replaced, IndexingUpdateOp::Add));
        let balance = self.config.balance;
        let own = losses.clone().gather(1, column).mul_scalar(2.0 * balance - 1.0);
        let losses = (losses.sum_dim(1).mul_scalar(1.0 - balance) + own).mul_scalar(self.config.weight);

        let (loss, weights) =
            LossOptions::weigh(losses, targets.classes(), self.class_weights.as_ref(), &targets);
        HeadOutput::new(loss, weights, logits, None, polar.norms.squeeze_dim(1))
    }

    /// `g`
    fn stretched(&self, cosines: Tensor<2>) -> Tensor<2> {
        // Rounding may leave a cosine a little below −1, where a power is not defined.
        let half = |cosines: Tensor<2>| cosines.add_scalar(1.0).div_scalar(2.0).clamp_min(0.0);
        let stretch =
            |half: Tensor<2>| half.powf_scalar(self.config.exponent).mul_scalar(2.0).sub_scalar(1.0);
        match self.config.margin_gradient {
            MarginGradient::Exact => stretch(half(cosines)),
            MarginGradient::Detached => {
                let outside = cosines.clone().detach();
                stretch(half(outside.clone())) + (cosines - outside)
            }
        }
    }
}

impl Parts for SphereFace2Head {
    fn options(&self) -> &LossOptions {
        &self.config.options
    }

    centers_in_a_field!();

    fn classes(&self) -> usize {
        self.class_centers.dims()[0]
    }

    /// `phi(r) g(cos θ) + b`
    fn logits_of(&self, features: Tensor<2>, classes: Range<usize>) -> (Tensor<2>, Tensor<1>) {
        let polar = Polar::of_rows(features, self.class_centers.val(), classes);
        let radii = self.radius.forward(polar.norms.clone());
        let bias = self.bias.val().cast(radii.dtype()).unsqueeze();
        (self.stretched(polar.cosines()) * radii + bias, polar.norms.squeeze_dim(1))
    }

    fn probabilities_of(&self, logits: Tensor<2>) -> Tensor<2> {
        sigmoid(logits)
    }

    fn mixed_of(
        &self,
        features: Tensor<2>,
        [a, b]: [Tensor<1, Int>; 2],
        share: Tensor<1>,
    ) -> Result<LossOutput, Error> {
        let margins = [self.config.margin, self.config.others()];
        let first = self.forward(features.clone(), a);
        // It remembers the norms alone, which are those of both.
        Ok(mixed(first.into(), self.pass(features, b, margins, false).into(), share))
    }

    fn saturation_of(&self, norms: Tensor<1>) -> Option<Saturation> {
        self.radius.saturation(norms)
    }

    fn norm_map(&self) -> Option<&NormMap> {
        Some(&self.config.norm_map)
    }

    fn remembered(&self) -> HeadState {
        let norm_map = self.radius.statistics().map(NormStatistics::moments);
        HeadState { norm_map, ..HeadState::default() }
    }

    fn remember(&self, state: &HeadState) {
        state::replace(self.radius.statistics(), &state.norm_map);
    }
}

/// `ln(1 + exp(z))`, exact for large and small `z` in value and derivative.
fn softplus(z: Tensor<2>) -> Tensor<2> {
    let outside = z.clone().detach();
    let value = outside.clone().clamp_min(0.0) + exact::log1p(outside.clone().abs().neg().exp());
    exact::with_slope(value, sigmoid(outside), z)
}
