//! The head of every norm-aware and margin softmax.

use std::sync::Arc;

use burn::{
    module::{Module, Param},
    tensor::{Int, Tensor},
};

use super::{
    HeadOutput, MarginHeadConfig, Saturation,
    radius::{Polar, Radius},
    sampling::SampledClasses,
};
use crate::{
    LossOptions,
    margin::{MarginState, Memory},
    norm::single_precision,
    norm_map::CustomNormMap,
    regularizer::FeatureCentres,
    steps::Steps,
    targets::Targets,
};

/// Softmax on `z_ij = phi(r_i) · t(cos θ_ij, [j = y_i], r_i)`, plus `g(r_i)`.
///
/// `r_i` is the norm of feature `i` and `θ_ij` its angle with class centre `j`. The gradient flows through the
/// angles and through the norm. A zero feature has cosine 0 with every centre and receives no gradient.
///
/// Features may be of 16-bit floats: everything from the norm on is computed in 32 bits.
///
/// On a device with automatic differentiation [`forward`](Self::forward) trains: parts that keep statistics take the
/// batch in, random margins and classes are drawn. On another device, as after `valid()`, nothing changes.
#[derive(Module, Debug)]
pub struct MarginHead {
    /// The centres, `sub_centres` after one another for each class: `[classes · sub_centres, feature_dim]`. Only
    /// their directions matter.
    pub class_centres: Param<Tensor<2>>,
    /// What a regulariser learns, `[1]`.
    pub learned_radius: Option<Param<Tensor<1>>>,
    /// `[classes]`
    pub(super) class_weights: Option<Tensor<1>>,
    pub(super) radius: Radius,
    pub(super) margin_state: MarginState,
    pub(super) feature_centres: Option<FeatureCentres>,
    pub(super) steps: Option<Steps>,
    #[module(skip)]
    pub(super) config: MarginHeadConfig,
}

impl MarginHead {
    /// The same head with a norm map of your own in place of the configured one.
    pub fn with_norm_map(self, norm_map: Arc<dyn CustomNormMap>) -> Self {
        Self { radius: self.radius.with(norm_map), ..self }
    }

    /// What the head was made from.
    pub fn config(&self) -> &MarginHeadConfig {
        &self.config
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.class_centres.dims()[0] / self.config.sub_centres
    }

    /// Losses, inference logits and feature norms; see [`Head::forward`](super::Head::forward).
    pub fn forward(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> HeadOutput {
        let all = self.targets(&features, targets);
        let features = single_precision(features);
        let training = features.device().is_autodiff();
        let sampled = match training {
            true => self.sampled_classes(&all),
            false => None,
        };
        let targets = sampled.as_ref().map_or(&all, |sampled| &sampled.targets);
        let polar = Polar::new(features.clone(), self.centres_of(sampled.as_ref()));
        let cosines = self.over_sub_centres(polar.cosines());
        let remembers =
            self.radius.remembers() || self.margin_state.remembers() || self.feature_centres.is_some();
        let seen = (training && remembers).then(|| targets.with_finite(&polar.norms));
        if let Some(seen) = &seen {
            self.radius.take_in(&polar.norms, seen.ignored.as_ref());
            self.margin_state.take_in(&self.config.margin, &cosines, &polar.norms, seen);
        }
        let radii = self.radius.forward(polar.norms.clone());
        let logits = cosines.clone() * radii.clone();
        let training_logits = match self.config.margin.is_none() {
            true => logits.clone(),
            false => self.with_margin(cosines, &polar.norms, targets, training) * radii,
        };

        let mut loss = self.config.options.cross_entropy(training_logits, targets.columns.clone());
        let penalties = [
            self.config.regularizer.forward(
                polar.norms.clone(),
                self.learned_radius.as_ref().map(|radius| single_precision(radius.val())),
            ),
            self.feature_centres.as_ref().map(|centres| centres.penalty(&features, &all)),
            self.config.centre_spread.as_ref().and_then(|spread| spread.penalty(&polar.centres, targets)),
        ];
        for penalty in penalties.into_iter().flatten() {
            loss = loss + penalty;
        }
        let (loss, weights) = LossOptions::weigh(loss, all.classes(), self.class_weights.as_ref(), &all);

        if training {
            if let (Some(centres), Some(seen)) = (&self.feature_centres, seen) {
                centres.follow(&features, &Targets { columns: all.columns, ignored: seen.ignored });
            }
            if let Some(steps) = &self.steps {
                steps.advance();
            }
        }
        let classes = sampled.map(|sampled| sampled.classes);
        HeadOutput { loss, weights, logits, classes, norms: polar.norms.squeeze_dim(1) }
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

    /// Training logits of all classes, with the margin on the target. It changes no statistics and draws neither
    /// margins nor classes.
    ///
    /// # Shapes
    ///
    /// - features: `[batch, feature_dim]`
    /// - targets: `[batch]`
    /// - output: `[batch, classes]`
    pub fn training_logits(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<2> {
        let targets = self.targets(&features, targets);
        let polar = Polar::new(features, self.class_centres.val());
        let cosines = self.over_sub_centres(polar.cosines());
        let radii = self.radius.forward(polar.norms.clone());
        self.with_margin(cosines, &polar.norms, &targets, false) * radii
    }

    /// Inference logits and feature norms; see [`Head::logits`](super::Head::logits).
    pub fn logits(&self, features: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
        let polar = Polar::new(features, self.class_centres.val());
        let radii = self.radius.forward(polar.norms.clone());
        (self.over_sub_centres(polar.cosines()) * radii, polar.norms.squeeze_dim(1))
    }

    /// How much of a batch lies where the norm map is flat; see [`Head::saturation`](super::Head::saturation). `None`
    /// for a norm map of your own as well.
    pub fn saturation(&self, norms: Tensor<1>) -> Option<Saturation> {
        self.radius.saturation(norms)
    }

    fn targets(&self, features: &Tensor<2>, targets: Tensor<1, Int>) -> Targets {
        let [_, feature_dim] = self.class_centres.dims();
        Targets::new(features, targets, feature_dim, self.classes(), &self.config.options)
    }

    fn sampled_classes(&self, targets: &Targets) -> Option<SampledClasses> {
        let (Some(sampling), Some(steps)) = (&self.config.sampling, &self.steps) else { return None };
        Some(sampling.sample(targets, self.classes(), steps))
    }

    /// The rows of the class centres that take part.
    fn centres_of(&self, sampled: Option<&SampledClasses>) -> Tensor<2> {
        let centres = self.class_centres.val();
        let Some(sampled) = sampled else { return centres };
        match self.config.sub_centres {
            1 => centres.select(0, sampled.classes.clone()),
            count => {
                let [rows, feature_dim] = centres.dims();
                let classes: Tensor<3> = centres.reshape([rows / count, count, feature_dim]);
                classes.select(0, sampled.classes.clone()).reshape([-1, feature_dim as i32])
            }
        }
    }

    /// The largest cosine of each class.
    fn over_sub_centres(&self, cosines: Tensor<2>) -> Tensor<2> {
        let count = self.config.sub_centres;
        if count == 1 {
            return cosines;
        }
        let [batch, rows] = cosines.dims();
        cosines.reshape([batch, rows / count, count]).max_dim(2).squeeze_dim(2)
    }

    fn with_margin(
        &self,
        cosines: Tensor<2>,
        norms: &Tensor<2>,
        targets: &Targets,
        training: bool,
    ) -> Tensor<2> {
        let memory = Memory { state: &self.margin_state, steps: self.steps.as_ref(), training };
        self.config.margin.forward(cosines, norms, targets, memory, self.config.margin_gradient)
    }
}
