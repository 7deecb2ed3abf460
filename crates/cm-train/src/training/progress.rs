//! What a person sees while a network trains.

use std::{
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::{Duration, Instant},
};

use burn::train::{
    logger::{EvaluationProgressLogger, TrainingProgressLogger},
    metric::MetricDefinition,
    renderer::{
        EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation, MetricsRendererTraining,
    },
};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// All bars of the terminal: those of trainings at once stand below each other.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Display {
    /// A moving bar, for a terminal.
    Bar,
    /// A line an epoch, for a log file.
    Lines,
    /// Burn's dashboard, which takes the whole terminal.
    Dashboard,
    /// Nothing.
    Quiet,
}

impl Display {
    /// A progress bar over `items`, hidden unless bars are shown.
    pub fn bar(self, items: usize, label: &str) -> ProgressBar {
        if self != Self::Bar {
            return ProgressBar::hidden();
        }
        let style = "{prefix}  {bar:24} {pos}/{len} {msg}  {per_sec}  {eta} left";
        let style = ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
        let rate = |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
            // A terminal that cannot be written to shows no bar at all.
            let _ = write!(out, "{:.0} images/s", state.per_sec());
        };
        BARS.add(ProgressBar::new(items as u64))
            .with_style(style.with_key("per_sec", rate))
            .with_prefix(label.to_owned())
    }

    /// Prints a line above the bar, where lines are wanted; like the bar, on standard error.
    pub fn line(self, bar: &ProgressBar, line: &str) {
        match self {
            Self::Bar => bar.println(line),
            Self::Lines => eprintln!("{line}"),
            Self::Dashboard | Self::Quiet => {}
        }
    }
}

/// Follows training and validation: moves the bar and keeps the time.
pub(super) struct SplitProgress {
    pub(super) bar: ProgressBar,
    pub(super) clock: Clock,
}

/// Time spent in the training part of the current epoch.
#[derive(Debug, Clone, Default)]
pub(super) struct Clock(Arc<Mutex<(Option<Instant>, Duration)>>);

impl Clock {
    fn start(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0 = Some(Instant::now());
    }

    fn stop(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(start) = state.0.take() {
            state.1 = start.elapsed();
        }
    }

    pub(super) fn last(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}

impl TrainingProgressLogger for SplitProgress {
    fn start(&mut self, _epochs: usize, _first: usize, _items: Option<usize>, _label: Option<&str>) {}

    fn update_epoch(&mut self, _epoch: usize) {}

    fn start_split(&mut self, split: &str, total_items: usize) {
        self.bar.reset();
        self.bar.set_length(total_items as u64);
        match split {
            "train" => self.clock.start(),
            _ => self.bar.set_message("validating"),
        }
    }

    fn update_split(&mut self, items_processed: usize) {
        self.bar.set_position(items_processed as u64);
    }

    fn end_split(&mut self) {
        self.clock.stop();
    }

    fn end(&mut self) {
        self.bar.finish_and_clear();
    }

    fn log_event_training(&mut self, _event: String) {}
}

/// Draws nothing: [`SplitProgress`] and the epoch log show what there is to see.
pub(super) struct Silent;

impl MetricsRendererTraining for Silent {
    fn update_train(&mut self, _state: MetricState) {}

    fn update_valid(&mut self, _state: MetricState) {}
}

impl MetricsRendererEvaluation for Silent {
    fn update_test(&mut self, _name: EvaluationName, _state: MetricState) {}
}

impl MetricsRenderer for Silent {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, _definition: MetricDefinition) {}
}

impl TrainingProgressLogger for Silent {
    fn start(&mut self, _epochs: usize, _first: usize, _items: Option<usize>, _label: Option<&str>) {}

    fn update_epoch(&mut self, _epoch: usize) {}

    fn start_split(&mut self, _split: &str, _total_items: usize) {}

    fn update_split(&mut self, _items_processed: usize) {}

    fn end_split(&mut self) {}

    fn end(&mut self) {}

    fn log_event_training(&mut self, _event: String) {}
}

impl EvaluationProgressLogger for Silent {
    fn start_global_progress(&mut self, _total_tests: usize) {}

    fn start_test(&mut self, _name: &str, _total_items: usize) {}

    fn update_test_progress(&mut self, _items_processed: usize) {}

    fn end_test(&mut self) {}

    fn end_global_progress(&mut self) {}

    fn log_event_evaluation(&mut self, _event: String) {}
}
