//! Which images come in an epoch, and when.

use std::collections::BTreeMap;

use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha12Rng;

use crate::{DataError, ImageSet, Sampling};

/// One image's turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    /// Position of the image in its set.
    pub index: usize,
    /// How often the image came in this epoch before.
    pub repetition: u64,
}

/// Makes the order of any epoch.
pub(super) struct Order {
    count: usize,
    seed: Option<u64>,
    /// Images of each class, where they are balanced.
    classes: Option<Vec<Vec<usize>>>,
}

impl Order {
    pub fn new(set: &dyn ImageSet, seed: Option<u64>, sampling: Sampling) -> Result<Self, DataError> {
        let classes = match (sampling, seed) {
            (Sampling::Natural, _) => None,
            (Sampling::Balanced, None) => {
                let reason = "which images come is drawn by the seed of the shuffle; give one";
                return Err(DataError::Setting { name: "sampling", value: "balanced".to_owned(), reason });
            }
            (Sampling::Balanced, Some(_)) => {
                let mut classes = BTreeMap::<u32, Vec<usize>>::new();
                (0..set.len()).for_each(|index| classes.entry(set.label(index)).or_default().push(index));
                Some(classes.into_values().collect())
            }
        };
        Ok(Self { count: set.len(), seed, classes })
    }

    pub fn of_epoch(&self, epoch: u64) -> Vec<Turn> {
        // Far apart for every pair of seed and epoch: an odd multiplier maps seeds one to one.
        let mixed = |seed: u64| seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(epoch);
        let mut random = self.seed.map(|seed| ChaCha12Rng::seed_from_u64(mixed(seed)));
        let mut turns = match (&self.classes, &mut random) {
            (Some(classes), Some(random)) => balanced(classes, self.count, random),
            _ => (0..self.count).map(|index| Turn { index, repetition: 0 }).collect(),
        };
        if let Some(random) = &mut random {
            turns.shuffle(random);
        }
        turns
    }
}

fn balanced(classes: &[Vec<usize>], count: usize, random: &mut ChaCha12Rng) -> Vec<Turn> {
    let Some(quota) = count.checked_div(classes.len()) else { return Vec::new() };
    let mut once_more: Vec<bool> = (0..classes.len()).map(|class| class < count % classes.len()).collect();
    once_more.shuffle(random);
    let mut turns = Vec::with_capacity(count);
    for (images, once_more) in classes.iter().zip(once_more) {
        let quota = quota + usize::from(once_more);
        let mut images = images.clone();
        images.shuffle(random);
        let again = images.iter().copied().enumerate().cycle();
        let turn = |(turn, (_, index)): (usize, (usize, usize))| Turn {
            index,
            repetition: (turn / images.len()) as u64,
        };
        turns.extend(again.take(quota).enumerate().map(turn));
    }
    turns
}
