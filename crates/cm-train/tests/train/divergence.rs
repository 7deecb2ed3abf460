//! Trainings whose numbers leave the range of numbers.

use std::fs;

use burn::train::Interrupter;
use cm_loss_core::Preset;
use cm_record::{Results, Status};
use cm_train::study::Session;

use crate::shared::{Config, resume, resume_with, session, start, timeless};

fn diverging() -> Config {
    let mut config = Config::new(&[Preset::Softmax, Preset::CmCosFace], 3);
    config.recipe.schedule.learning_rate = 1e37;
    config
}

#[test]
fn a_run_that_diverges_ends_in_that_step_is_recorded_and_does_not_keep_the_others_from_being_trained() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let results = start(&out, diverging()).unwrap();
    assert_eq!(results.runs.len(), 2);
    let Status::Diverged { epoch, step, reason } = &results.runs[0].status else {
        panic!("{:?}", results.runs[0].status)
    };
    // The first step is made with the weights that were drawn, the second with what it left.
    assert_eq!((*epoch, *step), (1, 2), "{reason}");
    assert!(reason.contains("feature norms from") && reason.contains("image "), "{reason}");
    assert!(reason.contains("and 12 more"), "{reason}");
    assert!(results.runs[0].measurements.is_empty());
    // Everything that was written can be read again, and is not trained again.
    assert_eq!(timeless(&Results::read(&out).unwrap()), timeless(&results));
    assert_eq!(timeless(&resume(&out).unwrap()), timeless(&results));
}

#[test]
fn a_diverged_run_is_trained_again_when_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let created = start(&out, diverging()).unwrap();
    let session = Session { retry_diverged: true, ..session(Interrupter::new()) };
    let again = resume_with(&session, &out).unwrap();
    assert!(again.wall_seconds > created.wall_seconds);
}

#[test]
fn the_last_good_checkpoint_stays() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    start(&out, Config::new(&[Preset::Softmax], 2)).unwrap();
    let checkpoints = out.join("runs/softmax-d4-s0/checkpoint");
    let model = fs::read(checkpoints.join("model-2.bpk")).unwrap();
    // As if the learning rate had been far too high from then on.
    let path = out.join("config.json");
    let text = fs::read_to_string(&path).unwrap();
    let text = text.replace("\"epochs\": 2", "\"epochs\": 3").replace("0.003", "1e37");
    fs::write(&path, text).unwrap();
    let record = out.join("results.json");
    let text = fs::read_to_string(&record).unwrap().replace("0.003", "1e37");
    fs::write(&record, text).unwrap();
    let results = resume(&out).unwrap();
    assert!(!results.runs[0].is_finished());
    assert_eq!(results.runs[0].epochs.len(), 2);
    assert_eq!(fs::read(checkpoints.join("model-2.bpk")).unwrap(), model);
}

#[test]
fn a_loss_that_runs_away_is_divergence_before_it_is_infinite() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::new(&[Preset::Softmax], 30);
    config.recipe.schedule.learning_rate = 30.0;
    config.recipe.max_grad_norm = None;
    let results = start(&folder.path().join("out"), config).unwrap();
    let Status::Diverged { reason, .. } = &results.runs[0].status else {
        panic!("{:?}", results.runs[0].epochs)
    };
    assert!(reason.contains("rose to"), "{reason}");
}
