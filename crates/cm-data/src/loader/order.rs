//! Which images come in an epoch, and when.

use std::collections::{BTreeMap, HashSet, VecDeque};

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
    /// Images of each class, where it matters.
    classes: Vec<Vec<usize>>,
    sampling: Sampling,
    batch_size: usize,
}

impl Order {
    pub fn new(
        set: &dyn ImageSet,
        seed: Option<u64>,
        sampling: Sampling,
        batch_size: usize,
    ) -> Result<Self, DataError> {
        let wrong = |value: String, reason| Err(DataError::Setting { name: "sampling", value, reason });
        let name = match sampling {
            Sampling::Natural => "natural".to_owned(),
            Sampling::Balanced => "balanced".to_owned(),
            Sampling::ByClass { images } => format!("{images} images of a class"),
        };
        let mut classes = BTreeMap::<u32, Vec<usize>>::new();
        match sampling {
            Sampling::Natural => {}
            _ if seed.is_none() => {
                return wrong(name, "which images come is drawn by the seed of the shuffle; give one");
            }
            Sampling::ByClass { images } if images < 2 => {
                return wrong(
                    name,
                    "a batch has at least two images of each class; natural sampling has one",
                );
            }
            Sampling::ByClass { images } if !batch_size.is_multiple_of(images) => {
                return wrong(name, "the batch size must be a multiple of it");
            }
            _ => (0..set.len()).for_each(|index| classes.entry(set.label(index)).or_default().push(index)),
        }
        Ok(Self { count: set.len(), seed, classes: classes.into_values().collect(), sampling, batch_size })
    }

    pub fn of_epoch(&self, epoch: u64) -> Vec<Turn> {
        // Far apart for every pair of seed and epoch: an odd multiplier maps seeds one to one.
        let mixed = |seed: u64| seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(epoch);
        let Some(mut random) = self.seed.map(|seed| ChaCha12Rng::seed_from_u64(mixed(seed))) else {
            return natural(self.count);
        };
        let mut turns = match self.sampling {
            Sampling::Natural => natural(self.count),
            Sampling::Balanced => balanced(&self.classes, self.count, &mut random),
            Sampling::ByClass { images } => return self.by_class(images, &mut random),
        };
        turns.shuffle(&mut random);
        turns
    }

    /// Images of a class after each other, so many at a time, and in a batch each class once as long as there are enough.
    fn by_class(&self, each: usize, random: &mut ChaCha12Rng) -> Vec<Turn> {
        let mut groups: Vec<(usize, Vec<Turn>)> = Vec::new();
        let mut left = vec![0_usize; self.classes.len()];
        for (class, images) in self.classes.iter().enumerate() {
            let mut images = images.clone();
            images.shuffle(random);
            let turns = images.len().next_multiple_of(each);
            let again = images.iter().cycle().take(turns).enumerate();
            let turns: Vec<Turn> = again
                .map(|(turn, &index)| Turn { index, repetition: (turn / images.len()) as u64 })
                .collect();
            groups.extend(turns.chunks(each).map(|turns| (class, turns.to_vec())));
            left[class] = turns.len() / each;
        }
        groups.shuffle(random);
        let mut unfinished = left.len();
        let (mut rest, mut waiting) = (groups.into_iter(), VecDeque::new());
        let mut order = Vec::with_capacity(self.count);
        while order.len() < self.count {
            let (mut classes, mut passed) = (HashSet::new(), VecDeque::new());
            let mut places = self.batch_size / each;
            let mut unseen = unfinished;
            let mut put = |(class, turns): (usize, Vec<Turn>)| {
                order.extend(turns);
                left[class] -= 1;
                unfinished -= usize::from(left[class] == 0);
            };
            while places > 0 && unseen > 0 {
                let Some(group) = waiting.pop_front().or_else(|| rest.next()) else { break };
                match classes.insert(group.0) {
                    true => {
                        put(group);
                        (places, unseen) = (places - 1, unseen - 1);
                    }
                    false => passed.push_back(group),
                }
            }
            passed.append(&mut waiting);
            waiting = passed;
            // Where no other class is left.
            let more = (0..places).map_while(|_| waiting.pop_front().or_else(|| rest.next()));
            more.for_each(put);
        }
        order.truncate(self.count);
        order
    }
}

fn natural(count: usize) -> Vec<Turn> {
    (0..count).map(|index| Turn { index, repetition: 0 }).collect()
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
