//! Which way a loss is computed, and in what pieces.

use std::fmt;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::backend::Backend;

/// How the loss of a head with class centers is computed where only the loss is wanted. The result is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "path", rename_all = "kebab-case")]
pub enum LossPath {
    /// Class by class from [`LossPath::LEAST_CLASSES`] classes on flex, where that is faster, and elsewhere where the
    /// matrices of the plain way would take [`LossPath::LEAST_BYTES`].
    #[default]
    Auto,
    /// With the matrix of logits, `[batch, classes]`.
    Plain,
    /// Class by class; plain on a backend that this crate was not built for, and for numbers that are not of 32 bits.
    Fused {
        /// Memory in bytes for what exists for a block of classes, and on flex for the gradients of the features that the
        /// threads add up; [`LossPath::BUDGET`] is the default. [`MarginHead::tiling`](crate::MarginHead::tiling) says
        /// what is made of it.
        budget: usize,
    },
}

impl LossPath {
    /// Memory for a block of classes unless another is asked for: 64 MB.
    pub const BUDGET: usize = 64 << 20;
    /// Fewest classes for which flex goes class by class: measured, the two paths take the same time with 100 to 500.
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

    /// The blocks of a loss of this size.
    pub(crate) fn tiling(self, size: [usize; 3], each: usize) -> Tiling {
        let budget = match self {
            Self::Fused { budget } => budget,
            Self::Auto | Self::Plain => Self::BUDGET,
        };
        Tiling::new(budget, size, each)
    }
}

/// Classes that are worked on at a time, and what that takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tiling {
    /// Classes of a block.
    pub classes: usize,
    /// Most bytes that exist for a block, beside the inputs and the gradients.
    pub bytes: usize,
    /// The bytes allowed.
    pub budget: usize,
}

impl Tiling {
    /// Matrices of `[batch, rows]` and of `[rows, dim]` that live at once when the operation is composed of others.
    const LIVE: [usize; 2] = [10, 6];

    fn new(budget: usize, [batch, dim, classes]: [usize; 3], each: usize) -> Self {
        let [of_batch, of_dim] = Self::LIVE;
        let a_class = size_of::<f32>() * each * (of_batch * batch + of_dim * dim);
        let block = (budget / a_class.max(1)).clamp(1, classes.max(1));
        Self { classes: block, bytes: block * a_class, budget }
    }

    /// Whether the budget was too small for a single class and is exceeded.
    pub fn is_raised(&self) -> bool {
        self.bytes > self.budget
    }
}

impl fmt::Display for Tiling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { classes, bytes, budget } = self;
        write!(f, "{classes} classes at a time, in {bytes} bytes")?;
        match self.is_raised() {
            true => {
                write!(f, ": the {budget} bytes allowed are too few for one class, and were raised to that")
            }
            false => Ok(()),
        }
    }
}
