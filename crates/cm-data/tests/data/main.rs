//! Where images come from, and what happens to them before a network sees them.

#![allow(missing_docs, clippy::unwrap_used)]

mod arrays;
mod check;
mod decode;
mod degrade;
mod download;
mod folder;
mod helper;
mod idx;
mod idx_sets;
mod list;
mod pairs;
mod records;
mod split;
mod transforms;
mod zip_file;
