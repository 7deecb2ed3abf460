//! Training, validation and test images, and folds: as given, or made so that each has its share of
//! every class and none has half of a group.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, btree_map::Entry},
};

use crate::{Collection, DataError, Item, Split, checksum::Checksum};

/// How to split a data set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SplitPlan {
    /// Share of the images to validate on.
    pub validation: f64,
    /// Share of the images to test on.
    pub test: f64,
    /// Another seed gives another split.
    pub seed: u64,
    /// Whether given splits may have a group on two sides.
    pub allow_shared_groups: bool,
}

impl Default for SplitPlan {
    /// A fifth to validate on and nothing to test on.
    fn default() -> Self {
        Self { validation: 0.2, test: 0.0, seed: 0, allow_shared_groups: false }
    }
}

/// Positions in [`Collection::items`], each once, in rising order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Splits {
    /// Images to learn from.
    pub train: Vec<usize>,
    /// Images to choose between models by.
    pub val: Vec<usize>,
    /// Images to judge the model by.
    pub test: Vec<usize>,
}

/// Splits a data set.
///
/// **Where splits are given** they are kept, and images without one are trained on. If nothing
/// was given to validate on, or to test on, and the plan wants some, its share of the training
/// images is taken.
///
/// **Otherwise**, and for what is taken from the training images, groups stay whole, an image
/// without a group being one of its own. Largest groups first, each goes to the side that needs
/// it most: where the sum over its classes of
///
/// ```text
/// ((h + g - t)² − (h − t)²) / t
/// ```
///
/// is smallest, with `t` images of the class due to the side, `h` there already and `g` in the
/// group. So each side comes as close to its share of each class as whole groups allow. The first
/// group of a class is always trained on; a class with one group has none anywhere else.
///
/// Groups of equal size come in an order that depends on the seed and on names alone: neither the
/// order of the images nor where they lie makes a difference.
///
/// # Errors
///
/// [`DataError::Shares`] for shares that are none; [`DataError::SharedGroup`] if given splits
/// have a group on two sides and the plan does not allow it.
pub fn split(collection: &Collection, plan: &SplitPlan) -> Result<Splits, DataError> {
    let (validation, test) = (plan.validation, plan.test);
    // NaN is in no range.
    if !((0.0..1.0).contains(&validation) && (0.0..1.0).contains(&test) && validation + test < 1.0) {
        return Err(DataError::Shares { validation, test });
    }
    let mut sides: Vec<Split> =
        collection.items.iter().map(|item| item.split.unwrap_or(Split::Train)).collect();
    if !plan.allow_shared_groups {
        check_groups(collection, &sides)?;
    }
    let given = |side| collection.items.iter().any(|item| item.split == Some(side));
    let due = |side, share| if given(side) { 0.0 } else { share };
    let shares = [due(Split::Val, validation), due(Split::Test, test)];
    if shares.iter().any(|&share| share > 0.0) {
        divide(collection, &mut sides, shares, plan.seed);
    }
    let mut splits = Splits::default();
    for (index, side) in sides.into_iter().enumerate() {
        match side {
            Split::Train => splits.train.push(index),
            Split::Val => splits.val.push(index),
            Split::Test => splits.test.push(index),
        }
    }
    Ok(splits)
}

/// Divides a data set into folds: for each image the number of its fold, from 0.
///
/// Groups stay whole, and each fold comes as close to its share of each class as they allow, by the rule of [`split`] with
/// `1 / count` for each fold. Given splits are not looked at. Another seed gives other folds.
///
/// # Errors
///
/// [`DataError::Folds`] for fewer than two folds, or more than there are groups of some class: a fold would have no image of it.
pub fn folds(collection: &Collection, count: usize, seed: u64) -> Result<Vec<usize>, DataError> {
    let groups = groups(collection, &vec![Split::Train; collection.len()], seed);
    let mut with_class: BTreeMap<u32, usize> = BTreeMap::new();
    for (class, _) in groups.iter().flat_map(|group| &group.classes) {
        *with_class.entry(*class).or_default() += 1;
    }
    let fewest = with_class.iter().min_by_key(|(_, groups)| **groups);
    let name = |class: &u32| collection.classes.get(*class as usize).cloned().unwrap_or_default();
    let refused = |class, groups| DataError::Folds { folds: count, class, groups };
    match fewest {
        Some((class, &groups)) if count < 2 || groups < count => return Err(refused(name(class), groups)),
        None => return Err(refused(String::new(), 0)),
        _ => {}
    }
    let parts = allotted(&groups, &vec![1.0 / count as f64; count], false);
    let mut of_image = vec![0; collection.len()];
    for (group, &part) in groups.iter().zip(&parts) {
        group.members.iter().for_each(|&member| of_image[member] = part);
    }
    for &class in with_class.keys() {
        let has = |fold: usize| {
            (0..collection.len()).any(|i| of_image[i] == fold && collection.items[i].label == class)
        };
        if !(0..count).all(has) {
            return Err(refused(name(&class), with_class[&class]));
        }
    }
    Ok(of_image)
}

impl Splits {
    /// Checksum of which image is for what, whatever the order of the images.
    pub fn checksum(&self, collection: &Collection) -> String {
        let sides = [(Split::Train, &self.train), (Split::Val, &self.val), (Split::Test, &self.test)];
        let mut lines: Vec<(&str, Split)> = sides
            .into_iter()
            .flat_map(|(side, indices)| {
                indices.iter().map(move |&i| (collection.items[i].file.as_str(), side))
            })
            .collect();
        lines.sort_unstable();
        let mut checksum = Checksum::default();
        for (file, side) in lines {
            checksum.add(file.as_bytes());
            checksum.add(side.name().as_bytes());
        }
        checksum.finish()
    }
}

fn check_groups(collection: &Collection, sides: &[Split]) -> Result<(), DataError> {
    let mut side_of = BTreeMap::new();
    for (item, &side) in collection.items.iter().zip(sides) {
        let Some(group) = item.group else { continue };
        match side_of.entry(group) {
            Entry::Vacant(entry) => drop(entry.insert(side)),
            Entry::Occupied(entry) if *entry.get() == side => {}
            Entry::Occupied(entry) => {
                return Err(DataError::SharedGroup {
                    name: collection.name.clone(),
                    group: collection.groups[group as usize].clone(),
                    first: entry.get().name(),
                    second: side.name(),
                });
            }
        }
    }
    Ok(())
}

/// Images that must stay together.
struct Group {
    /// The order among groups of equal size.
    key: [u8; 32],
    members: Vec<usize>,
    /// How many images of which class.
    classes: Vec<(u32, usize)>,
}

/// Takes shares of the training images to validate on and to test on.
fn divide(collection: &Collection, sides: &mut [Split], shares: [f64; 2], seed: u64) {
    let groups = groups(collection, sides, seed);
    let names = [Split::Train, Split::Val, Split::Test];
    let shares = [1.0 - shares[0] - shares[1], shares[0], shares[1]];
    let found = allotted(&groups, &shares, true);
    for (group, side) in groups.iter().zip(found) {
        group.members.iter().for_each(|&member| sides[member] = names[side]);
    }
}

/// The part that each group goes to, see [`split`] and [`folds`]. Where the `first_learns`, the first group of a class goes to
/// the first part.
fn allotted(groups: &[Group], shares: &[f64], first_learns: bool) -> Vec<usize> {
    let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
    for (class, count) in groups.iter().flat_map(|group| &group.classes) {
        *sizes.entry(*class).or_default() += count;
    }
    let mut have: BTreeMap<(u32, usize), usize> = BTreeMap::new();
    let mut parts = Vec::with_capacity(groups.len());
    for group in groups {
        let count = |class: u32, part: usize| have.get(&(class, part)).copied().unwrap_or(0);
        let cost = |part: usize| -> f64 {
            let terms = group.classes.iter().map(|&(class, more)| {
                let (due, have, more) =
                    (shares[part] * sizes[&class] as f64, count(class, part) as f64, more as f64);
                ((have + more - due).powi(2) - (have - due).powi(2)) / due
            });
            terms.sum()
        };
        let first_of_a_class = first_learns && group.classes.iter().any(|&(class, _)| count(class, 0) == 0);
        let candidates =
            (0..shares.len()).filter(|&part| part == 0 || (shares[part] > 0.0 && !first_of_a_class));
        let best = candidates.map(|part| (cost(part), part)).min_by(|a, b| a.0.total_cmp(&b.0));
        let part = best.map_or(0, |(_, part)| part);
        for &(class, more) in &group.classes {
            *have.entry((class, part)).or_default() += more;
        }
        parts.push(part);
    }
    parts
}

/// The groups of the training images, in the order in which they find their places.
fn groups(collection: &Collection, sides: &[Split], seed: u64) -> Vec<Group> {
    let training = |index: &usize| sides[*index] == Split::Train;
    let mut named: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    let mut groups = Vec::new();
    let group = |kind: &str, name: &str, members: Vec<usize>| {
        let mut key = Checksum::default();
        [&seed.to_le_bytes(), kind.as_bytes(), name.as_bytes()].into_iter().for_each(|part| key.add(part));
        let mut classes: BTreeMap<u32, usize> = BTreeMap::new();
        members.iter().for_each(|&member| *classes.entry(collection.items[member].label).or_default() += 1);
        Group { key: key.bytes(), members, classes: classes.into_iter().collect() }
    };
    for index in (0..collection.items.len()).filter(training) {
        match &collection.items[index] {
            Item { group: Some(group), .. } => named.entry(*group).or_default().push(index),
            Item { file, .. } => groups.push(group("file", file, vec![index])),
        }
    }
    for (number, members) in named {
        groups.push(group("group", &collection.groups[number as usize], members));
    }
    groups.sort_unstable_by_key(|group| (Reverse(group.members.len()), group.key));
    groups
}
