//! Models as files.

use std::{fs, path::Path, sync::Arc};

use burn::{
    module::Module,
    tensor::{Device, Tensor, TensorData},
    train::Interrupter,
};
use cm_data::InputSpec;
use cm_eval::Sigmoid;
use cm_loss_core::{
    Custom, CustomNormMap, HeadConfig, Margin, MarginHeadConfig, NormMap, Parameters, Preset,
};
use cm_models::BackboneConfig;
use cm_train::{
    evaluation::{Prediction, Predictor, Views},
    model::{CARD_FORMAT, FittedOn, Model, ModelCard, Pixels, QualityMap, QualityScale, onnx, save},
    training::{BEST, LAST},
};
use indicatif::ProgressBar;

use crate::shared::{Config, SIDE, card, start, stripes};

fn predictions(model: &Model) -> Vec<Prediction> {
    let predictor = Predictor {
        input: &model.card.input,
        views: Views::One,
        workers: 1,
        device: &Device::flex(),
        bar: &ProgressBar::hidden(),
        interrupter: &Interrupter::new(),
    };
    predictor.predict(&model.network, Arc::new(stripes(30, 5))).unwrap().unwrap()
}

#[test]
fn a_model_loads_with_nothing_else_at_hand_and_predicts_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    for loss in [Preset::Softmax, Preset::AdaFace, Preset::CalibratedCmCosFace, Preset::SubCenterArcFace] {
        let results = start(&out.join(loss.name()), Config::new(&[loss], 2)).unwrap();
        let models = out.join(loss.name()).join("runs").join(results.runs[0].key.slug());
        let alone = folder.path().join("alone.safetensors");
        fs::rename(models.join(LAST), &alone).unwrap();
        let model = Model::read(&alone, &Device::flex()).unwrap();
        assert_eq!((model.card.classes[2].as_str(), model.card.provenance.epochs), ("aslant", 2));
        let found = predictions(&model);
        assert!(found.iter().all(|p| p.norm.is_finite() && (0.0..=1.0).contains(&p.confidence)));

        // Written once more it is the same, to the last bit.
        let again = folder.path().join("again.safetensors");
        save(&again, &model.card, &model.network).unwrap();
        assert_eq!(fs::read(&again).unwrap(), fs::read(&alone).unwrap(), "{loss}");
        assert_eq!(predictions(&Model::read(&again, &Device::flex()).unwrap()), found);
        assert!(models.join(BEST).is_file());
    }
}

#[test]
fn a_file_that_is_damaged_newer_or_no_model_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let device = Device::flex();
    let card = card(Preset::CosFace, 4);
    let network = cm_train::classifier::Classifier::new(card.parts(), 0, &device).unwrap();
    save(&path, &card, &network).unwrap();
    let bytes = fs::read(&path).unwrap();
    let refused = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let message = Model::read(&path, &device).unwrap_err().to_string();
        assert!(message.contains("model.safetensors"), "{message}");
        message
    };
    assert!(refused(&bytes[..bytes.len() - 7]).contains("damaged"));
    assert!(refused(b"GIF89a").contains("no safetensors file"));
    let edited = |from: &str, to: &str| {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(text.contains(from));
        // The header is text of a fixed length.
        assert_eq!(from.len(), to.len());
        let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        let mut bytes = bytes.clone();
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        bytes
    };
    let newer = refused(&edited("\\\"format\\\":2", "\\\"format\\\":9"));
    assert!(newer.contains("format 9") && newer.contains("newer version"), "{newer}");
    let other = refused(&edited("\\\"feature_dim\\\":4", "\\\"feature_dim\\\":5"));
    assert!(other.contains("another network") && other.contains("linear.weight"), "{other}");
    let nameless = refused(&edited("cm_loss_card", "cm_lost_card"));
    assert!(nameless.contains("without the card"), "{nameless}");
}

#[test]
fn a_card_of_a_network_that_its_file_cannot_hold_is_refused_before_memory_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let device = Device::flex();
    let card = card(Preset::CosFace, 4);
    let network = cm_train::classifier::Classifier::new(card.parts(), 0, &device).unwrap();
    let refused = |card: &ModelCard| {
        save(&path, card, &network).unwrap();
        Model::read(&path, &device).unwrap_err().to_string()
    };
    let wide = refused(&ModelCard { backbone: BackboneConfig::lenet_pp(60_000), ..card.clone() });
    assert!(wide.contains("a width of 60000") && wide.contains("more weights than its"), "{wide}");
    let long = refused(&ModelCard { feature_dim: 60_000, ..card.clone() });
    assert!(long.contains("60000 feature dimensions and 3 class centers"), "{long}");
    let mut head = MarginHeadConfig { sub_centers: usize::MAX, ..MarginHeadConfig::default() };
    let many = refused(&ModelCard { head: HeadConfig::Margin(head.clone()), ..card.clone() });
    assert!(many.contains(&format!("{} class centers", usize::MAX)), "{many}");
    head.sub_centers = 1000;
    let more = refused(&ModelCard { head: HeadConfig::Margin(head), ..card.clone() });
    assert!(more.contains("3000 class centers") || more.contains("another network"), "{more}");
    // Half a gigabyte of weights, none of which is drawn.
    let input = InputSpec { width: 1 << 14, height: 1 << 14, ..card.input.clone() };
    let large = refused(&ModelCard { input, ..card.clone() });
    assert!(large.contains("another network") && large.contains("linear.weight"), "{large}");
}

#[test]
fn the_network_that_is_read_is_the_network_that_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let device = Device::flex();
    let card = card(Preset::CmCosFace, 4);
    let network = cm_train::classifier::Classifier::new(card.parts(), 7, &device).unwrap();
    save(&path, &card, &network).unwrap();
    let read = Model::read(&path, &device).unwrap().network;
    let pixels: Vec<f32> = (0..2 * SIDE * SIDE).map(|i| (i as f32 * 0.37).sin()).collect();
    let images = Tensor::<4>::from_data(TensorData::new(pixels, [2, 1, SIDE, SIDE]), &device);
    let features = |network: &cm_train::classifier::Classifier| {
        network.valid().backbone.forward(images.clone()).into_data().iter::<f32>().collect::<Vec<_>>()
    };
    assert_eq!(features(&read), features(&network));
}

/// What format 1 wrote, for ever: no norms, no quality. Its stripes run down, the model says across.
#[test]
fn a_model_written_in_format_1_is_read_for_ever() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/train/fixtures/model-1.safetensors");
    let device = Device::flex();
    let Model { card, network } = Model::read(&path, &device).unwrap();
    assert_eq!(
        (card.format, card.quality_of(1.0), card.classes.join(" ").as_str()),
        (1, None, "across down")
    );
    assert_eq!((card.norms.is_none(), card.image()), (true, [1, 12, 12]));
    let pixel = |x: usize, y: usize| (if x % 4 < 2 { 40 } else { 180 }) + (x * 31 + y * 17) % 60;
    let values: Vec<f32> = (0..144)
        .map(|i| (pixel(i % 12, i / 12) as f32 / 255.0 - card.input.mean[0]) / card.input.std[0])
        .collect();
    let images = Tensor::<4>::from_data(TensorData::new(values, [1, 1, 12, 12]), &device);
    let (logits, norms) = network.head.logits(network.backbone.forward(images));
    let norm = norms.into_scalar::<f32>();
    assert!((norm - 0.246_640).abs() < 1e-5, "{norm}");
    assert_eq!(logits.argmax(1).into_scalar::<i64>(), 0);

    // Calibrated it is of the present format, and has a quality.
    let folder = tempfile::tempdir().unwrap();
    let calibrated = folder.path().join("calibrated.safetensors");
    let map = QualityMap::Sigmoid(Sigmoid { center: 0.25, width: 0.1 });
    let fitted = FittedOn {
        data: "stripes".to_owned(),
        checksum: String::new(),
        images: 9,
        target: "a column".to_owned(),
        correlation: 0.8,
        interval: [0.5, 0.9],
    };
    let card = ModelCard { format: CARD_FORMAT, quality: Some(QualityScale { map, fitted }), ..card };
    save(&calibrated, &card, &network).unwrap();
    let read = Model::read_card(&calibrated).unwrap();
    assert_eq!((read.quality_of(0.25), read), (Some(50), card));
}

#[test]
fn a_model_of_a_newer_version_is_refused_with_what_to_do() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/train/fixtures/model-3.safetensors");
    let message = Model::read(&path, &Device::flex()).unwrap_err().to_string();
    assert!(message.contains("format 3") && message.contains("use a newer version"), "{message}");
}

/// The constant radius, as somebody would write it.
#[derive(Debug)]
struct Flat;

impl CustomNormMap for Flat {
    fn name(&self) -> &str {
        "flat"
    }

    fn parameters(&self) -> Parameters {
        Parameters::new()
    }

    fn forward(&self, norms: Tensor<2>) -> Tensor<2> {
        norms.zeros_like().add_scalar(30.0)
    }
}

#[test]
fn a_norm_map_of_somebodys_own_cannot_be_written_as_onnx() {
    let device = Device::flex();
    let exported = |norm_map: NormMap, margin: Margin| {
        let mut card = card(Preset::CosFace, 4);
        card.head = HeadConfig::Margin(MarginHeadConfig::new(norm_map, margin));
        let network = cm_train::classifier::Classifier::new(card.parts(), 0, &device).unwrap();
        onnx(&Model { card, network }, Pixels::Raw, "1")
    };
    let own = NormMap::Custom(Custom(Arc::new(Flat)));
    let message = exported(own, Margin::None).unwrap_err().to_string();
    assert!(message.contains("flat") && message.contains("somebody's own"), "{message}");
    assert!(exported(NormMap::Identity, Margin::None).is_ok());
}
