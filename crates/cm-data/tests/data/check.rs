//! Whether every file can be used, and what is remembered of it.

use std::{
    fs,
    ops::ControlFlow,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, SystemTime},
};

use cm_data::{Checked, Collection, DataError, DecodeLimits, OpenOptions, check_all, inspect_all};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::helper::{fixtures, image_bytes, open, write_images, zip_of_images};

fn folder(names: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_images(folder.path(), names);
    folder
}

fn check(collection: &Collection, cache: Option<&Path>) -> Checked {
    check_all(collection, cache, &|_| ControlFlow::Continue(())).unwrap()
}

#[test]
fn sizes_channels_and_contents_are_found_and_every_file_is_reported_once() {
    let folder = folder(&["a/1", "b/2"]);
    fs::copy(fixtures().join("orientation-6.jpg"), folder.path().join("b/3")).unwrap();
    let collection = open(folder.path()).unwrap();
    let seen = [const { AtomicUsize::new(0) }; 3];
    let count = |done: usize| {
        seen[done - 1].fetch_add(1, Ordering::Relaxed);
        ControlFlow::Continue(())
    };
    let checked = check_all(&collection, None, &count).unwrap();
    assert_eq!(seen.map(AtomicUsize::into_inner), [1; 3]);
    let facts = checked.facts[2].unwrap();
    assert_eq!((facts.width, facts.height, facts.channels), (10, 18, 3));
    assert_eq!(checked.facts[0].unwrap().channels, 1);
    let sum = Sha256::digest(image_bytes("a/1"));
    let expected: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(checked.facts[0].unwrap().content.to_string(), expected);
    let (usable, left_out) = checked.into_usable(collection, 0).unwrap();
    assert!(left_out.is_empty());
    assert_eq!(usable.items[2].facts, Some(facts));
}

#[test]
fn a_check_that_is_stopped_says_so_and_looks_at_no_more() {
    let names: Vec<String> = (10..90).map(|i| format!("a/{i}")).collect();
    let folder = folder(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let collection =
        Collection::open(folder.path(), &OpenOptions { labels_required: false, ..OpenOptions::default() });
    let collection = collection.unwrap();
    let seen = AtomicUsize::new(0);
    let stop = |_: usize| {
        seen.fetch_add(1, Ordering::Relaxed);
        ControlFlow::Break(())
    };
    assert!(matches!(check_all(&collection, None, &stop), Err(DataError::Stopped)));
    assert!(matches!(inspect_all(&collection, &stop), Err(DataError::Stopped)));
    assert!(seen.into_inner() < 80);
}

#[test]
fn bad_files_stop_with_a_list_unless_some_may_be_left_out() {
    let names: Vec<String> = (10..40).map(|i| format!("a/{i}")).collect();
    let folder = folder(&names.iter().map(String::as_str).chain(["b/1"]).collect::<Vec<_>>());
    for name in &names[..25] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    fs::write(folder.path().join("a/10"), "P5 9 9 255 short").unwrap();
    let collection = open(folder.path()).unwrap();
    let message = check(&collection, None).into_usable(collection.clone(), 24).unwrap_err().to_string();
    assert!(message.contains("25 of the 31 images of"), "{message}");
    assert!(message.contains("\na/10: the PPM data ends too early"), "{message}");
    assert!(message.contains("\na/29: the file is empty\nand 5 more\n"), "{message}");
    assert!(message.ends_with("or leave them out by `--skip-bad 25`"), "{message}");
    let (usable, left_out) = check(&collection, None).into_usable(collection.clone(), 25).unwrap();
    assert_eq!((usable.len(), left_out.len(), left_out[24].index), (6, 25, 24));
    assert!(usable.items.iter().all(|item| item.facts.is_some()));
    assert_eq!(usable.classes, ["a", "b"]);
    fs::write(folder.path().join("b/1"), "").unwrap();
    let lost = check(&collection, None).into_usable(collection, 26).unwrap_err().to_string();
    assert!(lost.contains("no image of the class \"b\" of"), "{lost}");
}

#[test]
fn a_file_is_opened_again_only_if_its_size_or_time_has_changed() {
    let folder = folder(&["a/1", "b/2", "b/3"]);
    let cache = folder.path().join(".cache/check.json");
    let collection = open(folder.path()).unwrap();
    let first = check(&collection, Some(&cache));
    assert_eq!((first.remembered, first.bad.len()), (0, 0));
    let before = fs::metadata(&cache).unwrap().modified().unwrap();
    let second = check(&collection, Some(&cache));
    assert_eq!((second.remembered, &second.facts), (3, &first.facts));
    assert_eq!(fs::metadata(&cache).unwrap().modified().unwrap(), before);

    // The same bytes at another time, and other bytes at the same time.
    let file = |name: &str| fs::File::options().write(true).open(folder.path().join(name)).unwrap();
    let time = file("b/2").metadata().unwrap().modified().unwrap();
    file("a/1").set_modified(SystemTime::now() + Duration::from_secs(9)).unwrap();
    fs::write(folder.path().join("b/2"), "not an image").unwrap();
    file("b/2").set_modified(time).unwrap();
    let third = check(&collection, Some(&cache));
    assert_eq!((third.remembered, third.bad[0].file.as_str()), (1, "b/2"));
    assert_eq!(third.facts[0], first.facts[0]);
    // What is bad is remembered as well.
    let fourth = check(&collection, Some(&cache));
    assert_eq!((fourth.remembered, fourth.bad), (3, third.bad));
}

#[test]
fn a_file_that_could_not_be_read_is_not_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let (path, cache) = (folder.path().join("data.zip"), folder.path().join("cache"));
    let good = zip_of_images(&["a/1", "b/2"]);
    let mut damaged = good.clone();
    let content = image_bytes("b/2");
    // The content stands after the name in the first of its two headers.
    let at = good.windows(3).position(|bytes| bytes == b"b/2").unwrap();
    damaged[at + 3..at + 3 + content.len() / 2].fill(0);
    fs::write(&path, &damaged).unwrap();
    let checked = check(&open(&path).unwrap(), Some(&cache));
    assert_eq!(checked.bad.len(), 1);
    assert_eq!(checked.bad[0].file, "b/2");
    fs::write(&path, &good).unwrap();
    let checked = check(&open(&path).unwrap(), Some(&cache));
    assert_eq!((checked.remembered, checked.bad.len()), (1, 0));
}

#[test]
fn a_damaged_or_foreign_cache_is_ignored_and_replaced() {
    let folder = folder(&["a/1", "b/2"]);
    let collection = open(folder.path()).unwrap();
    let cache = folder.path().join(".cache.json");
    check(&collection, Some(&cache));
    let good = fs::read_to_string(&cache).unwrap();
    let foreign = good.replace("cm-data check 1", "cm-data check 0");
    let wrong_sums = good.replace("\"good\":[2,1,1,\"", "\"good\":[2,1,1,\"?");
    for text in ["", "{}", "[1]", &good[..good.len() - 9], &foreign, &wrong_sums] {
        fs::write(&cache, text).unwrap();
        let checked = check(&collection, Some(&cache));
        assert_eq!((checked.remembered, checked.bad.len()), (0, 0), "{text}");
        assert_eq!(fs::read_to_string(&cache).unwrap(), good, "{text}");
    }
    // Under other limits other files are bad.
    let decode = DecodeLimits { pixels: 1 };
    let strict = Collection::open(folder.path(), &OpenOptions { decode, ..OpenOptions::default() }).unwrap();
    let checked = check(&strict, Some(&cache));
    assert_eq!((checked.remembered, checked.bad.len()), (0, 2));
}

#[test]
fn a_cache_that_cannot_be_written_is_no_reason_to_lose_the_results() {
    let folder = folder(&["a/1", "b/2"]);
    let checked = check(&open(folder.path()).unwrap(), Some(&folder.path().join("a/1/cache")));
    assert_eq!(checked.facts.iter().flatten().count(), 2);
    assert!(matches!(checked.cache_problem, Some(DataError::Io { action: "write", .. })));
}

#[test]
fn entries_of_an_archive_are_remembered_by_their_content() {
    let folder = tempfile::tempdir().unwrap();
    let (path, cache) = (folder.path().join("data.zip"), folder.path().join("cache"));
    fs::write(&path, zip_of_images(&["a/1", "b/2"])).unwrap();
    let collection = open(&path).unwrap();
    assert_eq!(check(&collection, Some(&cache)).remembered, 0);
    fs::write(&path, zip_of_images(&["a/1", "b/2", "b/3"])).unwrap();
    assert_eq!(check(&open(&path).unwrap(), Some(&cache)).remembered, 2);
}

#[test]
fn the_same_content_elsewhere_is_the_same_data_and_any_change_another() {
    let names = ["a/1", "a/2", "b/3"];
    let (one, other) = (folder(&names), folder(&names));
    let sum = |folder: &TempDir| open(folder.path()).unwrap().checksum().unwrap();
    assert_eq!(sum(&one), sum(&other));
    assert!(sum(&one).starts_with("sha256:") && sum(&one).len() == 71);
    // Neither the order of the images nor where a check left its results makes a difference.
    let collection = open(one.path()).unwrap();
    assert_eq!(collection.select(&[2, 0, 1]).checksum().unwrap(), sum(&one));
    let (usable, _) = check(&collection, None).into_usable(collection, 0).unwrap();
    assert_eq!(usable.checksum().unwrap(), sum(&one));
    assert_ne!(usable.select(&[0, 1]).checksum().unwrap(), sum(&one));
    let mut sums = vec![sum(&one)];
    fs::rename(other.path().join("a/1"), other.path().join("a/4")).unwrap();
    sums.push(sum(&other));
    fs::rename(other.path().join("a/4"), other.path().join("b/1")).unwrap();
    sums.push(sum(&other));
    fs::rename(other.path().join("b/1"), other.path().join("a/1")).unwrap();
    fs::write(other.path().join("a/1"), image_bytes("another")).unwrap();
    sums.push(sum(&other));
    sums.sort();
    sums.dedup();
    assert_eq!(sums.len(), 4);
    // The class counts where it is not in the name.
    let labeled = |labels: &str| {
        fs::write(one.path().join("list.csv"), format!("path,label\n{labels}")).unwrap();
        open(&one.path().join("list.csv")).unwrap().checksum().unwrap()
    };
    assert_ne!(labeled("a/1,x\na/2,y\n"), labeled("a/1,x\na/2,z\n"));
}
