//! The head of every norm-aware and margin softmax.

use burn::{
    module::{Module, Param},
    nn::Initializer,
    tensor::{Device, IndexingUpdateOp, Int, Tensor},
};
use serde::{Deserialize, Serialize};

use super::{HeadOutput, cross_entropy, target_column};
use crate::{Error, Margin, NormMap, Regularizer, norm_and_unit};

/// The three parts of a [`MarginHead`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MarginHeadConfig {
    /// `phi`.
    pub norm_map: NormMap,
    /// `t`.
    pub margin: Margin,
    /// `g`.
    #[serde(default)]
    pub regularizer: Regularizer,
}

impl MarginHeadConfig {
    /// A head with random class centres, drawn as Glorot's uniform initialisation has it.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] if a part has a parameter outside what its formula allows.
    pub fn init(&self, feature_dim: usize, classes: usize, device: &Device) -> Result<MarginHead, Error> {
        self.norm_map.validate()?;
        self.margin.validate()?;
        self.regularizer.validate()?;
        let initializer = Initializer::XavierUniform { gain: 1.0 };
        let fan = (Some(feature_dim), Some(classes));
        Ok(MarginHead {
            class_centres: initializer.init_with([classes, feature_dim], fan.0, fan.1, device),
            norm_map: self.norm_map.clone(),
            margin: self.margin.clone(),
            regularizer: self.regularizer.clone(),
        })
    }
}

/// Softmax on `z_ij = phi(r_i) · t(cos θ_ij, [j = y_i], r_i)`, plus `g(r_i)`.
///
/// `r_i` is the norm of feature `i` and `θ_ij` its angle with class centre `j`. The gradient flows through the
/// angles and through the norm. A zero feature has cosine 0 with every centre and receives no gradient.
#[derive(Module, Debug)]
pub struct MarginHead {
    /// One centre a class: `[classes, feature_dim]`. Only their directions matter.
    pub class_centres: Param<Tensor<2>>,
    #[module(skip)]
    norm_map: NormMap,
    #[module(skip)]
    margin: Margin,
    #[module(skip)]
    regularizer: Regularizer,
}

/// Cosines `[batch, classes]`, norms `[batch, 1]` and radii `[batch, 1]`.
struct Polar {
    cosines: Tensor<2>,
    norms: Tensor<2>,
    radii: Tensor<2>,
}

impl MarginHead {
    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.class_centres.dims()[0]
    }

    /// Losses, inference logits and feature norms; see [`Head::forward`](super::Head::forward).
    pub fn forward(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> HeadOutput {
        let targets = target_column(&features, targets, self.class_centres.dims()[1]);
        let polar = self.polar(features);
        let logits = polar.cosines.clone() * polar.radii.clone();
        let training_logits = match self.margin.is_none() {
            true => logits.clone(),
            false => self.with_margin(&polar, targets.clone()),
        };
        let mut loss = cross_entropy(training_logits, targets);
        if let Some(penalty) = self.regularizer.forward(polar.norms.clone()) {
            loss = loss + penalty.squeeze_dim(1);
        }
        HeadOutput { loss, logits, norms: polar.norms.squeeze_dim(1) }
    }

    /// Loss of each sample.
    ///
    /// # Shapes
    ///
    /// - features: `[batch, feature_dim]`
    /// - targets: `[batch]`
    /// - output: `[batch]`
    pub fn forward_no_reduction(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
        self.forward(features, targets).loss
    }

    /// Training logits, with the margin on the target.
    ///
    /// # Shapes
    ///
    /// - features: `[batch, feature_dim]`
    /// - targets: `[batch]`
    /// - output: `[batch, classes]`
    pub fn training_logits(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<2> {
        let targets = target_column(&features, targets, self.class_centres.dims()[1]);
        let polar = self.polar(features);
        self.with_margin(&polar, targets)
    }

    /// Inference logits and feature norms; see [`Head::logits`](super::Head::logits).
    pub fn logits(&self, features: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
        let polar = self.polar(features);
        (polar.cosines * polar.radii, polar.norms.squeeze_dim(1))
    }

    fn polar(&self, features: Tensor<2>) -> Polar {
        let (norms, directions) = norm_and_unit(features);
        let (_, centres) = norm_and_unit(self.class_centres.val());
        let radii = self.norm_map.forward(norms.clone());
        Polar { cosines: directions.matmul(centres.transpose()), norms, radii }
    }

    fn with_margin(&self, polar: &Polar, targets: Tensor<2, Int>) -> Tensor<2> {
        let target_cosines = polar.cosines.clone().gather(1, targets.clone());
        let change = self.margin.forward(target_cosines.clone(), &polar.norms) - target_cosines;
        let cosines = polar.cosines.clone().scatter(1, targets, change, IndexingUpdateOp::Add);
        cosines * polar.radii.clone()
    }
}
