use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use cm_data::{Augmentation, InputSpec, Loader, LoaderConfig, MemorySet, RawBatch, Resize, Sampling};
use proptest::prelude::*;

use super::{input, pictures};

/// As many images of each class as `counts` says.
fn uneven(counts: &[usize]) -> MemorySet {
    let labels: Vec<u32> = (0u32..).zip(counts).flat_map(|(class, &count)| vec![class * 5; count]).collect();
    MemorySet { labels: labels.clone(), ..pictures(labels.len()) }
}

fn epoch(set: &MemorySet, config: &LoaderConfig, epoch: usize) -> Vec<RawBatch> {
    let spec: InputSpec = input(8, 6, 3, Resize::None);
    let loader = Loader::new(Arc::new(set.clone()), spec, config.clone()).unwrap();
    loader.epoch(epoch).map(Result::unwrap).collect()
}

fn config() -> LoaderConfig {
    LoaderConfig { batch_size: 10, shuffle: Some(1), sampling: Sampling::Balanced, ..LoaderConfig::default() }
}

/// How often each image came.
fn turns(batches: &[RawBatch]) -> BTreeMap<usize, usize> {
    let mut turns = BTreeMap::new();
    batches.iter().flat_map(|batch| &batch.indices).for_each(|&index| *turns.entry(index).or_default() += 1);
    turns
}

#[test]
fn a_rare_class_repeats_its_images_and_a_frequent_one_leaves_some_out() {
    let set = uneven(&[2, 20, 78]);
    let batches = epoch(&set, &config(), 0);
    assert_eq!(batches.iter().map(|batch| batch.shape[0]).sum::<usize>(), 100);
    let turns = turns(&batches);
    // 33 or 34 turns for each class.
    for index in 0..2 {
        assert!((16..=17).contains(&turns[&index]), "{turns:?}");
    }
    for index in 2..22 {
        assert!((1..=2).contains(&turns[&index]), "{turns:?}");
    }
    assert!(turns.range(22..).all(|(_, &count)| count == 1), "{turns:?}");
    // Mixed: no batch is of one class.
    assert!(batches.iter().all(|batch| batch.labels.iter().any(|label| *label != batch.labels[0])));
}

#[test]
fn what_is_left_out_changes_from_epoch_to_epoch() {
    let set = uneven(&[5, 45]);
    let union: BTreeMap<usize, usize> = (0..10).flat_map(|e| turns(&epoch(&set, &config(), e))).collect();
    assert_eq!(union.len(), 50);
    assert_ne!(turns(&epoch(&set, &config(), 0)), turns(&epoch(&set, &config(), 1)));
}

#[test]
fn the_turns_that_cannot_be_divided_go_to_other_classes_in_other_epochs() {
    let set = uneven(&[10, 10, 11]);
    let classes_with_more = (0..20).map(|e| {
        let labels: Vec<u32> = epoch(&set, &config(), e).into_iter().flat_map(|batch| batch.labels).collect();
        let count = |class: u32| labels.iter().filter(|&&label| label == class * 5).count();
        (0..3).find(|&class| count(class) == 11).unwrap()
    });
    assert_eq!(classes_with_more.collect::<BTreeSet<_>>(), BTreeSet::from([0, 1, 2]));
}

#[test]
fn a_repeated_image_is_augmented_differently() {
    let set = uneven(&[1, 29]);
    let augmentation = Augmentation { shift: 0.3, ..Augmentation::default() };
    let batches = epoch(&set, &LoaderConfig { augmentation, ..config() }, 0);
    let mut versions: Vec<Vec<u32>> = batches
        .iter()
        .flat_map(|batch| batch.indices.iter().zip(batch.pixels.chunks_exact(8 * 6 * 3)))
        .filter(|(index, _)| **index == 0)
        .map(|(_, pixels)| pixels.iter().map(|value| value.to_bits()).collect())
        .collect();
    assert_eq!(versions.len(), 15);
    versions.sort();
    versions.dedup();
    assert_eq!(versions.len(), 15);
}

#[test]
fn balance_needs_a_seed() {
    let config = LoaderConfig { shuffle: None, ..config() };
    let message = Loader::new(Arc::new(uneven(&[1, 2])), input(8, 6, 3, Resize::None), config).err().unwrap();
    assert!(message.to_string().starts_with("sampling is balanced, but"), "{message}");
}

fn by_class(images: usize, batch_size: usize) -> LoaderConfig {
    LoaderConfig { batch_size, sampling: Sampling::ByClass { images }, ..config() }
}

#[test]
fn a_batch_has_as_many_images_of_each_of_its_classes_as_asked_for() {
    let set = uneven(&[3, 9, 12, 7, 30, 4, 15]);
    for e in 0..5 {
        let batches = epoch(&set, &by_class(3, 12), e);
        assert_eq!(batches.iter().map(|batch| batch.shape[0]).sum::<usize>(), 80);
        // As long as there are four classes left, and that is most of the epoch.
        for batch in &batches[..4] {
            let mut counts = BTreeMap::new();
            batch.labels.iter().for_each(|&label| *counts.entry(label).or_insert(0) += 1);
            assert_eq!(counts.values().copied().collect::<Vec<_>>(), [3; 4], "{counts:?}");
            // Of a class, images that follow one another.
            assert!(batch.labels.chunks(3).all(|labels| labels.iter().all(|label| *label == labels[0])));
        }
    }
    assert_ne!(turns(&epoch(&set, &by_class(3, 12), 0)), turns(&epoch(&set, &by_class(3, 12), 1)));
    // A class with one image repeats it; nothing else is there.
    let alone = epoch(&uneven(&[1, 1]), &by_class(2, 4), 0);
    assert_eq!(alone.len(), 1);
    assert_eq!(alone[0].labels[0], alone[0].labels[1]);
}

#[test]
fn classes_in_a_batch_need_a_seed_and_a_batch_that_they_fill() {
    let refused = |config: LoaderConfig| {
        let loader = Loader::new(Arc::new(uneven(&[4, 4])), input(8, 6, 3, Resize::None), config);
        loader.err().unwrap().to_string()
    };
    assert!(refused(by_class(3, 10)).contains("the batch size must be a multiple of it"));
    assert!(refused(by_class(1, 10)).contains("at least two images of each class"));
    let message = refused(LoaderConfig { shuffle: None, ..by_class(2, 10) });
    assert!(message.starts_with("sampling is 2 images of a class, but"), "{message}");
}

proptest! {
    #[test]
    fn classes_come_equally_often_and_so_do_the_images_of_a_class(
        counts in proptest::collection::vec(1usize..15, 0..6), seed: u64, at in 0usize..100,
    ) {
        let set = uneven(&counts);
        let batches = epoch(&set, &LoaderConfig { shuffle: Some(seed), ..config() }, at);
        let turns = turns(&batches);
        prop_assert_eq!(turns.values().sum::<usize>(), set.labels.len());
        let mut by_class = BTreeMap::<u32, Vec<usize>>::new();
        for (index, &label) in set.labels.iter().enumerate() {
            by_class.entry(label).or_default().push(turns.get(&index).copied().unwrap_or(0));
        }
        let even = |counts: &[usize]| counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1;
        for images in by_class.values() {
            prop_assert!(even(images), "{:?}", by_class);
        }
        let classes: Vec<usize> = by_class.values().map(|images| images.iter().sum()).collect();
        prop_assert!(classes.is_empty() || even(&classes), "{:?}", classes);
    }
}
