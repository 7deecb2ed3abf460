//! What the settings mean: the parts of a training.

use cm_data::InputSpec;
use cm_loss_core::{HeadConfig, LossOptions};
use cm_models::{BackboneConfig, ResNet18Config, ResNet50Config, Stem};
use cm_train::{
    Error,
    training::{OptimizerConfig, Recipe, Schedule},
};

use super::{choices::Optimizer, settings::Settings};
use crate::error::CliError;

impl Settings {
    /// The backbone for images of this width and height.
    ///
    /// # Errors
    ///
    /// A name that none has; a stem for a backbone without stems.
    pub fn backbone(&self, [width, height]: [usize; 2]) -> Result<BackboneConfig, CliError> {
        let config: BackboneConfig = self.model.backbone.parse().map_err(Error::from)?;
        let config = match self.model.width {
            Some(width) => config.with_width(width),
            None => usual_width(config),
        };
        let usual = match width.min(height) {
            0..24 => Stem::Cifar,
            24..96 => Stem::Small,
            _ => Stem::Imagenet,
        };
        match (config, self.model.stem) {
            (BackboneConfig::ResNet18(config), stem) => {
                Ok(BackboneConfig::ResNet18(ResNet18Config { stem: stem.unwrap_or(usual), ..config }))
            }
            (BackboneConfig::ResNet50(config), stem) => {
                Ok(BackboneConfig::ResNet50(ResNet50Config { stem: stem.unwrap_or(usual), ..config }))
            }
            (config, None) => Ok(config),
            (config, Some(_)) => Err(CliError::Said(format!(
                "--stem is a choice of resnet18 and resnet50, and {} has none: leave it out",
                config.name()
            ))),
        }
    }

    /// The head for classes with so many training images.
    ///
    /// # Errors
    ///
    /// A scale or margin that the loss does not have, or weights that are not as many as the classes.
    pub fn head(&self, images: &[usize]) -> Result<HeadConfig, CliError> {
        let loss = &self.loss;
        let mut head = match &loss.head {
            Some(head) => head.clone(),
            None => loss.name.config().with_seed(self.training.seed)?,
        };
        if let Some(scale) = loss.scale {
            head = head.with_scale(scale)?;
        }
        if let Some(margin) = loss.margin {
            head = head.with_margin(margin)?;
        }
        let weights = loss.class_weights.as_ref().map(|weights| weights.of(images));
        let plain = loss.label_smoothing == 0.0 && loss.focal_gamma == 0.0 && weights.is_none();
        if plain {
            return Ok(head);
        }
        let options = LossOptions {
            label_smoothing: loss.label_smoothing,
            focal_gamma: loss.focal_gamma,
            class_weights: weights,
            ..LossOptions::default()
        };
        Ok(head.with_options(options)?)
    }

    /// Name of the loss for people.
    pub fn loss_name(&self) -> String {
        match self.loss.head {
            Some(_) => "own parts".to_owned(),
            None => self.loss.name.name().to_owned(),
        }
    }

    /// How the network is trained.
    pub fn recipe(&self) -> Recipe {
        let training = &self.training;
        Recipe {
            epochs: training.epochs,
            batch_size: training.batch_size,
            optimizer: match training.optimizer {
                Optimizer::Sgd => {
                    OptimizerConfig::Sgd { momentum: training.momentum, weight_decay: training.weight_decay }
                }
                Optimizer::AdamW => OptimizerConfig::AdamW { weight_decay: training.weight_decay },
            },
            schedule: Schedule {
                learning_rate: training.learning_rate,
                warm_up_epochs: training.warm_up_epochs,
                shape: training.schedule.shape(training.epochs),
            },
            max_grad_norm: (training.max_grad_norm != 0.0).then_some(training.max_grad_norm),
            sampling: training.sampling,
            augmentation: self.augmentation.0.clone(),
            early_stopping: (training.early_stopping > 0).then_some(training.early_stopping),
            freeze_backbone: self.model.freeze_backbone,
        }
    }

    /// What is done to an image, but for a mean and deviation that are measured.
    pub fn input(&self, size: [usize; 2], channels: usize) -> InputSpec {
        let [width, height] = self.model.size.unwrap_or(size);
        let channels = self.model.channels.unwrap_or(channels);
        InputSpec {
            width,
            height,
            channels,
            region: self.model.region,
            resize: self.model.resize,
            mean: self.model.mean.clone().unwrap_or_else(|| vec![0.0; channels]),
            std: self.model.std.clone().unwrap_or_else(|| vec![1.0; channels]),
        }
    }
}

/// A backbone as wide as it is where nothing is said: that of insightface, whose weights can be taken then; or one that a CPU trains.
fn usual_width(config: BackboneConfig) -> BackboneConfig {
    /// Of all others.
    const SMALL: usize = 16;
    match config {
        BackboneConfig::IResNet18(_)
        | BackboneConfig::IResNet34(_)
        | BackboneConfig::IResNet50(_)
        | BackboneConfig::IResNet100(_)
        | BackboneConfig::MobileFaceNet(_) => config,
        other => other.with_width(SMALL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_of_insightface_are_as_wide_as_there_unless_another_width_is_asked_for() {
        let mut settings = Settings::default();
        let mut width = |backbone: &str, width: Option<usize>| {
            settings.model.backbone = backbone.to_owned();
            settings.model.width = width;
            settings.backbone([112, 112]).expect("it is there").width()
        };
        assert_eq!([width("lenet++", None), width("resnet50", None), width("lenet++", Some(7))], [16, 16, 7]);
        assert_eq!(
            [width("iresnet50", None), width("mobilefacenet", None), width("iresnet18", Some(8))],
            [64, 128, 8]
        );
    }

    #[test]
    fn the_stem_of_resnet_follows_the_shorter_side_of_the_images() {
        let mut settings = Settings::default();
        settings.model.backbone = "resnet18".to_owned();
        let stem = |settings: &Settings, size| match settings.backbone(size) {
            Ok(BackboneConfig::ResNet18(config)) => config.stem,
            other => panic!("{other:?}"),
        };
        for (side, expected) in
            [(23, Stem::Cifar), (24, Stem::Small), (95, Stem::Small), (96, Stem::Imagenet)]
        {
            assert_eq!(stem(&settings, [side, 200]), expected, "{side}");
            assert_eq!(stem(&settings, [200, side]), expected, "{side}");
        }
        settings.model.stem = Some(Stem::Cifar);
        assert_eq!(stem(&settings, [224, 224]), Stem::Cifar);
    }
}
