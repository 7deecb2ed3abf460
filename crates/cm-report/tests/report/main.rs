//! Reports made from a record, without any training.

#![allow(missing_docs, clippy::unwrap_used)]

mod extra;
mod fixtures;
mod folder;
mod page;
mod pictures;
mod tables;
