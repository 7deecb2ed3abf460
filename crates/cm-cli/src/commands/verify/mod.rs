//! `cm verify`: are two images of the same person?

mod features;
mod figures;
mod pictures;
mod qualities;

use std::{path::PathBuf, sync::Arc};

use clap::{Args, ValueEnum};
use cm_data::{DataError, OpenOptions, Pair, PairSet, PairsProblem};
use cm_eval::{FarRule, QualityAware, Thresholds};
use cm_train::{evaluation::Views, model::Model};

pub use self::features::Features;
pub use self::figures::unread_in_words;
use self::{
    figures::{Asked, Figures},
    qualities::Qualities,
};
use super::learned::{self, Learned};
use crate::{error::CliError, session::ComputeOptions, values};

/// Options of `cm verify`.
#[derive(Debug, Args)]
#[command(
    after_help = "PAIRS is a verification set of insightface (.bin), LFW's pairs.txt or pairsDevTest.txt, or a table with the columns \
    first, second and same.\n\nExamples:\n  cm verify model.safetensors lfw.bin\n  \
    cm verify model.safetensors lfw/pairs.txt --root lfw/lfw-deepfunneled --out verified\n  \
    cm verify model.safetensors pairs.csv --views one --far 0.01,0.001 --json"
)]
pub struct Options {
    /// A model file, as `cm train` leaves it
    model: PathBuf,
    /// Pairs of images
    pairs: PathBuf,
    /// Folder that the paths of pairs begin in [default: where the pairs are]
    #[arg(long, value_name = "FOLDER")]
    root: Option<PathBuf>,
    /// What the network looks at of an image: it alone, or its mirror image as well, whose features are averaged
    #[arg(long, value_parser = values::mirrored(), default_value = "flip")]
    views: Views,
    /// How alike two features are
    #[arg(long, value_enum, ignore_case = true, default_value = "cosine")]
    score: Score,
    /// QMagFace's score, which trusts short features less: its two numbers, those of MagFace if none are given
    #[arg(long, value_name = "ALPHA,BETA", value_parser = quality_aware, num_args = 0..=1, require_equals = true,
        default_missing_value = "magface")]
    quality_aware: Option<QualityAware>,
    /// False accept rates, separated by commas
    #[arg(long, value_delimiter = ',', default_value = "1e-1,1e-2,1e-3,1e-4,1e-5,1e-6", value_parser = values::rate)]
    far: Vec<f64>,
    /// The threshold where none has the rate exactly: that of at most the rate, or of the nearest rate
    #[arg(long, value_enum, ignore_case = true, default_value = "at-most")]
    far_rule: Rule,
    /// Thresholds tried for the accuracy: between the scores, or insightface's grid of squared distances
    #[arg(long, value_enum, ignore_case = true, default_value = "between")]
    thresholds: Tried,
    /// Go on with at most N images that are missing or cannot be read: their pairs count as errors
    #[arg(long, value_name = "N", default_value_t = 0)]
    skip_bad: usize,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Folder for pictures and the table of scores
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    #[command(flatten)]
    compute: ComputeOptions,
}

/// How alike two features are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Score {
    /// The cosine of the angle between them
    Cosine,
    /// The squared distance of the features, brought to length 1: the same order as the cosine
    Distance,
    /// The squared distance of the features as they are
    Raw,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Rule {
    AtMost,
    Nearest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tried {
    Between,
    Grid,
}

fn quality_aware(text: &str) -> Result<QualityAware, String> {
    if text == "magface" {
        return Ok(QualityAware::MAGFACE);
    }
    let numbers: Result<Vec<f64>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    match numbers.as_deref() {
        Ok(&[alpha, beta]) if alpha.is_finite() && beta.is_finite() => Ok(QualityAware { alpha, beta }),
        _ => Err("give two numbers, such as 0.077428,0.125926".to_owned()),
    }
}

/// Compares the images of every pair and prints how often the answer is right.
pub fn run(options: Options) -> Result<(), CliError> {
    let Options { score, quality_aware, .. } = options;
    if quality_aware.is_some() && score != Score::Cosine {
        return Err(CliError::Said(
            "--quality-aware changes the cosine; leave out --score, or give --score cosine".to_owned(),
        ));
    }
    if options.thresholds == Tried::Grid && score != Score::Distance {
        return Err(CliError::Said(
            "--thresholds grid is of squared distances; add --score distance".to_owned(),
        ));
    }
    let session = options.compute.open_for(options.json)?;
    let device = session.devices.first()?;
    let model = Model::read(&options.model, &device)?;
    let open = OpenOptions {
        root: options.root.clone(),
        files_required: options.skip_bad == 0,
        labels_required: false,
        ..OpenOptions::default()
    };
    let set = PairSet::open(&options.pairs, &open).map_err(|error| match error {
        DataError::Pairs { problem: PairsProblem::MissingFiles { .. }, .. } => CliError::Said(format!(
            "{error} (--root FOLDER names it, --skip-bad N counts the pairs of up to N missing images as errors)"
        )),
        DataError::Pairs { problem: PairsProblem::SeveralFolders { .. }, .. } => {
            CliError::Said(format!("{error} by --root FOLDER"))
        }
        other => other.into(),
    })?;
    if set.missing.len() > options.skip_bad {
        return Err(CliError::Said(format!(
            "{} of the {} images of {} are missing, more than the {} that --skip-bad allows; {} is the first",
            set.missing.len(),
            set.images.len(),
            options.pairs.display(),
            options.skip_bad,
            set.images.items[set.missing[0]].file
        )));
    }
    let features = Features::of(&model, Arc::new(set.images.clone()), options.views, &session, &device)?;
    features.refuse_more_unread_than(options.skip_bad)?;
    let compared = features.compare(&set, score, quality_aware);
    let learned = Learned::of(&model);
    let is_learned = |pair: &&Pair| {
        pair.images.iter().any(|&image| learned.knows_folder_of(&set.images.items[image].file))
    };
    let of_learned = set.pairs.iter().filter(is_learned).count();
    learned::warn(of_learned, set.pairs.len(), "pairs");
    let rule = match options.far_rule {
        Rule::AtMost => FarRule::AtMost,
        Rule::Nearest => FarRule::Nearest,
    };
    let thresholds = match options.thresholds {
        Tried::Between => Thresholds::Between,
        Tried::Grid => Thresholds::Grid,
    };
    let qualities = Qualities::of(&set, &compared, &session)?;
    let asked = Asked { rates: &options.far, rule, thresholds, score, views: options.views, quality_aware };
    let figures = Figures::of(&set, &compared, &qualities, asked);
    if let Some(folder) = &options.out {
        pictures::write(folder, &set, &compared, &qualities)?;
    }
    let unread: Vec<&str> = features.unread.iter().map(|(file, _)| file.as_str()).collect();
    match options.json {
        true => {
            let mut all = figures.json(&unread);
            all["pairs_of_learned"] = of_learned.into();
            println!("{all}");
        }
        false => print!("{}", figures.text(&unread)),
    }
    Ok(())
}
