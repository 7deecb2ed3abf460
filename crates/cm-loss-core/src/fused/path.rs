//! Which way a loss is computed, and in what pieces.

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::backend::Backend;

/// How the loss of a head with class centers is computed. The result is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "path", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum LossPath {
    /// Class by class from [`LossPath::LEAST_CLASSES`] classes on flex, where that is faster, and elsewhere where the
    /// matrices of the plain way would take [`LossPath::LEAST_BYTES`].
    #[default]
    #[serde(deserialize_with = "crate::nothing::no_fields")]
    Auto,
    /// With the matrix of logits, `[batch, classes]`.
    #[serde(deserialize_with = "crate::nothing::no_fields")]
    Plain,
    /// Class by class; plain on a backend that this crate was not built for, and for numbers that are not of 32 bits.
    Fused {
        /// Memory in bytes beside the gradients: on flex for cosines that are kept from the forward to the backward pass, which
        /// then need not be computed again, and elsewhere for what exists for a block of classes, at least one. [`Auto`]
        /// takes [`LossPath::BUDGET`], and on flex as much as the gradient of the centers where that is more. On flex each
        /// thread has a gradient of the features besides.
        ///
        /// [`Auto`]: LossPath::Auto
        #[serde(default = "usual_budget")]
        budget: usize,
    },
}

fn usual_budget() -> usize {
    LossPath::BUDGET
}

impl LossPath {
    /// Memory unless another is asked for: 64 MB.
    pub const BUDGET: usize = 64 << 20;
    /// Fewest classes for which flex goes class by class. On 2 cores of an AMD Zen 4 the two paths take the same time with 50 to
    /// 500 classes, by the size of the batch and of the features (`cargo xtask bench head --n 128 --d 128 --c 256`).
    pub const LEAST_CLASSES: usize = 256;
    /// Memory of the plain way from which on another device goes class by class: 512 MB.
    pub const LEAST_BYTES: usize = 512 << 20;

    /// Whether a loss of this size goes class by class on a device.
    pub(crate) fn is_fused(self, [batch, dim, classes]: [usize; 3], device: &Device) -> bool {
        match (self, Backend::of(device)) {
            (_, None) | (Self::Plain, _) => false,
            (Self::Fused { .. }, Some(_)) => true,
            (Self::Auto, Some(Backend::Flex)) => classes >= Self::LEAST_CLASSES,
            // Logits with and without margin, their probabilities and gradients; unit centers and their gradient.
            (Self::Auto, Some(Backend::NdArray | Backend::Cube)) => {
                size_of::<f32>() * classes * (6 * batch + 4 * dim) >= Self::LEAST_BYTES
            }
        }
    }

    /// Classes of a block of a loss of this size, and bytes of cosines that may be kept.
    pub(crate) fn memory(self, size: [usize; 3], each: usize) -> [usize; 2] {
        let [_, dim, classes] = size;
        // As much as the gradient of the centers takes in any case.
        let gradient = size_of::<f32>() * dim * classes * each;
        match self {
            Self::Fused { budget } => [block(budget, size, each), budget],
            Self::Auto | Self::Plain => [block(Self::BUDGET, size, each), gradient.max(Self::BUDGET)],
        }
    }
}

/// Matrices of `[batch, rows]` and of `[rows, dim]` that live at once when the operation is composed of others.
const LIVE: [usize; 2] = [10, 6];

/// Classes that are worked on at a time, so that what exists for them takes no more than the budget; at least one.
fn block(budget: usize, [batch, dim, classes]: [usize; 3], each: usize) -> usize {
    let [of_batch, of_dim] = LIVE;
    let a_class = size_of::<f32>() * each * (of_batch * batch + of_dim * dim);
    (budget / a_class.max(1)).clamp(1, classes.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_as_large_as_the_budget_allows_and_never_empty() {
        let a_class = 4 * 2 * (10 * 4 + 6 * 8);
        assert_eq!(block(5 * a_class + 1, [4, 8, 100], 2), 5);
        assert_eq!(block(10, [4, 8, 100], 2), 1);
        assert_eq!(block(usize::MAX, [4, 8, 100], 2), 100);
    }
}
