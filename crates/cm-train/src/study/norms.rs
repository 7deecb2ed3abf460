//! The norms of the training images, for the card of a finished model.

use std::{path::Path, sync::Arc};

use cm_data::{ImageSet, Subset};

use crate::{
    Error,
    classifier::Classifier,
    evaluation::{Asked, Predictor},
    model::{self, Model, NormQuantiles},
};

/// Most images that are looked at: a hundredth of them is then a hundred.
const MOST: usize = 10_000;

/// As many images of a set as are looked at, spread evenly over it.
pub(super) fn chosen(train: &Arc<dyn ImageSet>) -> Arc<dyn ImageSet> {
    let (count, all) = (train.len().min(MOST), train.len());
    let indices: Vec<usize> = (0..count).map(|i| i * all / count).collect();
    Arc::new(Subset::new(train.clone(), indices))
}

/// Writes the norms of these images, which the model learned from, into its card. `false` when told to stop.
pub(super) fn add(
    path: &Path,
    network: &Classifier,
    images: Arc<dyn ImageSet>,
    predictor: &Predictor<'_>,
) -> Result<bool, Error> {
    let mut norms = Vec::with_capacity(images.len());
    let finished = predictor.each_batch(network, images, Asked::default(), |batch| {
        norms.extend(batch.norms.into_iter().map(f64::from));
        Ok::<(), Error>(())
    })?;
    if finished {
        let Model { mut card, network } = Model::read(path, predictor.device)?;
        card.norms = NormQuantiles::of(&norms);
        model::save(path, &card, &network)?;
    }
    Ok(finished)
}
