use std::sync::Arc;

use burn::{data::dataloader::DataLoader, tensor::Device};
use cm_train::{
    classifier::Batch,
    data::{LabelledImages, synthetic_digits},
    training::{ImageLoader, batch},
};

/// Images that can be told apart by their label.
fn images(count: usize) -> Arc<LabelledImages> {
    let mut images = synthetic_digits(count, 0, 0).train;
    images.labels = (0..count).map(|i| i as u8).collect();
    Arc::new(images)
}

fn order(loader: &dyn DataLoader<Batch>) -> Vec<i64> {
    let targets = |batch: Batch| batch.targets.into_data().iter::<i64>().collect::<Vec<_>>();
    loader.iter().flat_map(|batch| targets(batch.unwrap())).collect()
}

#[test]
fn every_epoch_has_every_image_once_in_an_order_of_its_own() {
    let loader = ImageLoader::new(images(50), 16, &Device::flex()).shuffled(3, 0);
    let (first, second) = (order(&loader), order(&loader));
    assert_ne!(first, second);
    for mut epoch in [first, second] {
        epoch.sort_unstable();
        assert_eq!(epoch, (0..50).collect::<Vec<_>>());
    }
}

#[test]
fn a_resumed_loader_gives_the_order_of_the_epoch_it_resumes_with() {
    let loader = |done| ImageLoader::new(images(50), 16, &Device::flex()).shuffled(3, done);
    let whole = loader(0);
    let epochs: Vec<_> = (0..4).map(|_| order(&whole)).collect();
    let resumed = loader(2);
    assert_eq!([order(&resumed), order(&resumed)], epochs[2..]);
    assert_ne!(order(&ImageLoader::new(images(50), 16, &Device::flex()).shuffled(4, 0)), epochs[0]);
}

#[test]
fn the_last_batch_holds_what_remains_and_progress_counts_images() {
    let loader = ImageLoader::new(images(50), 16, &Device::flex());
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
fn pixels_are_normalised_by_the_mean_and_deviation_of_mnist() {
    let black_and_white = LabelledImages { rows: 1, cols: 2, pixels: vec![0, 255], labels: vec![4] };
    let batch = batch(&black_and_white, &[0], &Device::flex());
    let pixels: Vec<f32> = batch.images.into_data().iter::<f32>().collect();
    assert!((pixels[0] - (0.0 - 0.1307) / 0.3081).abs() < 1e-6);
    assert!((pixels[1] - (1.0 - 0.1307) / 0.3081).abs() < 1e-6);
}
