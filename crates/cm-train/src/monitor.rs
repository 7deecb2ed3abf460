//! Ends a training in the step in which its numbers leave the range of numbers.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use burn::{tensor::Tensor, train::Interrupter};

use crate::classifier::Batch;

/// A loss this many times that of the first step, or of 1 if that is more, is divergence as well: it is finite by chance.
const RUNAWAY: f64 = 1e4;

/// Where a training diverged.
#[derive(Debug, Clone, PartialEq)]
pub struct Divergence {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Step in the epoch, from 1.
    pub step: usize,
    /// The quantity, with its value.
    pub what: String,
    /// The shortest and the longest feature of the batch.
    pub norms: (f64, f64),
    /// Positions of the batch's images in the training set.
    pub images: Vec<usize>,
}

impl Divergence {
    /// In a sentence, with the names of some of the images.
    pub fn describe(&self, name: impl Fn(usize) -> String) -> String {
        /// Further names would hide the rest of the message.
        const NAMED: usize = 4;
        let names: Vec<String> = self.images.iter().take(NAMED).map(|&index| name(index)).collect();
        let further = match self.images.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let (short, long) = self.norms;
        format!(
            "{}, with feature norms from {short:.3} to {long:.3}, in epoch {}, step {}; images {}{further}",
            self.what,
            self.epoch,
            self.step,
            names.join(", ")
        )
    }
}

#[derive(Debug, Default)]
struct State {
    first_loss: Option<f64>,
    norms: (f64, f64),
    place: (usize, usize),
    images: Vec<usize>,
    /// Whether the batch that was seen last came in parts.
    parts: bool,
    divergence: Option<Divergence>,
}

/// Looks at the loss, the feature norms and the gradients of every step. Clones share what they saw.
#[derive(Clone, Default)]
pub struct Monitor {
    state: Arc<Mutex<State>>,
    interrupter: Interrupter,
}

impl Monitor {
    /// A monitor that stops a training through its interrupter.
    pub fn new(interrupter: Interrupter) -> Self {
        Self { interrupter, ..Self::default() }
    }

    /// Where the training diverged, if it did.
    pub fn divergence(&self) -> Option<Divergence> {
        self.state().divergence.clone()
    }

    /// Looks at the mean loss `[1]` and the feature norms `[batch]` of a step. They are read back from the device.
    pub(crate) fn see(&self, batch: &BatchPlace, is_part: bool, loss: Tensor<1>, norms: Tensor<1>) {
        // A minimum or maximum may leave NaN out; the mean does not.
        let summary = Tensor::cat(vec![loss, norms.clone().min(), norms.clone().max(), norms.mean()], 0);
        let values: Vec<f64> = summary.into_data().iter::<f64>().collect();
        let [loss, shortest, longest, mean] = values[..] else { unreachable!("four numbers were read") };
        let norm = if mean.is_finite() { longest } else { mean };
        let mut state = self.state();
        state.norms = (shortest, longest);
        state.place = (batch.epoch, batch.step);
        state.images.clone_from(&batch.indices);
        state.parts = is_part;
        let first = *state.first_loss.get_or_insert(loss);
        let limit = RUNAWAY * first.max(1.0);
        if !loss.is_finite() {
            self.diverged(state, format!("the loss was {loss}"));
        } else if !norm.is_finite() {
            self.diverged(state, format!("a feature norm was {norm}"));
        } else if loss > limit {
            self.diverged(state, format!("the loss rose to {loss:.3e} from {first:.3e} in the first step"));
        }
    }

    /// Whether the batch that was seen last came in parts, each on a device.
    pub(crate) fn saw_parts(&self) -> bool {
        self.state().parts
    }

    /// Looks at the norm of all gradients of the step that was [`see`](Self::see)n last; whether the step may be made.
    pub(crate) fn allows(&self, gradient_norm: f64) -> bool {
        let state = self.state();
        if state.divergence.is_some() {
            return false;
        }
        if gradient_norm.is_finite() {
            return true;
        }
        self.diverged(state, format!("the norm of the gradients was {gradient_norm}"));
        false
    }

    fn diverged(&self, mut state: MutexGuard<'_, State>, what: String) {
        if state.divergence.is_none() {
            let ((epoch, step), norms) = (state.place, state.norms);
            let images = state.images.clone();
            state.divergence = Some(Divergence { epoch, step, what, norms, images });
        }
        self.interrupter.stop(Some("divergence"));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").field("divergence", &self.divergence()).finish_non_exhaustive()
    }
}

/// Where a batch stands in a training.
#[derive(Debug, Clone, Default)]
pub struct BatchPlace {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Step in the epoch, from 1.
    pub step: usize,
    /// Positions of the images in their set.
    pub indices: Vec<usize>,
}

impl From<&Batch> for BatchPlace {
    fn from(batch: &Batch) -> Self {
        batch.place.clone()
    }
}
