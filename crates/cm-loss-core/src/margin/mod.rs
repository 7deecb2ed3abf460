//! The margin `t`: makes the target's cosine smaller while training, so that classes move apart.
//!
//! To add one: a file with its parameters, its formula and the formula's derivative, and a variant of [`Margin`].
//!
//! | margin | target's `t` | source |
//! |---|---|---|
//! | [`Margin::None`] | `cos θ` | |
//! | [`CosineMargin`] | `cos θ − m` | CosFace |
//! | [`AngularMargin`] | `cos(θ + m)` | ArcFace |
//! | [`MultiplicativeMargin`] | `ψ(θ)`, `cos(m θ)` made monotone | SphereFace |
//! | [`CombinedMargin`] | `cos(m1 θ + m2) − m3` | ArcFace |
//! | [`MagFaceMargin`] | `cos(θ + m(r))` or `cos θ − m(r)` | MagFace |
//! | [`AdaFaceMargin`] | `cos(θ − m ẑ) − (m + m ẑ)` | AdaFace |
//! | [`CurricularMargin`] | `cos(θ + m)`, hard negatives reweighted | CurricularFace |
//! | [`ElasticMargin`] | `cos(θ + m)` or `cos θ − m` with random `m` | ElasticFace |

mod adaface;
mod angle;
mod angular;
mod combined;
mod cosine;
mod curricular;
mod elastic;
mod magface;
mod multiplicative;
mod state;

use burn::tensor::{IndexingUpdateOp, Tensor};
use serde::{Deserialize, Serialize};

use crate::{Error, steps::Step, targets::Targets};

pub use adaface::AdaFaceMargin;
pub use angular::{AngularMargin, AngularOverflow};
pub use combined::{CombinedMargin, Extension};
pub use cosine::CosineMargin;
pub use curricular::CurricularMargin;
pub use elastic::{ElasticForm, ElasticMargin};
pub use magface::{MagFaceForm, MagFaceMargin};
pub use multiplicative::{Annealing, MultiplicativeMargin};
pub(crate) use state::MarginState;

/// A choice of the margin `t`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Margin {
    /// `t = cos θ`.
    None,
    /// `t = cos θ − m`.
    Cosine(CosineMargin),
    /// `t = cos(θ + m)`.
    Angular(AngularMargin),
    /// `t = ψ(θ)`.
    Multiplicative(MultiplicativeMargin),
    /// `t = cos(m1 θ + m2) − m3`.
    Combined(CombinedMargin),
    /// A margin that grows with the norm.
    MagFace(MagFaceMargin),
    /// A margin that follows the standardised norm.
    AdaFace(AdaFaceMargin),
    /// An angular margin with reweighted negatives.
    Curricular(CurricularMargin),
    /// A random margin.
    Elastic(ElasticMargin),
}

/// How gradients pass a margin. The value is the same; the losses learn differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarginGradient {
    /// The derivative of the formula, `dt/d cos θ`.
    #[default]
    Exact,
    /// `dt/d cos θ = 1` and none by the norm: the margin counts as a constant, as in insightface, CVLface and
    /// OpenSphere.
    Detached,
}

/// What a margin knows of the training so far.
pub(crate) struct Memory<'a> {
    pub state: &'a MarginState,
    /// For a margin that [counts steps](Margin::counts_steps).
    pub step: Option<&'a Step>,
    /// Whether random margins are drawn.
    pub training: bool,
}

/// Value and derivatives of `t`, computed outside the graph; all `[batch, 1]`.
struct Shaped {
    value: Tensor<2>,
    by_cosine: Tensor<2>,
    by_norm: Option<Tensor<2>>,
}

impl Shaped {
    fn with_slope_one(value: Tensor<2>) -> Self {
        Self { by_cosine: value.ones_like(), value, by_norm: None }
    }

    /// The value as a function of cosine and norm with these derivatives. What is added to the value is 0.
    fn attached(self, cosines: Tensor<2>, norms: &Tensor<2>, gradient: MarginGradient) -> Tensor<2> {
        let zero = |tensor: &Tensor<2>| tensor.clone() - tensor.clone().detach();
        if gradient == MarginGradient::Detached {
            return self.value + zero(&cosines);
        }
        let value = self.value + self.by_cosine * zero(&cosines);
        match self.by_norm {
            Some(slope) => value + slope * zero(norms),
            None => value,
        }
    }
}

impl Margin {
    /// Whether training logits are inference logits.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// The one number that is the margin, if there is one.
    pub(crate) fn margin_mut(&mut self) -> Option<&mut f64> {
        match self {
            Self::None | Self::Combined(_) | Self::MagFace(_) => None,
            Self::Cosine(margin) => Some(&mut margin.margin),
            Self::Angular(margin) => Some(&mut margin.margin),
            Self::Multiplicative(margin) => Some(&mut margin.margin),
            Self::AdaFace(margin) => Some(&mut margin.margin),
            Self::Curricular(margin) => Some(&mut margin.margin),
            Self::Elastic(margin) => Some(&mut margin.mean),
        }
    }

    /// Whether this margin changes with the steps trained.
    pub(crate) fn counts_steps(&self) -> bool {
        match self {
            Self::Multiplicative(margin) => margin.annealing.is_some(),
            Self::Elastic(_) => true,
            _ => false,
        }
    }

    /// The cosines `[batch, classes]` with the margin in them, for feature norms `[batch, 1]`. No state changes.
    pub(crate) fn forward(
        &self,
        cosines: Tensor<2>,
        norms: &Tensor<2>,
        targets: &Targets,
        memory: Memory<'_>,
        gradient: MarginGradient,
    ) -> Tensor<2> {
        if self.is_none() || cosines.dims()[0] == 0 {
            return cosines;
        }
        let target = cosines.clone().gather(1, targets.columns.clone());
        let hard = self.hard(&target, &memory);
        let with_margin = self.of_target(target.clone(), norms, targets, memory, gradient);
        let (cosines, replaced) = match hard {
            Some((beyond, curriculum)) => {
                let cosines = CurricularMargin::reweighted(cosines, beyond, curriculum);
                let replaced = cosines.clone().gather(1, targets.columns.clone());
                (cosines, replaced)
            }
            _ => (cosines, target),
        };
        cosines.scatter(1, targets.columns.clone(), with_margin - replaced, IndexingUpdateOp::Add)
    }

    /// The target's cosines `[batch, 1]` with the margin in them. No state changes.
    pub(crate) fn of_target(
        &self,
        target: Tensor<2>,
        norms: &Tensor<2>,
        targets: &Targets,
        memory: Memory<'_>,
        gradient: MarginGradient,
    ) -> Tensor<2> {
        if self.is_none() {
            return target;
        }
        let (outside, norms_outside) = (target.clone().detach(), norms.clone().detach());
        self.shape(&outside, &norms_outside, targets, &memory).attached(target, norms, gradient)
    }

    /// For a margin that reweights hard classes: the cosine `[batch, 1]` beyond which a class is hard, for target cosines
    /// `[batch, 1]`, and the curriculum `[1, 1]`.
    pub(crate) fn hard(&self, targets: &Tensor<2>, memory: &Memory<'_>) -> Option<(Tensor<2>, Tensor<2>)> {
        match (self, memory.state.curriculum(targets)) {
            (Self::Curricular(margin), Some(curriculum)) => {
                Some((margin.beyond(&targets.clone().detach()), curriculum))
            }
            _ => None,
        }
    }

    fn shape(
        &self,
        cosines: &Tensor<2>,
        norms: &Tensor<2>,
        targets: &Targets,
        memory: &Memory<'_>,
    ) -> Shaped {
        match self {
            Self::None => Shaped::with_slope_one(cosines.clone()),
            Self::Cosine(margin) => margin.shape(cosines),
            Self::Angular(margin) => margin.shape(cosines),
            Self::Multiplicative(margin) => {
                margin.shape(cosines, memory.step.map(|step| step.column(cosines)))
            }
            Self::Combined(margin) => margin.shape(cosines),
            Self::MagFace(margin) => margin.shape(cosines, norms),
            Self::AdaFace(margin) => margin.shape(cosines, norms, memory.state.norm_statistics()),
            Self::Curricular(margin) => margin.shape(cosines),
            Self::Elastic(margin) => margin.shape(cosines, targets, memory.step.filter(|_| memory.training)),
        }
    }

    /// Checks the parameters.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] for a parameter outside what the formula allows.
    pub fn validate(&self) -> Result<(), Error> {
        match self {
            Self::None => Ok(()),
            Self::Cosine(margin) => margin.validate(),
            Self::Angular(margin) => margin.validate(),
            Self::Multiplicative(margin) => margin.validate(),
            Self::Combined(margin) => margin.validate(),
            Self::MagFace(margin) => margin.validate(),
            Self::AdaFace(margin) => margin.validate(),
            Self::Curricular(margin) => margin.validate(),
            Self::Elastic(margin) => margin.validate(),
        }
    }
}
