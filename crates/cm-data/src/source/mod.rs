//! Data sets: what is where, of which class, and for what.

mod archive;
mod classes;
mod collection;
mod folder;
mod idx_sets;
mod item;
mod layout;
mod list;
mod list_items;
mod listing;
mod names;
mod npz_sets;
mod open;
mod options;
mod record_sets;
mod skipped;
mod zip_problem;

pub(crate) use self::{
    archive::Archive,
    collection::{content_hash, read_file},
    open::name_of,
};
pub use self::{
    collection::Collection,
    folder::FolderProblem,
    item::{ContentHash, ImageFacts, Item, Location, Split},
    list::ListProblem,
    names::natural_order,
    options::{ColumnNames, OpenOptions, ReadLimits},
    skipped::Skipped,
    zip_problem::ZipProblem,
};
