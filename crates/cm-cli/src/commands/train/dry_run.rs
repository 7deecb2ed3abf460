//! `cm train --dry-run`: what a training would be, from a few batches.

use std::time::Instant;

use burn::{module::Module, optim::GradientsParams};
use cm_data::{Loader, LoaderConfig};
use cm_train::{
    classifier::Classifier,
    study::{Session, Study},
    training::to_device,
};

use super::study::OneTraining;
use crate::{error::CliError, session::peak_memory};

/// Batches that are timed; one before them warms up.
const BATCHES: usize = 5;

/// Trains a few batches, and says what they took.
pub fn run(session: &Session, training: &OneTraining) -> Result<(), CliError> {
    let mut devices = session.devices.open()?;
    let several = devices.len() > 1;
    let device = devices.remove(0).autodiff();
    let key = training.keys().remove(0);
    let trial = training.trial(&key)?;
    let card = &trial.card;
    let mut network = Classifier::new(card.parts(), key.seed, &device)?;
    if let Some(init) = &trial.init {
        network = init(network)?;
    }
    let mut optimizer = trial.recipe.optimizer.init();
    let config = LoaderConfig {
        batch_size: trial.recipe.batch_size,
        shuffle: Some(key.seed),
        augmentation: trial.recipe.augmentation.clone(),
        workers: session.workers,
        ..LoaderConfig::default()
    };
    let loader = Loader::new(trial.train.clone(), card.input.clone(), config)?;
    let (mut images, mut start) = (0, Instant::now());
    // With few images more than one epoch has so many.
    let batches = (0..=BATCHES).flat_map(|epoch| loader.epoch(epoch));
    for (step, raw) in batches.take(BATCHES + 1).enumerate() {
        if session.interrupter.should_stop() {
            return Err(CliError::Said("stopped before the end".to_owned()));
        }
        let raw = raw?;
        let count = raw.labels.len();
        let loss = network.forward(to_device(raw, 1, step + 1, &device)).mean_loss();
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        network = optimizer.step(1e-6, network, gradients);
        // Nothing is done on a GPU until it is asked for.
        let _ = network.devices()[0].sync();
        match step {
            0 => start = Instant::now(),
            _ => images += count,
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let [channels, height, width] = card.image();
    println!(
        "{} of {} parameters: [{}, {channels}, {height}, {width}] -> [{}, {}] -> {} classes",
        card.backbone.name(),
        network.num_params(),
        trial.recipe.batch_size,
        trial.recipe.batch_size,
        card.feature_dim,
        card.classes.len()
    );
    if images > 0 {
        let rate = images as f64 / seconds;
        let epoch = trial.train.len() as f64 / rate;
        println!(
            "{rate:.0} images/s{}: {epoch:.0} s for each of {} epochs, {:.1} minutes in all, without validation",
            if several { " on the first device" } else { "" },
            trial.recipe.epochs,
            epoch * trial.recipe.epochs as f64 / 60.0
        );
    }
    if let Some(memory) = peak_memory() {
        println!("{memory:.0} MB of memory so far, decoded images in it");
    }
    Ok(())
}
