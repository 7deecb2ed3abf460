use std::sync::Arc;

use cm_data::{
    Augmentation, Cached, DataError, Image, ImageSet, InputSpec, Loader, LoaderConfig, MemorySet, Part,
    RawBatch, Resize, generator,
};
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};

use super::{input, pictures};

fn as_they_are() -> InputSpec {
    InputSpec { mean: vec![0.1, 0.2, 0.3], ..input(8, 6, 3, Resize::None) }
}

fn loader(count: usize, config: LoaderConfig) -> Loader {
    Loader::new(Arc::new(pictures(count)), as_they_are(), config).unwrap()
}

fn indices(loader: &Loader, epoch: usize) -> Vec<usize> {
    loader.epoch(epoch).flat_map(|batch| batch.unwrap().indices).collect()
}

#[test]
fn batches_hold_the_images_in_their_order_with_the_rest_at_the_end() {
    let (set, spec) = (pictures(10), as_they_are());
    let loader = loader(10, LoaderConfig { batch_size: 4, ..LoaderConfig::default() });
    assert_eq!((loader.images(), loader.batches()), (10, 3));
    let batches: Vec<RawBatch> = loader.epoch(0).map(Result::unwrap).collect();
    assert_eq!(
        batches.iter().map(|batch| batch.shape).collect::<Vec<_>>(),
        [[4, 3, 6, 8], [4, 3, 6, 8], [2, 3, 6, 8]]
    );
    for (i, batch) in batches.iter().enumerate() {
        let expected: Vec<usize> = (i * 4..(i * 4 + 4).min(10)).collect();
        assert_eq!(batch.indices, expected);
        assert_eq!(batch.labels, expected.iter().map(|&i| set.label(i)).collect::<Vec<_>>());
        assert_eq!(batch.weights, vec![1.0; expected.len()]);
        for (pixels, &index) in batch.pixels.chunks_exact(8 * 6 * 3).zip(&expected) {
            let mut values = vec![0.0; 8 * 6 * 3];
            spec.normalize(&set.images[index], &mut values);
            assert_eq!(pixels, values);
        }
    }
    let mut ended = loader.epoch(0);
    assert_eq!(ended.by_ref().count(), 3);
    assert!(ended.next().is_none());
}

proptest! {
    #[test]
    fn the_parts_of_a_batch_are_the_whole_batch(
        count in 0usize..40, batch in 1usize..12, of in 1usize..6, workers in 0usize..3
    ) {
        prop_assume!(of <= batch);
        let whole = LoaderConfig { batch_size: batch, shuffle: Some(3), workers, ..LoaderConfig::default() };
        let expected: Vec<RawBatch> = loader(count, whole.clone()).epoch(1).map(Result::unwrap).collect();
        let parts: Vec<Vec<RawBatch>> = (0..of)
            .map(|number| {
                let config = LoaderConfig { part: Part { number, of }, ..whole.clone() };
                let loader = loader(count, config);
                let batches: Vec<RawBatch> = loader.epoch(1).map(Result::unwrap).collect();
                assert_eq!(batches.len(), loader.batches());
                assert_eq!(batches.iter().map(|batch| batch.labels.len()).sum::<usize>(), loader.images());
                batches
            })
            .collect();
        for (k, expected) in expected.iter().enumerate() {
            // Only of the last batch may a part have nothing.
            let found: Vec<&RawBatch> = parts.iter().filter_map(|part| part.get(k)).collect();
            let indices: Vec<usize> = found.iter().flat_map(|batch| batch.indices.clone()).collect();
            prop_assert_eq!(&indices, &expected.indices);
            let pixels: Vec<f32> = found.iter().flat_map(|batch| batch.pixels.clone()).collect();
            prop_assert_eq!(&pixels, &expected.pixels);
            for batch in found {
                let mut all: Vec<usize> = batch.indices.iter().chain(&batch.elsewhere).copied().collect();
                let mut those = expected.indices.clone();
                all.sort_unstable();
                those.sort_unstable();
                prop_assert_eq!(all, those);
                prop_assert!(!batch.indices.is_empty());
            }
        }
    }
}

#[test]
fn a_part_that_cannot_be_is_refused() {
    for (number, of, batch_size) in [(2, 2, 8), (0, 0, 8), (0, 3, 2)] {
        let config = LoaderConfig { batch_size, part: Part { number, of }, ..LoaderConfig::default() };
        let error = Loader::new(Arc::new(pictures(4)), as_they_are(), config).err().unwrap();
        assert!(matches!(error, DataError::Setting { .. }), "{error}");
    }
}

#[test]
fn an_empty_set_has_no_batches() {
    for workers in [0, 2] {
        let empty = loader(0, LoaderConfig { workers, shuffle: Some(1), ..LoaderConfig::default() });
        assert_eq!((empty.batches(), empty.epoch(0).count()), (0, 0));
    }
}

proptest! {
    #[test]
    fn the_order_is_that_of_the_studies_so_far(seed: u64, epoch in 0usize..1000, count in 0usize..50, batch in 1usize..9) {
        let config = LoaderConfig { batch_size: batch, shuffle: Some(seed), ..LoaderConfig::default() };
        let mut expected: Vec<usize> = (0..count).collect();
        let mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(epoch as u64);
        expected.shuffle(&mut StdRng::seed_from_u64(mixed));
        prop_assert_eq!(indices(&loader(count, config), epoch), expected);
    }
}

#[test]
fn the_order_of_an_epoch_stays_over_versions() {
    let loader = loader(12, LoaderConfig { shuffle: Some(42), ..LoaderConfig::default() });
    // Also tells if another version of rand shuffles differently, which would change every study.
    assert_eq!(indices(&loader, 0), [5, 2, 9, 6, 4, 8, 10, 1, 3, 0, 7, 11]);
    assert_eq!(indices(&loader, 3), [4, 9, 2, 5, 1, 0, 11, 6, 7, 3, 10, 8]);
}

#[test]
fn an_image_is_augmented_by_its_own_numbers_in_each_epoch() {
    let augmentation = Augmentation { flip: true, erasing: 0.5, shift: 0.1, ..Augmentation::default() };
    let config = LoaderConfig {
        batch_size: 5,
        shuffle: Some(1),
        augmentation: augmentation.clone(),
        augmentation_seed: 8,
        ..LoaderConfig::default()
    };
    let (set, spec, loader) = (pictures(13), as_they_are(), loader(13, config));
    for epoch in [0, 7] {
        for batch in loader.epoch(epoch).map(Result::unwrap) {
            for (pixels, &index) in batch.pixels.chunks_exact(8 * 6 * 3).zip(&batch.indices) {
                let mut random = generator(8, epoch as u64, index as u64);
                let image = augmentation.apply((*set.images[index]).clone(), &mut random);
                let mut values = vec![0.0; 8 * 6 * 3];
                spec.normalize(&image, &mut values);
                assert_eq!(pixels, values, "image {index} of epoch {epoch}");
            }
        }
    }
}

#[test]
fn a_cache_changes_nothing_but_the_time() {
    let spec = input(5, 4, 3, Resize::Crop);
    let config = LoaderConfig {
        batch_size: 7,
        shuffle: Some(3),
        augmentation: Augmentation { flip: true, rotation: 20.0, ..Augmentation::default() },
        workers: 2,
        ..LoaderConfig::default()
    };
    let set: Arc<dyn ImageSet> = Arc::new(pictures(30));
    let cached = Arc::new(Cached::new(set.clone(), spec.clone(), 500).unwrap());
    let plain = Loader::new(set, spec.clone(), config.clone()).unwrap();
    let fast = Loader::new(cached.clone(), spec, config.clone()).unwrap();
    for epoch in 0..3 {
        let batches = |loader: &Loader| loader.epoch(epoch).map(Result::unwrap).collect::<Vec<_>>();
        assert_eq!(batches(&fast), batches(&plain));
    }
    assert_eq!(cached.used(), 480);
    let other = Loader::new(cached, input(5, 4, 3, Resize::Stretch), config).err().unwrap().to_string();
    assert!(other.contains("another preprocessing"), "{other}");
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    let error = |input: InputSpec, config: LoaderConfig| -> DataError {
        Loader::new(Arc::new(pictures(3)), input, config).err().unwrap()
    };
    let bad_batch = error(as_they_are(), LoaderConfig { batch_size: 0, ..LoaderConfig::default() });
    assert!(bad_batch.to_string().starts_with("batch_size is 0,"), "{bad_batch}");
    let bad_input = error(input(0, 1, 1, Resize::None), LoaderConfig::default());
    assert!(bad_input.to_string().starts_with("input.width is 0,"), "{bad_input}");
    let augmentation = Augmentation { shift: 2.0, ..Augmentation::default() };
    let bad_augmentation = error(as_they_are(), LoaderConfig { augmentation, ..LoaderConfig::default() });
    assert!(bad_augmentation.to_string().starts_with("augmentation.shift is 2,"), "{bad_augmentation}");
}

/// Pictures of which every third, and the fifth to the eighth, cannot be read.
struct Holes(MemorySet);

impl Holes {
    fn is_hole(index: usize) -> bool {
        index.is_multiple_of(3) || (4..8).contains(&index)
    }
}

impl ImageSet for Holes {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn image(&self, index: usize) -> Result<Arc<Image>, DataError> {
        match Self::is_hole(index) {
            true => Err(DataError::Missing { path: self.name(index).into() }),
            false => self.0.image(index),
        }
    }

    fn label(&self, index: usize) -> u32 {
        self.0.label(index)
    }

    fn name(&self, index: usize) -> String {
        self.0.name(index)
    }
}

#[test]
fn images_that_cannot_be_read_are_left_out_and_named_where_that_is_asked_for() {
    for workers in [0, 3] {
        let config = LoaderConfig { batch_size: 4, workers, skip_failed: true, ..LoaderConfig::default() };
        let set = Arc::new(Holes(pictures(14)));
        let loader = Loader::new(set.clone(), as_they_are(), config.clone()).unwrap();
        let whole = self::loader(14, LoaderConfig { skip_failed: false, ..config.clone() });
        let mut batches = 0;
        for (found, whole) in loader.epoch(0).zip(whole.epoch(0)) {
            let (found, whole) = (found.unwrap(), whole.unwrap());
            let values = whole.pixels.len() / whole.indices.len();
            let kept = |row: &usize| !Holes::is_hole(whole.indices[*row]);
            let rows: Vec<usize> = (0..whole.indices.len()).filter(kept).collect();
            assert_eq!(found.indices, rows.iter().map(|&row| whole.indices[row]).collect::<Vec<_>>());
            assert_eq!(found.labels, rows.iter().map(|&row| whole.labels[row]).collect::<Vec<_>>());
            assert_eq!((found.weights.len(), found.shape[0]), (rows.len(), rows.len()));
            let pixels: Vec<f32> =
                rows.iter().flat_map(|row| whole.pixels[row * values..(row + 1) * values].to_vec()).collect();
            assert_eq!(found.pixels, pixels);
            let failed: Vec<usize> = found.failed.iter().map(|(index, _)| *index).collect();
            let expected = whole.indices.iter().copied().filter(|index| Holes::is_hole(*index));
            assert_eq!(failed, expected.collect::<Vec<_>>());
            assert!(
                found.failed.iter().all(|(index, reason)| reason.contains(&format!("folder/{index}.png")))
            );
            batches += 1;
        }
        assert_eq!(batches, 4);
        let strict = Loader::new(set, as_they_are(), LoaderConfig { skip_failed: false, ..config }).unwrap();
        let error = strict.epoch(0).find_map(Result::err).unwrap().to_string();
        assert!(error.contains("folder/0.png"), "{error}");
    }
}
