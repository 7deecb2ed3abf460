//! The operation as an extension of Burn's backends.
#![allow(deprecated, reason = "ndarray is supported while it exists")]

use std::sync::Arc;

use burn::backend::{
    Backend, ExtensionType, backend_extension,
    tensor::{FloatTensor, IntTensor},
};

use super::{
    composed,
    kept::{Kept, Pool},
};
use crate::margin::Curve;

/// The numbers of the operation that are known on the host.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Classes that take part.
    pub classes: usize,
    /// Centers a class.
    pub each: usize,
    /// Classes that are worked on at a time where the operation is composed of others.
    pub block: usize,
    /// Where memory comes from that takes cosines for the gradients, and how many bytes of it.
    pub pool: Arc<Pool>,
    pub keep: usize,
    /// That memory, where there are to be gradients; a backend may do without.
    #[cfg_attr(not(feature = "flex"), allow(dead_code, reason = "flex alone keeps cosines"))]
    pub kept: Option<Arc<Kept>>,
    /// What becomes of other classes' cosines beyond one.
    pub curve: Curve,
}

impl Plan {
    /// The plan of a forward pass that a backward pass follows.
    pub fn keeping(self) -> Self {
        Self { kept: Some(Kept::take(&self.pool, self.keep)), ..self }
    }

    /// Calls `use_it` with so many numbers of the memory that is kept, or with none.
    #[cfg(feature = "flex")]
    pub fn with_kept<R>(&self, count: usize, use_it: impl FnOnce(&mut [f32]) -> R) -> R {
        match &self.kept {
            Some(kept) => kept.with(count, use_it),
            None => use_it(&mut []),
        }
    }
}

/// What goes in: unit features `u` `[batch, dim]`, centers `w` `[rows, dim]`, radii `φ` and targets `[batch, 1]`.
#[derive(Debug, Clone, ExtensionType)]
pub struct Inputs<B: Backend> {
    pub u: FloatTensor<B>,
    pub w: FloatTensor<B>,
    pub radii: FloatTensor<B>,
    /// Of all classes, or places among those chosen.
    pub targets: IntTensor<B>,
    #[extension_type]
    pub others: Others<B>,
    #[extension_type]
    pub chosen: Chosen<B>,
    pub plan: Plan,
}

/// What becomes of the cosines of other classes.
#[derive(Debug, Clone, ExtensionType)]
pub enum Others<B: Backend> {
    /// `T = c`
    Straight,
    /// The curve of the plan, which bends beyond a cosine of each sample, `[batch, 1]`; the curriculum is `[1, 1]`.
    Bent { beyond: FloatTensor<B>, curriculum: FloatTensor<B> },
}

/// Which classes take part.
#[derive(Debug, Clone, ExtensionType)]
pub enum Chosen<B: Backend> {
    All,
    /// These, in ascending order, each once.
    These {
        classes: IntTensor<B>,
    },
}

/// What a softmax over many classes needs of all of them, a block of classes at a time.
///
/// With `c_ij = u_i · w_j / ‖w_j‖`, or the largest of those with the centers of class `j`:
///
/// - column 0: `ln Σ_{j ≠ y} exp(φ_i T_ij)`, −1e38 without another class
/// - column 1: `c_iy`
/// - column 2: `Σ_{j ≠ y} T_ij`
/// - column 3: `max_{j ≠ y} φ_i T_ij`, −1e38 without another class; it has no gradient
///
/// and the class with the largest cosine, `[batch]`.
#[backend_extension(
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "__cube"),
    Autodiff
)]
pub trait ManyClasses: Backend {
    /// The columns `[batch, 4]`, and the best class `[batch]`.
    fn over_classes(#[extension_type] inputs: Inputs<Self>) -> (FloatTensor<Self>, IntTensor<Self>) {
        composed::over_classes::<Self>(&inputs)
    }

    /// Gradients of `u`, `w` and the radii from those of the columns, `dy` `[batch, 4]`, for column 0 of the result,
    /// `log_sum` `[batch, 1]`.
    fn over_classes_gradients(
        #[extension_type] inputs: Inputs<Self>,
        log_sum: FloatTensor<Self>,
        dy: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        composed::gradients::<Self>(&inputs, log_sum, dy)
    }
}

#[cfg(feature = "ndarray")]
impl ManyClasses for burn::backend::NdArray {}

// With and without Burn's fusion: the type is the one that Burn computes with.
#[cfg(feature = "__cube")]
impl ManyClasses for burn_cubecl::Cube {}
