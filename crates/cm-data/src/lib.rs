//! Images of known quality: data sets, and what spoils them.

mod degrade;
mod download;
mod error;
mod idx;
mod images;
mod mnist;
mod source;
mod strokes;
mod synthetic;

pub use degrade::{Degradation, SEVERITIES, assign_severities, degrade, degrade_all};
pub use download::{Limits, download};
pub use error::DataError;
pub use idx::{IdxFile, read_images, read_labels};
pub use images::LabelledImages;
pub use mnist::{MNIST_FILES, MnistFile, read_mnist};
pub use source::{DataChoice, DataSet, LoadOptions, MNIST, load};
pub use synthetic::synthetic_digits;
