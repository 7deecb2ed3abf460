//! Devices of a server, over loopback: what they compute is what this machine computes.

use std::{net::TcpListener, sync::OnceLock, thread};

use burn::{
    module::Module,
    tensor::{Device, Tensor},
    train::Interrupter,
};
use cm_loss_core::Preset;
use cm_models::{BackboneConfig, ResNet18Config, Stem};
use cm_train::{
    classifier::Classifier,
    device::{self, Backend, Devices, Place, connect, serve},
    study::Session,
    training::OptimizerConfig,
};

use crate::shared::{Config, SIDE, card, session, start_with};

/// The address of a server with two devices, which serves as long as the tests run.
#[allow(unsafe_code, reason = "what clients read; no other test reads or writes the environment")]
fn server() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| {
        unsafe { std::env::set_var(device::TOKEN, TOKEN) };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let devices = Devices::new(Place::Here(Backend::Flex), vec![0, 0]);
        thread::spawn(move || serve(devices.open()?, listener, TOKEN));
        format!("ws://{address}")
    })
}

/// What the server and its clients know.
const TOKEN: &str = "known to both";

fn at_server(numbers: Vec<usize>) -> Devices {
    Devices::new(Place::Server(server().to_owned()), numbers)
}

#[test]
fn a_model_gives_the_same_features_and_classes_on_a_device_of_a_server() {
    let card = card(Preset::CmCosFace, 4);
    let network = Classifier::new(card.parts(), 3, &Device::flex()).unwrap();
    let far = at_server(Vec::new()).first().unwrap();
    let pixels: Vec<f32> = (0..5 * SIDE * SIDE).map(|i| (i as f32 * 0.37).sin()).collect();
    let of = |device: &Device| {
        let images = Tensor::<1>::from_data(pixels.as_slice(), device).reshape([5, 1, SIDE, SIDE]);
        let network = network.clone().fork(device);
        let (logits, norms) = network.head.logits(network.backbone.forward(images));
        let numbers = |data: burn::tensor::TensorData| data.iter::<f32>().collect::<Vec<_>>();
        (numbers(logits.into_data()), numbers(norms.into_data()))
    };
    let (here, there) = (of(&Device::flex()), of(&far));
    for (expected, found) in here.0.iter().zip(&there.0).chain(here.1.iter().zip(&there.1)) {
        assert!((expected - found).abs() < 1e-4 * expected.abs().max(1.0), "{expected} {found}");
    }
}

#[test]
fn two_devices_of_a_server_train_as_one_of_this_machine_does() {
    let folder = tempfile::tempdir().unwrap();
    let on = |devices: Devices, name: &str| {
        let mut config = Config::new(&[Preset::CmCosFace], 2);
        config.images = 48;
        config.recipe.optimizer = OptimizerConfig::Sgd { momentum: 0.9, weight_decay: 5e-4 };
        config.recipe.schedule.learning_rate = 0.02;
        let session = Session { devices, ..session(Interrupter::new()) };
        start_with(&session, &folder.path().join(name), config).unwrap()
    };
    let here = on(Backend::Flex.into(), "here");
    let there = on(at_server(vec![0, 1]), "there");
    for (expected, found) in here.runs[0].epochs.iter().zip(&there.runs[0].epochs) {
        println!("{} {}", expected.train_loss, found.train_loss);
        assert!((found.train_loss / expected.train_loss - 1.0).abs() < 1e-4, "{expected:?} {found:?}");
        assert!((found.norm_mean / expected.norm_mean - 1.0).abs() < 1e-4, "{expected:?} {found:?}");
    }
    assert!(there.runs[0].environment.backend.ends_with("/0,1"));
}

#[test]
fn a_server_that_is_not_there_and_a_device_that_it_does_not_have_are_named() {
    let nowhere = Devices::new(Place::Server("ws://127.0.0.1:1".to_owned()), Vec::new());
    let error = nowhere.open().unwrap_err().to_string();
    assert!(error.contains("ws://127.0.0.1:1") && error.contains("cm serve"), "{error}");
    let error = at_server(vec![7]).open().unwrap_err().to_string();
    assert!(error.contains(server()) && error.contains('7'), "{error}");
}

#[test]
fn a_client_without_the_token_is_turned_away() {
    for token in [None, Some("another"), Some("")] {
        let error = connect(server(), &[0], token).unwrap_err().to_string();
        assert!(error.contains(server()) && error.contains("CM_TOKEN"), "{token:?}: {error}");
    }
    assert!(connect(server(), &[0, 1], Some(TOKEN)).is_ok());
}

#[test]
fn batch_norm_trains_on_two_devices_of_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::new(&[Preset::CosFace], 2);
    config.images = 32;
    config.backbone = BackboneConfig::ResNet18(ResNet18Config { width: 2, stem: Stem::Cifar });
    let session = Session { devices: at_server(vec![0, 1]), ..session(Interrupter::new()) };
    let results = start_with(&session, &folder.path().join("out"), config).unwrap();
    assert!(results.runs[0].epochs.iter().all(|epoch| epoch.train_loss.is_finite()));
}
