//! Programs to begin from, in `examples/`, each under 60 lines; and the code of the documents, compiled and run.

/// The documents.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../../README.md")]
    mod readme {}
    #[doc = include_str!("../../docs/tutorial.md")]
    mod tutorial {}
    #[doc = include_str!("../../crates/cm-loss-core/README.md")]
    mod core {}
}
