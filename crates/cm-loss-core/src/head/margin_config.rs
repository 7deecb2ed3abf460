//! What a margin head is made from.

use burn::{module::Param, nn::Initializer, tensor::Device};
use serde::{Deserialize, Serialize};

use super::{ClassSampling, MarginHead, radius::Radius};
use crate::{
    Error, LossOptions, LossPath, Margin, NormMap, Regularizer,
    margin::{MarginGradient, MarginState},
    regularizer::{CenterLoss, CenterSpread, FeatureCenters},
    scale::check_scale,
    steps::Steps,
};

/// The three parts of a [`MarginHead`], and how they are put together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarginHeadConfig {
    /// `phi`.
    pub norm_map: NormMap,
    /// `t`.
    pub margin: Margin,
    /// `g`.
    #[serde(default)]
    pub regularizer: Regularizer,
    /// How gradients pass the margin.
    #[serde(default)]
    pub margin_gradient: MarginGradient,
    /// Centers a class, at least 1; the cosine with a class is the largest with its centers. From J. Deng et al.,
    /// "Sub-center ArcFace", ECCV 2020.
    #[serde(default = "one")]
    pub sub_centers: usize,
    /// A pull of features towards a center of their class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub center_loss: Option<CenterLoss>,
    /// A push of class centers away from each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub center_spread: Option<CenterSpread>,
    /// Training on a part of the classes at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling: Option<ClassSampling>,
    /// What is done with the loss of each sample.
    #[serde(default, skip_serializing_if = "LossOptions::is_plain")]
    pub options: LossOptions,
    /// How the loss is computed; the result is the same.
    #[serde(default, skip_serializing_if = "is_auto")]
    pub path: LossPath,
}

fn is_auto(path: &LossPath) -> bool {
    *path == LossPath::Auto
}

fn one() -> usize {
    1
}

impl MarginHeadConfig {
    /// A norm map and a margin, with their exact gradients, one center a class and nothing else.
    pub fn new(norm_map: NormMap, margin: Margin) -> Self {
        Self {
            norm_map,
            margin,
            regularizer: Regularizer::None,
            margin_gradient: MarginGradient::Exact,
            sub_centers: 1,
            center_loss: None,
            center_spread: None,
            sampling: None,
            options: LossOptions::default(),
            path: LossPath::Auto,
        }
    }

    /// The same with another regularizer of the norm.
    pub fn with_regularizer(self, regularizer: Regularizer) -> Self {
        Self { regularizer, ..self }
    }

    /// The same with another gradient of the margin.
    pub fn with_margin_gradient(self, margin_gradient: MarginGradient) -> Self {
        Self { margin_gradient, ..self }
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

    /// Checks every part, and that they suit each other.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] if a part has a parameter outside what its formula allows; [`Error::RegularizerTooWeak`]
    /// if MagFace's regularizer does not hold its margin at a constant radius (with another norm map or regularizer there
    /// is no such bound); [`Error::DoesNotCombine`] for parts that exclude each other.
    pub fn validate(&self) -> Result<(), Error> {
        self.norm_map.validate()?;
        self.margin.validate()?;
        self.regularizer.validate()?;
        self.options.validate()?;
        self.center_loss.as_ref().map_or(Ok(()), CenterLoss::validate)?;
        self.center_spread.as_ref().map_or(Ok(()), CenterSpread::validate)?;
        self.sampling.as_ref().map_or(Ok(()), ClassSampling::validate)?;
        let centers = self.sub_centers;
        Error::check("number of centers a class", "at least 1", centers as f64, centers > 0)?;
        if self.center_spread.is_some() && centers > 1 {
            return Err(Error::DoesNotCombine {
                what: "the spread of class centers",
                with: "several centers a class",
                reason: "it would push the centers of one class apart as well",
            });
        }
        if let (NormMap::Constant(map), Margin::MagFace(margin), Regularizer::MagFace(regularizer)) =
            (&self.norm_map, &self.margin, &self.regularizer)
        {
            if (regularizer.lower_norm, regularizer.upper_norm) != (margin.lower_norm, margin.upper_norm) {
                return Err(Error::DoesNotCombine {
                    what: "the margin of MagFace",
                    with: "a regularizer of other norms",
                    reason: "one would pull where the other does not hold; give both the same lower and upper norm",
                });
            }
            let least = margin.least_regularizer_weight(map.scale);
            if regularizer.weight < least {
                return Err(Error::RegularizerTooWeak { weight: regularizer.weight, least });
            }
        }
        Ok(())
    }

    /// Checks that the largest radius of the norm map lets a feature on its center reach `probability`, as
    /// [`check_scale`] does. A norm map without a bound always passes.
    ///
    /// # Errors
    ///
    /// As [`check_scale`].
    pub fn check_scale(&self, classes: usize, probability: f64) -> Result<(), Error> {
        match self.norm_map.largest_radius() {
            Some(radius) => check_scale(radius, classes, probability),
            None => Ok(()),
        }
    }

    /// A head with random class centers, drawn as Glorot's uniform initialization has it.
    ///
    /// # Errors
    ///
    /// As [`validate`](Self::validate), and [`Error::OutOfRange`] without features or classes,
    /// [`Error::ClassWeights`] if there is not one weight for each class.
    pub fn init(&self, feature_dim: usize, classes: usize, device: &Device) -> Result<MarginHead, Error> {
        super::check_size(feature_dim, classes)?;
        self.validate()?;
        let rows = classes * self.sub_centers;
        let initializer = Initializer::XavierUniform { gain: 1.0 };
        let fan = (Some(feature_dim), Some(classes));
        let counts_steps = self.margin.counts_steps() || self.sampling.is_some();
        let centers = self.center_loss.as_ref();
        Ok(MarginHead {
            class_centers: initializer.init_with([rows, feature_dim], fan.0, fan.1, device),
            learned_radius: self.regularizer.radius(device),
            training: Param::from_bool(true),
            class_weights: self.options.weights(classes, device)?,
            radius: Radius::new(&self.norm_map, device),
            margin_state: MarginState::new(&self.margin, device),
            feature_centers: centers.map(|config| FeatureCenters::new(config, classes, feature_dim, device)),
            steps: counts_steps.then(|| Steps::new(device)),
            config: self.clone(),
        })
    }
}
