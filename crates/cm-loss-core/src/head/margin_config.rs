//! What a margin head is made from.

use burn::{nn::Initializer, tensor::Device};
use serde::{Deserialize, Serialize};

use super::{ClassSampling, MarginHead, radius::Radius};
use crate::{
    Error, LossOptions, LossPath, Margin, NormMap, Regularizer,
    margin::{MarginGradient, MarginState},
    regularizer::{CentreLoss, CentreSpread, FeatureCentres},
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
    /// Centres a class, at least 1; the cosine with a class is the largest with its centres. From J. Deng et al.,
    /// "Sub-center ArcFace", ECCV 2020.
    #[serde(default = "one")]
    pub sub_centres: usize,
    /// A pull of features towards a centre of their class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub centre_loss: Option<CentreLoss>,
    /// A push of class centres away from each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub centre_spread: Option<CentreSpread>,
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
    /// A norm map and a margin, with their exact gradients, one centre a class and nothing else.
    pub fn new(norm_map: NormMap, margin: Margin) -> Self {
        Self {
            norm_map,
            margin,
            regularizer: Regularizer::None,
            margin_gradient: MarginGradient::Exact,
            sub_centres: 1,
            centre_loss: None,
            centre_spread: None,
            sampling: None,
            options: LossOptions::default(),
            path: LossPath::Auto,
        }
    }

    /// The same with another regulariser of the norm.
    pub fn with_regularizer(self, regularizer: Regularizer) -> Self {
        Self { regularizer, ..self }
    }

    /// The same with another gradient of the margin.
    pub fn with_margin_gradient(self, margin_gradient: MarginGradient) -> Self {
        Self { margin_gradient, ..self }
    }

    /// The same with so many centres a class.
    pub fn with_sub_centres(self, sub_centres: usize) -> Self {
        Self { sub_centres, ..self }
    }

    /// The same with centre loss.
    pub fn with_centre_loss(self, centre_loss: CentreLoss) -> Self {
        Self { centre_loss: Some(centre_loss), ..self }
    }

    /// The same with a spread of the class centres.
    pub fn with_centre_spread(self, centre_spread: CentreSpread) -> Self {
        Self { centre_spread: Some(centre_spread), ..self }
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
    /// if MagFace's regulariser does not hold its margin at a constant radius (with another norm map or regulariser there
    /// is no such bound); [`Error::DoesNotCombine`] for parts that exclude each other.
    pub fn validate(&self) -> Result<(), Error> {
        self.norm_map.validate()?;
        self.margin.validate()?;
        self.regularizer.validate()?;
        self.options.validate()?;
        self.centre_loss.as_ref().map_or(Ok(()), CentreLoss::validate)?;
        self.centre_spread.as_ref().map_or(Ok(()), CentreSpread::validate)?;
        self.sampling.as_ref().map_or(Ok(()), ClassSampling::validate)?;
        let centres = self.sub_centres;
        Error::check("number of centres a class", "at least 1", centres as f64, centres > 0)?;
        if self.centre_spread.is_some() && centres > 1 {
            return Err(Error::DoesNotCombine {
                what: "the spread of class centres",
                with: "several centres a class",
                reason: "it would push the centres of one class apart as well",
            });
        }
        if let (NormMap::Constant(map), Margin::MagFace(margin), Regularizer::MagFace(regularizer)) =
            (&self.norm_map, &self.margin, &self.regularizer)
        {
            if (regularizer.lower_norm, regularizer.upper_norm) != (margin.lower_norm, margin.upper_norm) {
                return Err(Error::DoesNotCombine {
                    what: "the margin of MagFace",
                    with: "a regulariser of other norms",
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

    /// Checks that the largest radius of the norm map lets a feature on its centre reach `probability`, as
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

    /// A head with random class centres, drawn as Glorot's uniform initialisation has it.
    ///
    /// # Errors
    ///
    /// As [`validate`](Self::validate), and [`Error::OutOfRange`] without features or classes,
    /// [`Error::ClassWeights`] if there is not one weight for each class.
    pub fn init(&self, feature_dim: usize, classes: usize, device: &Device) -> Result<MarginHead, Error> {
        super::check_size(feature_dim, classes)?;
        self.validate()?;
        let rows = classes * self.sub_centres;
        let initializer = Initializer::XavierUniform { gain: 1.0 };
        let fan = (Some(feature_dim), Some(classes));
        let counts_steps = self.margin.counts_steps() || self.sampling.is_some();
        let centres = self.centre_loss.as_ref();
        Ok(MarginHead {
            class_centres: initializer.init_with([rows, feature_dim], fan.0, fan.1, device),
            learned_radius: self.regularizer.radius(device),
            class_weights: self.options.weights(classes, device)?,
            radius: Radius::new(&self.norm_map, device),
            margin_state: MarginState::new(&self.margin, device),
            feature_centres: centres.map(|config| FeatureCentres::new(config, classes, feature_dim, device)),
            steps: counts_steps.then(|| Steps::new(device)),
            config: self.clone(),
        })
    }
}
