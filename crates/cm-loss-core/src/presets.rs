//! The losses of the literature by name.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    Error, HeadConfig, Margin, MarginHeadConfig, NormMap, Regularizer,
    margin::CosineMargin,
    norm_map::{Constant, SigmoidContraction},
};

/// A loss of the literature, with its usual parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Preset {
    /// Linear layer with bias, softmax and cross entropy.
    Softmax,
    /// L2-Softmax: `phi = s`, `s = 30`. Ranjan, Castillo, Chellappa 2017, arXiv 1703.09507.
    #[serde(rename = "L2-Softmax")]
    L2Softmax,
    /// CM-Softmax, "CM-M-Softmax" in its authors' code: `phi = s · sigmoid(r)`, `s = 30`. Liu et al., Pattern
    /// Recognition Letters 185 (2024) 232–238.
    #[serde(rename = "CM-Softmax")]
    CmSoftmax,
    /// CosFace, "Margin & L2-Softmax" in Liu et al.: `phi = s`, `t = cos θ − m`, `s = 30`, `m = 0.4`. Wang et al.,
    /// CVPR 2018, arXiv 1801.09414.
    CosFace,
    /// CM-CosFace, "Margin & CM-M-Softmax" in Liu et al.: `z_j = s · sigmoid(‖x‖) · (cos θ_j − m [j = y])`,
    /// `s = 30`, `m = 0.4`.
    #[serde(rename = "CM-CosFace")]
    CmCosFace,
}

impl Preset {
    /// Every preset, in the order in which tables show them.
    pub const ALL: [Self; 5] =
        [Self::Softmax, Self::L2Softmax, Self::CmSoftmax, Self::CosFace, Self::CmCosFace];

    /// The name in the literature.
    pub fn name(self) -> &'static str {
        match self {
            Self::Softmax => "Softmax",
            Self::L2Softmax => "L2-Softmax",
            Self::CmSoftmax => "CM-Softmax",
            Self::CosFace => "CosFace",
            Self::CmCosFace => "CM-CosFace",
        }
    }

    /// The names of all presets, separated by commas.
    pub fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// The head that this loss is.
    pub fn config(self) -> HeadConfig {
        let constant = NormMap::Constant(Constant { scale: 30.0 });
        let sigmoid = NormMap::Sigmoid(SigmoidContraction { scale: 30.0 });
        let cosine = Margin::Cosine(CosineMargin { margin: 0.4 });
        let (norm_map, margin) = match self {
            Self::Softmax => return HeadConfig::Linear,
            Self::L2Softmax => (constant, Margin::None),
            Self::CmSoftmax => (sigmoid, Margin::None),
            Self::CosFace => (constant, cosine),
            Self::CmCosFace => (sigmoid, cosine),
        };
        HeadConfig::Margin(MarginHeadConfig { norm_map, margin, regularizer: Regularizer::None })
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Preset {
    type Err = Error;

    /// Reads a name, without regard to capitals.
    fn from_str(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|preset| preset.name().eq_ignore_ascii_case(name.trim()));
        found.ok_or_else(|| Error::UnknownPreset { name: name.to_owned() })
    }
}
