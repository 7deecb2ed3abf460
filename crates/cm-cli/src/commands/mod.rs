//! One file for each command.

pub mod eval;
pub mod eval_report;
pub mod figures;
pub mod images;
pub mod report;
pub mod study;
pub mod train;
