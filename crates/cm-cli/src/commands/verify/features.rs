//! The features of all images, and how alike those of a pair are.

use std::sync::Arc;

use burn::tensor::Device;
use cm_data::{ImageSet, PairSet};
use cm_eval::QualityAware;
use cm_train::{
    evaluation::{Asked, Predictor, Views},
    model::Model,
    study::Session,
};

use super::Score;
use crate::{error::CliError, vectors::dot};

/// Features by the position of their image.
pub struct Features {
    rows: Vec<Option<Vec<f32>>>,
    /// Images that are missing or cannot be read, and why.
    pub unread: Vec<(String, String)>,
}

/// What came of a pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared {
    /// Higher is more alike; −∞ where an image could not be read.
    pub score: f64,
    /// Lengths of the two features; NaN of an image that could not be read.
    pub norms: [f64; 2],
}

impl Features {
    /// Looks at every image once.
    ///
    /// # Errors
    ///
    /// A stop by Ctrl-C.
    pub fn of(
        model: &Model,
        set: Arc<dyn ImageSet>,
        views: Views,
        session: &Session,
        device: &Device,
    ) -> Result<Self, CliError> {
        let bar = session.display.bar(set.len(), "looking");
        let predictor = Predictor {
            input: &model.card.input,
            views,
            workers: session.workers,
            device,
            bar: &bar,
            interrupter: &session.interrupter,
        };
        let mut features = Self { rows: vec![None; set.len()], unread: Vec::new() };
        let asked = Asked { features: true, skip_failed: true, ..Asked::default() };
        let finished = predictor.each_batch(&model.network, set.clone(), asked, |batch| {
            let dim = batch.features.len() / batch.indices.len().max(1);
            for (row, &index) in batch.indices.iter().enumerate() {
                features.rows[index] = Some(batch.features[row * dim..(row + 1) * dim].to_vec());
            }
            for (index, reason) in batch.failed {
                features.unread.push((set.name(index), reason));
            }
            Ok::<(), CliError>(())
        })?;
        bar.finish_and_clear();
        if finished { Ok(features) } else { Err(CliError::Stopped) }
    }

    /// # Errors
    ///
    /// More images that cannot be read than are allowed.
    pub fn refuse_more_unread_than(&self, most: usize) -> Result<(), CliError> {
        let Some((file, reason)) = self.unread.first().filter(|_| self.unread.len() > most) else {
            return Ok(());
        };
        Err(CliError::Said(format!(
            "{} of {} images cannot be read, more than the {most} that --skip-bad allows; {file}: {reason}",
            self.unread.len(),
            self.rows.len()
        )))
    }

    /// Compares every pair.
    pub fn compare(&self, set: &PairSet, score: Score, quality_aware: Option<QualityAware>) -> Vec<Compared> {
        let pair = |images: [usize; 2]| {
            let [first, second] = images.map(|image| self.rows[image].as_deref());
            let norms = [first, second]
                .map(|feature| feature.map_or(f64::NAN, |feature| dot(feature, feature).sqrt()));
            let (Some(first), Some(second)) = (first, second) else {
                return Compared { score: f64::NEG_INFINITY, norms };
            };
            // A feature of length 0 is at a right angle to all others.
            let cosine = dot(first, second) / (norms[0] * norms[1]).max(f64::MIN_POSITIVE);
            let score = match (score, quality_aware) {
                (Score::Cosine, None) => cosine,
                (Score::Cosine, Some(aware)) => aware.score(cosine, norms),
                (Score::Distance, _) => -(2.0 - 2.0 * cosine),
                (Score::Raw, _) => {
                    -first.iter().zip(second).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>()
                }
            };
            Compared { score, norms }
        };
        set.pairs.iter().map(|of| pair(of.images)).collect()
    }
}
