//! Training on several devices with Burn's own strategies: every worker trains a fork of the network.

use std::sync::Arc;

use burn::{
    tensor::Device,
    train::{ExecutionStrategy, Learner, MultiDeviceOptim, SupervisedTraining},
};
use cm_data::{ImageSet, LoaderConfig};
use cm_loss_core::{ClassSampling, HeadConfig, Preset};
use cm_models::BackboneConfig;
use cm_train::{
    classifier::{Classifier, Parts},
    training::{ImageLoader, OptimizerConfig, Schedule, Scheduler, Shape},
};

use crate::shared::{CLASSES, SIDE, input, stripes};

/// The network after an epoch of 96 images in batches of 8 on two devices.
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
        ImageLoader::new(set.clone(), input(), config, 0, &device).unwrap()
    };
    let schedule = Schedule { learning_rate: 1e-3, warm_up_epochs: 0.0, shape: Shape::OneCycle };
    let optimizer = OptimizerConfig::AdamW { weight_decay: 1e-2 };
    let folder = tempfile::tempdir().unwrap();
    let devices = vec![device.clone().autodiff(); 2];
    let result = SupervisedTraining::new(folder.path(), Arc::new(loader()), Arc::new(loader()))
        .with_application_logger(None)
        .with_training_strategy(ExecutionStrategy::MultiDevice(devices, strategy).into())
        .num_epochs(1)
        .launch(Learner::new(network, optimizer.init(), Scheduler::new(schedule, 6, 1)));
    assert!(result.error.is_none(), "{:?}", result.error);
    result.model
}

#[test]
fn every_batch_of_every_worker_is_remembered_once() {
    for strategy in [MultiDeviceOptim::OptimMainDevice, MultiDeviceOptim::OptimSharded] {
        let state = trained(Preset::CalibratedCmCosFace, strategy).head.state();
        assert_eq!(state.steps, Some(12), "{strategy:?}");
        let moments = state.norm_map.unwrap();
        assert_eq!((moments.batches_of_mean, moments.batches_of_std), (12, 12), "{strategy:?}");
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
