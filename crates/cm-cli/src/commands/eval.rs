//! `cm eval`: a model on images with known classes.

use std::{path::PathBuf, sync::Arc};

use clap::{Args, ValueEnum};
use cm_data::{Cached, Collection, ImageSet, OpenOptions, Split, Subset};
use cm_eval::{Classification, Proportion, Reliability, Strata};
use cm_record::LeftOut;
use cm_train::{
    evaluation::{Prediction, Predictor, Views},
    model::Model,
};
use serde_json::{Value, json};

use super::images::{Images, refuse_inside};
use crate::{applications::common::capital, error::CliError, session::ComputeOptions};

/// Probability that an interval holds the true accuracy.
const CONFIDENCE: f64 = 0.95;
/// Bins of the calibration error.
const BINS: usize = 15;
/// Levels of a stratification that are shown.
const SHOWN: usize = 20;
/// Confusions that are named.
const CONFUSIONS: usize = 5;

/// Options of `cm eval`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cm eval model.safetensors test-images\n  cm eval model.safetensors list.csv --split test --out tested\n  \
    cm eval model.safetensors test.zip --json"
)]
pub struct Options {
    /// A model file, as `cm train` leaves it
    model: PathBuf,
    /// Images with their classes: a folder, a CSV list, a zip of either, a record file (.rec), IDX files or .npz
    data: PathBuf,
    /// Which part of the data [default: test where the data have it, otherwise all]
    #[arg(long, value_enum, ignore_case = true)]
    split: Option<Part>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Folder for the confusion matrix and the reliability diagram, as pictures and tables
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Parts that each numeric column of a list divides the images into
    #[arg(long, value_name = "N", default_value_t = 4)]
    parts: usize,
    /// Go on with at most N files that cannot be used left out
    #[arg(long, value_name = "N", default_value_t = 0)]
    skip_bad: usize,
    #[command(flatten)]
    compute: ComputeOptions,
}

/// A part of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Train,
    Val,
    Test,
    All,
}

impl Part {
    fn has(self, split: Option<Split>) -> bool {
        match self {
            Self::All => true,
            Self::Train => split == Some(Split::Train),
            Self::Val => split == Some(Split::Val),
            Self::Test => split == Some(Split::Test),
        }
    }
}

/// Tests a model and prints what it reaches.
pub fn run(options: Options) -> Result<(), CliError> {
    if let Some(out) = &options.out {
        refuse_inside(out, &options.data)?;
    }
    let session = options.compute.open_for(options.json)?;
    let device = session.devices.first()?;
    let model = Model::read(&options.model, &device)?;
    let open = OpenOptions { classes: Some(model.card.classes.clone()), ..OpenOptions::default() };
    let Images { collection, left_out } =
        Images::open(&options.data, &open, options.skip_bad, None, &session)?;
    let part = options.split.unwrap_or_else(|| {
        let has_test = collection.items.iter().any(|item| item.split == Some(Split::Test));
        if has_test { Part::Test } else { Part::All }
    });
    let indices: Vec<usize> =
        (0..collection.items.len()).filter(|&index| part.has(collection.items[index].split)).collect();
    if indices.is_empty() {
        return Err(CliError::Said(format!(
            "{} has no images in the part {part:?}; choose another by --split",
            options.data.display()
        )));
    }
    let collection = Arc::new(collection);
    let input = &model.card.input;
    let cached: Arc<dyn ImageSet> = Arc::new(Cached::new(collection.clone(), input.clone(), 0)?);
    let set: Arc<dyn ImageSet> = Arc::new(Subset::new(cached, indices.clone()));
    let bar = session.display.bar(indices.len(), "testing");
    let predictor = Predictor {
        input,
        views: Views::One,
        workers: session.workers,
        device: &device,
        bar: &bar,
        interrupter: &session.interrupter,
    };
    let predictions = predictor.predict(&model.network, set)?;
    bar.finish_and_clear();
    let Some(predictions) = predictions else {
        return Err(CliError::Stopped);
    };
    let figures = Figures {
        left_out,
        ..Figures::of(&predictions, &collection, &indices, &model.card.classes, options.parts)?
    };
    if let Some(folder) = &options.out {
        super::eval_report::write(folder, &figures, &model.card.classes)?;
    }
    match options.json {
        true => println!("{}", figures.json(&model.card.classes)),
        false => print!("{}", figures.text(&model.card.classes)),
    }
    Ok(())
}

/// Everything that is told of predictions.
pub struct Figures {
    pub classification: Classification,
    pub reliability: Reliability,
    norm_mean: f64,
    strata: Vec<ByStratum>,
    left_out: Vec<LeftOut>,
}

/// Images divided by a column or by groups.
struct ByStratum {
    name: String,
    levels: Vec<(String, Proportion)>,
}

impl Figures {
    fn of(
        predictions: &[Prediction],
        collection: &Collection,
        indices: &[usize],
        classes: &[String],
        parts: usize,
    ) -> Result<Self, CliError> {
        let labels: Vec<u32> = predictions.iter().map(|prediction| prediction.label).collect();
        let predicted: Vec<u32> = predictions.iter().map(|prediction| prediction.predicted).collect();
        let right: Vec<bool> = predictions.iter().map(Prediction::is_right).collect();
        let confidences: Vec<f64> = predictions.iter().map(|p| f64::from(p.confidence)).collect();
        let undefined = || CliError::Said("there is nothing to measure".to_owned());
        let classification = Classification::new(&labels, &predicted, classes.len()).ok_or_else(undefined)?;
        let reliability = Reliability::new(&confidences, &right, BINS).ok_or_else(undefined)?;
        let counted = |members: &[usize]| Proportion {
            successes: members.iter().filter(|&&i| right[i]).count(),
            count: members.len(),
        };
        let mut strata = Vec::new();
        for (column, name) in collection.columns.iter().enumerate() {
            let values: Vec<f64> = indices.iter().map(|&i| collection.items[i].columns[column]).collect();
            let found = Strata::quantiles(&values, parts);
            let levels = found.levels().iter().map(|level| (level.label.clone(), counted(&level.indices)));
            strata.push(ByStratum { name: name.clone(), levels: levels.collect() });
        }
        if !collection.groups.is_empty() {
            let mut members: std::collections::BTreeMap<u32, Vec<usize>> = std::collections::BTreeMap::new();
            for (row, &index) in indices.iter().enumerate() {
                if let Some(group) = collection.items[index].group {
                    members.entry(group).or_default().push(row);
                }
            }
            let level = |(group, rows): (u32, Vec<usize>)| {
                (collection.groups[group as usize].clone(), counted(&rows))
            };
            let levels = members.into_iter().map(level).collect();
            strata.push(ByStratum { name: "group".to_owned(), levels });
        }
        let norm_mean = predictions.iter().map(|p| f64::from(p.norm)).sum::<f64>() / predictions.len() as f64;
        Ok(Self { classification, reliability, norm_mean, strata, left_out: Vec::new() })
    }

    fn json(&self, classes: &[String]) -> Value {
        let found = &self.classification;
        let accuracy = found.accuracy();
        let (low, high) = accuracy.wilson(CONFIDENCE).unwrap_or((0.0, 1.0));
        let by_class: Vec<Value> = found
            .classes()
            .iter()
            .zip(classes)
            .map(|(class, name)| {
                json!({
                    "class": name, "images": class.support, "recall": class.recall, "precision": class.precision,
                    "f1": class.f1,
                })
            })
            .collect();
        let strata: serde_json::Map<String, Value> = self
            .strata
            .iter()
            .map(|stratum| {
                let level = |(label, found): &(String, Proportion)| {
                    json!({"level": label, "images": found.count, "accuracy": found.value()})
                };
                (stratum.name.clone(), stratum.levels.iter().map(level).collect())
            })
            .collect();
        json!({
            "accuracy": accuracy.value(),
            "accuracy_low": low,
            "accuracy_high": high,
            "images": accuracy.count,
            "classes": classes.len(),
            "balanced_accuracy": found.balanced_accuracy(),
            "macro_f1": found.macro_f1(),
            "expected_calibration_error": self.reliability.expected_error(),
            "norm_mean": self.norm_mean,
            "by_class": by_class,
            "strata": strata,
            "left_out": self.left_out,
        })
    }

    fn text(&self, classes: &[String]) -> String {
        use std::fmt::Write;
        let found = &self.classification;
        let accuracy = found.accuracy();
        let mut text = String::new();
        let percent =
            |share: Option<f64>| share.map_or("–".to_owned(), |share| format!("{:.2} %", 100.0 * share));
        let interval = accuracy.wilson(CONFIDENCE).map_or(String::new(), |(low, high)| {
            format!(" (95 % interval {:.2} to {:.2})", 100.0 * low, 100.0 * high)
        });
        let _ = writeln!(
            text,
            "accuracy {}{interval} on {} images of {} classes",
            percent(accuracy.value()),
            accuracy.count,
            classes.len()
        );
        let _ = writeln!(
            text,
            "balanced accuracy {}, macro F1 {}, expected calibration error {}, mean feature norm {:.2}",
            percent(found.balanced_accuracy()),
            percent(found.macro_f1()),
            percent(Some(self.reliability.expected_error())),
            self.norm_mean
        );
        if !self.left_out.is_empty() {
            let _ =
                writeln!(text, "{} files of the data that cannot be used are left out", self.left_out.len());
        }
        for stratum in &self.strata {
            let _ = writeln!(text, "\n{}", capital(&stratum.name));
            let width = widest(stratum.levels.iter().take(SHOWN).map(|(label, _)| label));
            for (label, found) in stratum.levels.iter().take(SHOWN) {
                let _ = writeln!(text, "  {label:<width$} {:>9}  of {}", percent(found.value()), found.count);
            }
            if stratum.levels.len() > SHOWN {
                let _ = writeln!(text, "  … and {} more (--json has all)", stratum.levels.len() - SHOWN);
            }
        }
        let mut worst: Vec<(&String, f64, usize)> = found
            .classes()
            .iter()
            .zip(classes)
            .filter_map(|(class, name)| Some((name, class.recall?, class.support)))
            .collect();
        worst.sort_by(|a, b| a.1.total_cmp(&b.1));
        let _ = writeln!(text, "\nClasses, the least recognized first");
        let width = widest(worst.iter().take(10).map(|(name, ..)| *name));
        for (name, recall, images) in worst.iter().take(10) {
            let _ = writeln!(text, "  {name:<width$} {:>9}  of {images}", percent(Some(*recall)));
        }
        let confusions = found.confusion().most_frequent(CONFUSIONS);
        if !confusions.is_empty() {
            let _ = writeln!(text, "\nMost frequent confusions");
        }
        for (label, predicted, count) in confusions {
            let _ = writeln!(text, "  {} taken for {}: {count}", classes[label], classes[predicted]);
        }
        text
    }
}

/// Letters of the longest name, so that what follows is one column.
fn widest<'a>(names: impl Iterator<Item = &'a String>) -> usize {
    names.map(|name| name.chars().count()).max().unwrap_or(0).max(20)
}
