//! What holds for every data set, whatever it was read from.

use std::collections::HashSet;

use cm_data::{Collection, Image};

/// Images of a data set that are read; the others are read in the same way.
pub const READ: usize = 8;

/// Everything that an item points to is there, and no two items have one name.
pub fn consistent(collection: &Collection) {
    let mut names = HashSet::new();
    for item in &collection.items {
        assert!(
            item.class().is_none_or(|class| class < collection.classes.len()),
            "{item:?} has no such class"
        );
        let groups = collection.groups.len();
        assert!(item.group.is_none_or(|group| (group as usize) < groups), "{item:?} has no such group");
        assert_eq!(item.columns.len(), collection.columns.len(), "{item:?}");
        assert!(item.weight.is_finite() && item.weight >= 0.0, "{item:?}");
        assert!(names.insert(&item.file), "two items are {item:?}");
    }
    let classes: HashSet<&String> = collection.classes.iter().collect();
    assert_eq!(
        classes.len(),
        collection.classes.len(),
        "two classes have one name: {:?}",
        collection.classes
    );
}

/// An image has pixels, and as many as its sides say.
pub fn whole(image: &Image) {
    assert!(matches!(image.channels, 1 | 3 | 8..=255), "{} channels", image.channels);
    assert_ne!(image.width * image.height, 0, "no pixels");
    assert_eq!(image.pixels.len(), image.width * image.height * image.channels, "pixels of {image:?}");
}
