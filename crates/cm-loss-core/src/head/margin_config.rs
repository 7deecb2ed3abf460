//! What a margin head is made from.

use std::sync::Arc;

use burn::{
    module::Param,
    nn::Initializer,
    tensor::{Device, Tensor},
};
use serde::{Deserialize, Serialize};

use super::{
    ClassSampling, MarginHead,
    choices::{ConfigVersion, MarginPlace, MarginWarmUp, NormGradient, SubCenterPooling},
    radius::Radius,
};
use crate::{
    Error, LossOptions, LossPath, Margin, NormMap, Regularizer,
    margin::{MarginGradient, MarginState},
    norm_map::Constant,
    regularizer::{CenterLoss, CenterSpread, FeatureCenters},
    steps::Steps,
};

/// The three parts of a [`MarginHead`], and how they are put together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MarginHeadConfig {
    /// `phi`.
    pub norm_map: NormMap,
    /// `t`.
    pub margin: Margin,
    /// `g`.
    pub regularizer: Regularizer,
    /// The training step, from 0, from which on the regularizer is added. Before it the penalty is 0; with a constant norm map only
    /// directions are learned then, as QCFace's authors have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regularizer_from: Option<u64>,
    /// How gradients pass the margin.
    pub margin_gradient: MarginGradient,
    /// Where the margin stands: inside the norm map or outside.
    #[serde(skip_serializing_if = "MarginPlace::is_inside")]
    pub margin_place: MarginPlace,
    /// How the margin is brought in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin_warm_up: Option<MarginWarmUp>,
    /// Whether the loss of a sample pulls at its norm through the norm map. The regularizer does in any case.
    #[serde(skip_serializing_if = "NormGradient::is_exact")]
    pub norm_gradient: NormGradient,
    /// `s`: the cross entropy of each sample is multiplied by `s / phi(r)`, as a constant.
    ///
    /// The gradient of a direction is as large as `phi`: without this, short features learn more slowly. It makes up for the
    /// temperature in that and leaves the probabilities as the norm map has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_compensation: Option<f64>,
    /// Whether the scale is learned: `phi` is multiplied by `exp(τ)` with a parameter `τ` that begins at 0.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub learned_scale: bool,
    /// A class other than the target counts with cosine 0, and without gradient, where its cosine is above this: with wrong
    /// labels, it may well be the right one. insightface's `interclass_filtering_threshold`, there 0.4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter_above: Option<f64>,
    /// Centers a class, at least 1; the cosine with a class is the largest with its centers. From J. Deng et al.,
    /// "Sub-center ArcFace", ECCV 2020.
    pub sub_centers: usize,
    /// What the cosine with a class of several centers is.
    #[serde(skip_serializing_if = "SubCenterPooling::is_largest")]
    pub sub_center_pooling: SubCenterPooling,
    /// A pull of features towards a center of their class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub center_loss: Option<CenterLoss>,
    /// A push of class centers away from each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub center_spread: Option<CenterSpread>,
    /// Training on a part of the classes at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampling: Option<ClassSampling>,
    /// What is done with the loss of each sample.
    #[serde(skip_serializing_if = "LossOptions::is_plain")]
    pub options: LossOptions,
    /// How the loss is computed; the result is the same.
    #[serde(skip_serializing_if = "is_auto")]
    pub path: LossPath,
    /// The version of the format that this was written in.
    pub version: ConfigVersion,
}

impl Default for MarginHeadConfig {
    /// L2-Softmax: a constant scale and no margin.
    fn default() -> Self {
        Self::new(NormMap::Constant(Constant::default()), Margin::None)
    }
}

fn is_auto(path: &LossPath) -> bool {
    *path == LossPath::Auto
}

impl MarginHeadConfig {
    /// A norm map and a margin, with their exact gradients, one center a class and nothing else.
    pub fn new(norm_map: NormMap, margin: Margin) -> Self {
        Self {
            norm_map,
            margin,
            regularizer: Regularizer::None,
            regularizer_from: None,
            margin_gradient: MarginGradient::Exact,
            margin_place: MarginPlace::Inside,
            margin_warm_up: None,
            norm_gradient: NormGradient::Exact,
            temperature_compensation: None,
            learned_scale: false,
            filter_above: None,
            sub_centers: 1,
            sub_center_pooling: SubCenterPooling::Largest,
            center_loss: None,
            center_spread: None,
            sampling: None,
            options: LossOptions::default(),
            path: LossPath::Auto,
            version: ConfigVersion::default(),
        }
    }

    /// The same with another regularizer of the norm.
    pub fn with_regularizer(self, regularizer: Regularizer) -> Self {
        Self { regularizer, ..self }
    }

    /// The same with the regularizer added from this training step on.
    pub fn with_regularizer_from(self, step: u64) -> Self {
        Self { regularizer_from: Some(step), ..self }
    }

    /// The same with another gradient of the margin.
    pub fn with_margin_gradient(self, margin_gradient: MarginGradient) -> Self {
        Self { margin_gradient, ..self }
    }

    /// The same with the margin in another place.
    pub fn with_margin_place(self, margin_place: MarginPlace) -> Self {
        Self { margin_place, ..self }
    }

    /// The same with a margin that is whole after so many steps.
    pub fn with_margin_warm_up(self, steps: u64) -> Self {
        Self { margin_warm_up: Some(MarginWarmUp { steps }), ..self }
    }

    /// The same with another gradient of the norm map.
    pub fn with_norm_gradient(self, norm_gradient: NormGradient) -> Self {
        Self { norm_gradient, ..self }
    }

    /// The same with the loss of each sample multiplied by `scale / phi(r)`.
    pub fn with_temperature_compensation(self, scale: f64) -> Self {
        Self { temperature_compensation: Some(scale), ..self }
    }

    /// The same with a scale that is learned.
    pub fn with_learned_scale(self) -> Self {
        Self { learned_scale: true, ..self }
    }

    /// The same with classes left out whose cosine is above this.
    pub fn with_filter_above(self, cosine: f64) -> Self {
        Self { filter_above: Some(cosine), ..self }
    }

    /// The same with another cosine of a class of several centers.
    pub fn with_sub_center_pooling(self, sub_center_pooling: SubCenterPooling) -> Self {
        Self { sub_center_pooling, ..self }
    }

    /// The same with so many centers a class.
    pub fn with_sub_centers(self, sub_centers: usize) -> Self {
        Self { sub_centers, ..self }
    }

    /// The same with center loss.
    pub fn with_center_loss(self, center_loss: CenterLoss) -> Self {
        Self { center_loss: Some(center_loss), ..self }
    }

    /// The same with a spread of the class centers.
    pub fn with_center_spread(self, center_spread: CenterSpread) -> Self {
        Self { center_spread: Some(center_spread), ..self }
    }

    /// The same, trained on a part of the classes at a time.
    pub fn with_sampling(self, sampling: ClassSampling) -> Self {
        Self { sampling: Some(sampling), ..self }
    }

    /// The same with the loss computed in another way.
    pub fn with_path(self, path: LossPath) -> Self {
        Self { path, ..self }
    }

    /// The same with other options of the loss.
    pub fn with_options(self, options: LossOptions) -> Self {
        Self { options, ..self }
    }

    /// A head with random class centers, drawn as Glorot's uniform initialization has it.
    ///
    /// # Errors
    ///
    /// As [`validate`](Self::validate), and [`Error::OutOfRange`] without features or classes,
    /// [`Error::ClassWeights`] or [`Error::ClassMargins`] if there is not one for each class.
    pub fn init(&self, feature_dim: usize, classes: usize, device: &Device) -> Result<MarginHead, Error> {
        super::check_size(feature_dim, classes)?;
        self.validate()?;
        let rows = classes * self.sub_centers;
        let initializer = Initializer::XavierUniform { gain: 1.0 };
        let fan = (Some(feature_dim), Some(classes));
        if let Margin::PerClass(margin) = &self.margin {
            let margins = margin.margins.len();
            if margins != classes {
                return Err(Error::ClassMargins { margins, classes });
            }
        }
        let counts_steps = self.margin.counts_steps()
            || self.sampling.is_some()
            || self.margin_warm_up.is_some()
            || self.regularizer_from.is_some();
        let centers = self.center_loss.as_ref();
        Ok(MarginHead {
            class_centers: initializer.init_with([rows, feature_dim], fan.0, fan.1, device),
            learned_radius: self.regularizer.radius(device),
            log_scale: self.learned_scale.then(|| Param::from_tensor(Tensor::zeros([1], device))),
            training: Param::from_bool(true),
            class_weights: self.options.weights(classes, device)?,
            radius: Radius::new(&self.norm_map, feature_dim, device),
            margin_state: MarginState::new(&self.margin, device),
            feature_centers: centers.map(|config| FeatureCenters::new(config, classes, feature_dim, device)),
            steps: counts_steps.then(|| Steps::new(device)),
            config: self.clone(),
            pool: Arc::default(),
        })
    }
}
