//! Changes of a configuration, by a word each.

use super::{
    ClassSampling, Head, HeadConfig, LinearHead, LinearHeadConfig, MarginHead, MarginHeadConfig, ProxyHead,
    ProxyHeadConfig, ProxyLoss, SphereFace2Config, SphereFace2Head,
    choices::{MarginPlace, NormGradient, SubCenterPooling},
};
use crate::{
    Error, LossOptions, LossPath, Margin, NormMap, Preset, Regularizer,
    margin::MarginGradient,
    regularizer::{CenterLoss, CenterSpread},
};

macro_rules! from_its_kinds {
    ($whole:ident: $($kind:ident($part:ident)),*) => {$(
        impl From<$part> for $whole {
            fn from(part: $part) -> Self {
                Self::$kind(part)
            }
        }
    )*};
}

from_its_kinds!(HeadConfig: Linear(LinearHeadConfig), Margin(MarginHeadConfig), SphereFace2(SphereFace2Config), Proxy(ProxyHeadConfig));
from_its_kinds!(Head: Linear(LinearHead), Margin(MarginHead), SphereFace2(SphereFace2Head), Proxy(ProxyHead));

impl From<Preset> for HeadConfig {
    fn from(preset: Preset) -> Self {
        preset.config()
    }
}

/// Each change is checked at once, as [`validate`](HeadConfig::validate) does it, so that the order matters where one part
/// makes sense beside another alone: the norm map (or a learned scale) before a margin outside of it, a detached norm or a
/// temperature compensation, the margin before its place and warm-up, the regularizer before the step it begins at.
/// [`MarginHeadConfig`] has the parts as fields and methods in any order, and is checked by [`init`](HeadConfig::init).
impl HeadConfig {
    /// The same head with another scale: `Preset::ArcFace.config().with_scale(30.0)?`.
    ///
    /// # Errors
    ///
    /// [`Error::DoesNotCombine`] for a loss without such a part; those of [`validate`](Self::validate).
    pub fn with_scale(mut self, scale: f64) -> Result<Self, Error> {
        let with = match &self {
            Self::Margin(_) | Self::SphereFace2(_) => "this norm map",
            other => other.kind(),
        };
        let place = match &mut self {
            Self::Linear(_) => None,
            Self::Margin(config) => config.norm_map.scale_mut(),
            Self::SphereFace2(config) => config.norm_map.scale_mut(),
            Self::Proxy(config) => match &mut config.loss {
                ProxyLoss::ProxyAnchor { scale, .. } => Some(scale),
                ProxyLoss::P2SGrad => None,
            },
        };
        *place.ok_or(without("a scale", with))? = scale;
        self.validate().map(|()| self)
    }

    /// The same head with another margin: `Preset::ArcFace.config().with_margin(0.3)?`. Of a random margin it is the mean. A
    /// margin of several numbers, or of another kind, is given by [`with_margin_function`](Self::with_margin_function).
    ///
    /// # Errors
    ///
    /// [`Error::DoesNotCombine`] for a loss without a margin or with several; those of [`validate`](Self::validate).
    pub fn with_margin(mut self, margin: f64) -> Result<Self, Error> {
        let error = match &self {
            Self::Margin(config) if !config.margin.is_none() => Error::DoesNotCombine {
                what: "a margin of one number",
                with: "that of this loss",
                reason: "its formula has several, or is one of your own; give the margin as a whole",
            },
            other => without("a margin", other.kind()),
        };
        let place = match &mut self {
            Self::Linear(_) => None,
            Self::Margin(config) => config.margin.margin_mut(),
            Self::SphereFace2(config) => Some(&mut config.margin),
            Self::Proxy(config) => match &mut config.loss {
                ProxyLoss::ProxyAnchor { margin, .. } => Some(margin),
                ProxyLoss::P2SGrad => None,
            },
        };
        *place.ok_or(error)? = margin;
        self.validate().map(|()| self)
    }

    /// The same head with a margin of another kind:
    /// `Preset::CmSoftmax.config().with_margin_function(Margin::Cosine(CosineMargin { margin: 0.4 }))?`.
    ///
    /// # Errors
    ///
    /// [`Error::DoesNotCombine`] for a loss without such a part; those of [`validate`](Self::validate).
    pub fn with_margin_function(self, margin: Margin) -> Result<Self, Error> {
        self.changed("another margin", |config| MarginHeadConfig { margin, ..config })
    }

    /// The same head with another seed of what is random in its loss: drawn margins, sampled classes. Trainings that are
    /// compared over seeds each need their own. A head without anything random stays as it is.
    ///
    /// # Errors
    ///
    /// None; it returns a `Result` as the others do.
    pub fn with_seed(mut self, seed: u64) -> Result<Self, Error> {
        if let Self::Margin(config) = &mut self {
            if let Margin::Elastic(margin) = &mut config.margin {
                margin.seed = seed;
            }
            if let Some(sampling) = &mut config.sampling {
                sampling.seed = seed;
            }
        }
        Ok(self)
    }

    /// The same head with other options of its loss.
    ///
    /// # Errors
    ///
    /// Those of [`validate`](Self::validate).
    pub fn with_options(mut self, options: LossOptions) -> Result<Self, Error> {
        *match &mut self {
            Self::Linear(config) => &mut config.options,
            Self::Margin(config) => &mut config.options,
            Self::SphereFace2(config) => &mut config.options,
            Self::Proxy(config) => &mut config.options,
        } = options;
        self.validate().map(|()| self)
    }

    /// The same head with another norm map.
    ///
    /// # Errors
    ///
    /// [`Error::DoesNotCombine`] for a loss without such a part; those of [`validate`](Self::validate).
    pub fn with_norm_map(mut self, norm_map: NormMap) -> Result<Self, Error> {
        match &mut self {
            Self::Margin(config) => config.norm_map = norm_map,
            Self::SphereFace2(config) => config.norm_map = norm_map,
            Self::Linear(_) | Self::Proxy(_) => {
                let (with, reason) = (self.kind(), "the norm has no place in its formula");
                return Err(Error::DoesNotCombine { what: "a norm map", with, reason });
            }
        }
        self.validate().map(|()| self)
    }

    /// The same head with the gradient of the margin that is given.
    ///
    /// # Errors
    ///
    /// [`Error::DoesNotCombine`] for a loss without such a part; those of [`validate`](Self::validate).
    pub fn with_margin_gradient(mut self, gradient: MarginGradient) -> Result<Self, Error> {
        match &mut self {
            Self::Margin(config) => config.margin_gradient = gradient,
            Self::SphereFace2(config) => config.margin_gradient = gradient,
            Self::Linear(_) | Self::Proxy(_) => {
                return Err(without("a gradient of the margin", self.kind()));
            }
        }
        self.validate().map(|()| self)
    }

    /// The same head with a regularizer of the norm.
    ///
    /// # Errors
    ///
    /// [`Error::DoesNotCombine`] for a loss without such a part; those of [`validate`](Self::validate).
    pub fn with_regularizer(self, regularizer: Regularizer) -> Result<Self, Error> {
        self.changed("a regularizer of the norm", |config| config.with_regularizer(regularizer))
    }

    /// The same head with the regularizer added from this training step on.
    ///
    /// # Errors
    ///
    /// [`Error::DoesNotCombine`] for a loss without such a part; those of [`validate`](Self::validate).
    pub fn with_regularizer_from(self, step: u64) -> Result<Self, Error> {
        self.changed("a regularizer of the norm", |config| config.with_regularizer_from(step))
    }

    /// The same head with the margin in another place.
    ///
    /// # Errors
    ///
    /// [`Error::DoesNotCombine`] for a loss without such a part; those of [`validate`](Self::validate).
    pub fn with_margin_place(self, place: MarginPlace) -> Result<Self, Error> {
        self.changed("a place of the margin", |config| config.with_margin_place(place))
    }

    /// The same head with a margin that is whole after so many steps.
    ///
    /// # Errors
    ///
    /// [`Error::DoesNotCombine`] for a loss without such a part; those of [`validate`](Self::validate).
    pub fn with_margin_warm_up(self, steps: u64) -> Result<Self, Error> {
        self.changed("a warm-up of the margin", |config| config.with_margin_warm_up(steps))
    }

    /// The same head with another gradient of the norm map.
    ///
    /// # Errors
    ///
    /// [`Error::DoesNotCombine`] for a loss without such a part; those of [`validate`](Self::validate).
    pub fn with_norm_gradient(self, gradient: NormGradient) -> Result<Self, Error> {
        self.changed("a gradient of the norm map", |config| config.with_norm_gradient(gradient))
    }

    /// The same head with the loss of each sample multiplied by `scale / phi(r)`.
    ///
    /// # Errors
    ///
    /// [`Error::DoesNotCombine`] for a loss without such a part; those of [`validate`](Self::validate).
    pub fn with_temperature_compensation(self, scale: f64) -> Result<Self, Error> {
        self.changed("a temperature compensation", |config| config.with_temperature_compensation(scale))
    }

    /// The same head with a scale that is learned.
    ///
    /// # Errors
    ///
    /// [`Error::DoesNotCombine`] for a loss without such a part; those of [`validate`](Self::validate).
    pub fn with_learned_scale(self) -> Result<Self, Error> {
        self.changed("a learned scale", MarginHeadConfig::with_learned_scale)
    }

    /// The same head with classes left out whose cosine is above this.
    ///
    /// # Errors
    ///
    /// [`Error::DoesNotCombine`] for a loss without such a part; those of [`validate`](Self::validate).
    pub fn with_filter_above(self, cosine: f64) -> Result<Self, Error> {
        self.changed("a filter of classes", |config| config.with_filter_above(cosine))
    }

    /// The same head with so many centers a class.
    ///
    /// # Errors
    ///
    /// [`Error::DoesNotCombine`] for a loss without such a part; those of [`validate`](Self::validate).
    pub fn with_sub_centers(self, count: usize) -> Result<Self, Error> {
        self.changed("several centers a class", |config| config.with_sub_centers(count))
    }

    /// The same head with another cosine of a class of several centers.
    ///
    /// # Errors
    ///
    /// [`Error::DoesNotCombine`] for a loss without such a part; those of [`validate`](Self::validate).
    pub fn with_sub_center_pooling(self, pooling: SubCenterPooling) -> Result<Self, Error> {
        self.changed("several centers a class", |config| config.with_sub_center_pooling(pooling))
    }

    /// The same head with center loss.
    ///
    /// # Errors
    ///
    /// [`Error::DoesNotCombine`] for a loss without such a part; those of [`validate`](Self::validate).
    pub fn with_center_loss(self, center_loss: CenterLoss) -> Result<Self, Error> {
        self.changed("center loss", |config| config.with_center_loss(center_loss))
    }

    /// The same head with a spread of the class centers.
    ///
    /// # Errors
    ///
    /// [`Error::DoesNotCombine`] for a loss without such a part; those of [`validate`](Self::validate).
    pub fn with_center_spread(self, spread: CenterSpread) -> Result<Self, Error> {
        self.changed("a spread of the class centers", |config| config.with_center_spread(spread))
    }

    /// The same head, trained on a part of the classes at a time.
    ///
    /// # Errors
    ///
    /// [`Error::DoesNotCombine`] for a loss without such a part; those of [`validate`](Self::validate).
    pub fn with_sampling(self, sampling: ClassSampling) -> Result<Self, Error> {
        self.changed("sampled classes", |config| config.with_sampling(sampling))
    }

    /// The same head with its loss computed in another way.
    ///
    /// # Errors
    ///
    /// [`Error::DoesNotCombine`] for a loss without such a part; those of [`validate`](Self::validate).
    pub fn with_path(self, path: LossPath) -> Result<Self, Error> {
        self.changed("a path of the loss", |config| config.with_path(path))
    }

    /// Changes a head that has all parts.
    fn changed(
        self,
        what: &'static str,
        change: impl FnOnce(MarginHeadConfig) -> MarginHeadConfig,
    ) -> Result<Self, Error> {
        let kind = self.kind();
        let Self::Margin(config) = self else { return Err(no_part(what, kind)) };
        let config = change(config);
        config.validate()?;
        Ok(Self::Margin(config))
    }

    /// What kind of head it is, in words.
    fn kind(&self) -> &'static str {
        match self {
            Self::Linear(_) => "a linear head",
            Self::Margin(_) => "a head of class centers and softmax",
            Self::SphereFace2(_) => "a one-vs-all head",
            Self::Proxy(_) => "a head of proxies",
        }
    }
}

fn without(what: &'static str, with: &'static str) -> Error {
    Error::DoesNotCombine { what, with, reason: "there is none in its formula" }
}

fn no_part(what: &'static str, with: &'static str) -> Error {
    Error::DoesNotCombine { what, with, reason: "only heads of class centers and softmax have it" }
}
