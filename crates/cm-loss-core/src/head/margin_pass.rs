//! The one way from features and targets to the losses of a margin head.

use burn::tensor::{DType, Int, Tensor};

use super::{
    LossOutput, MarginHead,
    choices::{NormGradient, SubCenterPooling},
    sampling::{SampledClasses, rows_of},
    shared::{is_training, plain_cross_entropy},
};
use crate::{
    LossOptions,
    all_classes::AllClasses,
    exact, fused,
    margin::{FunFaceMargin, Memory},
    norm::{norm_and_unit, single_precision},
    steps::Step,
    targets::Targets,
};

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
    step: Option<Step>,
}

impl Batch {
    /// Targets among the classes that take part.
    fn targets(&self) -> &Targets {
        self.sampled.as_ref().map_or(&self.all, |sampled| &sampled.targets)
    }
}

/// What a pass is for.
#[allow(clippy::large_enum_variant, reason = "one lives at a time, on the stack")]
pub(super) enum Mode {
    /// A step of a training, if the device and the head are there for one.
    Training {
        /// Whether the logits are wanted.
        logits: bool,
    },
    /// The same batch once more with other targets: nothing is remembered, and it is the same step.
    Again { step: Option<Step> },
    /// A part of a batch that several devices share: all parts are the same step, which is counted elsewhere.
    Part(u32),
    /// The plain cross entropy.
    Validation,
}

/// What a pass gives, each `[batch]` but for the logits.
pub(super) struct Pass {
    pub loss: Tensor<1>,
    pub weights: Option<Tensor<1>>,
    /// Where the logits were not asked for.
    predictions: Option<Tensor<1, Int>>,
    pub norms: Tensor<1>,
    /// Inference logits, and the classes of their columns where classes were sampled.
    pub logits: Option<(Tensor<2>, Option<Tensor<1, Int>>)>,
    /// The step that it was.
    pub step: Option<Step>,
}

impl From<Pass> for LossOutput {
    fn from(pass: Pass) -> Self {
        let Some(predictions) = pass.predictions else { unreachable!("the logits were not asked for") };
        Self { loss: pass.loss, weights: pass.weights, predictions, norms: pass.norms }
    }
}

impl MarginHead {
    /// The loss needs a few numbers of all classes. They come from the matrix of cosines where that is small, or from blocks
    /// of it, whether or not the logits are asked for.
    pub(super) fn pass(&self, features: Tensor<2>, targets: Tensor<1, Int>, mode: Mode) -> Pass {
        let (wants_logits, learns) = match &mode {
            Mode::Training { logits } => (*logits, true),
            Mode::Again { .. } | Mode::Part(_) => (false, true),
            Mode::Validation => (false, false),
        };
        let fused = self.is_fused(&features, learns);
        let remembers = matches!(mode, Mode::Training { .. } | Mode::Part(_));
        let batch = self.batch(features, targets, mode);
        let (targets, config) = (batch.targets(), &self.config);
        let centers = single_precision(self.class_centers.val());
        let own = if learns { self.target_cosines(&centers, &batch) } else { None };
        let seen = if remembers { self.take_in(&batch, own.as_ref()) } else { None };
        let radii = self.radii(&batch);
        let memory = Memory {
            state: &self.margin_state,
            step: batch.step.as_ref(),
            training: batch.training,
            certainty: None,
        };
        // Only a margin with a curriculum asks for the target's cosine.
        let others = if learns { self.others(own.as_ref().unwrap_or(&batch.norms), &memory) } else { None };
        // Unit centers of the classes that take part.
        let units = || norm_and_unit(self.centers_of(centers.clone(), batch.sampled.as_ref())).1;
        let units =
            if fused && !wants_logits && config.center_spread.is_none() { None } else { Some(units()) };
        // Where blocks give the numbers, the matrix is for those who want to see it.
        let cosines = units
            .as_ref()
            .filter(|_| wants_logits || !fused)
            .map(|units| self.over_sub_centers(batch.directions.clone().matmul(units.clone().transpose())));
        let logits = cosines.clone().filter(|_| wants_logits).map(|cosines| cosines * radii.clone());
        let found = match cosines {
            Some(cosines) if !fused => AllClasses::of_cosines(
                cosines,
                logits.clone(),
                &radii,
                others.as_ref(),
                &targets.columns,
                config.options.label_smoothing > 0.0,
            ),
            _ => {
                let inputs = fused::Inputs {
                    directions: batch.directions.clone(),
                    centers: centers.clone(),
                    each: config.sub_centers,
                    radii: radii.clone(),
                    others,
                    pool: self.pool.clone(),
                    targets: targets.columns.clone(),
                    chosen: batch.sampled.as_ref().map(|sampled| sampled.classes.clone()),
                };
                let ([count, dim], classes) = (batch.directions.dims(), inputs.classes());
                inputs.over_classes(config.path.memory([count, dim, classes], config.sub_centers))
            }
        };
        let spread = match (&config.center_spread, &units) {
            (Some(spread), Some(units)) if learns => spread.penalty(units, targets),
            _ => None,
        };
        if !learns {
            let (target, weights) = (found.target * radii, self.class_weights.as_ref());
            let (loss, weights) =
                plain_cross_entropy(target, found.log_sum, found.classes, &batch.all, weights);
            let norms = batch.norms.squeeze_dim(1);
            return Pass { loss, weights, predictions: found.best, norms, logits: None, step: None };
        }
        let certainty = config.margin.wants_certainty().then(|| {
            // The radius is that of every class.
            let other = found.largest.clone() / radii.clone().detach().clamp_min(f32::MIN_POSITIVE);
            let certainty = FunFaceMargin::certainty(&found.target, &other);
            if let Some(seen) = &seen {
                self.margin_state.take_in_certainty(&certainty, &batch.norms, seen);
            }
            certainty
        });
        let memory = Memory { certainty: certainty.as_ref(), ..memory };
        let plain = found.target.clone() * radii.clone();
        let target = self.target_logit(found.target, &batch.norms, &radii, targets, memory);
        let sum = found.sum.map(|sum| sum * radii.clone());
        let loss = config.options.cross_entropy(target, found.log_sum.clone(), sum, found.classes);
        let loss = match config.temperature_compensation {
            // A radius of 0 has no direction to learn.
            Some(scale) => loss * radii.detach().clamp_min(1e-6).recip().mul_scalar(scale),
            None => loss,
        };
        let certain = || exact::softplus((found.log_sum - plain).detach().clamp_min(-3e38)).neg().exp();
        let (loss, weights) = self.finish(&batch, loss, spread, seen, certain);
        let predictions = found.best.map(|best| match &batch.sampled {
            Some(sampled) => sampled.classes.clone().select(0, best),
            None => best,
        });
        let norms = batch.norms.squeeze_dim(1);
        let classes = batch.sampled.map(|sampled| sampled.classes);
        let logits = logits.map(|logits| (logits, classes));
        Pass { loss, weights, predictions, norms, logits, step: batch.step }
    }

    /// `phi`, `[batch, 1]`.
    fn radii(&self, batch: &Batch) -> Tensor<2> {
        let norms = match self.config.norm_gradient {
            NormGradient::Exact => batch.norms.clone(),
            NormGradient::Detached => batch.norms.clone().detach(),
        };
        self.scaled(match batch.training {
            true => self.radius.of_batch(norms, batch.all.ignored.as_ref()),
            false => self.radius.forward(norms),
        })
    }

    /// Whether the loss of a batch goes class by class.
    fn is_fused(&self, features: &Tensor<2>, learns: bool) -> bool {
        let ([count, feature_dim], device) = (features.dims(), features.device());
        let single = |dtype| matches!(dtype, DType::F32 | DType::F16 | DType::BF16);
        let classes = match &self.config.sampling {
            Some(sampling) if learns && is_training(features, &self.training) => {
                sampling.classes_of(self.classes()).max(count.min(self.classes()))
            }
            _ => self.classes(),
        };
        let fits = count > 0
            && self.config.sub_center_pooling == SubCenterPooling::Largest
            && single(features.dtype())
            && single(self.class_centers.val().dtype());
        fits && self.config.path.is_fused([count, feature_dim, classes], &device)
    }

    fn batch(&self, features: Tensor<2>, targets: Tensor<1, Int>, mode: Mode) -> Batch {
        let all = self.targets(&features, targets);
        let training = !matches!(mode, Mode::Validation) && is_training(&features, &self.training);
        let features = single_precision(features);
        let step = match mode {
            Mode::Again { step } => step,
            Mode::Training { .. } if training => {
                self.steps.as_ref().map(|steps| steps.take(&features.device()))
            }
            Mode::Part(number) if training => {
                self.steps.as_ref().map(|steps| steps.coming(&features).part(number))
            }
            Mode::Training { .. } | Mode::Part(_) | Mode::Validation => {
                self.steps.as_ref().map(|steps| steps.coming(&features))
            }
        };
        let sampled = match (&self.config.sampling, &step) {
            (Some(sampling), Some(step)) if training => Some(sampling.sample(&all, self.classes(), step)),
            _ => None,
        };
        let (norms, directions) = norm_and_unit(features.clone());
        Batch { features, all, sampled, norms, directions, training, step }
    }

    /// Lets everything that remembers take in a batch that is trained on, with its target cosines `[batch, 1]` for a margin
    /// with a curriculum. Gives the targets that it saw.
    fn take_in(&self, batch: &Batch, target_cosines: Option<&Tensor<2>>) -> Option<Targets> {
        let remembers =
            self.radius.remembers() || self.margin_state.remembers() || self.feature_centers.is_some();
        let seen = (batch.training && remembers).then(|| batch.all.with_finite(&batch.norms))?;
        self.radius.take_in(&batch.norms, seen.ignored.as_ref());
        self.margin_state.take_in(&self.config.margin, target_cosines, &batch.norms, &seen);
        Some(seen)
    }

    /// Adds the penalties to the losses `[batch, 1]`, and weighs them. `certainty` is the target's probability without
    /// margin.
    fn finish(
        &self,
        batch: &Batch,
        mut loss: Tensor<2>,
        spread: Option<Tensor<2>>,
        seen: Option<Targets>,
        certainty: impl FnOnce() -> Tensor<2>,
    ) -> (Tensor<1>, Option<Tensor<1>>) {
        let learned_radius = self.learned_radius.as_ref().map(|radius| single_precision(radius.val()));
        let regularizer = self.config.regularizer.forward(batch.norms.clone(), learned_radius, certainty);
        let penalties = [
            regularizer.map(|penalty| self.in_time(penalty, batch)),
            self.feature_centers.as_ref().map(|centers| centers.penalty(&batch.features, &batch.all)),
            spread,
        ];
        for penalty in penalties.into_iter().flatten() {
            loss = loss + penalty;
        }
        if let (Some(centers), Some(seen)) = (&self.feature_centers, seen) {
            centers.follow(&batch.features, &seen);
        }
        LossOptions::weigh(loss, batch.all.classes(), self.class_weights.as_ref(), &batch.all)
    }

    /// A regularizer's penalty `[batch, 1]`, or 0 before the step from which on it is added.
    fn in_time(&self, penalty: Tensor<2>, batch: &Batch) -> Tensor<2> {
        let (Some(from), Some(step)) = (self.config.regularizer_from, &batch.step) else { return penalty };
        // Burn expands nothing to no rows.
        if penalty.dims()[0] == 0 {
            return penalty;
        }
        let early = step.column(&penalty).lower_scalar(from as f64).expand(penalty.dims());
        penalty.mask_fill(early, 0.0)
    }

    /// For a margin with a curriculum, the cosine of each sample with its own class, `[batch, 1]`, off the graph.
    fn target_cosines(&self, centers: &Tensor<2>, batch: &Batch) -> Option<Tensor<2>> {
        let ([rows, feature_dim], each) = (centers.dims(), self.config.sub_centers);
        let [count, _] = batch.directions.dims();
        if count == 0 || self.margin_state.curriculum.is_none() {
            return None;
        }
        let of_classes: Tensor<3> = centers.clone().detach().reshape([rows / each, each, feature_dim]);
        let own = of_classes.select(0, batch.all.classes()).reshape([count * each, feature_dim]);
        let own: Tensor<3> = norm_and_unit(own).1.reshape([count, each, feature_dim]);
        let directions: Tensor<3> = batch.directions.clone().detach().unsqueeze_dim(1);
        Some((own * directions).sum_dim(2).max_dim(1).reshape([count, 1]))
    }

    /// The rows of the class centers that take part.
    fn centers_of(&self, centers: Tensor<2>, sampled: Option<&SampledClasses>) -> Tensor<2> {
        match sampled {
            Some(sampled) => centers.select(0, rows_of(&sampled.classes, self.config.sub_centers)),
            None => centers,
        }
    }
}
