//! A loss with changes, under a name of its own: what a study of your own compares.

use cm_data::{Augmentation, RandomDegradation};
use cm_loss_core::{HeadConfig, Preset};
use cm_train::Error;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// A loss with changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Arm {
    /// What tables call it.
    pub name: String,
    /// The loss that it begins with.
    pub loss: Preset,
    /// Another scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
    /// Another margin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<f64>,
    /// Fields of the head in place of those of the loss, named as its record has them.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub head: Map<String, Value>,
    /// Degrades training images, anew in each epoch, beside the augmentation of the study.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degrade: Option<RandomDegradation>,
}

impl Arm {
    /// The best of the choices studied on digits and signs: a loss with a contraction mapping, of which each sample weighs as much
    /// as with a constant scale of 30, however short its feature.
    pub fn compensated(loss: Preset) -> Self {
        Self {
            name: format!("{} compensated", loss.name()),
            loss,
            scale: None,
            margin: None,
            head: [("temperature_compensation".to_owned(), 30.0.into())].into_iter().collect(),
            degrade: None,
        }
    }

    /// The head that this is.
    ///
    /// # Errors
    ///
    /// [`Error::StudyKey`] that names the arm, and what is wrong with it.
    pub fn head(&self) -> Result<HeadConfig, Error> {
        let wrong = |reason: String| {
            Error::study_key(
                "an arm",
                "a loss whose parts exist and suit each other",
                format!("{}: {reason}", self.name),
            )
        };
        let config = changed(self.loss.config(), &self.head);
        let mut config = config.map_err(|error| wrong(error.to_string()))?;
        if let Some(scale) = self.scale {
            config = config.with_scale(scale).map_err(|error| wrong(error.to_string()))?;
        }
        if let Some(margin) = self.margin {
            config = config.with_margin(margin).map_err(|error| wrong(error.to_string()))?;
        }
        config.validate().map_err(|error| wrong(error.to_string()))?;
        Ok(config)
    }

    /// The augmentation of a study with what this adds.
    pub fn augmentation(&self, of_study: &Augmentation) -> Augmentation {
        match &self.degrade {
            Some(degrade) => Augmentation { degrade: Some(degrade.clone()), ..of_study.clone() },
            None => of_study.clone(),
        }
    }
}

/// A configuration with fields in the place of its own, named as JSON has them.
///
/// # Errors
///
/// A field that the configuration does not have, or a value that it cannot have.
pub fn changed<C: Serialize + DeserializeOwned>(
    config: C,
    fields: &Map<String, Value>,
) -> Result<C, serde_json::Error> {
    if fields.is_empty() {
        return Ok(config);
    }
    let mut value = serde_json::to_value(&config)?;
    let Value::Object(own) = &mut value else { unreachable!("a configuration is a table") };
    merge(own, fields);
    serde_json::from_value(value)
}

/// Puts fields in the place of others; a part of another kind takes the place of the whole part.
fn merge(into: &mut Map<String, Value>, from: &Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(key), value) {
            (Some(Value::Object(old)), Value::Object(new))
                if new.get("kind").is_none() || new.get("kind") == old.get("kind") =>
            {
                merge(old, new);
            }
            _ => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arm(text: &str) -> Arm {
        toml::from_str(text).expect("it is an arm")
    }

    #[test]
    fn a_part_of_the_same_kind_is_changed_and_one_of_another_kind_replaced() {
        let changed = arm("name = 'a'\nloss = 'CM-CosFace'\nscale = 60.0\nmargin = 0.2\n\
             head = { margin_place = { kind = 'outside', scale = 30.0 }, norm_map = { kind = 'tanh', scale = 9.0 } }");
        let HeadConfig::Margin(config) = changed.head().expect("it is a head") else {
            panic!("with centers")
        };
        assert_eq!(format!("{:?}", config.norm_map), "Tanh(Tanh { scale: 60.0 })");
        assert_eq!(format!("{:?}", config.margin), "Cosine(CosineMargin { margin: 0.2 })");
        assert_eq!(format!("{:?}", config.margin_place), "Outside { scale: 30.0 }");
        let same = arm("name = 'a'\nloss = 'ArcFace'\nhead = { margin = { margin = 0.3 } }");
        let HeadConfig::Margin(config) = same.head().expect("it is a head") else { panic!("with centers") };
        assert!(format!("{:?}", config.margin).contains("margin: 0.3, overflow: MonotoneTail"));
    }

    #[test]
    fn what_no_head_has_is_named_with_the_arm() {
        let message = |text: &str| arm(text).head().expect_err("it is wrong").to_string();
        let found = message("name = 'mine'\nloss = 'CosFace'\nhead = { margins = 3 }");
        assert!(found.contains("mine") && found.contains("margins"), "{found}");
        let found = message("name = 'mine'\nloss = 'CosFace'\nscale = -1.0");
        assert!(found.contains("mine") && found.contains("-1"), "{found}");
        let found = message("name = 'mine'\nloss = 'Softmax'\nmargin = 0.3");
        assert!(found.contains("cannot be combined"), "{found}");
    }
}
