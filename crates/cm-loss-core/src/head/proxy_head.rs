//! Losses on the cosines with a proxy a class that are no softmax: the norm plays no part in them.

use std::ops::Range;

use burn::{
    module::{Module, Param},
    nn::Initializer,
    tensor::{Device, IndexingUpdateOp, Int, Tensor},
};
use serde::{Deserialize, Serialize};

use super::{
    ConfigVersion, HeadOutput, LossOutput,
    radius::Polar,
    shared::{Parts, centers_in_a_field, mixed},
};
use crate::{Error, LossOptions, all_classes::EXCLUDED, targets::Targets};

/// A loss on the cosines of a batch with the class centers, which are called proxies there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum ProxyLoss {
    /// `L_i = (1/C) Σ_j (cos θ_ij − [j = y_i])²`, whose gradient does not depend on a probability.
    ///
    /// From X. Zhang et al., "P2SGrad: Refined Gradients for Optimizing Deep Face Models", CVPR 2019, arXiv 1905.02479, with
    /// the mean of pytorch-metric-learning.
    #[serde(deserialize_with = "crate::nothing::no_fields")]
    P2SGrad,
    /// Each proxy pulls at its samples and pushes at the others, the harder the more:
    ///
    /// ```text
    /// (1/|P⁺|) Σ_{p ∈ P⁺} ln(1 + Σ_{i: y_i = p} exp(−α (cos θ_ip − δ)))
    ///   + (1/C) Σ_p ln(1 + Σ_{i: y_i ≠ p} exp(α (cos θ_ip + δ)))
    /// ```
    ///
    /// with the classes `P⁺` of the batch. It is one number for a batch: what the first sum has of a class is shared by its
    /// samples, and the second is the same for all, so that the mean over the batch is the loss.
    ///
    /// From S. Kim et al., "Proxy Anchor Loss for Deep Metric Learning", CVPR 2020, arXiv 2003.13911.
    ProxyAnchor {
        /// `δ`, at least 0 and below 2; 0.1 in the paper.
        #[serde(default = "anchor_margin")]
        margin: f64,
        /// `α`, above 0; 32 in the paper. It is also the scale of the inference logits.
        #[serde(default = "anchor_scale")]
        scale: f64,
    },
}

/// What a [`ProxyHead`] is made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProxyHeadConfig {
    /// The loss.
    pub loss: ProxyLoss,
    /// What is done with the loss of each sample; only class weights (with P2SGrad) and the index to ignore have a meaning.
    #[serde(skip_serializing_if = "LossOptions::is_plain")]
    pub options: LossOptions,
    /// The version of the format that this was written in.
    pub version: ConfigVersion,
}

impl Default for ProxyHeadConfig {
    /// ProxyAnchor with the numbers of its paper.
    fn default() -> Self {
        Self::new(ProxyLoss::ProxyAnchor { margin: anchor_margin(), scale: anchor_scale() })
    }
}

fn anchor_margin() -> f64 {
    0.1
}

fn anchor_scale() -> f64 {
    32.0
}

impl ProxyHeadConfig {
    /// A loss without options.
    pub fn new(loss: ProxyLoss) -> Self {
        Self { loss, options: LossOptions::default(), version: ConfigVersion::default() }
    }

    /// The same with other options.
    pub fn with_options(self, options: LossOptions) -> Self {
        Self { options, ..self }
    }

    /// Checks every number.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] for a number outside what the formula allows; [`Error::DoesNotCombine`] for an option that has
    /// no meaning here.
    pub fn validate(&self) -> Result<(), Error> {
        self.options.validate()?;
        self.options.without_softmax("a loss on cosines with proxies")?;
        if let ProxyLoss::ProxyAnchor { margin, scale } = self.loss {
            Error::check_cosine_margin("margin of ProxyAnchor", margin)?;
            Error::check_positive("scale of ProxyAnchor", scale)?;
            Error::exclude(
                self.options.class_weights.is_some(),
                "ProxyAnchor",
                "class weights",
                "its loss is one number for the whole batch",
            )?;
        }
        Ok(())
    }

    /// A head with random proxies, drawn as Glorot's uniform initialization has it.
    ///
    /// # Errors
    ///
    /// As [`validate`](Self::validate), and [`Error::OutOfRange`] without features or classes,
    /// [`Error::ClassWeights`] if there is not one weight for each class.
    pub fn init(&self, feature_dim: usize, classes: usize, device: &Device) -> Result<ProxyHead, Error> {
        super::check_size(feature_dim, classes)?;
        self.validate()?;
        let initializer = Initializer::XavierUniform { gain: 1.0 };
        let fan = (Some(feature_dim), Some(classes));
        Ok(ProxyHead {
            class_centers: initializer.init_with([classes, feature_dim], fan.0, fan.1, device),
            class_weights: self.options.weights(classes, device)?,
            config: self.clone(),
        })
    }
}

/// The head of [`ProxyHeadConfig`]. 16-bit features are computed in 32 bits.
#[derive(Module, Debug)]
pub struct ProxyHead {
    /// A proxy a class: `[classes, feature_dim]`. Only their directions matter.
    pub class_centers: Param<Tensor<2>>,
    /// `[classes]`
    class_weights: Option<Tensor<1>>,
    #[module(skip)]
    config: ProxyHeadConfig,
}

impl ProxyHead {
    /// What the head was made from.
    pub fn config(&self) -> &ProxyHeadConfig {
        &self.config
    }

    /// Losses, inference logits and feature norms; see [`Head::forward`](super::Head::forward).
    pub fn forward(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> HeadOutput {
        self.pass(features, targets, self.config.loss)
    }

    /// Losses, predictions and feature norms; see [`Head::loss`](super::Head::loss).
    pub fn loss(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> LossOutput {
        self.forward(features, targets).into()
    }

    /// The loss without margin; see [`Head::validation_loss`](super::Head::validation_loss).
    pub fn validation_loss(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> LossOutput {
        let loss = match self.config.loss {
            ProxyLoss::P2SGrad => ProxyLoss::P2SGrad,
            ProxyLoss::ProxyAnchor { scale, .. } => ProxyLoss::ProxyAnchor { margin: 0.0, scale },
        };
        self.pass(features, targets, loss).into()
    }

    fn pass(&self, features: Tensor<2>, targets: Tensor<1, Int>, loss: ProxyLoss) -> HeadOutput {
        let [classes, feature_dim] = self.class_centers.dims();
        let targets = Targets::new(&features, targets, feature_dim, classes, &self.config.options);
        let polar = Polar::new(features, self.class_centers.val());
        let cosines = polar.cosines();
        let logits = cosines.clone().mul_scalar(self.logit_scale());
        let losses = match loss {
            ProxyLoss::P2SGrad => {
                let ones = polar.norms.ones_like().detach().neg();
                let away = cosines.scatter(1, targets.columns.clone(), ones, IndexingUpdateOp::Add);
                away.square().mean_dim(1)
            }
            ProxyLoss::ProxyAnchor { margin, scale } => proxy_anchor(cosines, &targets, margin, scale),
        };
        let (loss, weights) =
            LossOptions::weigh(losses, targets.classes(), self.class_weights.as_ref(), &targets);
        HeadOutput::new(loss, weights, logits, None, polar.norms.squeeze_dim(1))
    }

    fn logit_scale(&self) -> f64 {
        match self.config.loss {
            ProxyLoss::P2SGrad => 1.0,
            ProxyLoss::ProxyAnchor { scale, .. } => scale,
        }
    }
}

impl Parts for ProxyHead {
    fn options(&self) -> &LossOptions {
        &self.config.options
    }

    centers_in_a_field!();

    fn classes(&self) -> usize {
        self.class_centers.dims()[0]
    }

    /// The cosines times `α`.
    fn logits_of(&self, features: Tensor<2>, classes: Range<usize>) -> (Tensor<2>, Tensor<1>) {
        let polar = Polar::of_rows(features, self.class_centers.val(), classes);
        (polar.cosines().mul_scalar(self.logit_scale()), polar.norms.squeeze_dim(1))
    }

    fn mixed_of(
        &self,
        features: Tensor<2>,
        [a, b]: [Tensor<1, Int>; 2],
        share: Tensor<1>,
    ) -> Result<LossOutput, Error> {
        match self.config.loss {
            ProxyLoss::P2SGrad => Ok(mixed(self.loss(features.clone(), a), self.loss(features, b), share)),
            ProxyLoss::ProxyAnchor { .. } => Err(Error::DoesNotCombine {
                what: "ProxyAnchor",
                with: "mixed samples",
                reason: "its loss is one number for the whole batch",
            }),
        }
    }
}

/// Of each sample, `[batch, 1]`.
fn proxy_anchor(cosines: Tensor<2>, targets: &Targets, margin: f64, scale: f64) -> Tensor<2> {
    let [batch, classes] = cosines.dims();
    if batch == 0 {
        return cosines.sum_dim(1);
    }
    let counted = targets.counting(cosines.clone().detach().sum_dim(1).ones_like());
    let marks = cosines.clone().detach().zeros_like().scatter(
        1,
        targets.columns.clone(),
        counted.clone(),
        IndexingUpdateOp::Add,
    );
    let own = marks.clone().greater_scalar(0.5);
    let left_out = counted.clone().lower_scalar(0.5).expand([batch, classes]);
    let pulls = cosines.clone().sub_scalar(margin).mul_scalar(-scale);
    let pulls = log_one_plus_sum(pulls.mask_fill(own.clone().bool_not(), EXCLUDED));
    let pushes = cosines.add_scalar(margin).mul_scalar(scale);
    let pushes = log_one_plus_sum(pushes.mask_fill(own.bool_or(left_out), EXCLUDED));

    // Samples of each class, `[1, classes]`, and how many classes have any.
    let of_classes = marks.sum_dim(0);
    let present = of_classes.clone().clamp_max(1.0).sum_dim(1).clamp_min(1.0);
    let share = pulls / of_classes.clamp_min(1.0) * counted.sum_dim(0) / present;
    let share = share.expand([batch, classes]).gather(1, targets.columns.clone());
    share + pushes.mean_dim(1)
}

/// `ln(1 + Σ_i exp(x_i))` of each column, `[1, columns]`.
fn log_one_plus_sum(x: Tensor<2>) -> Tensor<2> {
    let largest = x.clone().detach().max_dim(0).clamp_min(0.0);
    let sum = (x - largest.clone()).exp().sum_dim(0);
    (sum + largest.clone().neg().exp()).log() + largest
}
