//! Optimisers, schedules, clipping, checkpoints and whole small experiments.

mod clip;
mod experiment;
mod loader;
mod optimizer;
mod schedule;
