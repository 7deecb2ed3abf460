//! Optimisers, schedules, checkpoints and whole small experiments.

mod experiment;
mod loader;
mod many_classes;
mod optimizer;
mod schedule;
