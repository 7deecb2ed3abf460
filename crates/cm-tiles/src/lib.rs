//! The innermost loops of operations that are mostly products of matrices: tiles of sums that stay in registers, and memory
//! that suits them.
//!
//! It is one small crate so that a loss can use it without any layer. Nothing here is checked for its shape beyond what
//! memory safety takes: the callers are kernels.

mod aligned;
mod tile;

pub use aligned::{Aligned, LINE, start};
pub use tile::{Sums, VECTORS, most_rows, over_pixels, over_taps, panel_width, panel_width_here};
