//! Optimizers with the defaults and the behavior of PyTorch's.

use burn::optim::{AdamWConfig, ModuleOptimizer};
use cm_kernels::Sgd;
use serde::{Deserialize, Serialize};

/// How gradients change the weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum OptimizerConfig {
    /// `torch.optim.SGD`: `v ← momentum · v + (g + weight_decay · w)`, `w ← w − lr · v`, without dampening.
    Sgd {
        /// Share of the last velocity that is kept, from 0 to below 1.
        momentum: f64,
        /// L2 penalty, added to the gradient of every weight.
        weight_decay: f64,
    },
    /// `torch.optim.AdamW` with betas 0.9 and 0.999 and epsilon 1e-8: `w ← w − lr · (m̂ / (√v̂ + ε) + weight_decay · w)`.
    AdamW {
        /// Decoupled weight decay.
        weight_decay: f64,
    },
}

impl OptimizerConfig {
    /// An optimizer without state yet.
    pub fn init(&self) -> ModuleOptimizer {
        match *self {
            Self::Sgd { momentum, weight_decay } => Sgd { momentum, weight_decay }.into(),
            Self::AdamW { weight_decay } => {
                AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(weight_decay as f32).init()
            }
        }
    }
}
