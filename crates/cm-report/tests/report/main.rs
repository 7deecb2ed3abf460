//! Reports made from a record, without any training.
#![allow(missing_docs, clippy::unwrap_used)]

mod fixture;
mod page;
mod pictures;
mod terminal;
