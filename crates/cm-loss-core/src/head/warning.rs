//! What a user should know of a configuration that can be trained all the same.

use std::fmt;

use super::HeadConfig;

/// Something that may not do what it is there for.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// The regularizer of MagFace is weaker than its margin needs: norms may not settle between their bounds.
    RegularizerTooWeak {
        /// The weight given.
        weight: f64,
        /// The least weight, `s k u² l² / (u² − l²)`.
        least: f64,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RegularizerTooWeak { weight, least } => write!(
                f,
                "the weight of the MagFace regularizer should be at least {least:.2} with this scale and margin, but is \
                 {weight}: norms may not settle between their bounds"
            ),
        }
    }
}

impl HeadConfig {
    /// What can be trained and may not do what it is there for; see
    /// [`MarginHeadConfig::warnings`](super::MarginHeadConfig::warnings).
    pub fn warnings(&self) -> Vec<Warning> {
        match self {
            Self::Margin(config) => config.warnings(),
            Self::Linear(_) | Self::SphereFace2(_) | Self::Proxy(_) => Vec::new(),
        }
    }
}
