//! Settings of a training.

use std::collections::BTreeMap;

use cm_data::{Augmentation, Image, InputSpec, Resize, Sampling, generator};
use cm_loss_core::{HeadConfig, Preset};
use cm_models::{BackboneConfig, Stem};
use cm_train::{device::Backend, training::Recipe};
use serde::{Deserialize, Serialize};

use crate::memory::{Limit, within};

/// A number of two bytes is a value of a table that grows, and each key has its place in the text.
const PER_BYTE: usize = 2048;
/// Images of this side at most are preprocessed and changed.
const SIDE: usize = 64;

/// The keys of a file of `cm train` whose types the libraries have, and those types as they stand in other files.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Settings {
    model: ModelSettings,
    loss: LossSettings,
    training: TrainingSettings,
    augmentation: Augmentation,
    run: RunSettings,
    backbone: Option<BackboneConfig>,
    recipe: Option<Recipe>,
    input: Option<InputSpec>,
    heads: BTreeMap<String, HeadConfig>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct ModelSettings {
    backbone: Option<String>,
    stem: Option<Stem>,
    size: Option<[usize; 2]>,
    resize: Option<Resize>,
    region: Option<[usize; 4]>,
    mean: Option<Vec<f32>>,
    std: Option<Vec<f32>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct LossSettings {
    name: Option<Preset>,
    scale: Option<f64>,
    margin: Option<f64>,
    head: Option<HeadConfig>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct TrainingSettings {
    sampling: Sampling,
    seed: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct RunSettings {
    backend: Option<Backend>,
}

/// The bytes as settings in TOML: what was read and is written is read as the same, every part can be checked, and what was found
/// good can be used.
pub fn settings(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let limit = Limit::per_byte(PER_BYTE, bytes.len());
    let Ok(read) = within("reading", limit, || toml::from_str::<Settings>(text)) else { return };
    // A value that TOML has no form for, such as a number beyond 63 bits, is refused by its writer.
    if let Ok(written) = toml::to_string(&read) {
        let again: Settings = toml::from_str(&written).expect("it was written so");
        assert_eq!(toml::to_string(&again).as_ref(), Ok(&written));
    }
    let _ = read.model.backbone.as_deref().map(str::parse::<BackboneConfig>);
    for head in read.heads.values().chain(&read.loss.head) {
        check_head(head.clone(), &read.loss);
    }
    if let Some(name) = read.loss.name {
        let seeded = name.config().with_seed(read.training.seed);
        check_head(seeded.expect("a loss with a name takes a seed"), &read.loss);
    }
    if let Some(recipe) = &read.recipe {
        let _ = recipe.validate();
        use_augmentation(&recipe.augmentation, read.training.seed);
    }
    use_augmentation(&read.augmentation, read.training.seed);
    if let Some(input) = &read.input {
        use_input(input);
    }
    use_input(&read.model.input());
}

impl ModelSettings {
    fn input(&self) -> InputSpec {
        let [width, height] = self.size.unwrap_or([8, 8]);
        InputSpec {
            width,
            height,
            channels: 1,
            resize: self.resize.unwrap_or(Resize::Stretch),
            region: self.region,
            mean: self.mean.clone().unwrap_or_else(|| vec![0.5]),
            std: self.std.clone().unwrap_or_else(|| vec![0.25]),
        }
    }
}

fn check_head(head: HeadConfig, loss: &LossSettings) {
    let _ = head.validate();
    let mut head = head;
    if let Some(scale) = loss.scale {
        let Ok(scaled) = head.with_scale(scale) else { return };
        head = scaled;
    }
    if let Some(margin) = loss.margin {
        let Ok(with_margin) = head.with_margin(margin) else { return };
        head = with_margin;
    }
    if head.validate().is_ok() {
        let written = serde_json::to_string(&head).expect("it is data");
        let again = serde_json::from_str::<HeadConfig>(&written);
        assert_eq!(again.expect("it was written so"), head);
    }
}

fn image(width: usize, height: usize, channels: usize) -> Image {
    let pixels = (0..width * height * channels).map(|index| (index * 37 % 256) as u8).collect();
    Image { width, height, channels, pixels }
}

fn use_augmentation(augmentation: &Augmentation, seed: u64) {
    if augmentation.validate().is_err() {
        return;
    }
    for channels in [1, 3] {
        let changed = augmentation.apply(image(9, 7, channels), &mut generator(seed, 1, 2));
        assert_eq!((changed.width, changed.height, changed.channels), (9, 7, channels));
        assert_eq!(changed.pixels.len(), 63 * channels);
    }
}

fn use_input(input: &InputSpec) {
    if input.validate().is_err() || input.width.max(input.height) > SIDE {
        return;
    }
    for channels in [1, 3] {
        let Ok(prepared) = input.apply(&image(9, 7, channels)) else { continue };
        assert_eq!(
            (prepared.width, prepared.height, prepared.channels),
            (input.width, input.height, input.channels)
        );
        input.normalize(&prepared, &mut vec![0.0; input.values()]);
    }
}
