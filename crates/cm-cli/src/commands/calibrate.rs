//! `cm calibrate`: from the norm of a feature to a quality from 0 to 100.

use std::{path::PathBuf, sync::Arc};

use clap::{ArgGroup, Args, ValueEnum};
use cm_data::{Cached, ImageSet, OpenOptions};
use cm_eval::{Bootstrap, Estimate, Isotonic, Sigmoid, Statistic};
use cm_train::{
    evaluation::{Asked, Predictor, Views},
    model::{CARD_FORMAT, FittedOn, Model, QualityMap, QualityScale, save},
};

use super::{
    column::{Range, column_of, range},
    degraded::DegradedSet,
    images::Images,
};
use crate::{error::CliError, session::ComputeOptions};

/// Options of `cm calibrate`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("quality").required(true))]
#[command(
    after_help = "What quality is must be said by one of --column, --degraded and --correct. The map is kept in the model file, \
    with what it was fitted on.\n\n\
    Examples:\n  cm calibrate model.safetensors rated.csv --column sharpness --range 0,500\n  \
    cm calibrate model.safetensors good-images --degraded\n  \
    cm calibrate model.safetensors labeled-images --correct --map isotonic"
)]
pub struct Options {
    /// A model file, as `cm train` leaves it
    model: PathBuf,
    /// Images: a folder, a CSV list, a zip of either, a record file (.rec), IDX files or .npz; with --correct they have classes
    data: PathBuf,
    /// A numeric column of the list: its values are the quality
    #[arg(long, value_name = "NAME", group = "quality")]
    column: Option<String>,
    /// Copies of the images at five known severities, for images that are good
    #[arg(long, group = "quality")]
    degraded: bool,
    /// Whether the class predicted is the image's
    #[arg(long, group = "quality")]
    correct: bool,
    /// Values of the column that are the qualities 0 and 100 [default: 0 and 1 or 0 and 100 where all values are between them,
    /// otherwise the least and the largest]
    #[arg(long, value_name = "LOW,HIGH", requires = "column", value_parser = range, allow_hyphen_values = true)]
    range: Option<Range>,
    /// What is fitted
    #[arg(long, value_enum, ignore_case = true, default_value_t = Map::Sigmoid)]
    map: Map,
    /// File for the calibrated model, in place of the one that is calibrated
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Go on with at most N files that cannot be used left out
    #[arg(long, value_name = "N", default_value_t = 0)]
    skip_bad: usize,
    #[command(flatten)]
    compute: ComputeOptions,
}

/// What is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Map {
    /// Two numbers; the same shape for every model
    Sigmoid,
    /// Steps that never fall; as near to the data as can be, for many images
    Isotonic,
}

/// Norms with the quality of each, from 0 to 1.
struct Known {
    norms: Vec<f64>,
    qualities: Vec<f64>,
    /// Images that copies are made of count as one.
    groups: Vec<usize>,
    /// What quality is, in words.
    target: String,
}

/// Fits the map and keeps it in the model file.
pub fn run(options: Options) -> Result<(), CliError> {
    let session = options.compute.open_for(options.json)?;
    let device = session.devices.first()?;
    let Model { mut card, network } = Model::read(&options.model, &device)?;
    let classes = options.correct.then(|| card.classes.clone());
    let open = OpenOptions { labels_required: options.correct, classes, ..OpenOptions::default() };
    let Images { collection, .. } = Images::open(&options.data, &open, options.skip_bad, None, &session)?;
    let (data, checksum) = (collection.name.clone(), collection.checksum()?);
    let column = options.column.as_ref().map(|name| column_of(&collection, name, options.range));
    let column = column.transpose()?;
    let images: Arc<dyn ImageSet> = Arc::new(collection);
    let set: Arc<dyn ImageSet> = match options.degraded {
        true => Arc::new(DegradedSet::new(Arc::new(Cached::new(images.clone(), card.input.clone(), 0)?))),
        false => images,
    };
    let bar = session.display.bar(set.len(), "norms");
    let predictor = Predictor {
        input: &card.input,
        views: Views::One,
        workers: session.workers,
        device: &device,
        bar: &bar,
        interrupter: &session.interrupter,
    };
    let target = match &column {
        Some((_, target)) => target.clone(),
        None if options.degraded => DegradedSet::TARGET.to_owned(),
        None => "whether the class predicted is right".to_owned(),
    };
    let mut known = Known { norms: Vec::new(), qualities: Vec::new(), groups: Vec::new(), target };
    let asked = Asked { classes: options.correct, ..Asked::default() };
    let finished = predictor.each_batch(&network, set, asked, |batch| {
        for (row, &index) in batch.indices.iter().enumerate() {
            let (quality, group) = match &column {
                Some((values, _)) => (values[index], index),
                None if options.degraded => DegradedSet::quality(index),
                None => (f64::from(u8::from(batch.predicted[row] == batch.labels[row])), index),
            };
            if quality.is_finite() {
                known.norms.push(f64::from(batch.norms[row]));
                known.qualities.push(quality);
                known.groups.push(group);
            }
        }
        Ok::<(), CliError>(())
    })?;
    bar.finish_and_clear();
    if !finished {
        return Err(CliError::Stopped);
    }
    let correlation = checked(&known)?;
    let map = fitted(options.map, &known)?;
    let fitted = FittedOn {
        data,
        checksum,
        images: known.norms.len(),
        target: known.target,
        correlation: correlation.value,
        interval: [correlation.interval.0, correlation.interval.1],
    };
    let scale = QualityScale { map, fitted };
    say(&scale, options.json)?;
    (card.format, card.quality) = (CARD_FORMAT, Some(scale));
    let path = options.out.as_ref().unwrap_or(&options.model);
    save(path, &card, &network)?;
    if !options.json {
        eprintln!("kept in {}", path.display());
    }
    Ok(())
}

/// The correlation of norm and quality, if they go together.
fn checked(known: &Known) -> Result<Estimate, CliError> {
    let refused =
        |reason: String| Err(CliError::Said(format!("this model cannot be calibrated so: {reason}")));
    let Some(first) = known.qualities.first() else {
        return refused("not one image has a known quality".to_owned());
    };
    if known.qualities.iter().all(|quality| quality == first) {
        return refused(format!(
            "all {} images have the same quality ({}, {:.0} of 100), and it takes different ones",
            known.qualities.len(),
            known.target,
            100.0 * first
        ));
    }
    let bootstrap = Bootstrap::default();
    let found =
        bootstrap.overall_by_group(Statistic::Spearman, &known.norms, &known.qualities, &known.groups);
    let Some(found) = found else {
        return refused("the features all have the same length, or one of them is not finite".to_owned());
    };
    let (low, high) = found.interval;
    let told = format!(
        "Spearman's correlation of norm and quality ({}) is {:.2}, with a 95 % interval from {low:.2} to {high:.2}",
        known.target, found.value
    );
    match (low > 0.0, high < 0.0) {
        (true, _) => Ok(found),
        (_, true) => refused(format!("{told}: longer features belong to worse images here")),
        _ => refused(format!("{told}: the norm does not tell this quality; try another one, or more images")),
    }
}

fn fitted(map: Map, known: &Known) -> Result<QualityMap, CliError> {
    let map = match map {
        Map::Sigmoid => Sigmoid::fit(&known.norms, &known.qualities).map(QualityMap::Sigmoid),
        Map::Isotonic => Isotonic::fit(&known.norms, &known.qualities).map(QualityMap::Isotonic),
    };
    map.ok_or_else(|| {
        CliError::Said(
            "no rising curve can be fitted to these norms: a sigmoid falls with them; try --map isotonic"
                .to_owned(),
        )
    })
}

/// Says what was fitted.
fn say(scale: &QualityScale, json: bool) -> Result<(), CliError> {
    if json {
        let text = serde_json::to_string(scale).map_err(|error| CliError::Said(error.to_string()))?;
        println!("{text}");
        return Ok(());
    }
    let fitted = &scale.fitted;
    println!(
        "fitted to {}, {} images from {}: Spearman's correlation with the norm {:.3} (95 % interval {:.3} to {:.3})",
        fitted.target, fitted.images, fitted.data, fitted.correlation, fitted.interval[0], fitted.interval[1]
    );
    match &scale.map {
        QualityMap::Sigmoid(map) => {
            println!("quality = 100 / (1 + exp(({:.4} - norm) / {:.4}))", map.center, map.width);
        }
        _ => println!("quality is a curve of steps that never fall"),
    }
    Ok(())
}
