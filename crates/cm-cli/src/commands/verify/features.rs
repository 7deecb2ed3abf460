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
use crate::{
    error::CliError,
    vectors::{dot, unit},
};

/// Features by the position of their image.
pub struct Features {
    rows: Vec<Option<Row>>,
    /// Images that are missing or cannot be read, and why.
    pub unread: Vec<(String, String)>,
}

/// What a network says of an image.
#[derive(Debug, Clone)]
struct Row {
    feature: Vec<f32>,
    /// The mean length of the features of the views.
    norm: f64,
}

/// What came of a pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared {
    /// Higher is more alike; −∞ where an image could not be read.
    pub score: f64,
    /// Lengths of the features of the two images, the mean over the views; NaN of an image that could not be read.
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
                let feature = batch.features[row * dim..(row + 1) * dim].to_vec();
                features.rows[index] = Some(Row { feature, norm: f64::from(batch.norms[row]) });
            }
            for (index, reason) in batch.failed {
                features.unread.push((set.name(index), reason));
            }
            Ok::<(), CliError>(())
        })?;
        bar.finish_and_clear();
        if !finished {
            return Err(CliError::Stopped);
        }
        features.refuse_not_finite(set.as_ref())?;
        Ok(features)
    }

    /// A network that diverged says nothing of any pair.
    fn refuse_not_finite(&self, set: &dyn ImageSet) -> Result<(), CliError> {
        let is_finite = |row: &Row| row.feature.iter().all(|value| value.is_finite());
        let mut wrong =
            (0..self.rows.len()).filter(|&at| self.rows[at].as_ref().is_some_and(|row| !is_finite(row)));
        let Some(first) = wrong.next() else { return Ok(()) };
        Err(CliError::Said(format!(
            "the features of {} of {} images are NaN or infinite, that of {} the first; the model diverged when it was trained, or is \
             damaged",
            1 + wrong.count(),
            self.rows.len(),
            set.name(first)
        )))
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

    /// The directions of the features, `None` of an image that could not be read.
    pub fn into_units(self) -> Vec<Option<Vec<f32>>> {
        self.rows.into_iter().map(|row| Some(unit(row?.feature))).collect()
    }

    /// Compares every pair.
    pub fn compare(&self, set: &PairSet, score: Score, quality_aware: Option<QualityAware>) -> Vec<Compared> {
        let pair = |images: [usize; 2]| {
            let rows = images.map(|image| self.rows[image].as_ref());
            let norms = rows.map(|row| row.map_or(f64::NAN, |row| row.norm));
            let [Some(first), Some(second)] = rows.map(|row| Some(&*row?.feature)) else {
                return Compared { score: f64::NEG_INFINITY, norms };
            };
            // A feature of length 0 is at a right angle to all others.
            let lengths = (dot(first, first) * dot(second, second)).sqrt();
            let cosine = dot(first, second) / lengths.max(f64::MIN_POSITIVE);
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
