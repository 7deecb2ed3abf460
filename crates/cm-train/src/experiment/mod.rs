//! A serializable config in, a results record out.

mod config;
mod environment;
mod evaluation;
mod folder;
mod record;
mod run;

pub use config::{COMPARED, ExperimentConfig, Profile};
pub use environment::BURN_VERSION;
pub use record::{
    DataRecord, Environment, EpochRecord, FeatureRow, RESULTS_FORMAT, Results, RunRecord, SeverityRecord,
};
pub use run::{Output, Session, run};
