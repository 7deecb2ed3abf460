//! The margin `t`: makes the target's cosine smaller while training, so that classes move apart.
//!
//! To add one: a file with its parameters, its formula and the formula's derivative, and a variant of [`Margin`]. To use one
//! of your own without changing this crate: implement [`CustomMargin`], and it is a [`Margin::Custom`].
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
//! | [`FunFaceMargin`] | AdaFace's with `ẑ` of norm and certainty ratio | FunFace |
//! | [`QuadraticMargin`] | `a (θ − h)² + k` | X2-Softmax |
//! | [`CircleMargin`] | `[1 + m − cos θ]₊ (cos θ − (1 − m))`, others too | circle loss |
//! | [`PerClassMargin`] | `cos(θ + m_y)` or `cos θ − m_y` | LDAM, dynamic margins |
//! | [`RankedMargin`] | `cos(θ + m)` or `cos θ − m`, `m` by the rank of the norm | ours |

mod adaface;
mod angle;
mod angular;
mod circle;
mod combined;
mod cosine;
mod curricular;
mod elastic;
mod funface;
mod magface;
mod multiplicative;
mod others;
mod per_class;
mod quadratic;
mod ranked;
mod state;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{Custom, CustomMargin, Error, custom, steps::Step, targets::Targets};

pub use adaface::AdaFaceMargin;
pub use angular::{AngularMargin, AngularOverflow};
pub use circle::CircleMargin;
pub use combined::{CombinedMargin, Extension};
pub use cosine::CosineMargin;
pub use curricular::CurricularMargin;
pub use elastic::ElasticMargin;
pub use funface::FunFaceMargin;
pub use magface::MagFaceMargin;
pub use multiplicative::{Annealing, MultiplicativeMargin};
pub(crate) use others::{Curve, Others};
pub use per_class::PerClassMargin;
pub use quadratic::QuadraticMargin;
pub use ranked::RankedMargin;
pub(crate) use state::MarginState;

/// A choice of the margin `t`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Margin {
    /// `t = cos θ`.
    #[serde(deserialize_with = "crate::nothing::no_fields")]
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
    /// A margin that follows the standardized norm.
    AdaFace(AdaFaceMargin),
    /// An angular margin with reweighted negatives.
    Curricular(CurricularMargin),
    /// A random margin.
    Elastic(ElasticMargin),
    /// A margin that follows the standardized norm and the certainty ratio.
    FunFace(FunFaceMargin),
    /// `t = a (θ − h)² + k`.
    Quadratic(QuadraticMargin),
    /// Similarities weighted by how far they are from where they should be.
    Circle(CircleMargin),
    /// A margin for each class.
    PerClass(PerClassMargin),
    /// A margin by the rank of the norm in its batch.
    Ranked(RankedMargin),
    /// One of your own.
    Custom(Custom<dyn CustomMargin>),
}

/// Where an additive margin `m` enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MarginForm {
    /// `t = cos(θ + m)`, `m` in radians.
    Angular,
    /// `t = cos θ − m`.
    #[default]
    Cosine,
}

/// `t` with a margin for each sample, `[batch, 1]`, and its derivative by the margin. `overflow` is for the angular form.
fn margin_of(
    form: MarginForm,
    overflow: AngularOverflow,
    cosines: &Tensor<2>,
    margins: Tensor<2>,
) -> (Shaped, Tensor<2>) {
    match form {
        MarginForm::Angular => angular::shape(cosines, margins, overflow),
        MarginForm::Cosine => {
            let by_margin = margins.full_like(-1.0);
            (Shaped::with_slope_one(cosines.clone() - margins), by_margin)
        }
    }
}

fn validate_form(form: MarginForm, what: &'static str, margin: f64) -> Result<(), Error> {
    match form {
        MarginForm::Angular => angular::check_angle(what, margin),
        MarginForm::Cosine => Error::check_cosine_margin(what, margin),
    }
}

/// How gradients pass a margin. The value is the same; the losses learn differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
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
    /// Whether the batch is trained on: random margins are drawn.
    pub training: bool,
    /// For a margin that [asks for it](Margin::wants_certainty), the certainty ratio of each sample, `[batch, 1]`.
    pub certainty: Option<&'a Tensor<2>>,
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
            Self::None
            | Self::Combined(_)
            | Self::MagFace(_)
            | Self::Quadratic(_)
            | Self::PerClass(_)
            | Self::Custom(_) => None,
            Self::Cosine(margin) => Some(&mut margin.margin),
            Self::Angular(margin) => Some(&mut margin.margin),
            Self::Multiplicative(margin) => Some(&mut margin.margin),
            Self::AdaFace(margin) => Some(&mut margin.margin),
            Self::Curricular(margin) => Some(&mut margin.margin),
            Self::Elastic(margin) => Some(&mut margin.mean),
            Self::FunFace(margin) => Some(&mut margin.margin),
            Self::Circle(margin) => Some(&mut margin.margin),
            Self::Ranked(margin) => Some(&mut margin.margin),
        }
    }

    /// Whether this margin changes the cosines of the other classes too.
    pub(crate) fn weighs_others(&self) -> bool {
        matches!(self, Self::Curricular(_) | Self::Circle(_))
    }

    /// Whether this margin looks at the largest cosine with another class.
    pub(crate) fn wants_certainty(&self) -> bool {
        matches!(self, Self::FunFace(_))
    }

    /// Whether this margin changes with the steps trained.
    pub(crate) fn counts_steps(&self) -> bool {
        match self {
            Self::Multiplicative(margin) => margin.annealing.is_some(),
            Self::Elastic(_) => true,
            _ => false,
        }
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
        if let Self::Custom(margin) = self {
            return match gradient {
                MarginGradient::Exact => margin.0.forward(target, norms.clone()),
                MarginGradient::Detached => {
                    let outside = target.clone().detach();
                    margin.0.forward(outside.clone(), norms.clone().detach()).detach() + (target - outside)
                }
            };
        }
        let (outside, norms_outside) = (target.clone().detach(), norms.clone().detach());
        self.shape(&outside, &norms_outside, targets, &memory).attached(target, norms, gradient)
    }

    /// What becomes of the other classes, where it is not their cosine, for target cosines `[batch, 1]`.
    pub(crate) fn others(&self, targets: &Tensor<2>, memory: &Memory<'_>) -> Option<Others> {
        match (self, memory.state.curriculum(targets)) {
            (Self::Curricular(margin), Some(curriculum)) => {
                let beyond = margin.beyond(&targets.clone().detach());
                Some(Others { curve: Curve::CURRICULAR, beyond, curriculum: curriculum.detach() })
            }
            (Self::Circle(margin), _) => {
                let (curve, from) = margin.others();
                Some(Others::from_cosine(curve, from, targets))
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
            // One of your own has a way of its own, with the graph.
            Self::None | Self::Custom(_) => Shaped::with_slope_one(cosines.clone()),
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
            Self::FunFace(margin) => {
                let unknown = || memory.state.mean_certainty(cosines);
                let certainty = memory.certainty.cloned().unwrap_or_else(unknown);
                margin.shape(cosines, norms, &certainty, memory.state.both())
            }
            Self::Quadratic(margin) => margin.shape(cosines),
            Self::Circle(margin) => margin.shape(cosines),
            Self::PerClass(margin) => margin.shape(cosines, targets),
            Self::Ranked(margin) => margin.shape(cosines, norms, targets, memory.training),
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
            Self::FunFace(margin) => margin.validate(),
            Self::Quadratic(margin) => margin.validate(),
            Self::Circle(margin) => margin.validate(),
            Self::PerClass(margin) => margin.validate(),
            Self::Ranked(margin) => margin.validate(),
            Self::Custom(margin) => custom::validate(margin),
        }
    }
}
