//! Optimisers, schedules, checkpoints and whole small experiments.

mod experiment;
mod loader;
mod optimizer;
mod schedule;
