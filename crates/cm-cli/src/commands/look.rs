//! What `predict`, `embed` and `score` have in common: a model looks at images, one row each.

use std::{path::PathBuf, sync::Arc};

use burn::tensor::Device;
use clap::Args;
use cm_data::ImageSet;
use cm_train::{
    evaluation::{Asked, PredictedBatch, Predictor, Views},
    model::Model,
    study::Session,
};

use super::inputs;
use crate::{error::CliError, session::ComputeOptions};

/// Options of every command in which a model looks at images.
#[derive(Debug, Args)]
pub struct LookOptions {
    /// A model file, as `cm train` leaves it
    pub model: PathBuf,
    /// Images: files, folders, CSV lists, zips; - for a list of files on standard input, one a line
    #[arg(required = true, value_name = "FILES")]
    pub files: Vec<PathBuf>,
    /// File to write to, in place of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub compute: ComputeOptions,
}

/// A model and the images that it looks at.
pub struct Look {
    /// The model.
    pub model: Model,
    /// The images.
    pub set: Arc<dyn ImageSet>,
    session: Session,
    device: Device,
}

/// What the model says of an image.
pub struct Row<'a> {
    /// Position of the image in the set.
    pub index: usize,
    /// Its file.
    pub file: String,
    /// What was seen, or why it cannot be read.
    pub seen: Result<Seen<'a>, String>,
}

/// What a model has seen in an image. What was not asked for is 0 or empty.
pub struct Seen<'a> {
    /// Length of the feature.
    pub norm: f32,
    /// From 0 to 100; `None` for a model that knows no quality.
    pub quality: Option<u8>,
    /// Probabilities of all classes.
    pub probabilities: &'a [f32],
    /// The feature.
    pub feature: &'a [f32],
}

impl Look {
    /// Reads the model and finds the images.
    ///
    /// # Errors
    ///
    /// A model or images that cannot be had, a backend that is not there.
    pub fn open(options: &LookOptions) -> Result<Self, CliError> {
        let session = options.compute.open()?;
        let device = session.devices.first()?;
        let model = Model::read(&options.model, &device)?;
        let set = inputs::open(&options.files)?;
        Ok(Self { model, set, session, device })
    }

    /// Calls `each` with every image, in their order. Files that cannot be read are rows as well; a remark on standard error says
    /// how many they were.
    ///
    /// # Errors
    ///
    /// Those of `each`; a stop by Ctrl-C; not one image that can be read.
    pub fn each(
        &self,
        asked: Asked,
        mut each: impl FnMut(Row<'_>) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let bar = self.session.display.bar(self.set.len(), "looking");
        let predictor = Predictor {
            input: &self.model.card.input,
            views: Views::One,
            workers: self.session.workers,
            device: &self.device,
            bar: &bar,
            interrupter: &self.session.interrupter,
        };
        let mut unread: Vec<(String, String)> = Vec::new();
        let asked = Asked { skip_failed: true, ..asked };
        let finished = predictor.each_batch(&self.model.network, self.set.clone(), asked, |batch| {
            self.rows(batch, &mut unread, &mut each)
        })?;
        bar.finish_and_clear();
        if !finished {
            return Err(CliError::Stopped);
        }
        let Some((file, reason)) = unread.first() else { return Ok(()) };
        let (count, all) = (unread.len(), self.set.len());
        if count == all {
            return Err(CliError::Said(match all {
                1 => format!("the image cannot be read; {file}: {reason}"),
                _ => format!("not one of {all} images can be read; {file}: {reason}"),
            }));
        }
        eprintln!("{count} of {all} images cannot be read; {file}: {reason}");
        Ok(())
    }

    /// The rows of a batch, those of unreadable images in their places.
    fn rows(
        &self,
        batch: PredictedBatch,
        unread: &mut Vec<(String, String)>,
        each: &mut impl FnMut(Row<'_>) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let count = batch.indices.len();
        let row_of = |values: &Vec<f32>, row: usize| -> std::ops::Range<usize> {
            let width = values.len() / count.max(1);
            row * width..(row + 1) * width
        };
        let mut failed = batch.failed.iter().peekable();
        for row in 0..=count {
            let next = batch.indices.get(row).copied();
            while let Some((index, reason)) =
                failed.next_if(|(index, _)| next.is_none_or(|next| *index < next))
            {
                let file = self.set.name(*index);
                unread.push((file.clone(), reason.clone()));
                each(Row { index: *index, file, seen: Err(reason.clone()) })?;
            }
            let Some(index) = next else { break };
            let norm = batch.norms[row];
            let seen = Seen {
                norm,
                quality: self.model.card.quality_of(f64::from(norm)),
                probabilities: &batch.probabilities[row_of(&batch.probabilities, row)],
                feature: &batch.features[row_of(&batch.features, row)],
            };
            each(Row { index, file: self.set.name(index), seen: Ok(seen) })?;
        }
        Ok(())
    }
}
