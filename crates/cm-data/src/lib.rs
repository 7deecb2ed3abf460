//! Images in: where they come from, whether they are all right, and who is learned from and who
//! tested on.
//!
//! | what | where |
//! |---|---|
//! | an image from bytes | [`decode`] |
//! | a data set from a folder, a list, an archive, record files, IDX files or arrays | [`Collection::open`] |
//! | pairs of images to verify people by | [`PairSet::open`] |
//! | whether every file of it can be used | [`check_all`] |
//! | what its pixels are like, and which images are copies | [`inspect_all`], [`Copies`] |
//! | training, validation and test images | [`split`] |
//! | files from the network | [`download`] |
//! | what a network is fed, and what is changed at random before | [`InputSpec`], [`Augmentation`] |
//! | batches, the same for any number of threads | [`Loader`] |
//! | images of a known lower quality | [`degrade`](fn@degrade) |
//!
//! ```no_run
//! use std::{ops::ControlFlow, path::Path};
//!
//! use cm_data::{Collection, OpenOptions, SplitPlan, check_all, split};
//!
//! let signs = Collection::open(Path::new("signs.zip"), &OpenOptions::default())?;
//! let checked = check_all(&signs, Some(Path::new("signs.check")), &|_| ControlFlow::Continue(()))?;
//! let (signs, left_out) = checked.into_usable(signs, 0)?;
//! let splits = split(&signs, &SplitPlan { validation: 0.1, ..SplitPlan::default() })?;
//! println!("{} images to learn from in {}", splits.train.len(), signs.checksum()?);
//! # assert!(left_out.is_empty());
//! # Ok::<(), cm_data::DataError>(())
//! ```

mod array;
mod augment;
mod check;
mod checksum;
mod dataset;
mod decode;
mod degrade;
mod download;
mod error;
mod idx;
mod image;
mod image_ops;
mod input;
mod inspect;
mod intensity;
mod loader;
mod measure;
mod normalize;
mod pairs;
mod pickle;
mod random;
mod record_file;
mod resize;
mod source;
mod split;

pub use array::{Array, ArrayArchive, ArrayProblem, Numbers};
pub use augment::{Augmentation, RandomDegradation};
pub use check::{BadFile, Checked, check_all};
pub use dataset::{Cached, ImageSet, Joined, MemorySet, Subset};
pub use decode::{BACKGROUND, DecodeError, DecodeLimits, decode};
pub use degrade::{Degradation, SEVERITIES, assign_severities, degrade, degrade_all, mixed_kind};
pub use download::{Limits, RemoteFile, download};
pub use error::DataError;
pub use idx::{IdxFile, read_images, read_labels};
pub use image::Image;
pub use input::{InputSpec, PADDING, Resize};
pub use inspect::{Copies, CopyKind, Look, inspect_all};
pub use intensity::{Window, resample_center, standardized_gray};
pub use loader::{Batches, Loader, LoaderConfig, Part, RawBatch, Sampling};
pub use measure::measure;
pub use pairs::{Pair, PairSet, PairsProblem, dealt_folds, folders_of_people};
pub use pickle::PickleProblem;
pub use random::{generator, image_generator};
pub use record_file::RecordProblem;
pub use source::{
    Collection, ColumnNames, ContentHash, FolderProblem, ImageFacts, Item, ListProblem, Location,
    OpenOptions, ReadLimits, Skipped, Split, ZipProblem, natural_order,
};
pub use split::{SplitPlan, Splits, folds, split};
