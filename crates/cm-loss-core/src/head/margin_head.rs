//! The head of every norm-aware and margin softmax.

use std::sync::Arc;

use burn::{
    module::{Module, Param},
    tensor::{DType, Int, Tensor},
};

use super::{
    HeadOutput, LossOutput, MarginHeadConfig, Saturation,
    radius::{Polar, Radius},
    sampling::SampledClasses,
};
use crate::{
    LossOptions, Tiling, fused,
    margin::{MarginState, Memory},
    norm::{norm_and_unit, single_precision},
    norm_map::CustomNormMap,
    regularizer::FeatureCenters,
    steps::Steps,
    targets::Targets,
};

/// Softmax on `z_ij = phi(r_i) · t(cos θ_ij, [j = y_i], r_i)`, plus `g(r_i)`.
///
/// `r_i` is the norm of feature `i` and `θ_ij` its angle with class center `j`. The gradient flows through the
/// angles and through the norm. A zero feature has cosine 0 with every center and receives no gradient.
///
/// Features may be of 16-bit floats: everything from the norm on is computed in 32 bits.
///
/// On a device with automatic differentiation [`forward`](Self::forward) trains: parts that keep statistics take the
/// batch in, random margins and classes are drawn. On another device, as after `valid()`, nothing changes.
#[derive(Module, Debug)]
pub struct MarginHead {
    /// The centers, `sub_centers` after one another for each class: `[classes · sub_centers, feature_dim]`. Only
    /// their directions matter.
    pub class_centers: Param<Tensor<2>>,
    /// What a regularizer learns, `[1]`.
    pub learned_radius: Option<Param<Tensor<1>>>,
    /// `[classes]`
    pub(super) class_weights: Option<Tensor<1>>,
    pub(super) radius: Radius,
    pub(super) margin_state: MarginState,
    pub(super) feature_centers: Option<FeatureCenters>,
    pub(super) steps: Option<Steps>,
    #[module(skip)]
    pub(super) config: MarginHeadConfig,
}

/// A batch on its way through the head.
struct Batch {
    /// `[batch, feature_dim]`
    features: Tensor<2>,
    /// Targets among all classes.
    all: Targets,
    sampled: Option<SampledClasses>,
    /// `[batch, 1]`
    norms: Tensor<2>,
    /// `[batch, feature_dim]`, each of length 1 or 0.
    directions: Tensor<2>,
    training: bool,
}

impl Batch {
    /// Targets among the classes that take part.
    fn targets(&self) -> &Targets {
        self.sampled.as_ref().map_or(&self.all, |sampled| &sampled.targets)
    }
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
        self.class_centers.dims()[0] / self.config.sub_centers
    }

    /// Losses, inference logits and feature norms; see [`Head::forward`](super::Head::forward).
    pub fn forward(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> HeadOutput {
        let batch = self.batch(features, targets);
        let targets = batch.targets();
        let (_, centers) = norm_and_unit(self.centers_of(batch.sampled.as_ref()));
        let cosines = self.over_sub_centers(batch.directions.clone().matmul(centers.clone().transpose()));
        let own = self.margin_state.curriculum().map(|_| cosines.clone().gather(1, targets.columns.clone()));
        let seen = self.take_in(&batch, own.as_ref());
        let radii = self.radius.forward(batch.norms.clone());
        let logits = cosines.clone() * radii.clone();
        let training_logits = match self.config.margin.is_none() {
            true => logits.clone(),
            false => self.with_margin(cosines, &batch.norms, targets, batch.training) * radii,
        };
        let loss = self.config.options.cross_entropy(training_logits, targets.columns.clone());
        let spread = self.config.center_spread.as_ref().and_then(|spread| spread.penalty(&centers, targets));
        let (loss, weights) = self.finish(&batch, loss, spread, seen);
        let classes = batch.sampled.map(|sampled| sampled.classes);
        HeadOutput { loss, weights, logits, classes, norms: batch.norms.squeeze_dim(1) }
    }

    /// Losses, predictions and feature norms without a matrix of batch x classes; see
    /// [`Head::loss`](super::Head::loss).
    pub fn loss(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> LossOutput {
        let ([count, feature_dim], device) = (features.dims(), features.device());
        let single = |dtype| matches!(dtype, DType::F32 | DType::F16 | DType::BF16);
        let classes = match (&self.config.sampling, device.is_autodiff()) {
            (Some(sampling), true) => sampling.classes_of(self.classes()).max(count.min(self.classes())),
            _ => self.classes(),
        };
        let fits = count > 0 && single(features.dtype()) && single(self.class_centers.val().dtype());
        if !fits || !self.config.path.is_fused([count, feature_dim, classes], &device) {
            return self.forward(features, targets).into();
        }
        let batch = self.batch(features, targets);
        let targets = batch.targets();
        let centers = single_precision(self.class_centers.val());
        let own = self.margin_state.curriculum().map(|_| self.target_cosines(&centers, &batch));
        let seen = self.take_in(&batch, own.as_ref());
        let radii = self.radius.forward(batch.norms.clone());
        let memory = || self.memory(batch.training);
        let hard = own.and_then(|own| self.config.margin.hard(&own, &memory()));
        let spread = self.config.center_spread.as_ref().and_then(|spread| {
            let (_, units) = norm_and_unit(self.centers_of(batch.sampled.as_ref()));
            spread.penalty(&units, targets)
        });
        let inputs = fused::Inputs {
            directions: batch.directions.clone(),
            centers: centers.clone(),
            each: self.config.sub_centers,
            radii: radii.clone(),
            hard,
            targets: targets.columns.clone(),
            chosen: batch.sampled.as_ref().map(|sampled| sampled.classes.clone()),
        };
        let classes = inputs.classes();
        let tiling = self.config.path.tiling([count, feature_dim, classes], self.config.sub_centers);
        let found = inputs.over_classes(tiling);
        let gradient = self.config.margin_gradient;
        let target = self.config.margin.of_target(found.target, &batch.norms, targets, memory(), gradient);
        let (target, sum) = (target * radii.clone(), found.sum * radii);
        let loss = self.config.options.cross_entropy_of_sums(target, found.log_sum, sum, classes);
        let (loss, weights) = self.finish(&batch, loss, spread, seen);
        let predictions = match &batch.sampled {
            Some(sampled) => sampled.classes.clone().select(0, found.best),
            None => found.best,
        };
        LossOutput { loss, weights, predictions, norms: batch.norms.squeeze_dim(1) }
    }

    /// The blocks that [`loss`](Self::loss) goes over the classes in for a batch of this size, where the device computes it
    /// by other operations.
    pub fn tiling(&self, batch: usize) -> Tiling {
        let [_, feature_dim] = self.class_centers.dims();
        self.config.path.tiling([batch, feature_dim, self.classes()], self.config.sub_centers)
    }

    /// Loss of each sample.
    ///
    /// # Shapes
    ///
    /// - features: `[batch, feature_dim]`
    /// - targets: `[batch]`
    /// - output: `[batch]`
    pub fn forward_no_reduction(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
        self.loss(features, targets).loss
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
        let polar = Polar::new(features, self.class_centers.val());
        let cosines = self.over_sub_centers(polar.cosines());
        let radii = self.radius.forward(polar.norms.clone());
        self.with_margin(cosines, &polar.norms, &targets, false) * radii
    }

    /// Inference logits and feature norms; see [`Head::logits`](super::Head::logits).
    pub fn logits(&self, features: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
        let polar = Polar::new(features, self.class_centers.val());
        let radii = self.radius.forward(polar.norms.clone());
        (self.over_sub_centers(polar.cosines()) * radii, polar.norms.squeeze_dim(1))
    }

    /// How much of a batch lies where the norm map is flat; see [`Head::saturation`](super::Head::saturation). `None`
    /// for a norm map of your own as well.
    pub fn saturation(&self, norms: Tensor<1>) -> Option<Saturation> {
        self.radius.saturation(norms)
    }

    fn batch(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> Batch {
        let all = self.targets(&features, targets);
        let features = single_precision(features);
        let training = features.device().is_autodiff();
        let sampled = match training {
            true => self.sampled_classes(&all),
            false => None,
        };
        let (norms, directions) = norm_and_unit(features.clone());
        Batch { features, all, sampled, norms, directions, training }
    }

    /// Lets everything that remembers take in a batch that is trained on, with its target cosines `[batch, 1]` for a margin
    /// with a curriculum. Gives the targets that it saw.
    fn take_in(&self, batch: &Batch, target_cosines: Option<&Tensor<2>>) -> Option<Targets> {
        let remembers =
            self.radius.remembers() || self.margin_state.remembers() || self.feature_centers.is_some();
        let seen = (batch.training && remembers).then(|| batch.targets().with_finite(&batch.norms))?;
        self.radius.take_in(&batch.norms, seen.ignored.as_ref());
        self.margin_state.take_in(&self.config.margin, target_cosines, &batch.norms, &seen);
        Some(seen)
    }

    /// Adds the penalties to the losses `[batch, 1]`, weighs them, and goes on a step.
    fn finish(
        &self,
        batch: &Batch,
        mut loss: Tensor<2>,
        spread: Option<Tensor<2>>,
        seen: Option<Targets>,
    ) -> (Tensor<1>, Option<Tensor<1>>) {
        let learned_radius = self.learned_radius.as_ref().map(|radius| single_precision(radius.val()));
        let penalties = [
            self.config.regularizer.forward(batch.norms.clone(), learned_radius),
            self.feature_centers.as_ref().map(|centers| centers.penalty(&batch.features, &batch.all)),
            spread,
        ];
        for penalty in penalties.into_iter().flatten() {
            loss = loss + penalty;
        }
        let weighed = LossOptions::weigh(loss, batch.all.classes(), self.class_weights.as_ref(), &batch.all);
        if batch.training {
            if let (Some(centers), Some(seen)) = (&self.feature_centers, seen) {
                let columns = batch.all.columns.clone();
                centers.follow(&batch.features, &Targets { columns, ignored: seen.ignored });
            }
            if let Some(steps) = &self.steps {
                steps.advance();
            }
        }
        weighed
    }

    /// The cosine of each sample with its own class, `[batch, 1]`, off the graph.
    fn target_cosines(&self, centers: &Tensor<2>, batch: &Batch) -> Tensor<2> {
        let ([rows, feature_dim], each) = (centers.dims(), self.config.sub_centers);
        let [count, _] = batch.directions.dims();
        let of_classes: Tensor<3> = centers.clone().detach().reshape([rows / each, each, feature_dim]);
        let own = of_classes.select(0, batch.all.classes()).reshape([count * each, feature_dim]);
        let own: Tensor<3> = norm_and_unit(own).1.reshape([count, each, feature_dim]);
        let directions: Tensor<3> = batch.directions.clone().detach().unsqueeze_dim(1);
        (own * directions).sum_dim(2).max_dim(1).reshape([count, 1])
    }

    fn memory(&self, training: bool) -> Memory<'_> {
        Memory { state: &self.margin_state, steps: self.steps.as_ref(), training }
    }

    fn targets(&self, features: &Tensor<2>, targets: Tensor<1, Int>) -> Targets {
        let [_, feature_dim] = self.class_centers.dims();
        Targets::new(features, targets, feature_dim, self.classes(), &self.config.options)
    }

    fn sampled_classes(&self, targets: &Targets) -> Option<SampledClasses> {
        let (Some(sampling), Some(steps)) = (&self.config.sampling, &self.steps) else { return None };
        Some(sampling.sample(targets, self.classes(), steps))
    }

    /// The rows of the class centers that take part.
    fn centers_of(&self, sampled: Option<&SampledClasses>) -> Tensor<2> {
        let centers = self.class_centers.val();
        let Some(sampled) = sampled else { return centers };
        match self.config.sub_centers {
            1 => centers.select(0, sampled.classes.clone()),
            count => {
                let [rows, feature_dim] = centers.dims();
                let classes: Tensor<3> = centers.reshape([rows / count, count, feature_dim]);
                classes.select(0, sampled.classes.clone()).reshape([-1, feature_dim as i32])
            }
        }
    }

    /// The largest cosine of each class.
    fn over_sub_centers(&self, cosines: Tensor<2>) -> Tensor<2> {
        let count = self.config.sub_centers;
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
        let memory = self.memory(training);
        self.config.margin.forward(cosines, norms, targets, memory, self.config.margin_gradient)
    }
}
