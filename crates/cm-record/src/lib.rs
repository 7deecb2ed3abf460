//! What a study leaves behind: one record from which every table and picture is made, the features of its test images,
//! and files that are whole or not there.
//!
//! | file | what is in it | type |
//! |---|---|---|
//! | `results.json` | what was trained on what, and every figure | [`Results`] |
//! | `results.csv` | the same figures as a long table | [`results_csv`] |
//! | `features/*.csv` | the norm, and more, of each test image | [`FeatureTable`] |

mod comparison;
mod error;
mod features;
pub mod files;
mod layout;
mod lock;
mod long_table;
mod measurement;
mod number;
mod pooled;
mod results;

pub use comparison::{CONFIDENCE, Comparison};
pub use error::RecordError;
pub use features::{FEATURE_COLUMNS, FeatureRow, FeatureTable};
pub use layout::{Column, Headline, Layout, Level, Stratification};
pub use lock::{FolderLock, LOCK_FILE};
pub use long_table::{RESULTS_COLUMNS, results_csv};
pub use measurement::Measurement;
pub use pooled::{Pooled, PooledFigure, PooledTest};
pub use results::{
    DataRecord, Environment, EpochRecord, LeftOut, RESULTS_FILE, RESULTS_FORMAT, Results, RunKey, RunRecord,
    SplitRecord, Status, format_of, parse, read_text,
};
