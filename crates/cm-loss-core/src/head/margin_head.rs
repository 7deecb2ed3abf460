//! The head of every norm-aware and margin softmax.

use std::sync::Arc;

use burn::{
    module::{Module, Param},
    nn::Initializer,
    tensor::{DType, Device, Int, Tensor},
};
use serde::{Deserialize, Serialize};

use super::{HeadOutput, Saturation, cross_entropy, target_column};
use crate::{
    Error, Margin, NormMap, NormStatistics, Regularizer,
    margin::{MarginGradient, MarginState},
    norm_and_unit,
    norm_map::CustomNormMap,
};

/// The three parts of a [`MarginHead`], and how they are put together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
}

fn one() -> usize {
    1
}

impl MarginHeadConfig {
    /// A norm map and a margin, with their exact gradients, one centre a class and no regulariser.
    pub fn new(norm_map: NormMap, margin: Margin) -> Self {
        Self {
            norm_map,
            margin,
            regularizer: Regularizer::None,
            margin_gradient: MarginGradient::Exact,
            sub_centres: 1,
        }
    }

    /// The same with another regulariser.
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

    /// Checks every part, and that they suit each other.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] if a part has a parameter outside what its formula allows; [`Error::RegularizerTooWeak`]
    /// if MagFace's regulariser does not hold its margin.
    pub fn validate(&self) -> Result<(), Error> {
        self.norm_map.validate()?;
        self.margin.validate()?;
        self.regularizer.validate()?;
        let centres = self.sub_centres;
        Error::check("number of centres a class", "at least 1", centres as f64, centres > 0)?;
        if let (NormMap::Constant(map), Margin::MagFace(margin), Regularizer::MagFace(regularizer)) =
            (&self.norm_map, &self.margin, &self.regularizer)
        {
            let least = margin.least_regularizer_weight(map.scale);
            if regularizer.weight < least {
                return Err(Error::RegularizerTooWeak { weight: regularizer.weight, least });
            }
        }
        Ok(())
    }

    /// A head with random class centres, drawn as Glorot's uniform initialisation has it.
    ///
    /// # Errors
    ///
    /// As [`validate`](Self::validate).
    pub fn init(&self, feature_dim: usize, classes: usize, device: &Device) -> Result<MarginHead, Error> {
        self.validate()?;
        let rows = classes * self.sub_centres;
        let initializer = Initializer::XavierUniform { gain: 1.0 };
        let fan = (Some(feature_dim), Some(classes));
        Ok(MarginHead {
            class_centres: initializer.init_with([rows, feature_dim], fan.0, fan.1, device),
            radius: self.regularizer.radius(device),
            norm_statistics: self.norm_map.statistics(device),
            margin_state: self.margin.state(device),
            config: self.clone(),
            custom_norm_map: None,
        })
    }
}

/// Softmax on `z_ij = phi(r_i) · t(cos θ_ij, [j = y_i], r_i)`, plus `g(r_i)`.
///
/// `r_i` is the norm of feature `i` and `θ_ij` its angle with class centre `j`. The gradient flows through the
/// angles and through the norm. A zero feature has cosine 0 with every centre and receives no gradient.
///
/// Features may be of 16-bit floats: everything from the norm on is computed in 32 bits.
///
/// On a device with automatic differentiation [`forward`](Self::forward) trains: parts that keep statistics take the
/// batch in, and random margins are drawn. On another device, as after `valid()`, nothing changes.
#[derive(Module, Debug)]
pub struct MarginHead {
    /// The centres, `sub_centres` after one another for each class: `[classes · sub_centres, feature_dim]`. Only
    /// their directions matter.
    pub class_centres: Param<Tensor<2>>,
    /// What a regulariser learns, `[1]`.
    pub radius: Option<Param<Tensor<1>>>,
    norm_statistics: Option<NormStatistics>,
    margin_state: MarginState,
    #[module(skip)]
    config: MarginHeadConfig,
    #[module(skip)]
    custom_norm_map: Option<Arc<dyn CustomNormMap>>,
}

/// Cosines `[batch, classes]`, norms `[batch, 1]` and radii `[batch, 1]`.
struct Polar {
    cosines: Tensor<2>,
    norms: Tensor<2>,
    radii: Tensor<2>,
}

impl MarginHead {
    /// The same head with a norm map of your own in place of the configured one.
    pub fn with_norm_map(self, norm_map: Arc<dyn CustomNormMap>) -> Self {
        Self { custom_norm_map: Some(norm_map), ..self }
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
        let targets = target_column(&features, targets, self.class_centres.dims()[1]);
        let training = features.device().is_autodiff();
        let polar = self.polar(features, training);
        let logits = polar.cosines.clone() * polar.radii.clone();
        let training_logits = match self.config.margin.is_none() {
            true => logits.clone(),
            false => {
                if training {
                    let target_cosines = polar.cosines.clone().detach().gather(1, targets.clone());
                    self.margin_state.before_step(&self.config.margin, &target_cosines, &polar.norms);
                }
                let logits = self.with_margin(&polar, targets.clone(), training);
                if training {
                    self.margin_state.after_step();
                }
                logits
            }
        };
        let mut loss = cross_entropy(training_logits, targets);
        let radius = self.radius.as_ref().map(Param::val);
        if let Some(penalty) = self.config.regularizer.forward(polar.norms.clone(), radius) {
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

    /// Training logits, with the margin on the target. It changes no statistics and draws no random margins.
    ///
    /// # Shapes
    ///
    /// - features: `[batch, feature_dim]`
    /// - targets: `[batch]`
    /// - output: `[batch, classes]`
    pub fn training_logits(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<2> {
        let targets = target_column(&features, targets, self.class_centres.dims()[1]);
        let polar = self.polar(features, false);
        self.with_margin(&polar, targets, false)
    }

    /// Inference logits and feature norms; see [`Head::logits`](super::Head::logits).
    pub fn logits(&self, features: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
        let polar = self.polar(features, false);
        (polar.cosines * polar.radii, polar.norms.squeeze_dim(1))
    }

    /// How much of a batch lies where the norm map is flat; see [`Head::saturation`](super::Head::saturation). `None`
    /// for a norm map of your own as well.
    pub fn saturation(&self, norms: Tensor<1>) -> Option<Saturation> {
        let [count] = norms.dims();
        if self.custom_norm_map.is_some() || count == 0 {
            return None;
        }
        let norms = norms.detach().unsqueeze_dim(1);
        let statistics = self.norm_statistics.as_ref();
        let slope = self.config.norm_map.relative_slope(norms.clone(), statistics)?;
        let flat = slope.lower_scalar(Saturation::FLAT).float().mean().into_scalar::<f32>();
        let mean_norm = norms.mean().into_scalar::<f32>();
        Some(Saturation { share: f64::from(flat), mean_norm: f64::from(mean_norm) })
    }

    fn polar(&self, features: Tensor<2>, training: bool) -> Polar {
        let (norms, directions) = norm_and_unit(single_precision(features));
        let (_, centres) = norm_and_unit(single_precision(self.class_centres.val()));
        let radii = match (&self.custom_norm_map, &self.norm_statistics) {
            (Some(map), _) => map.forward(norms.clone()),
            (None, statistics) => {
                if let (Some(statistics), true) = (statistics, training) {
                    statistics.update(&norms);
                }
                self.config.norm_map.forward(norms.clone(), statistics.as_ref())
            }
        };
        let cosines = self.over_sub_centres(directions.matmul(centres.transpose()));
        Polar { cosines, norms, radii }
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

    fn with_margin(&self, polar: &Polar, targets: Tensor<2, Int>, training: bool) -> Tensor<2> {
        let cosines = self.config.margin.forward(
            polar.cosines.clone(),
            targets,
            &polar.norms,
            &self.margin_state,
            self.config.margin_gradient,
            training,
        );
        cosines * polar.radii.clone()
    }
}

/// 16-bit floats as 32-bit floats; others as they are.
fn single_precision(tensor: Tensor<2>) -> Tensor<2> {
    match tensor.dtype() {
        DType::F16 | DType::BF16 => tensor.cast(DType::F32),
        _ => tensor,
    }
}
