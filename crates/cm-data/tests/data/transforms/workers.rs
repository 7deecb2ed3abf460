use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use cm_data::{
    Augmentation, DataError, Degradation, Image, ImageSet, Loader, LoaderConfig, MemorySet,
    RandomDegradation, RawBatch, Resize, Sampling,
};
use proptest::prelude::*;

use super::{input, pictures};

/// Images of which some cannot be read, some break the program, and all take a while.
struct Troubled {
    set: MemorySet,
    unreadable: Vec<usize>,
    breaking: Vec<usize>,
    pause: Duration,
    reads: AtomicUsize,
}

impl Troubled {
    fn new(count: usize) -> Self {
        let (unreadable, breaking, pause) = (Vec::new(), Vec::new(), Duration::ZERO);
        Self { set: pictures(count), unreadable, breaking, pause, reads: AtomicUsize::new(0) }
    }
}

impl ImageSet for Troubled {
    fn len(&self) -> usize {
        self.set.len()
    }

    fn image(&self, index: usize) -> Result<Arc<Image>, DataError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        thread::sleep(self.pause);
        assert!(!self.breaking.contains(&index), "a bug at image {index}");
        if self.unreadable.contains(&index) {
            let source = Box::new(DataError::WrongSize { found: [1, 1], expected: [2, 2] });
            return Err(DataError::InImage { name: self.name(index), source });
        }
        self.set.image(index)
    }

    fn label(&self, index: usize) -> u32 {
        self.set.label(index)
    }

    fn name(&self, index: usize) -> String {
        self.set.name(index)
    }
}

fn loader(set: Arc<dyn ImageSet>, config: LoaderConfig) -> Loader {
    Loader::new(set, input(8, 6, 3, Resize::None), config).unwrap()
}

fn wait_for_reads(set: &Troubled, reads: usize) {
    let start = Instant::now();
    while set.reads.load(Ordering::SeqCst) < reads {
        assert!(start.elapsed() < Duration::from_secs(30), "nobody reads");
        thread::sleep(Duration::from_millis(1));
    }
}

/// With every kind of augmentation.
fn augmented(batch_size: usize, workers: usize) -> LoaderConfig {
    let kind = Degradation::Mixed;
    let augmentation = Augmentation {
        flip: true,
        vertical_flip: true,
        transpose: false,
        shift: 0.1,
        scale: [0.9, 1.1],
        rotation: 10.0,
        color: 0.2,
        degrade: Some(RandomDegradation { kind, fraction: 0.5, severities: [1, 4], without: None }),
        erasing: 0.3,
    };
    let sampling = Sampling::Balanced;
    LoaderConfig { batch_size, shuffle: Some(2), augmentation, sampling, workers, ..LoaderConfig::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]
    #[test]
    fn any_number_of_workers_gives_the_same_bits(
        count in 1usize..70, batch_size in 1usize..80, queue in 0usize..4, epoch in 0usize..9,
    ) {
        let set: Arc<dyn ImageSet> = Arc::new(pictures(count));
        let batches = |workers| -> Vec<RawBatch> {
            let config = LoaderConfig { queue, ..augmented(batch_size, workers) };
            loader(set.clone(), config).epoch(epoch).map(Result::unwrap).collect()
        };
        let expected = batches(0);
        prop_assert_eq!(expected.len(), count.div_ceil(batch_size));
        for workers in [1, 2, 8] {
            prop_assert_eq!(&batches(workers), &expected, "{} workers", workers);
        }
    }
}

#[test]
fn the_first_bad_image_is_named_after_the_batches_before_it_and_ends_the_epoch() {
    for (workers, batch_size) in [(0, 10), (1, 10), (2, 10), (8, 10), (8, 3), (8, 100)] {
        for _ in 0..5 {
            let set = Troubled { unreadable: vec![71, 45, 46, 52, 99], ..Troubled::new(100) };
            let config = LoaderConfig { batch_size, workers, ..LoaderConfig::default() };
            let mut batches = loader(Arc::new(set), config).epoch(0);
            let good: Vec<usize> =
                batches.by_ref().map_while(Result::ok).flat_map(|batch| batch.indices).collect();
            assert_eq!(good, (0..45 / batch_size * batch_size).collect::<Vec<_>>());
            assert!(batches.next().is_none(), "{workers} workers");

            let set = Troubled { unreadable: vec![71, 45, 46, 52, 99], ..Troubled::new(100) };
            let config = LoaderConfig { batch_size, workers, ..LoaderConfig::default() };
            let error = loader(Arc::new(set), config).epoch(0).find_map(Result::err).unwrap().to_string();
            assert!(error.starts_with("folder/45.png: "), "{workers} workers: {error}");
        }
    }
}

#[test]
fn an_image_of_the_wrong_size_is_named_by_the_loader() {
    let mut set = pictures(20);
    set.images[13] = Arc::new(super::picture(5, 5, 3));
    let error = loader(Arc::new(set), LoaderConfig { workers: 2, ..LoaderConfig::default() }).epoch(0).next();
    let error = error.unwrap().unwrap_err().to_string();
    assert!(error.starts_with("folder/13.png: ") && error.contains("5 x 5"), "{error}");
}

#[test]
fn a_panic_over_an_image_becomes_an_error_that_names_it() {
    for workers in [0, 1, 8] {
        let set = Troubled { breaking: vec![23, 37], ..Troubled::new(50) };
        let mut batches =
            loader(Arc::new(set), LoaderConfig { batch_size: 10, workers, ..LoaderConfig::default() })
                .epoch(0);
        assert_eq!(batches.by_ref().take(2).filter(Result::is_ok).count(), 2);
        let error = batches.next().unwrap().unwrap_err();
        assert!(
            matches!(&error, DataError::Panicked { name, message } if name == "folder/23.png" && message == "a bug at image 23"),
            "{error}"
        );
        assert!(batches.next().is_none());
    }
}

#[test]
fn leaving_early_finishes_the_images_in_work_and_no_more() {
    for workers in [1, 8] {
        let set = Arc::new(Troubled { pause: Duration::from_millis(10), ..Troubled::new(2000) });
        // A batch takes 10 or 1.25 seconds.
        let config = LoaderConfig { batch_size: 1000, workers, ..LoaderConfig::default() };
        let batches = loader(set.clone(), config).epoch(0);
        wait_for_reads(&set, 2);
        let start = Instant::now();
        drop(batches);
        assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
        assert!(set.reads.load(Ordering::SeqCst) < 500);
    }
}

#[test]
fn leaving_early_ends_the_threads() {
    for (workers, queue, taken) in [(1, 0, 0), (2, 1, 1), (8, 4, 2), (2, 100, 1)] {
        let set = Arc::new(Troubled::new(5000));
        let config = LoaderConfig { batch_size: 20, workers, queue, ..LoaderConfig::default() };
        let mut batches = loader(set.clone(), config).epoch(0);
        assert_eq!(batches.by_ref().take(taken).filter(Result::is_ok).count(), taken);
        drop(batches);
        // Nobody has the set any more, and nobody reads it.
        assert_eq!(Arc::strong_count(&set), 1);
        let reads = set.reads.load(Ordering::SeqCst);
        thread::sleep(Duration::from_millis(5));
        assert_eq!(set.reads.load(Ordering::SeqCst), reads);
    }
}

#[test]
fn batches_are_made_ahead_no_further_than_the_queue() {
    let set = Arc::new(Troubled::new(1000));
    let config = LoaderConfig { batch_size: 10, workers: 1, queue: 3, ..LoaderConfig::default() };
    let mut batches = loader(set.clone(), config).epoch(0);
    batches.next().unwrap().unwrap();
    // The batch that was taken, three in the queue and one that waits for a place in it.
    wait_for_reads(&set, 50);
    thread::sleep(Duration::from_millis(50));
    assert_eq!(set.reads.load(Ordering::SeqCst), 50);
    assert_eq!(batches.filter(Result::is_ok).count(), 99);
}

#[test]
fn epochs_can_run_beside_each_other() {
    let loader = loader(Arc::new(pictures(40)), augmented(8, 2));
    let alone = |epoch| loader.epoch(epoch).map(Result::unwrap).collect::<Vec<_>>();
    let (mut first, mut second) = (loader.epoch(0), loader.epoch(1));
    for (expected_first, expected_second) in alone(0).iter().zip(&alone(1)) {
        assert_eq!(first.next().unwrap().unwrap(), *expected_first);
        assert_eq!(second.next().unwrap().unwrap(), *expected_second);
    }
    assert!(first.next().is_none() && second.next().is_none());
}
