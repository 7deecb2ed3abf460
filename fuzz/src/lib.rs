//! Readers of files that strangers write, each as a function of bytes: fuzzed by `cargo xtask fuzz`, and run on a kept corpus by the
//! tests.
//!
//! A function panics where a reader breaks its promise: it ends soon, with a result or an error, in memory that the size of the
//! file bounds, and what it gives is consistent. Each module says which bound it holds, and why not a smaller one.

mod archive;
mod array;
mod decode;
mod features;
mod idx;
mod list;
mod memory;
mod pairs;
mod place;
mod promises;
mod record;
mod records;

#[cfg(feature = "models")]
mod foreign;
#[cfg(feature = "models")]
mod model;
#[cfg(feature = "models")]
mod settings;

pub use archive::{archive, entries};
pub use array::array;
pub use decode::decode;
pub use features::features;
pub use idx::idx;
pub use list::list;
pub use pairs::{pairs, verification_set};
pub use record::record;
pub use records::records;

#[cfg(feature = "models")]
pub use foreign::{foreign, pickle};
#[cfg(feature = "models")]
pub use model::{card, model};
#[cfg(feature = "models")]
pub use settings::settings;

pub mod seeds;

/// A reader as a function of bytes, which panics where a promise is broken.
pub type Run = fn(&[u8]);

/// A reader, by the name of its program and of its folder in `corpus`.
#[derive(Clone, Copy)]
pub struct Target {
    /// The name.
    pub name: &'static str,
    /// Reads the bytes.
    pub run: Run,
}

/// Every target that is built.
pub fn targets() -> Vec<Target> {
    let targets: &[(&str, Run)] = &[
        ("archive", archive),
        ("array", array),
        ("decode", decode),
        ("entries", entries),
        ("features", features),
        ("idx", idx),
        ("list", list),
        ("pairs", pairs),
        ("record", record),
        ("records", records),
        ("verification_set", verification_set),
        #[cfg(feature = "models")]
        ("card", card),
        #[cfg(feature = "models")]
        ("foreign", foreign),
        #[cfg(feature = "models")]
        ("model", model),
        #[cfg(feature = "models")]
        ("pickle", pickle),
        #[cfg(feature = "models")]
        ("settings", settings),
    ];
    targets.iter().map(|&(name, run)| Target { name, run }).collect()
}
