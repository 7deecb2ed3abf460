//! Learning rate over time, in the units people write recipes in: epochs.

use std::f64::consts::PI;

use burn::optim::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use serde::{Deserialize, Serialize};

/// A learning rate schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// The learning rate: the largest that any schedule reaches.
    pub learning_rate: f64,
    /// Epochs, or parts of one, over which the rate first rises linearly from 0 to what [`shape`](Self::shape) says.
    #[serde(default)]
    pub warm_up_epochs: f64,
    /// What follows.
    pub shape: Shape,
}

/// How the learning rate falls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Shape {
    /// It does not.
    Constant,
    /// `torch.optim.lr_scheduler.StepLR`: times `factor` after every `epochs` epochs.
    Step {
        /// Epochs between falls.
        epochs: usize,
        /// What the rate is multiplied with, between 0 and 1.
        factor: f64,
    },
    /// `torch.optim.lr_scheduler.CosineAnnealingLR`: half a cosine from the full rate to 0 over all steps.
    Cosine,
    /// `torch.optim.lr_scheduler.OneCycleLR` without cycling momentum: half a cosine from 1/25 of the full rate up
    /// to it over the first 30 % of the steps, then half a cosine down to 1/250,000 of it.
    OneCycle,
}

impl Schedule {
    /// Learning rate of step `step`, counted from 0, of a training of `epochs` epochs with `steps_per_epoch` steps.
    pub fn rate(&self, step: usize, steps_per_epoch: usize, epochs: usize) -> f64 {
        let total = (steps_per_epoch * epochs) as f64;
        let at = step as f64;
        let share = match self.shape {
            Shape::Constant => 1.0,
            Shape::Step { epochs, factor } => factor.powi((step / steps_per_epoch / epochs) as i32),
            Shape::Cosine => half_cosine(1.0, 0.0, at / total),
            Shape::OneCycle => {
                let (peak, last) = (0.3 * total - 1.0, total - 1.0);
                let (first, lowest) = (1.0 / 25.0, 1.0 / 25.0 / 1e4);
                if at <= peak {
                    half_cosine(first, 1.0, at / peak)
                } else {
                    half_cosine(1.0, lowest, ((at - peak) / (last - peak)).min(1.0))
                }
            }
        };
        let warm_up = self.warm_up_epochs * steps_per_epoch as f64;
        self.learning_rate * share * ((at + 1.0) / warm_up).min(1.0)
    }
}

/// From `start` to `end` along half a cosine, for a share of the way from 0 to 1.
fn half_cosine(start: f64, end: f64, share: f64) -> f64 {
    end + (start - end) / 2.0 * (1.0 + (PI * share).cos())
}

/// A [`Schedule`] that counts steps, for Burn's Learner.
#[derive(Debug, Clone)]
pub struct Scheduler {
    schedule: Schedule,
    steps_per_epoch: usize,
    epochs: usize,
    steps_taken: usize,
}

impl Scheduler {
    /// A schedule at its first step.
    pub fn new(schedule: Schedule, steps_per_epoch: usize, epochs: usize) -> Self {
        Self { schedule, steps_per_epoch, epochs, steps_taken: 0 }
    }
}

impl LrScheduler for Scheduler {
    fn step(&mut self) -> f64 {
        let rate = self.schedule.rate(self.steps_taken, self.steps_per_epoch, self.epochs);
        self.steps_taken += 1;
        rate
    }

    fn to_record(&self) -> LrSchedulerRecord {
        LrSchedulerRecord::new().with_scalar("steps_taken", self.steps_taken as u64)
    }

    fn load_record(&mut self, record: LrSchedulerRecord) {
        if let Some(steps) = record.scalar::<u64>("steps_taken") {
            self.steps_taken = steps as usize;
        }
    }
}
