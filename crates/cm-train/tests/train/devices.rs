//! Training on several devices with Burn's own strategies: every worker trains a fork of the network on its part of each batch.

use std::sync::Arc;

use burn::{
    tensor::Device,
    train::{ExecutionStrategy, Interrupter, Learner, MultiDeviceOptim, SupervisedTraining},
};
use cm_data::{ImageSet, LoaderConfig};
use cm_loss_core::{ClassSampling, HeadConfig, Preset};
use cm_models::{BackboneConfig, ResNet18Config, Stem};
use cm_record::Results;
use cm_train::{
    classifier::{Classifier, Parts},
    device::{Backend, Devices, Place},
    study::Session,
    training::{ImageLoader, LAST, OptimizerConfig, Schedule, Scheduler, Shape},
};

use crate::shared::{CLASSES, Config, SIDE, edit_config, input, resume_with, session, start_with, stripes};

/// The network after an epoch of 96 images in batches of 8 on two devices, four images each.
fn trained(preset: Preset, strategy: MultiDeviceOptim) -> Classifier {
    let device = Device::flex();
    let mut head = preset.config();
    if let HeadConfig::Margin(config) = &mut head {
        config.sampling = Some(ClassSampling { fraction: 0.9, seed: 3 });
    }
    let parts = Parts {
        backbone: &BackboneConfig::lenet_pp(2),
        input: [1, SIDE, SIDE],
        feature_dim: 4,
        head: &head,
        classes: CLASSES,
    };
    let network = Classifier::new(parts, 1, &device.clone().autodiff()).unwrap();
    let set: Arc<dyn ImageSet> = Arc::new(stripes(96, 0));
    let loader = || {
        let config = LoaderConfig { batch_size: 8, ..LoaderConfig::default() };
        ImageLoader::new(set.clone(), input(), config, 0, &device).unwrap().for_devices(2, None).unwrap()
    };
    let schedule = Schedule { learning_rate: 1e-3, warm_up_epochs: 0.0, shape: Shape::OneCycle };
    let optimizer = OptimizerConfig::AdamW { weight_decay: 1e-2 };
    let folder = tempfile::tempdir().unwrap();
    let devices = vec![device.clone().autodiff(); 2];
    let result = SupervisedTraining::new(folder.path(), Arc::new(loader()), Arc::new(loader()))
        .with_application_logger(None)
        .with_training_strategy(ExecutionStrategy::MultiDevice(devices, strategy).into())
        .num_epochs(1)
        .launch(Learner::new(network, optimizer.init(), Scheduler::new(schedule, 12, 1)));
    assert!(result.error.is_none(), "{:?}", result.error);
    result.model
}

#[test]
fn every_part_of_every_batch_is_remembered_once_and_a_batch_is_one_step() {
    // The sharded optimizer passes the network by, which then cannot count.
    for (strategy, steps) in [(MultiDeviceOptim::OptimMainDevice, 12), (MultiDeviceOptim::OptimSharded, 0)] {
        let state = trained(Preset::CalibratedCmCosFace, strategy).head.state();
        assert_eq!(state.steps, Some(steps), "{strategy:?}");
        let moments = state.norm_map.unwrap();
        assert_eq!((moments.batches_of_mean, moments.batches_of_std), (24, 24), "{strategy:?}");
        assert!(moments.mean > 0.0 && moments.std > 0.0, "{strategy:?}: {moments:?}");
    }
}

#[test]
fn margins_with_a_memory_train_on_two_devices() {
    for preset in [Preset::AdaFace, Preset::CurricularFace, Preset::ElasticFaceArcPlus] {
        let state = trained(preset, MultiDeviceOptim::OptimMainDevice).head.state();
        assert_eq!(state.steps, Some(12), "{preset}");
        if preset == Preset::AdaFace {
            assert!(state.margin.unwrap().mean < 20.0);
        }
        if preset == Preset::CurricularFace {
            assert_ne!(state.curriculum, Some(0.0));
        }
    }
}

/// How often the weights are moved shows in sums of gradients, which AdamW would hide: this is SGD.
fn config(loss: Preset, class_weights: Option<Vec<f64>>) -> Config {
    let mut config = Config::new(&[loss], 3);
    // Fifteen batches, and one image for one of the devices alone.
    config.images = 241;
    config.class_weights = class_weights;
    config.recipe.optimizer = OptimizerConfig::Sgd { momentum: 0.9, weight_decay: 5e-4 };
    config.recipe.schedule.learning_rate = 0.02;
    config
}

fn on(devices: usize) -> Session {
    let devices = Devices::new(Place::Here(Backend::Flex), vec![0; devices]);
    Session { devices, ..session(Interrupter::new()) }
}

#[test]
fn two_devices_train_as_one_does_with_the_whole_batch() {
    let cases = [
        (Preset::CmCosFace, None, None),
        (Preset::CosFace, Some(vec![1.0, 0.25, 4.0]), None),
        (Preset::SphereFace, None, None),
        // The margin is whole after thirty of the forty-eight steps.
        (Preset::ArcFace, None, Some(30)),
    ];
    for (loss, class_weights, margin_warm_up) in cases {
        let folder = tempfile::tempdir().unwrap();
        let trained = |devices: usize| {
            let mut config = config(loss, class_weights.clone());
            config.margin_warm_up = margin_warm_up;
            start_with(&on(devices), &folder.path().join(devices.to_string()), config).unwrap()
        };
        let (one, two, three) = (trained(1), trained(2), trained(3));
        for several in [&two, &three] {
            for (expected, found) in one.runs[0].epochs.iter().zip(&several.runs[0].epochs) {
                for (name, expected, found) in [
                    ("loss", expected.train_loss, found.train_loss),
                    ("validation loss", expected.valid_loss, found.valid_loss),
                    ("norm", expected.norm_mean, found.norm_mean),
                ] {
                    let error = (found - expected).abs() / expected;
                    println!("{loss}: {name} {expected} {found}");
                    assert!(error < 1e-4, "{loss}: {name} {found}, on one device {expected}");
                }
                assert_eq!(found.learning_rate, expected.learning_rate);
            }
        }
        assert_eq!(two.runs[0].environment.backend, "flex:0,0");
    }
}

#[test]
fn a_training_on_two_devices_that_goes_on_sees_the_images_that_it_would_have_seen() {
    let folder = tempfile::tempdir().unwrap();
    let config = |epochs| {
        let mut config = config(Preset::CmCosFace, None);
        (config.recipe.epochs, config.recipe.schedule.shape) = (epochs, Shape::Constant);
        config
    };
    let whole = start_with(&on(2), &folder.path().join("whole"), config(4)).unwrap();
    let out = folder.path().join("broken");
    start_with(&on(2), &out, config(2)).unwrap();
    edit_config(&out, "\"epochs\": 2", "\"epochs\": 4");
    let resumed = resume_with(&on(2), &out).unwrap();
    for (expected, found) in whole.runs[0].epochs.iter().zip(&resumed.runs[0].epochs) {
        assert!((found.train_loss - expected.train_loss).abs() < 1e-5, "{found:?} {expected:?}");
    }
    // On one device as well.
    let again = start_with(&on(1), &folder.path().join("one"), config(4)).unwrap();
    let losses = |results: &Results| -> Vec<f64> {
        results.runs[0].epochs.iter().map(|epoch| epoch.train_loss).collect()
    };
    let (expected, found) = (losses(&again), losses(&whole));
    assert!(expected.iter().zip(&found).all(|(a, b)| (a - b).abs() < 1e-4 * a), "{expected:?} {found:?}");
}

#[test]
fn more_devices_than_a_batch_has_images_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(Preset::Softmax, None);
    config.recipe.batch_size = 2;
    let error = start_with(&on(3), &folder.path().join("out"), config).unwrap_err().to_string();
    assert!(error.contains("3 devices cannot share batches of 2 images"), "{error}");
}

/// What a training leaves: the bytes of its last model.
fn last_model(loss: Preset, backbone: BackboneConfig, devices: usize) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(loss, None);
    config.backbone = backbone;
    config.images = 90;
    let out = folder.path().join("out");
    let results = start_with(&on(devices), &out, config).unwrap();
    let run = out.join("runs").join(results.runs[0].key.slug());
    std::fs::read(run.join(LAST)).unwrap()
}

/// Batch norm and heads that follow the batches have a state, which clones share; a file that is written beside the training must not
/// disturb it, nor be disturbed.
#[test]
fn what_has_a_state_trains_to_the_same_bits_every_time() {
    let lenet = || BackboneConfig::lenet_pp(2);
    let resnet = || BackboneConfig::ResNet18(ResNet18Config { width: 2, stem: Stem::Cifar });
    for (loss, backbone, devices) in [
        (Preset::AdaFace, lenet(), 1),
        (Preset::CalibratedCmCosFace, lenet(), 1),
        (Preset::ElasticFaceArc, lenet(), 1),
        (Preset::CosFace, resnet(), 1),
        (Preset::ElasticFaceArc, lenet(), 2),
    ] {
        let first = last_model(loss, backbone.clone(), devices);
        for _ in 0..3 {
            let again = last_model(loss, backbone.clone(), devices);
            assert!(first == again, "{loss} on {devices} devices, {}", backbone.name());
        }
    }
}
