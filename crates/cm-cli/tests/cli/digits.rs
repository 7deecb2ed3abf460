//! Whole experiments, small enough for a test.

use std::{fs, path::Path, thread, time::Duration};

use burn::train::Interrupter;
use cm_loss_core::Preset;
use cm_train::{
    Error,
    data::DataChoice,
    device::Backend,
    experiment::{self, EpochRecord, ExperimentConfig, Output, Profile, Results, Session},
    report,
    training::Display,
};

fn config(losses: &[Preset], epochs: usize) -> ExperimentConfig {
    let mut config = Profile::Quick.config();
    config.data = DataChoice::Synthetic;
    config.losses = losses.to_vec();
    config.feature_dims = vec![2];
    config.width = 3;
    config.train_images = 300;
    config.test_images = 60;
    config.recipe.epochs = epochs;
    config
}

fn session(interrupter: Interrupter) -> Session {
    Session { backend: Backend::Flex, data_dir: None, display: Display::Quiet, interrupter }
}

fn start(folder: &Path, config: ExperimentConfig) -> Result<Results, Error> {
    let output = Output::New(Some(folder.to_owned()), Box::new(config));
    experiment::run(&session(Interrupter::new()), output).map(|(_, results)| results)
}

fn resume(folder: &Path) -> Result<Results, Error> {
    let output = Output::Resume(folder.to_owned());
    experiment::run(&session(Interrupter::new()), output).map(|(_, results)| results)
}

/// Seconds of the epochs that the first run of an experiment has stored.
fn seconds(out: &Path) -> Vec<f64> {
    let curve = fs::read(out.join("runs/softmax-d2-s0/epochs.json")).unwrap();
    let epochs: Vec<EpochRecord> = serde_json::from_slice(&curve).unwrap();
    epochs.iter().map(|epoch| epoch.seconds).collect()
}

/// The record without what depends on the clock.
fn timeless(results: &Results) -> String {
    let mut results = results.clone();
    results.created.clear();
    results.wall_seconds = 0.0;
    for run in &mut results.runs {
        (run.train_seconds, run.images_per_second) = (0.0, 0.0);
        run.epochs.iter_mut().for_each(|epoch| epoch.seconds = 0.0);
    }
    serde_json::to_string_pretty(&results).unwrap()
}

#[test]
fn an_experiment_leaves_a_record_that_names_everything_and_a_report_that_can_be_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new").join("out");
    let results = start(&out, config(&[Preset::Softmax, Preset::CmCosFace], 2)).unwrap();
    assert!(results.complete);
    assert_eq!(results.data.name, "synthetic digits");
    assert_eq!(results.data.train_severities, [270, 8, 8, 7, 7]);
    assert_eq!(results.environment.burn, experiment::BURN_VERSION);
    assert_eq!(results.runs.len(), 2);
    for run in &results.runs {
        assert_eq!((run.epochs.len(), run.severities.len()), (2, 5));
        assert!(run.severities.iter().all(|s| s.images == 60 && s.norm_std > 0.0));
        assert!(run.epochs.iter().all(|e| e.train_loss > 0.0 && e.norm_mean > 0.0 && e.seconds > 0.0));
        // One cycle ends near 0.
        assert!(run.epochs[1].learning_rate < 1e-6 && run.epochs[0].learning_rate > 1e-4);
    }
    let (read, features) = report::load(&out).unwrap();
    assert_eq!(read, results);
    assert!(features.iter().all(|rows| rows.len() == 5 * 60));

    let html = fs::read(out.join("report.html")).unwrap();
    fs::remove_file(out.join("report.html")).unwrap();
    let files = report::rebuild(&out).unwrap();
    assert!(files.contains(&out.join("report.html")) && files.contains(&out.join("features.png")));
    assert_eq!(fs::read(out.join("report.html")).unwrap(), html);

    let again = start(&out, config(&[Preset::Softmax], 1)).unwrap_err();
    assert!(matches!(again, Error::OutputInUse { .. }) && again.to_string().contains("--resume"), "{again}");
    assert_eq!(timeless(&resume(&out).unwrap()), timeless(&results));
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_seed_others() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, seed: u64| {
        let mut config = config(&[Preset::CmSoftmax], 1);
        config.seeds = vec![seed];
        start(&folder.path().join(name), config).unwrap()
    };
    let (a, b, c) = (run("a", 5), run("b", 5), run("c", 6));
    assert_eq!(timeless(&a), timeless(&b));
    assert_ne!(a.runs[0].severities, c.runs[0].severities);
}

#[test]
fn an_interrupted_experiment_goes_on_to_the_very_results_of_one_that_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let config =
        || ExperimentConfig { train_images: 1200, ..config(&[Preset::Softmax, Preset::CmCosFace], 4) };
    let whole = start(&folder.path().join("whole"), config()).unwrap();

    let out = folder.path().join("interrupted");
    let interrupter = Interrupter::new();
    let (watched, handle) =
        (out.join("runs/cm-cosface-d2-s0/checkpoint/scheduler-2.bpk"), interrupter.clone());
    thread::spawn(move || {
        while !watched.exists() {
            thread::sleep(Duration::from_millis(1));
        }
        handle.stop(Some("test"));
    });
    let stopped = experiment::run(&session(interrupter), Output::New(Some(out.clone()), Box::new(config())));
    let error = stopped.unwrap_err();
    assert!(error.is_interruption() && error.to_string().contains("--resume"), "{error}");
    let kept = report::read_results(&out).unwrap();
    assert_eq!((kept.complete, kept.runs.len()), (false, 1));

    assert_eq!(timeless(&resume(&out).unwrap()), timeless(&whole));
}

#[test]
fn a_checkpoint_that_cannot_be_written_ends_the_run_with_its_name_and_keeps_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let checkpoints = out.join("runs/softmax-d2-s0/checkpoint");
    // A folder where the file must go, as the only obstacle that holds for every user and file system.
    fs::create_dir_all(checkpoints.join("model-2.bpk/in-the-way")).unwrap();
    let error = start(&out, config(&[Preset::Softmax], 3)).unwrap_err().to_string();
    assert!(error.contains("model-2.bpk") && error.contains("--resume"), "{error}");
    let names = fs::read_dir(&checkpoints).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    assert!(names.contains(&"model-1.bpk".to_owned()), "{names:?}");
    assert!(!names.iter().any(|name| name.contains("partial")), "{names:?}");

    fs::remove_dir_all(checkpoints.join("model-2.bpk")).unwrap();
    let whole = start(&folder.path().join("whole"), config(&[Preset::Softmax], 3)).unwrap();
    assert_eq!(timeless(&resume(&out).unwrap()), timeless(&whole));
}

#[test]
fn a_damaged_checkpoint_is_passed_over_for_the_one_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let whole = start(&out, config(&[Preset::Softmax], 4)).unwrap();
    let before = seconds(&out);
    // As if the program had been killed, and the disk damaged, before the run was recorded.
    fs::remove_file(out.join("results.json")).unwrap();
    let damaged = out.join("runs/softmax-d2-s0/checkpoint/model-4.bpk");
    let bytes = fs::read(&damaged).unwrap();
    fs::write(&damaged, &bytes[..bytes.len() / 2]).unwrap();
    let resumed = resume(&out).unwrap();
    assert_eq!(timeless(&resumed), timeless(&whole));
    // Three epochs were kept, the last trained again.
    let after: Vec<f64> = resumed.runs[0].epochs.iter().map(|epoch| epoch.seconds).collect();
    assert_eq!(after[..3], before[..3]);
    assert_ne!(after[3], before[3]);
}

#[test]
fn damaged_and_missing_files_of_an_experiment_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = resume(folder.path()).unwrap_err().to_string();
    assert!(nothing.contains("no config.json"), "{nothing}");
    fs::write(folder.path().join("config.json"), "{\"profile\":").unwrap();
    let damaged = resume(folder.path()).unwrap_err().to_string();
    assert!(damaged.contains("config.json is damaged"), "{damaged}");
    let file = folder.path().join("a-file");
    fs::write(&file, "").unwrap();
    let unwritable = start(&file.join("out"), config(&[Preset::Softmax], 1)).unwrap_err().to_string();
    assert!(
        unwritable.contains("cannot write to the folder") && unwritable.contains("--out"),
        "{unwritable}"
    );
    assert!(unwritable.contains("a-file"), "{unwritable}");
}

#[test]
fn data_that_changed_since_the_experiment_began_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    start(&out, config(&[Preset::Softmax], 1)).unwrap();
    let path = out.join("config.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"data_seed\": 0", "\"data_seed\": 1")).unwrap();
    let error = resume(&out).unwrap_err();
    assert!(matches!(error, Error::DataChanged { .. }), "{error}");

    // Also where no run was finished yet.
    let out = folder.path().join("interrupted");
    let interrupter = Interrupter::new();
    interrupter.stop(Some("test"));
    let output = Output::New(Some(out.clone()), Box::new(config(&[Preset::Softmax], 1)));
    assert!(experiment::run(&session(interrupter), output).unwrap_err().is_interruption());
    let path = out.join("config.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"data_seed\": 0", "\"data_seed\": 1")).unwrap();
    let error = resume(&out).unwrap_err();
    assert!(matches!(error, Error::DataChanged { .. }), "{error}");
}

#[test]
fn an_experiment_goes_on_only_on_the_backend_that_it_was_begun_on() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    start(&out, config(&[Preset::Softmax], 1)).unwrap();
    let path = out.join("results.json");
    let results = fs::read_to_string(&path).unwrap();
    fs::write(&path, results.replace("\"backend\": \"flex\"", "\"backend\": \"cuda\"")).unwrap();
    let error = resume(&out).unwrap_err().to_string();
    assert!(error.contains("begun on the backend cuda") && error.contains("--backend cuda"), "{error}");
}

#[test]
fn a_run_that_diverges_is_named_and_does_not_keep_the_others_from_being_trained() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mut config = config(&[Preset::Softmax, Preset::CmCosFace], 3);
    config.recipe.schedule.learning_rate = 1e37;
    let error = start(&out, config).unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, Error::Diverged { .. }), "{message}");
    assert!(
        message.starts_with("Softmax 2-d seed 0 diverged") && message.contains("--learning-rate"),
        "{message}"
    );
    assert!(out.join("runs/cm-cosface-d2-s0/checkpoint").is_dir());
    // Everything that was written can be read again.
    assert!(report::read_results(&out).unwrap().runs.iter().all(|run| run.loss != "Softmax"));
    assert!(matches!(resume(&out).unwrap_err(), Error::Diverged { .. }));
}

#[test]
fn numbers_that_no_training_can_use_are_refused_with_the_name_of_their_option() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |change: fn(&mut ExperimentConfig)| {
        let mut config = config(&[Preset::Softmax], 1);
        change(&mut config);
        start(&folder.path().join("out"), config).unwrap_err().to_string()
    };
    assert!(refused(|c| c.recipe.epochs = 0).contains("--epochs must be at least 1, but is 0"));
    assert!(refused(|c| c.recipe.batch_size = 0).contains("--batch-size"));
    assert!(refused(|c| c.low_quality_fraction = 1.5).contains("--low-quality-fraction must be from 0 to 1"));
    assert!(refused(|c| c.recipe.schedule.learning_rate = f64::NAN).contains("--learning-rate"));
    assert!(refused(|c| c.losses.push(Preset::Softmax)).contains("--losses must be values that differ"));
    assert!(refused(|c| c.seeds.clear()).contains("--seeds"));
    assert!(!folder.path().join("out").exists());
}
