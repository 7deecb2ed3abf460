//! Batches that several devices share.

use std::collections::VecDeque;

use super::order::Turn;
use crate::DataError;

/// A part of every batch, for one of several devices that share it.
///
/// A batch of n images in k parts has n / k of them in each, and one more in each of the first n mod k. All parts together
/// are the batches of the whole, image by image, with the same changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Which of them, from 0.
    pub number: usize,
    /// How many there are.
    pub of: usize,
}

impl Default for Part {
    /// The whole.
    fn default() -> Self {
        Self { number: 0, of: 1 }
    }
}

impl Part {
    /// Images of a batch of so many that are in it.
    pub fn images(self, batch: usize) -> usize {
        batch / self.of + usize::from(self.number < batch % self.of)
    }

    /// The images of a batch before it.
    fn before(self, batch: usize) -> usize {
        self.number * (batch / self.of) + self.number.min(batch % self.of)
    }

    pub(super) fn validate(self, batch_size: usize) -> Result<(), DataError> {
        if self.number >= self.of {
            let value = format!("{} of {}", self.number, self.of);
            return Err(DataError::Setting { name: "part", value, reason: "parts are counted from 0" });
        }
        if batch_size < self.of {
            let reason = "a batch needs an image for each part; make batches larger or parts fewer";
            return Err(DataError::Setting { name: "batch_size", value: batch_size.to_string(), reason });
        }
        Ok(())
    }

    /// The turns of this part, and for each batch the images that are in others; none where there are no others.
    pub(super) fn of_order(self, order: Vec<Turn>, batch_size: usize) -> (Vec<Turn>, VecDeque<Vec<usize>>) {
        if self.of == 1 {
            return (order, VecDeque::new());
        }
        let mut turns = Vec::new();
        let mut elsewhere = VecDeque::new();
        for batch in order.chunks(batch_size) {
            let (before, rest) = batch.split_at(self.before(batch.len()));
            let (mine, after) = rest.split_at(self.images(batch.len()));
            turns.extend_from_slice(mine);
            elsewhere.push_back(before.iter().chain(after).map(|turn| turn.index).collect());
        }
        (turns, elsewhere)
    }
}
