use std::sync::{
    Arc, Barrier,
    atomic::{AtomicUsize, Ordering},
};

use cm_data::{Cached, DataError, Image, ImageSet, InputSpec, Joined, MemorySet, Resize, Subset};

use super::{input, picture, pictures};

/// Counts how often images are read; image 3 cannot be.
struct Counted {
    set: MemorySet,
    reads: AtomicUsize,
}

impl ImageSet for Counted {
    fn len(&self) -> usize {
        self.set.len()
    }

    fn image(&self, index: usize) -> Result<Arc<Image>, DataError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        if index == 3 {
            return Err(DataError::InImage {
                name: self.name(3),
                source: Box::new(DataError::WrongSize { found: [1, 1], expected: [2, 2] }),
            });
        }
        self.set.image(index)
    }

    fn label(&self, index: usize) -> u32 {
        self.set.label(index)
    }

    fn weight(&self, index: usize) -> f32 {
        index as f32 / 2.0
    }

    fn name(&self, index: usize) -> String {
        self.set.name(index)
    }
}

fn counted(count: usize) -> Arc<Counted> {
    Arc::new(Counted { set: pictures(count), reads: AtomicUsize::new(0) })
}

#[test]
fn thinning_keeps_images_from_the_whole_set_with_their_labels() {
    let pixels: Vec<u8> = (0..20).collect();
    let mut set = MemorySet::gray(2, 1, &pixels, (0..10).collect());
    assert_eq!(set.images[3].pixels, [6, 7]);
    assert_eq!(set.name(4), "image 4");
    set.names = (0..10).map(|i| format!("{i}.png")).collect();
    let thinned = set.thinned(4);
    assert_eq!(thinned.labels, [0, 2, 5, 7]);
    assert_eq!(thinned.names, ["0.png", "2.png", "5.png", "7.png"]);
    assert_eq!(thinned.image(2).unwrap().pixels, [10, 11]);
    assert_eq!(set.thinned(100), set);
    assert!(set.thinned(0).is_empty());
}

#[test]
fn a_subset_has_its_own_order_and_everything_of_its_images() {
    let whole = counted(10);
    let subset = Subset::new(whole.clone(), [7, 2, 2]);
    assert_eq!((subset.len(), subset.indices()), (3, &[7, 2, 2][..]));
    for (i, index) in [7, 2, 2].into_iter().enumerate() {
        assert_eq!(subset.image(i).unwrap(), whole.image(index).unwrap());
        assert_eq!(subset.label(i), whole.label(index));
        assert_eq!(subset.weight(i), whole.weight(index));
        assert_eq!(subset.name(i), whole.name(index));
    }
    assert!(subset.prepared().is_none());
    let spec = input(4, 3, 3, Resize::Stretch);
    let cached = Arc::new(Cached::new(whole, spec.clone(), 0).unwrap());
    assert_eq!(Subset::new(cached, [1]).prepared(), Some(&spec));
}

#[test]
fn a_cache_gives_preprocessed_images_and_reads_what_fits_once() {
    let spec = input(4, 3, 3, Resize::Stretch);
    let bytes = 4 * 3 * 3;
    for (budget, reads) in [(0, 30), (bytes - 1, 30), (3 * bytes, 24), (usize::MAX, 10)] {
        let set = counted(13);
        let cached = Cached::new(set.clone(), spec.clone(), budget).unwrap();
        for _ in 0..3 {
            for index in [0, 1, 2, 4, 5, 6, 7, 8, 11, 12] {
                let expected = spec.apply(&set.set.images[index]).unwrap();
                assert_eq!(*cached.image(index).unwrap(), expected);
            }
        }
        assert_eq!(set.reads.load(Ordering::Relaxed), reads, "budget {budget}");
        assert_eq!(cached.used(), budget.min(10 * bytes) / bytes * bytes);
        assert_eq!((cached.label(4), cached.weight(4), cached.name(4)), (1, 2.0, "folder/4.png".to_owned()));
        assert!(cached.image(3).unwrap_err().to_string().starts_with("folder/3.png: "));
    }
}

/// Gives an image to two threads at once and to none alone.
struct Meeting(Barrier);

impl ImageSet for Meeting {
    fn len(&self) -> usize {
        1
    }

    fn image(&self, _index: usize) -> Result<Arc<Image>, DataError> {
        self.0.wait();
        Ok(Arc::new(picture(8, 6, 3)))
    }

    fn label(&self, _index: usize) -> u32 {
        0
    }

    fn name(&self, _index: usize) -> String {
        "the image".to_owned()
    }
}

#[test]
fn an_image_that_two_threads_read_is_counted_once() {
    let cached =
        Cached::new(Arc::new(Meeting(Barrier::new(2))), input(4, 3, 3, Resize::Stretch), 100).unwrap();
    std::thread::scope(|scope| {
        let read = || scope.spawn(|| cached.image(0).unwrap());
        let (first, second) = (read(), read());
        assert_eq!(first.join().unwrap(), second.join().unwrap());
    });
    assert_eq!(cached.used(), 36);
}

#[test]
fn images_cached_for_another_input_are_refused() {
    let spec = input(4, 3, 3, Resize::Stretch);
    let cached: Arc<dyn ImageSet> = Arc::new(Cached::new(counted(3), spec.clone(), 100).unwrap());
    let message = Cached::new(cached.clone(), input(4, 3, 3, Resize::Crop), 9).err().unwrap().to_string();
    assert!(message.contains("another preprocessing"), "{message}");
    // How they are normalized is no matter: that comes later.
    let again = Cached::new(cached.clone(), InputSpec { mean: vec![0.1; 3], ..spec }, 9).unwrap();
    assert_eq!(again.image(1).unwrap(), cached.image(1).unwrap());
    assert!(Cached::new(counted(3), input(0, 3, 3, Resize::Crop), 9).is_err());
}

#[test]
fn joined_sets_follow_one_another_also_where_one_is_empty() {
    let (first, empty, second) = (pictures(3), pictures(0), pictures(5));
    let joined = Joined::new(vec![Arc::new(first.clone()), Arc::new(empty), Arc::new(second.clone())]);
    assert_eq!((joined.len(), Joined::new(Vec::new()).len()), (8, 0));
    for index in 0..8 {
        let (set, at) = if index < 3 { (&first, index) } else { (&second, index - 3) };
        assert_eq!(joined.image(index).unwrap(), set.images[at]);
        assert_eq!((joined.label(index), joined.name(index)), (set.label(at), set.name(at)));
        assert_eq!(joined.weight(index), 1.0);
    }
}
