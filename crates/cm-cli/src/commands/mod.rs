//! One file for each command.

pub mod calibrate;
mod column;
pub mod data;
mod degraded;
pub mod diagnose;
pub mod embed;
pub mod eval;
pub mod eval_report;
pub mod export;
pub mod figures;
pub mod identify;
pub mod images;
pub mod import;
pub mod inputs;
pub mod list;
pub mod look;
pub mod predict;
pub mod quality_page;
pub mod rehearse;
pub mod report;
pub mod rows;
pub mod score;
pub mod serve;
pub mod shell;
pub mod study;
pub mod train;
pub mod verify;
