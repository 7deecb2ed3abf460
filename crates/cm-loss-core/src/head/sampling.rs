//! Training on a part of the classes at a time.

use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::{Rng, seq::index};
use serde::{Deserialize, Serialize};

use crate::{Error, steps::Step, targets::Targets};

/// In every training step, softmax over the classes of the batch and a random part of the others.
///
/// The number of classes is the given fraction of all, or that of the batch's own if they are more. Centers of other
/// classes receive a gradient of zero; an optimizer with momentum or weight decay moves them nevertheless, and has its state for
/// them: [`PartialHead`](crate::PartialHead) does without. The loss is
/// an approximation: its denominators are smaller than those over all classes, and label smoothing is spread over the
/// classes that take part, and so are predictions: accuracy is too high.
///
/// Which classes take part depends on the seed and the number of steps trained. The targets are read back from the
/// device at every step.
///
/// From X. An et al., "Partial FC: Training 10 Million Identities on a Single Machine", 2020, arXiv 2010.05222.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClassSampling {
    /// Share of the classes, above 0 and up to 1; 0.1 in the paper.
    pub fraction: f64,
    /// Seed of the random numbers.
    pub seed: u64,
}

/// The classes of one step.
pub(super) struct SampledClasses {
    /// In ascending order, `[sampled]`.
    pub classes: Tensor<1, Int>,
    /// The targets as columns of the sampled classes.
    pub targets: Targets,
}

/// The rows of a matrix with `each` centers a class that belong to these classes.
pub(super) fn rows_of(classes: &Tensor<1, Int>, each: usize) -> Tensor<1, Int> {
    if each == 1 {
        return classes.clone();
    }
    let [count] = classes.dims();
    let first: Tensor<2, Int> = classes.clone().mul_scalar(each as i64).unsqueeze_dim(1);
    let further: Tensor<2, Int> =
        Tensor::<1, Int>::arange(0..each as i64, &classes.device()).unsqueeze_dim(0);
    (first.expand([count, each]) + further.expand([count, each])).reshape([count * each])
}

impl Default for ClassSampling {
    /// A tenth, as the paper.
    fn default() -> Self {
        Self { fraction: 0.1, seed: 0 }
    }
}

impl ClassSampling {
    pub(super) fn validate(&self) -> Result<(), Error> {
        Error::check_rate("fraction of sampled classes", self.fraction)
    }

    /// How many of so many classes take part, unless a batch has more.
    pub(super) fn classes_of(&self, classes: usize) -> usize {
        (self.fraction * classes as f64).ceil() as usize
    }

    pub(super) fn sample(&self, targets: &Targets, classes: usize, step: &Step) -> SampledClasses {
        let device = targets.columns.device();
        let ignored: Vec<bool> = match &targets.ignored {
            Some(ignored) => ignored.to_data().iter::<bool>().collect(),
            None => Vec::new(),
        };
        let found = targets.columns.to_data();
        let wrong = found.iter::<i64>().enumerate().find(|(_, target)| !(0..classes as i64).contains(target));
        if let Some((index, target)) = wrong {
            panic!("{}", Error::TargetOutOfRange { index, target, classes });
        }
        let found: Vec<usize> = found.iter::<i64>().map(|target| target as usize).collect();
        let counts = |row: &usize| !ignored.get(*row).copied().unwrap_or(false);
        let positives = (0..found.len()).filter(counts).map(|row| found[row]).collect();
        let wanted = self.classes_of(classes);
        let chosen = choose(positives, classes, wanted, &mut step.random(self.seed, "classes"));
        let columns: Vec<i32> = found
            .iter()
            .enumerate()
            .map(|(row, target)| match counts(&row) {
                true => chosen.partition_point(|class| class < target) as i32,
                false => 0,
            })
            .collect();
        let chosen: Vec<i32> = chosen.into_iter().map(|class| class as i32).collect();
        SampledClasses {
            classes: integers(chosen, &device),
            targets: Targets {
                columns: integers(columns, &device).unsqueeze_dim(1),
                ignored: targets.ignored.clone(),
            },
        }
    }
}

fn integers(values: Vec<i32>, device: &Device) -> Tensor<1, Int> {
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count]), device)
}

/// The positives and as many random other classes as make `wanted`, in ascending order, none twice. At least one class,
/// for softmax over none is nothing.
fn choose(mut positives: Vec<usize>, classes: usize, wanted: usize, random: &mut impl Rng) -> Vec<usize> {
    positives.sort_unstable();
    positives.dedup();
    let others = classes - positives.len();
    let missing = wanted.clamp(1, classes).saturating_sub(positives.len());
    // The k-th class that is no positive: as many more as there are positives up to it.
    let shifts: Vec<usize> = positives.iter().enumerate().map(|(before, class)| class - before).collect();
    let negatives = index::sample(random, others, missing).into_iter();
    let negatives = negatives.map(|k| k + shifts.partition_point(|&shift| shift <= k));
    let mut chosen: Vec<usize> = negatives.collect();
    chosen.extend(positives);
    chosen.sort_unstable();
    chosen
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha12Rng;

    use super::*;

    #[test]
    fn all_positives_are_chosen_and_every_other_class_equally_often() {
        let mut random = ChaCha12Rng::seed_from_u64(5);
        let mut drawn = [0; 10];
        for _ in 0..7000 {
            let chosen = choose(vec![9, 0, 4, 4], 10, 5, &mut random);
            assert!(chosen.len() == 5 && chosen.windows(2).all(|pair| pair[0] < pair[1]), "{chosen:?}");
            chosen.into_iter().for_each(|class| drawn[class] += 1);
        }
        for (class, count) in drawn.into_iter().enumerate() {
            match class {
                0 | 4 | 9 => assert_eq!(count, 7000),
                // 7000 · 2 / 7 = 2000 with a standard deviation of 38.
                _ => assert!((1850..2150).contains(&count), "{class}: {count}"),
            }
        }
        assert_eq!(choose(vec![2, 1, 0], 3, 1, &mut random), [0, 1, 2]);
        assert_eq!(choose(vec![], 1, 0, &mut random), [0]);
    }
}
