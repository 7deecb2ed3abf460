//! `cm diagnose`: does the norm tell the quality of these images, and is it worth more than what is had without it?

mod page;
mod signals;

use std::{path::PathBuf, sync::Arc};

use burn::tensor::Tensor;
use clap::Args;
use cm_data::{Cached, ContentHash, ImageSet, Item, Look, OpenOptions};
use cm_eval::Reliability;
use cm_train::{
    evaluation::{Asked, Predictor, Views},
    model::Model,
};
use rayon::prelude::*;
use serde_json::json;

use self::signals::Images as Known;
use super::{
    column::{Range, column_of, range},
    degraded::DegradedSet,
    images::Images,
};
use crate::{error::CliError, session::ComputeOptions};

/// Bins of the calibration error.
const BINS: usize = 15;

/// Options of `cm diagnose`.
#[derive(Debug, Args)]
#[command(
    after_help = "With classes it tells whether images of a short feature are misclassified more often, with --column or --degraded \
    whether the length follows a quality that is known; with both, both.\n\n\
    Examples:\n  cm diagnose model.safetensors labeled-images --page diagnosis.html\n  \
    cm diagnose model.safetensors rated.csv --column sharpness\n  cm diagnose model.safetensors labeled-images --degraded --json"
)]
pub struct Options {
    /// A model file, as `cm train` leaves it
    model: PathBuf,
    /// Images, with or without classes: a folder, a CSV list, a zip of either, a record file (.rec), IDX files or .npz
    data: PathBuf,
    /// A numeric column of the list that is the known quality
    #[arg(long, value_name = "NAME", conflicts_with = "degraded")]
    column: Option<String>,
    /// Values of the column that are the worst and the best quality
    #[arg(long, value_name = "LOW,HIGH", requires = "column", value_parser = range, allow_hyphen_values = true)]
    range: Option<Range>,
    /// Look at copies of the images at five known severities as well
    #[arg(long)]
    degraded: bool,
    /// A page with the curves
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Go on with at most N files that cannot be used left out
    #[arg(long, value_name = "N", default_value_t = 0)]
    skip_bad: usize,
    #[command(flatten)]
    compute: ComputeOptions,
}

/// What is told of a model and data.
pub struct Diagnosis {
    pub model: String,
    pub data: String,
    pub images: usize,
    /// What the known quality is, where one is known.
    pub target: Option<String>,
    pub known: Known,
    pub signals: Vec<signals::Signal>,
    pub reliability: Option<Reliability>,
    /// Share of the norms where the norm map is flat, and their mean; `None` where the norm plays no part.
    pub saturation: Option<(f64, f64)>,
}

/// Looks, measures and tells.
pub fn run(options: &Options) -> Result<(), CliError> {
    let session = options.compute.open_for(options.json)?;
    let device = session.devices.first()?;
    let model = Model::read(&options.model, &device)?;
    let classes = Some(model.card.classes.clone());
    let open = OpenOptions { labels_required: false, classes, ..OpenOptions::default() };
    let Images { collection, .. } = Images::open(&options.data, &open, options.skip_bad, None, &session)?;
    let data = collection.name.clone();
    let labeled = collection.items.iter().all(|item| item.label != Item::UNLABELED);
    let column =
        options.column.as_ref().map(|name| column_of(&collection, name, options.range)).transpose()?;
    let images: Arc<dyn ImageSet> =
        Arc::new(Cached::new(Arc::new(collection), model.card.input.clone(), 1 << 30)?);
    let set: Arc<dyn ImageSet> = match options.degraded {
        true => Arc::new(DegradedSet::new(images)),
        false => images,
    };
    if !labeled && column.is_none() && !options.degraded {
        return Err(CliError::Said(format!(
            "there is nothing to compare the norm with: the images of {data} have no classes, and no quality is named by --column or \
             --degraded"
        )));
    }
    let bar = session.display.bar(set.len(), "looking");
    let predictor = Predictor {
        input: &model.card.input,
        views: Views::One,
        workers: session.workers,
        device: &device,
        bar: &bar,
        interrupter: &session.interrupter,
    };
    let mut known = Known::default();
    let asked = Asked { classes: true, features: labeled, ..Asked::default() };
    let mut indices = Vec::new();
    let finished = predictor.each_batch(&model.network, set.clone(), asked, |batch| {
        let dim = batch.features.len() / batch.indices.len().max(1);
        for (row, &index) in batch.indices.iter().enumerate() {
            let (quality, group) = match &column {
                Some((values, _)) => (Some(values[index]), index),
                None if options.degraded => {
                    let (quality, image) = DegradedSet::quality(index);
                    (Some(quality), image)
                }
                None => (None, index),
            };
            // An image whose quality nobody knows says nothing here.
            if quality.is_some_and(|quality| !quality.is_finite()) {
                continue;
            }
            indices.push(index);
            known.norms.push(f64::from(batch.norms[row]));
            known.confidences.push(f64::from(batch.confidences[row]));
            known.groups.push(group);
            known.qualities.extend(quality);
            if labeled {
                known.classes.push(batch.labels[row] as usize);
                known.right.push(batch.predicted[row] == batch.labels[row]);
                known.features.extend(&batch.features[row * dim..(row + 1) * dim]);
            }
        }
        Ok::<(), CliError>(())
    })?;
    bar.finish_and_clear();
    if !finished {
        return Err(CliError::Stopped);
    }
    // As the network sees them: what it does not see cannot be told by its norm either.
    let looks: Vec<(f64, f64)> = indices
        .par_iter()
        .map(|&index| {
            let look = Look::of(&*set.image(index)?, ContentHash([0; 32]));
            Ok((look.sharpness, look.contrast))
        })
        .collect::<Result<_, CliError>>()?;
    (known.sharpness, known.contrast) = looks.into_iter().unzip();
    let norms: Vec<f32> = known.norms.iter().map(|&norm| norm as f32).collect();
    let saturation = model.network.head.saturation(Tensor::from_data(&norms[..], &device));
    let diagnosis = Diagnosis {
        model: options.model.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        data,
        images: known.norms.len(),
        target: match &column {
            Some((_, target)) => Some(target.clone()),
            None => options.degraded.then(|| DegradedSet::TARGET.to_owned()),
        },
        signals: known.signals(),
        reliability: Reliability::new(&known.confidences, &known.right, BINS),
        saturation: saturation.map(|found| (found.share, found.mean_norm)),
        known,
    };
    if let Some(path) = &options.page {
        page::write(&diagnosis, path)?;
    }
    match options.json {
        true => println!("{}", object(&diagnosis)),
        false => print!("{}", page::text(&diagnosis)),
    }
    Ok(())
}

fn object(diagnosis: &Diagnosis) -> serde_json::Value {
    let bounds = diagnosis.known.bounds();
    json!({
        "model": diagnosis.model,
        "data": diagnosis.data,
        "images": diagnosis.images,
        "quality": diagnosis.target,
        "signals": diagnosis.signals.iter().map(signals::Signal::json).collect::<Vec<_>>(),
        "risk_coverage_area_of_the_best_order": bounds.map(|bounds| bounds.0),
        "risk_coverage_area_of_no_order": bounds.map(|bounds| bounds.1),
        "error_discard_area_of_no_order": diagnosis.signals[0].discard.as_ref().map(|_| signals::Signal::random_area()),
        "expected_calibration_error": diagnosis.reliability.as_ref().map(Reliability::expected_error),
        "saturated": diagnosis.saturation.map(|found| found.0),
        "verdict": page::verdict(diagnosis),
    })
}
