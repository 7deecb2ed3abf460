//! Who is learned from and who tested on.

use std::collections::{BTreeMap, BTreeSet};

use cm_data::{Collection, DataError, Image, Item, Location, Split, SplitPlan, Splits, split};
use proptest::prelude::*;

/// An image of a class, perhaps in a group, perhaps already on a side.
#[derive(Debug, Clone, Copy)]
struct Given {
    class: u32,
    group: Option<u32>,
    side: Option<Split>,
}

fn collection(given: &[Given]) -> Collection {
    let items = given.iter().enumerate().map(|(index, given)| Item {
        group: given.group,
        split: given.side,
        ..Item::new(format!("image {index}"), Location::Memory(0), given.class)
    });
    let items: Vec<Item> = items.collect();
    let image = Image { width: 1, height: 1, channels: 1, pixels: vec![0] };
    let classes = (0..10).map(|class| class.to_string()).collect();
    let images = vec![image; items.len()];
    let mut collection = Collection::from_images("drawn", classes, items, images);
    collection.groups = (0..100).map(|group| format!("group {group}")).collect();
    collection
}

fn plan(validation: f64, test: f64, seed: u64) -> SplitPlan {
    SplitPlan { validation, test, seed, ..SplitPlan::default() }
}

fn of(class: u32, group: Option<u32>) -> Given {
    Given { class, group, side: None }
}

/// Every index once, in rising order.
fn is_whole(splits: &Splits, count: usize) -> bool {
    let sides = [&splits.train, &splits.val, &splits.test];
    let mut all: Vec<usize> = sides.into_iter().flatten().copied().collect();
    all.sort_unstable();
    all == (0..count).collect::<Vec<_>>() && sides.iter().all(|side| side.is_sorted())
}

fn groups_of(collection: &Collection, indices: &[usize]) -> BTreeSet<u32> {
    indices.iter().filter_map(|&index| collection.items[index].group).collect()
}

#[test]
fn each_class_gives_its_share_to_each_side() {
    let given: Vec<Given> = (0..1000).map(|i| of(if i < 900 { 0 } else { 1 }, None)).collect();
    let collection = collection(&given);
    let splits = split(&collection, &plan(0.2, 0.1, 3)).unwrap();
    assert!(is_whole(&splits, 1000));
    let rare = |side: &[usize]| side.iter().filter(|&&index| index >= 900).count();
    assert_eq!((splits.val.len(), rare(&splits.val)), (200, 20));
    assert_eq!((splits.test.len(), rare(&splits.test)), (100, 10));
    let other = split(&collection, &plan(0.2, 0.1, 4)).unwrap();
    assert_ne!(other.val, splits.val);
    // Chance decides, not the order: about 20 of the first 100 are to validate on.
    let early = splits.val.iter().filter(|&&index| index < 100).count();
    assert!((8..=34).contains(&early), "{early}");
}

#[test]
fn a_class_with_one_image_or_one_group_is_only_trained_on() {
    let mut given = vec![of(0, None); 20];
    given.push(of(1, None));
    given.extend([of(2, Some(7)); 10]);
    let splits = split(&collection(&given), &plan(0.5, 0.4, 0)).unwrap();
    assert!((20..31).all(|index| splits.train.contains(&index)));
    assert!(!splits.val.is_empty() && !splits.test.is_empty());
}

#[test]
fn small_groups_make_up_for_large_ones() {
    let mut given = vec![of(0, Some(0)); 10];
    given.extend((1..41).map(|group| of(0, Some(group))));
    for seed in 0..50 {
        let splits = split(&collection(&given), &plan(0.2, 0.2, seed)).unwrap();
        assert_eq!((splits.train.len(), splits.val.len(), splits.test.len()), (30, 10, 10), "{seed}");
    }
}

#[test]
fn given_splits_are_kept_and_what_was_not_given_is_taken_from_training() {
    let side = |i: u32| if i < 60 { Some(Split::Train) } else { Some(Split::Test) };
    let given: Vec<Given> = (0..80).map(|i| Given { side: side(i), ..of(i % 2, Some(i / 4)) }).collect();
    let collection = collection(&given);
    let as_given = split(&collection, &plan(0.0, 0.0, 0)).unwrap();
    assert_eq!((as_given.train.len(), as_given.val.len(), as_given.test), (60, 0, (60..80).collect()));
    let splits = split(&collection, &plan(0.2, 0.3, 0)).unwrap();
    assert!(is_whole(&splits, 80));
    assert_eq!((splits.val.len(), splits.test), (12, (60..80).collect()));
    assert!(groups_of(&collection, &splits.train).is_disjoint(&groups_of(&collection, &splits.val)));
}

#[test]
fn a_group_on_two_given_sides_is_an_error_that_names_it_unless_allowed() {
    let on = |side| Given { side: Some(side), ..of(0, Some(3)) };
    let collection = collection(&[on(Split::Train), on(Split::Train), on(Split::Test)]);
    let message = split(&collection, &SplitPlan::default()).unwrap_err().to_string();
    assert!(message.contains("the group \"group 3\" of drawn has images in train and in test"), "{message}");
    let allowed = SplitPlan { allow_shared_groups: true, validation: 0.0, ..SplitPlan::default() };
    assert_eq!(split(&collection, &allowed).unwrap().test, [2]);
}

#[test]
fn shares_that_leave_nothing_to_train_on_are_an_error() {
    for (validation, test) in [(-0.1, 0.0), (0.5, 0.5), (1.0, 0.0), (f64::NAN, 0.0), (0.0, f64::INFINITY)] {
        let result = split(&collection(&[of(0, None)]), &plan(validation, test, 0));
        assert!(matches!(result, Err(DataError::Shares { .. })), "{validation} {test}");
    }
}

#[test]
fn the_checksum_tells_splits_apart_and_not_orders() {
    let collection = collection(&[of(0, None); 40]);
    let splits = split(&collection, &plan(0.2, 0.2, 1)).unwrap();
    let order: Vec<usize> = (0..40).rev().collect();
    let turned = collection.select(&order);
    let again = split(&turned, &plan(0.2, 0.2, 1)).unwrap();
    assert_eq!(splits.checksum(&collection), again.checksum(&turned));
    let other = split(&collection, &plan(0.2, 0.2, 2)).unwrap();
    assert_ne!(splits.checksum(&collection), other.checksum(&collection));
    let swapped = Splits { val: splits.test.clone(), test: splits.val.clone(), ..splits.clone() };
    assert_ne!(splits.checksum(&collection), swapped.checksum(&collection));
}

/// Images of up to 4 classes, of which some are in one of 12 groups.
fn images() -> impl Strategy<Value = Vec<Given>> {
    let image = (0u32..4, prop::option::weighted(0.7, 0u32..12)).prop_map(|(class, group)| of(class, group));
    proptest::collection::vec(image, 0..120)
}

fn shares() -> impl Strategy<Value = (f64, f64)> {
    (0.0..0.6, 0.0..0.39)
}

proptest! {
    #[test]
    fn no_image_is_lost_and_no_group_is_on_two_sides(
        given in images(), (validation, test) in shares(), seed in any::<u64>(),
    ) {
        let collection = collection(&given);
        let splits = split(&collection, &plan(validation, test, seed)).unwrap();
        prop_assert!(is_whole(&splits, given.len()));
        let groups = [&splits.train, &splits.val, &splits.test].map(|side| groups_of(&collection, side));
        for (a, b) in [(0, 1), (0, 2), (1, 2)] {
            prop_assert!(groups[a].is_disjoint(&groups[b]));
        }
        let classes = |side: &[usize]| side.iter().map(|&i| given[i].class).collect::<BTreeSet<_>>();
        prop_assert_eq!(classes(&splits.train).len(), given.iter().map(|g| g.class).collect::<BTreeSet<_>>().len());
        prop_assert!(split(&collection, &plan(validation, 0.0, seed)).unwrap().test.is_empty());
    }

    #[test]
    fn neither_the_order_of_the_images_nor_the_numbers_of_the_groups_matter(
        (given, order) in images().prop_flat_map(|given| {
            let order: Vec<usize> = (0..given.len()).collect();
            (Just(given), Just(order).prop_shuffle())
        }),
        (validation, test) in shares(),
        seed in any::<u64>(),
    ) {
        let collection = collection(&given);
        let mut shuffled = collection.select(&order);
        shuffled.groups.reverse();
        shuffled.items.iter_mut().for_each(|item| item.group = item.group.map(|group| 99 - group));
        let plan = plan(validation, test, seed);
        let (a, b) = (split(&collection, &plan).unwrap(), split(&shuffled, &plan).unwrap());
        prop_assert_eq!(a.checksum(&collection), b.checksum(&shuffled));
        let mut back: Vec<usize> = b.val.iter().map(|&index| order[index]).collect();
        back.sort_unstable();
        prop_assert_eq!(a.val, back);
    }

    #[test]
    fn a_side_is_off_its_share_of_a_class_by_less_than_its_largest_group(
        sizes in proptest::collection::vec((0u32..3, 1usize..6), 30..60),
        (validation, test) in (0.05..0.4f64, 0.05..0.4f64),
        seed in any::<u64>(),
    ) {
        let mut given = Vec::new();
        let mut largest: BTreeMap<u32, usize> = BTreeMap::new();
        for (group, &(class, size)) in sizes.iter().enumerate() {
            given.extend(vec![of(class, Some(group as u32)); size]);
            let most = largest.entry(class).or_default();
            *most = (*most).max(size);
        }
        let splits = split(&collection(&given), &plan(validation, test, seed)).unwrap();
        for (class, largest) in largest {
            let all = given.iter().filter(|given| given.class == class).count() as f64;
            for (side, share) in [(&splits.val, validation), (&splits.test, test)] {
                let here = side.iter().filter(|&&index| given[index].class == class).count() as f64;
                prop_assert!((here - share * all).abs() <= largest as f64, "{here} of {all}, {share} due");
            }
        }
    }
}
