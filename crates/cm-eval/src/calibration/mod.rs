//! From a feature norm to a quality from 0 to 1.

mod isotonic;
mod sigmoid;

pub use isotonic::Isotonic;
pub use sigmoid::Sigmoid;
