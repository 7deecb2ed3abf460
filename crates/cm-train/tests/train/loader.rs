use std::sync::Arc;

use burn::{data::dataloader::DataLoader, tensor::Device};
use cm_data::{ImageSet, LoaderConfig, MemorySet};
use cm_train::{classifier::Batch, training::ImageLoader};

use crate::shared::{input, stripes};

/// Images that can be told apart by their label.
fn images(count: usize) -> Arc<dyn ImageSet> {
    let set = stripes(count, 0);
    Arc::new(MemorySet { labels: (0..count as u32).collect(), ..set })
}

fn loader(shuffle: Option<u64>, done: usize) -> ImageLoader {
    let config = LoaderConfig { batch_size: 16, shuffle, workers: 1, ..LoaderConfig::default() };
    ImageLoader::new(images(50), input(), config, done, &Device::flex()).unwrap()
}

fn order(loader: &dyn DataLoader<Batch>) -> Vec<i64> {
    let targets = |batch: Batch| batch.targets.into_data().iter::<i64>().collect::<Vec<_>>();
    loader.iter().flat_map(|batch| targets(batch.unwrap())).collect()
}

#[test]
fn every_epoch_has_every_image_once_in_an_order_of_its_own() {
    let loader = loader(Some(3), 0);
    let (first, second) = (order(&loader), order(&loader));
    assert_ne!(first, second);
    for mut epoch in [first, second] {
        epoch.sort_unstable();
        assert_eq!(epoch, (0..50).collect::<Vec<_>>());
    }
}

#[test]
fn a_resumed_loader_gives_the_order_of_the_epoch_it_resumes_with() {
    let whole = loader(Some(3), 0);
    let epochs: Vec<_> = (0..4).map(|_| order(&whole)).collect();
    let resumed = loader(Some(3), 2);
    assert_eq!([order(&resumed), order(&resumed)], epochs[2..]);
    assert_ne!(order(&loader(Some(4), 0)), epochs[0]);
}

#[test]
fn the_last_batch_holds_what_remains_and_progress_counts_images() {
    let loader = loader(None, 0);
    let mut batches = loader.iter();
    let sizes: Vec<(usize, usize)> = std::iter::from_fn(|| {
        let size = batches.next()?.unwrap().targets.dims()[0];
        Some((size, batches.progress().items_processed))
    })
    .collect();
    assert_eq!(sizes, [(16, 16), (16, 32), (16, 48), (2, 50)]);
    assert_eq!((loader.num_items(), loader.slice(10, 30).num_items()), (50, 20));
    assert_eq!(order(loader.slice(10, 13).as_ref()), [10, 11, 12]);
}

#[test]
fn each_slice_counts_its_epochs_by_itself() {
    let whole = loader(Some(3), 0);
    let (first, second) = (whole.slice(0, 25), whole.slice(25, 50));
    let alone = loader(Some(3), 0).slice(25, 50);
    // As two devices would: each goes through its part once an epoch.
    let together: Vec<_> = (0..3).map(|_| (order(first.as_ref()), order(second.as_ref())).1).collect();
    let by_itself: Vec<_> = (0..3).map(|_| order(alone.as_ref())).collect();
    assert_eq!(together, by_itself);
}

#[test]
fn a_batch_says_where_it_stands_and_which_images_it_holds() {
    let loader = loader(None, 4);
    let batch = loader.iter().nth(1).unwrap().unwrap();
    assert_eq!((batch.place.epoch, batch.place.step), (5, 2));
    assert_eq!(batch.place.indices, (16..32).collect::<Vec<_>>());
}
