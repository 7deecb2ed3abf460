//! Choices by name.

use std::str::FromStr;

use cm_train::{Error, training::Shape};
use serde::{Deserialize, Serialize};

/// How gradients change the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Optimizer {
    Sgd,
    AdamW,
}

impl Optimizer {
    pub const NAMES: [&str; 2] = ["sgd", "adam-w"];
}

/// How the learning rate changes over the training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleName {
    Constant,
    Cosine,
    OneCycle,
    /// A tenth of the rate after each third of the epochs.
    Step,
}

impl ScheduleName {
    pub const NAMES: [&str; 4] = ["constant", "cosine", "one-cycle", "step"];

    pub fn shape(self, epochs: usize) -> Shape {
        match self {
            Self::Constant => Shape::Constant,
            Self::Cosine => Shape::Cosine,
            Self::OneCycle => Shape::OneCycle,
            Self::Step => Shape::Step { epochs: epochs.div_ceil(3).max(1), factor: 0.1 },
        }
    }
}

/// How often a sample of each class counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ClassWeights {
    /// By a rule.
    Rule(Rule),
    /// A number for each class, in their order.
    Given(Vec<f64>),
}

/// A rule for class weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// `images / (classes · images of the class)`: every class counts as much as the others.
    Balanced,
}

impl ClassWeights {
    /// The weights for classes with so many training images; a class without images counts once.
    pub fn of(&self, images: &[usize]) -> Vec<f64> {
        match self {
            Self::Given(weights) => weights.clone(),
            Self::Rule(Rule::Balanced) => {
                let total: usize = images.iter().sum();
                let present = images.iter().filter(|&&count| count > 0).count();
                let weight = |&count: &usize| match count {
                    0 => 1.0,
                    count => total as f64 / (present * count) as f64,
                };
                images.iter().map(weight).collect()
            }
        }
    }
}

impl FromStr for ClassWeights {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.eq_ignore_ascii_case("balanced") {
            return Ok(Self::Rule(Rule::Balanced));
        }
        let weights = text.split(',').map(|weight| weight.trim().parse::<f64>());
        weights
            .collect::<Result<_, _>>()
            .map(Self::Given)
            .map_err(|_| Error::option("class-weights", "balanced, or a number for each class", text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_weights_let_every_class_count_as_much() {
        let images = [30, 10, 0, 60];
        let weights = ClassWeights::Rule(Rule::Balanced).of(&images);
        for class in [0, 1, 3] {
            assert!((weights[class] * images[class] as f64 - 100.0 / 3.0).abs() < 1e-12);
        }
        assert_eq!(weights[2], 1.0);
    }
}
