//! The head of every norm-aware and margin softmax.

use std::{ops::Range, sync::Arc};

use burn::{
    module::{Flag, Module, Param},
    tensor::{IndexingUpdateOp, Int, Tensor, activation::softmax},
};

use super::{
    HeadOutput, HeadState, LossOutput, MarginHeadConfig, Saturation,
    choices::{MarginPlace, SubCenterPooling},
    margin_pass::Mode,
    radius::{Polar, Radius},
    shared::{Parts, centers_in_a_field, mixed},
};
use crate::{
    Error, LossOptions, Margin, NormMap,
    fused::Pool,
    margin::{Curve, MarginState, Memory, Others},
    norm::single_precision,
    regularizer::FeatureCenters,
    steps::{Step, Steps},
    targets::Targets,
};

/// Softmax on `z_ij = phi(r_i) · t(cos θ_ij, [j = y_i], r_i)`, plus `g(r_i)`.
///
/// `r_i` is the norm of feature `i` and `θ_ij` its angle with class center `j`. The gradient flows through the
/// angles and through the norm. A zero feature has cosine 0 with every center and receives no gradient.
///
/// Features may be of 16-bit floats: everything from the norm on is computed in 32 bits. Features and centers of 64 bits are
/// computed in 64 bits, by way of the matrix of logits; what the head remembers has 32 bits.
///
/// On a device with automatic differentiation [`forward`](Self::forward) trains: parts that keep statistics take the
/// batch in, random margins and classes are drawn, the step is counted. On another device, as after `valid()`, and in a head
/// that is frozen (`freeze`, `freeze_group`), nothing changes. What it remembers is shared by its clones; see
/// [`HeadState`](super::HeadState).
#[derive(Module, Debug)]
pub struct MarginHead {
    /// The centers, `sub_centers` after one another for each class: `[classes · sub_centers, feature_dim]`. Only
    /// their directions matter, and their gradient is at a right angle to them. OpenSphere normalizes its centers in place
    /// before each step instead, outside the graph, so that its gradient has a part along the center.
    pub class_centers: Param<Tensor<2>>,
    /// What a regularizer learns, `[1]`.
    pub learned_radius: Option<Param<Tensor<1>>>,
    /// The logarithm `τ` of the factor by which a learned scale has changed, `[1]`.
    pub log_scale: Option<Param<Tensor<1>>>,
    /// Whether the head remembers what it is trained on, and draws what is random in it.
    pub training: Param<Flag>,
    /// `[classes]`
    pub(super) class_weights: Option<Tensor<1>>,
    pub(super) radius: Radius,
    pub(super) margin_state: MarginState,
    pub(super) feature_centers: Option<FeatureCenters>,
    pub(super) steps: Option<Steps>,
    #[module(skip)]
    pub(super) config: MarginHeadConfig,
    /// Memory that steps use one after another.
    #[module(skip)]
    pub(super) pool: Arc<Pool>,
}

impl MarginHead {
    /// What the head was made from.
    pub fn config(&self) -> &MarginHeadConfig {
        &self.config
    }

    /// Losses, inference logits and feature norms; see [`Head::forward`](super::Head::forward).
    pub fn forward(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> HeadOutput {
        let pass = self.pass(features, targets, Mode::Training { logits: true });
        let Some((logits, classes)) = pass.logits else { unreachable!("logits were asked for") };
        HeadOutput::new(pass.loss, pass.weights, logits, classes, pass.norms)
    }

    /// Losses, predictions and feature norms without a matrix of logits; see
    /// [`Head::loss`](super::Head::loss).
    pub fn loss(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> LossOutput {
        self.pass(features, targets, Mode::Training { logits: false }).into()
    }

    /// See [`Head::loss_of_part`](super::Head::loss_of_part).
    pub fn loss_of_part(&self, features: Tensor<2>, targets: Tensor<1, Int>, part: u32) -> LossOutput {
        self.pass(features, targets, Mode::Part(part)).into()
    }

    /// The plain cross entropy of the inference logits; see [`Head::validation_loss`](super::Head::validation_loss).
    pub fn validation_loss(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> LossOutput {
        self.pass(features, targets, Mode::Validation).into()
    }

    /// Training logits of all classes, with the margin on the target. It changes no statistics and draws neither
    /// margins nor classes. Where training looks at the batch, a mean takes its place: that of random and ranked margins, and the
    /// running mean of FunFace's certainty ratio and of the mean-preserving map.
    ///
    /// # Shapes
    ///
    /// - features: `[batch, feature_dim]`
    /// - targets: `[batch]`
    /// - output: `[batch, classes]`
    pub fn training_logits(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<2> {
        let targets = self.targets(&features, targets);
        let polar = Polar::new(features, self.class_centers.val());
        let cosines = self.over_sub_centers(polar.cosines());
        let radii = self.scaled(self.radius.forward(polar.norms.clone()));
        if cosines.dims()[0] == 0 {
            return cosines * radii;
        }
        let step = self.steps.as_ref().map(|steps| steps.coming(&cosines));
        let memory =
            Memory { state: &self.margin_state, step: step.as_ref(), training: false, certainty: None };
        let own = cosines.clone().gather(1, targets.columns.clone());
        let others = self.others(&own, &memory);
        let logits = match others {
            Some(others) => others.shaped(cosines),
            None => cosines,
        } * radii.clone();
        let target = self.target_logit(own, &polar.norms, &radii, &targets, memory);
        let replaced = logits.clone().gather(1, targets.columns.clone());
        logits.scatter(1, targets.columns, target - replaced, IndexingUpdateOp::Add)
    }

    pub(super) fn targets(&self, features: &Tensor<2>, targets: Tensor<1, Int>) -> Targets {
        let [_, feature_dim] = self.class_centers.dims();
        Targets::new(features, targets, feature_dim, self.classes(), &self.config.options)
    }

    /// The radii `[batch, 1]` with the learned part of the scale in them.
    pub(super) fn scaled(&self, radii: Tensor<2>) -> Tensor<2> {
        match &self.log_scale {
            Some(log_scale) => {
                let factor = single_precision(log_scale.val()).exp().unsqueeze::<2>();
                radii.clone() * factor.cast(radii.dtype())
            }
            None => radii,
        }
    }

    /// What becomes of the other classes, where it is not their cosine, for target cosines `[batch, 1]`.
    pub(super) fn others(&self, own: &Tensor<2>, memory: &Memory<'_>) -> Option<Others> {
        if let Some(cosine) = self.config.filter_above {
            // Beyond it this curve is 0.
            return Some(Others::from_cosine(Curve::STRAIGHT, cosine, own));
        }
        let others = self.config.margin.others(own, memory)?;
        Some(match (&self.config.margin_warm_up, memory.step) {
            (Some(warm_up), Some(step)) => others.brought_in(warm_up.share(step)),
            _ => others,
        })
    }

    /// The logit of the target with the margin, for its cosine; all `[batch, 1]`.
    pub(super) fn target_logit(
        &self,
        cosine: Tensor<2>,
        norms: &Tensor<2>,
        radii: &Tensor<2>,
        targets: &Targets,
        memory: Memory<'_>,
    ) -> Tensor<2> {
        let MarginHeadConfig { margin, margin_gradient, margin_place, margin_warm_up, .. } = &self.config;
        if margin.is_none() {
            return cosine * radii.clone();
        }
        let share = margin_warm_up.zip(memory.step).map(|(warm_up, step)| warm_up.column(step, &cosine));
        let shaped = margin.of_target(cosine.clone(), norms, targets, memory, *margin_gradient);
        let shaped = match share {
            Some(share) => cosine.clone() + (shaped - cosine.clone()) * share,
            None => shaped,
        };
        match margin_place {
            MarginPlace::Inside => shaped * radii.clone(),
            MarginPlace::Outside { scale } => {
                cosine.clone() * radii.clone() + (shaped - cosine).mul_scalar(*scale)
            }
        }
    }

    /// The cosine of each class, from those with its centers.
    pub(super) fn over_sub_centers(&self, cosines: Tensor<2>) -> Tensor<2> {
        let count = self.config.sub_centers;
        if count == 1 {
            return cosines;
        }
        let [batch, rows] = cosines.dims();
        let cosines: Tensor<3> = cosines.reshape([batch, rows / count, count]);
        match self.config.sub_center_pooling {
            SubCenterPooling::Largest => cosines.max_dim(2).squeeze_dim(2),
            SubCenterPooling::Soft { gamma } => {
                let weights = softmax(cosines.clone().div_scalar(gamma), 2);
                (cosines * weights).sum_dim(2).squeeze_dim(2)
            }
        }
    }
}

impl Parts for MarginHead {
    fn options(&self) -> &LossOptions {
        &self.config.options
    }

    centers_in_a_field!();

    fn classes(&self) -> usize {
        self.class_centers.dims()[0] / self.config.sub_centers
    }

    fn logits_of(&self, features: Tensor<2>, classes: Range<usize>) -> (Tensor<2>, Tensor<1>) {
        let each = self.config.sub_centers;
        let rows = classes.start * each..classes.end * each;
        let polar = Polar::of_rows(features, self.class_centers.val(), rows);
        let radii = self.scaled(self.radius.forward(polar.norms.clone()));
        (self.over_sub_centers(polar.cosines()) * radii, polar.norms.squeeze_dim(1))
    }

    fn knows_classes(&self) -> bool {
        let config = &self.config;
        config.options.class_weights.is_some()
            || config.center_loss.is_some()
            || matches!(config.margin, Margin::PerClass(_))
    }

    fn mixed_of(
        &self,
        features: Tensor<2>,
        [a, b]: [Tensor<1, Int>; 2],
        share: Tensor<1>,
    ) -> Result<LossOutput, Error> {
        if self.config.sampling.is_some() {
            return Err(Error::DoesNotCombine {
                what: "sampled classes",
                with: "mixed samples",
                reason: "the classes of a step are those of one target and others",
            });
        }
        let first = self.pass(features.clone(), a, Mode::Training { logits: false });
        let step = first.step.clone().map(Step::again);
        let second = self.pass(features, b, Mode::Again { step });
        Ok(mixed(first.into(), second.into(), share))
    }

    fn saturation_of(&self, norms: Tensor<1>) -> Option<Saturation> {
        self.radius.saturation(norms)
    }

    fn norm_map(&self) -> Option<&NormMap> {
        Some(&self.config.norm_map)
    }

    fn remembered(&self) -> HeadState {
        self.memory()
    }

    fn remember(&self, state: &HeadState) {
        self.set_memory(state);
    }
}
