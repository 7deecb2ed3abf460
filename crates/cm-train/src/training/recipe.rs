//! How a network is trained, as data.

use cm_data::{Augmentation, Sampling};
use serde::{Deserialize, Serialize};

use super::{OptimizerConfig, Schedule, Shape};
use crate::Error;

/// How a network is trained, whatever its loss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Passes over the training images.
    pub epochs: usize,
    /// Images a step.
    pub batch_size: usize,
    /// How gradients change the weights.
    pub optimizer: OptimizerConfig,
    /// Learning rate over time.
    pub schedule: Schedule,
    /// Largest norm of all gradients together; `None` for no clipping.
    #[serde(default)]
    pub max_grad_norm: Option<f64>,
    /// How often each class is seen.
    #[serde(default)]
    pub sampling: Sampling,
    /// What is changed at random in training images.
    #[serde(default)]
    pub augmentation: Augmentation,
    /// End after so many epochs without a better validation accuracy; `None`: never.
    #[serde(default)]
    pub early_stopping: Option<usize>,
    /// Train the head alone.
    #[serde(default)]
    pub freeze_backbone: bool,
}

impl Recipe {
    /// AdamW, one cycle of the learning rate up to this one, and gradients of a norm of at most 5; every class as often as it
    /// comes, nothing changed in the images.
    pub fn one_cycle(epochs: usize, batch_size: usize, learning_rate: f64, weight_decay: f64) -> Self {
        Self {
            epochs,
            batch_size,
            optimizer: OptimizerConfig::AdamW { weight_decay },
            schedule: Schedule { learning_rate, warm_up_epochs: 0.0, shape: Shape::OneCycle },
            max_grad_norm: Some(5.0),
            sampling: Sampling::Natural,
            augmentation: Augmentation::default(),
            early_stopping: None,
            freeze_backbone: false,
        }
    }

    /// Checks every number.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] with the name of the option and what it may be; [`Error::Data`] for an augmentation that
    /// cannot be.
    pub fn validate(&self) -> Result<(), Error> {
        check("epochs", "at least 1", self.epochs, self.epochs > 0)?;
        check("batch-size", "at least 1", self.batch_size, self.batch_size > 0)?;
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let rate = self.schedule.learning_rate;
        check("learning-rate", "a number above 0", rate, positive(rate))?;
        let warm_up = self.schedule.warm_up_epochs;
        check("warm-up-epochs", "a number of at least 0", warm_up, warm_up.is_finite() && warm_up >= 0.0)?;
        if let Shape::Step { epochs, factor } = self.schedule.shape {
            check("schedule (epochs between steps)", "at least 1", epochs, epochs > 0)?;
            check("schedule (factor)", "above 0 and at most 1", factor, factor > 0.0 && factor <= 1.0)?;
        }
        let (momentum, decay) = match self.optimizer {
            OptimizerConfig::Sgd { momentum, weight_decay } => (momentum, weight_decay),
            OptimizerConfig::AdamW { weight_decay } => (0.0, weight_decay),
        };
        check("momentum", "at least 0 and below 1", momentum, (0.0..1.0).contains(&momentum))?;
        check("weight-decay", "a number of at least 0", decay, decay.is_finite() && decay >= 0.0)?;
        if let Some(limit) = self.max_grad_norm {
            check("max-grad-norm", "a number above 0", limit, positive(limit))?;
        }
        if let Some(patience) = self.early_stopping {
            check("early-stopping", "at least 1", patience, patience > 0)?;
        }
        self.augmentation.validate().map_err(Error::from)
    }
}

/// `Ok` if `valid`, else an [`Error::Option`].
///
/// # Errors
///
/// [`Error::Option`].
pub fn check(option: &str, allowed: &str, value: impl std::fmt::Display, valid: bool) -> Result<(), Error> {
    if valid { Ok(()) } else { Err(Error::option(option, allowed, value)) }
}

/// `Ok` for a number of things of which there must be some.
///
/// # Errors
///
/// [`Error::Option`].
pub fn at_least_one(option: &str, value: usize) -> Result<(), Error> {
    check(option, "at least 1", value, value > 0)
}
