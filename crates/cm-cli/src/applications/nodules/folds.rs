//! Patients divided into folds.

use std::{collections::HashMap, sync::Arc};

use cm_data::{Collection, Image, Item, Location, SplitPlan, folds, split};

use super::nodule::CLASSES;
use crate::error::CliError;

/// For one fold: what is learned from, what progress is followed on, and what is tested on. Positions of nodules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    pub train: Vec<usize>,
    pub valid: Vec<usize>,
    pub test: Vec<usize>,
}

/// The number of each patient, in the order of their names.
pub fn numbered(patients: &[&str]) -> Vec<u32> {
    let mut names: Vec<&str> = patients.to_vec();
    names.sort_unstable();
    names.dedup();
    let numbers: HashMap<&str, u32> = names.into_iter().zip(0..).collect();
    patients.iter().map(|patient| numbers[patient]).collect()
}

/// Folds of the patients, each with its share of both classes. No patient is on two sides of any fold.
///
/// # Errors
///
/// More folds than there are patients with nodules of a class.
pub fn made(
    patients: &[&str],
    labels: &[u32],
    count: usize,
    validation: f64,
    seed: u64,
) -> Result<Vec<Fold>, CliError> {
    for (class, name) in CLASSES.iter().enumerate() {
        if !labels.iter().any(|&label| label as usize == class) {
            return Err(CliError::Said(format!(
                "of {} nodules that are left none is {name}: both classes are needed; leave out less by --min-raters and --undecided",
                labels.len()
            )));
        }
    }
    let all: Vec<usize> = (0..labels.len()).collect();
    let of_nodule = folds(&collection(&all, patients, labels), count, seed)?;
    let fold = |number: usize| {
        let (test, others): (Vec<usize>, Vec<usize>) = all.iter().partition(|&&i| of_nodule[i] == number);
        let plan = SplitPlan { validation, seed, ..SplitPlan::default() };
        let sides = split(&collection(&others, patients, labels), &plan)?;
        let chosen = |side: Vec<usize>| side.into_iter().map(|i| others[i]).collect::<Vec<usize>>();
        let (train, valid) = (chosen(sides.train), chosen(sides.val));
        for (what, side) in [("learn from", &train), ("follow progress on", &valid)] {
            for (class, name) in CLASSES.iter().enumerate() {
                if !side.iter().any(|&i| labels[i] as usize == class) {
                    return Err(CliError::Said(format!(
                        "fold {number} would have no {name} nodule to {what}; take fewer folds, or another \
                         share for `validation` in a study file"
                    )));
                }
            }
        }
        Ok(Fold { train, valid, test })
    };
    (0..count).map(fold).collect()
}

/// Nodules as the groups that patients are.
fn collection(indices: &[usize], patients: &[&str], labels: &[u32]) -> Collection {
    let numbers = numbered(patients);
    let item = |&index: &usize| Item {
        group: Some(numbers[index]),
        ..Item::new(format!("nodule {index}"), Location::Memory(index), labels[index])
    };
    // Nobody looks at them here.
    let nothing = || Image { width: 0, height: 0, channels: 1, pixels: Vec::new() };
    let items: Vec<Item> = indices.iter().map(item).collect();
    let images = items.iter().map(|_| nothing()).collect();
    let classes = CLASSES.map(str::to_owned).to_vec();
    let mut groups: Vec<&str> = patients.to_vec();
    groups.sort_unstable();
    groups.dedup();
    let mut collection = Collection::from_images("nodules", classes, items, images);
    collection.groups = groups.into_iter().map(str::to_owned).collect();
    collection
}

/// The part of a set that has these positions.
pub fn part(set: &Arc<dyn cm_data::ImageSet>, indices: &[usize]) -> Arc<dyn cm_data::ImageSet> {
    Arc::new(cm_data::Subset::new(set.clone(), indices.to_vec()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_patient_is_on_two_sides_and_every_nodule_is_tested_on_once(
            nodules in proptest::collection::vec((0u32..40, 0u32..2), 120..200),
            count in 2usize..6,
            seed in 0u64..1000,
        ) {
            // A patient may have several scans, and several nodules in each: the scan does not matter.
            let names: Vec<String> = nodules.iter().map(|(patient, _)| format!("patient {patient}")).collect();
            let patients: Vec<&str> = names.iter().map(String::as_str).collect();
            let labels: Vec<u32> = nodules.iter().map(|(_, label)| *label).collect();
            let folds = made(&patients, &labels, count, 0.2, seed).expect("there are patients enough");
            let mut tested: Vec<usize> = folds.iter().flat_map(|fold| fold.test.clone()).collect();
            tested.sort_unstable();
            prop_assert_eq!(tested, (0..labels.len()).collect::<Vec<_>>());
            for fold in &folds {
                let of = |side: &[usize]| side.iter().map(|&i| patients[i]).collect::<BTreeSet<_>>();
                let (train, valid, test) = (of(&fold.train), of(&fold.valid), of(&fold.test));
                prop_assert!(train.is_disjoint(&valid) && train.is_disjoint(&test) && valid.is_disjoint(&test));
                prop_assert_eq!(fold.train.len() + fold.valid.len() + fold.test.len(), labels.len());
                prop_assert_eq!(fold.test.iter().map(|&i| labels[i]).collect::<BTreeSet<_>>().len(), 2);
            }
        }
    }

    #[test]
    fn a_fold_without_a_class_is_refused() {
        let patients = ["a", "b", "c", "d", "e"];
        let error = made(&patients, &[0, 0, 0, 0, 1], 2, 0.2, 0).expect_err("one malignant patient");
        assert!(error.to_string().contains("\"malignant\" has images of 1 groups"), "{error}");
    }

    #[test]
    fn a_part_for_progress_without_a_class_is_refused() {
        let names: Vec<String> = (0..12).map(|i| i.to_string()).collect();
        let patients: Vec<&str> = names.iter().map(String::as_str).collect();
        // Two malignant patients: one is tested on, and the other cannot be both learned from and followed progress on.
        let labels: Vec<u32> = (0..12).map(|i| u32::from(i < 2)).collect();
        let error =
            made(&patients, &labels, 2, 0.2, 0).expect_err("one malignant patient on a side").to_string();
        assert!(error.contains("nodule to") && error.contains("take fewer folds"), "{error}");
    }

    #[test]
    fn folds_have_their_share_of_each_class_and_another_seed_makes_others() {
        let names: Vec<String> = (0..100).map(|i| i.to_string()).collect();
        let patients: Vec<&str> = names.iter().map(String::as_str).collect();
        let labels: Vec<u32> = (0..100).map(|i| u32::from(i % 4 == 0)).collect();
        let folds = made(&patients, &labels, 5, 0.1, 1).expect("patients enough");
        for fold in &folds {
            assert_eq!(fold.test.iter().filter(|&&i| labels[i] == 1).count(), 5);
            assert_eq!(fold.test.len(), 20);
        }
        assert_ne!(folds, made(&patients, &labels, 5, 0.1, 2).expect("patients enough"));
    }
}
