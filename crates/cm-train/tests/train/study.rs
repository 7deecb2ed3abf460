//! Whole studies, small enough for a test.

use std::{fs, thread, time::Duration};

use burn::train::Interrupter;
use cm_loss_core::Preset;
use cm_record::{EpochRecord, Results};
use cm_train::{
    Error,
    study::{BURN_VERSION, StudyFolder},
    training::{BEST, LAST},
};

use crate::shared::{Config, edit_config, resume, session, start, start_with, timeless};

#[test]
fn a_study_leaves_a_record_that_names_everything_and_models_that_can_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new").join("out");
    // Three hundred steps.
    let config = Config { images: 480, ..Config::new(&[Preset::Softmax, Preset::CmCosFace], 10) };
    let results = start(&out, config).unwrap();
    assert!(results.complete);
    assert_eq!((results.data.name.as_str(), results.runs.len()), ("stripes", 2));
    for run in &results.runs {
        assert_eq!(run.epochs.len(), 10);
        assert_eq!((run.environment.burn.as_str(), run.environment.commit.as_str()), (BURN_VERSION, "abc"));
        assert!(run.epochs.iter().all(|e| e.train_loss > 0.0 && e.norm_mean > 0.0 && e.seconds > 0.0));
        // One cycle ends near 0.
        assert!(run.epochs[9].learning_rate < 1e-6 && run.epochs[1].learning_rate > 1e-4);
        assert!(run.value("accuracy", "").unwrap() > 0.8, "{:?} {:?}", run.measurements, run.epochs);
        let models = out.join("runs").join(run.key.slug());
        assert!(models.join(BEST).is_file() && models.join(LAST).is_file());
    }
    assert_eq!(Results::read(&out).unwrap(), results);

    let again = StudyFolder::create(&out).unwrap_err();
    assert!(matches!(again, Error::OutputInUse { .. }) && again.to_string().contains("--resume"), "{again}");
    assert_eq!(timeless(&resume(&out).unwrap()), timeless(&results));
}

#[test]
fn the_same_seed_gives_the_same_bits_for_any_number_of_workers_and_another_seed_others() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, seed: u64, workers: usize| {
        let config = Config { seed, ..Config::new(&[Preset::CmSoftmax], 1) };
        let session = cm_train::study::Session { workers, ..session(Interrupter::new()) };
        start_with(&session, &folder.path().join(name), config).unwrap()
    };
    let (a, b, c) = (run("a", 5, 1), run("b", 5, 3), run("c", 6, 1));
    assert_eq!(timeless(&a), timeless(&b));
    assert_ne!(a.runs[0].measurements, c.runs[0].measurements);
}

#[test]
fn networks_trained_at_once_are_those_trained_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let losses = [Preset::Softmax, Preset::CmCosFace, Preset::ElasticFaceArc];
    let run = |name: &str, jobs: usize| {
        let session = cm_train::study::Session { jobs, ..session(Interrupter::new()) };
        // A pool of one thread, so that the threads of a training are the same: sums are in the order of threads.
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let config = Config::new(&losses, 2);
        one.install(|| start_with(&session, &folder.path().join(name), config)).unwrap()
    };
    let (one, three) = (run("one", 1), run("three", 3));
    assert_eq!(timeless(&one), timeless(&three));
    assert!(three.complete && three.runs.len() == 3);
}

#[test]
fn an_interrupted_study_goes_on_to_the_very_results_of_one_that_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let config = || Config { images: 1200, ..Config::new(&[Preset::Softmax, Preset::CmCosFace], 4) };
    let whole = start(&folder.path().join("whole"), config()).unwrap();

    let out = folder.path().join("interrupted");
    let interrupter = Interrupter::new();
    let watched = out.join("runs/cm-cosface-d4-s0/checkpoint/scheduler-2.bpk");
    let handle = interrupter.clone();
    thread::spawn(move || {
        while !watched.exists() {
            thread::sleep(Duration::from_millis(1));
        }
        handle.stop(Some("test"));
    });
    let error = start_with(&session(interrupter), &out, config()).unwrap_err();
    assert!(error.is_interruption() && error.to_string().contains("--resume"), "{error}");
    let kept = Results::read(&out).unwrap();
    assert_eq!((kept.complete, kept.runs.len()), (false, 1));

    assert_eq!(timeless(&resume(&out).unwrap()), timeless(&whole));
}

#[test]
fn a_checkpoint_that_cannot_be_written_ends_the_run_with_its_name_and_keeps_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let checkpoints = out.join("runs/softmax-d4-s0/checkpoint");
    // A folder where the file must go, as the only obstacle that holds for every user and file system.
    fs::create_dir_all(checkpoints.join("model-2.bpk/in-the-way")).unwrap();
    let error = start(&out, Config::new(&[Preset::Softmax], 3)).unwrap_err().to_string();
    assert!(error.contains("model-2.bpk") && error.contains("--resume"), "{error}");
    let names = fs::read_dir(&checkpoints).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    assert!(names.contains(&"model-1.bpk".to_owned()), "{names:?}");
    assert!(!names.iter().any(|name| name.contains("partial")), "{names:?}");

    fs::remove_dir_all(checkpoints.join("model-2.bpk")).unwrap();
    let whole = start(&folder.path().join("whole"), Config::new(&[Preset::Softmax], 3)).unwrap();
    assert_eq!(timeless(&resume(&out).unwrap()), timeless(&whole));
}

#[test]
fn a_damaged_checkpoint_is_passed_over_for_the_one_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let whole = start(&out, Config::new(&[Preset::Softmax], 4)).unwrap();
    let curve = fs::read(out.join("runs/softmax-d4-s0/epochs.json")).unwrap();
    let before: Vec<EpochRecord> = serde_json::from_slice(&curve).unwrap();
    // As if the program had been killed, and the disk damaged, before the run was recorded.
    fs::remove_file(out.join("results.json")).unwrap();
    let damaged = out.join("runs/softmax-d4-s0/checkpoint/model-4.bpk");
    let bytes = fs::read(&damaged).unwrap();
    fs::write(&damaged, &bytes[..bytes.len() / 2]).unwrap();
    let resumed = resume(&out).unwrap();
    assert_eq!(timeless(&resumed), timeless(&whole));
    // Three epochs were kept, the last trained again.
    let after = &resumed.runs[0].epochs;
    assert_eq!(after[..3], before[..3]);
    assert_ne!(after[3].seconds, before[3].seconds);
}

#[test]
fn damaged_and_missing_files_of_a_study_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = resume(folder.path()).unwrap_err().to_string();
    assert!(nothing.contains("no config.json"), "{nothing}");
    fs::write(folder.path().join("config.json"), "{\"application\":").unwrap();
    let damaged = resume(folder.path()).unwrap_err().to_string();
    assert!(damaged.contains("config.json is damaged"), "{damaged}");
    let file = folder.path().join("a-file");
    fs::write(&file, "").unwrap();
    let unwritable = StudyFolder::create(&file.join("out")).unwrap_err().to_string();
    assert!(
        unwritable.contains("cannot write to the folder") && unwritable.contains("--out"),
        "{unwritable}"
    );
    assert!(unwritable.contains("a-file"), "{unwritable}");
    fs::write(folder.path().join("config.json"), r#"{"application": "signs", "settings": {}}"#).unwrap();
    let other = resume(folder.path()).unwrap_err().to_string();
    assert!(other.contains("holds a study of another kind (signs)"), "{other}");
}

#[test]
fn a_folder_that_nothing_came_into_is_as_if_it_had_never_been() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("a").join("b");
    drop(StudyFolder::create(&out).unwrap());
    assert!(!folder.path().join("a").exists());
    fs::create_dir_all(&out).unwrap();
    fs::write(out.join("mine.txt"), "mine").unwrap();
    drop(StudyFolder::create(&out).unwrap());
    assert_eq!(fs::read_dir(&out).unwrap().count(), 1);
    let held = StudyFolder::create(&out).unwrap();
    let locked = StudyFolder::create(&out).unwrap_err().to_string();
    assert!(locked.contains("another process is working"), "{locked}");
    drop(held);
}

#[test]
fn data_that_changed_since_the_study_began_are_noticed_and_the_difference_named() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    start(&out, Config::new(&[Preset::Softmax], 1)).unwrap();
    edit_config(&out, "\"data_seed\": 0", "\"data_seed\": 1");
    let error = resume(&out).unwrap_err().to_string();
    assert!(error.contains("seed had the checksum 0 and now has 1"), "{error}");

    // Also where no run was finished yet.
    let out = folder.path().join("interrupted");
    let interrupter = Interrupter::new();
    let (handle, begun) = (interrupter.clone(), out.join("results.json"));
    thread::spawn(move || {
        while !begun.exists() {
            thread::sleep(Duration::from_millis(1));
        }
        handle.stop(Some("test"));
    });
    let stopped = start_with(&session(interrupter), &out, Config::new(&[Preset::Softmax], 400));
    assert!(stopped.unwrap_err().is_interruption());
    edit_config(&out, "\"images\": 120", "\"images\": 150");
    let error = resume(&out).unwrap_err().to_string();
    assert!(error.contains("train had 120 images and now has 150"), "{error}");
}

#[test]
fn a_stop_before_the_first_step_says_that_nothing_was_trained() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new").join("out");
    let interrupter = Interrupter::new();
    interrupter.stop(Some("test"));
    let stopped = start_with(&session(interrupter), &out, Config::new(&[Preset::Softmax], 1)).unwrap_err();
    assert!(stopped.is_interruption() && stopped.to_string().contains("before anything"), "{stopped}");
}

#[test]
fn only_the_epochs_may_be_raised_and_then_every_run_is_trained_further() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    start(&out, Config::new(&[Preset::Softmax, Preset::CosFace], 2)).unwrap();
    edit_config(&out, "\"epochs\": 2", "\"epochs\": 3");
    let raised = resume(&out).unwrap();
    assert!(raised.runs.iter().all(|run| run.epochs.len() == 3));
    assert_eq!(raised.config["recipe"]["epochs"], 3);
    // The raised number is what was chosen from then on.
    assert_eq!(resume(&out).unwrap().runs[0].epochs.len(), 3);
    edit_config(&out, "\"epochs\": 3", "\"epochs\": 2");
    let lowered = resume(&out).unwrap_err().to_string();
    assert!(lowered.contains("recipe.epochs = 3, and not with 2"), "{lowered}");
    edit_config(&out, "\"epochs\": 2", "\"epochs\": 3");
    edit_config(&out, "\"batch_size\": 16", "\"batch_size\": 8");
    let changed = resume(&out).unwrap_err().to_string();
    assert!(changed.contains("recipe.batch_size = 16"), "{changed}");
}

#[test]
fn a_training_that_stopped_improving_ends_and_its_best_model_counts() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mut config = Config { select_best: true, ..Config::new(&[Preset::CosFace], 40) };
    config.recipe.early_stopping = Some(3);
    let results = start(&out, config).unwrap();
    let run = &results.runs[0];
    assert!(run.epochs.len() < 40, "{}", run.epochs.len());
    let best = cm_train::training::best_epoch(&run.epochs).unwrap();
    assert_eq!(run.epochs.len() - best.epoch, 3);
    assert!((run.value("accuracy", "").unwrap() - best.valid_accuracy).abs() < 1e-9);
    assert_eq!(timeless(&resume(&out).unwrap()), timeless(&results));
}

#[test]
fn what_a_killed_program_left_unfinished_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    start(&out, Config::new(&[Preset::Softmax], 1)).unwrap();
    let run = fs::read_dir(out.join("runs")).unwrap().next().unwrap().unwrap().path();
    let leftovers = [&out, &out.join("features"), &run, &run.join("checkpoint")];
    let leftovers = leftovers.map(|folder| folder.join(".partial-results"));
    for path in &leftovers {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "half").unwrap();
    }
    resume(&out).unwrap();
    assert!(leftovers.iter().all(|path| !path.exists()), "{leftovers:?}");
}
