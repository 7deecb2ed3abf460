//! The figures against independent references.
#![allow(missing_docs, clippy::unwrap_used)]

mod golden;
mod statistics;
mod verification;
