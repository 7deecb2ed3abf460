//! Parts of the faces: who is learned, and who is tested on.

use std::{collections::BTreeMap, sync::Arc};

use cm_data::{DataError, Image, ImageSet, InputSpec, MemorySet, Pair, image_generator};
use rand::seq::SliceRandom;

use super::source::Faces;
use crate::error::CliError;

/// Some images of a set with other labels.
pub struct Part {
    pub set: Arc<dyn ImageSet>,
    pub indices: Vec<usize>,
    pub labels: Vec<u32>,
}

impl ImageSet for Part {
    fn len(&self) -> usize {
        self.indices.len()
    }

    fn image(&self, index: usize) -> Result<Arc<Image>, DataError> {
        self.set.image(self.indices[index])
    }

    fn label(&self, index: usize) -> u32 {
        self.labels[index]
    }

    fn name(&self, index: usize) -> String {
        self.set.name(self.indices[index])
    }
}

/// Images in memory that went through a preprocessing already.
pub struct Prepared {
    pub set: MemorySet,
    pub input: InputSpec,
}

impl ImageSet for Prepared {
    fn len(&self) -> usize {
        self.set.len()
    }

    fn image(&self, index: usize) -> Result<Arc<Image>, DataError> {
        self.set.image(index)
    }

    fn label(&self, index: usize) -> u32 {
        self.set.label(index)
    }

    fn name(&self, index: usize) -> String {
        self.set.name(index)
    }

    fn prepared(&self) -> Option<&InputSpec> {
        Some(&self.input)
    }
}

/// The people to learn, and those of them who are left out to make choices by.
pub struct Learned {
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Images to learn from, and the class of each.
    pub train: (Vec<usize>, Vec<u32>),
    /// Images of the people left out.
    pub held: Vec<usize>,
    /// Pairs of them, by their positions there: as many of one person as of two.
    pub held_pairs: Vec<Pair>,
}

/// Divides the people to train on.
///
/// # Errors
///
/// Fewer than two people with so many images.
pub fn learned(faces: &Faces, min_images: usize, held_out: f64, seed: u64) -> Result<Learned, CliError> {
    let mut of: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    faces.train.iter().for_each(|&image| of.entry(faces.people[image]).or_default().push(image));
    let mut people: Vec<(u32, Vec<usize>)> =
        of.into_iter().filter(|(_, images)| images.len() >= min_images).collect();
    people.shuffle(&mut image_generator(seed, u64::MAX));
    let held_people = people.split_off(people.len() - (held_out * people.len() as f64).round() as usize);
    people.sort_unstable();
    if people.len() < 2 {
        return Err(CliError::Said(format!(
            "there are {} people with {min_images} images or more to learn; a class needs another: lower --min-images",
            people.len()
        )));
    }
    let mut train = (Vec::new(), Vec::new());
    let mut classes = Vec::new();
    for (class, (person, images)) in (0..).zip(people) {
        train.1.extend(std::iter::repeat_n(class, images.len()));
        train.0.extend(images);
        classes.push(faces.names[person as usize].clone());
    }
    let mut held = Vec::new();
    let mut places: Vec<std::ops::Range<usize>> = Vec::new();
    for (_, images) in held_people.into_iter().filter(|(_, images)| images.len() > 1) {
        places.push(held.len()..held.len() + images.len());
        held.extend(images);
    }
    let held_pairs = held_pairs(&places);
    Ok(Learned { classes, train, held, held_pairs })
}

/// Up to three pairs of neighboring images of everyone, and as many of an image and one of the next person.
fn held_pairs(places: &[std::ops::Range<usize>]) -> Vec<Pair> {
    const MOST: usize = 3;
    if places.len() < 2 {
        return Vec::new();
    }
    let mut pairs = Vec::new();
    for (i, place) in places.iter().enumerate() {
        let next = &places[(i + 1) % places.len()];
        for (number, image) in place.clone().take(place.len() - 1).take(MOST).enumerate() {
            pairs.push(Pair { images: [image, image + 1], same: true, fold: 0 });
            pairs.push(Pair { images: [image, next.start + number % next.len()], same: false, fold: 0 });
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::applications::faces::synthetic::faces;

    #[test]
    fn people_left_out_are_not_learned_and_their_pairs_are_of_them() {
        let faces = faces(40, 16, 0);
        let found = learned(&faces, 4, 0.25, 1).expect("people");
        let people =
            |images: &[usize]| images.iter().map(|&image| faces.people[image]).collect::<BTreeSet<u32>>();
        let (train, held) = (people(&found.train.0), people(&found.held));
        assert!(train.is_disjoint(&held) && train.is_disjoint(&people(&faces.test)));
        assert_eq!(train.len(), found.classes.len());
        assert!(held.len() > 4 && train.len() > 2 * held.len());
        for (&image, &class) in found.train.0.iter().zip(&found.train.1) {
            assert_eq!(faces.names[faces.people[image] as usize], found.classes[class as usize]);
        }
        let same = found.held_pairs.iter().filter(|pair| pair.same).count();
        assert_eq!(2 * same, found.held_pairs.len());
        for pair in &found.held_pairs {
            let [a, b] = pair.images.map(|at| faces.people[found.held[at]]);
            assert_eq!(a == b, pair.same);
        }
        let again = learned(&faces, 4, 0.25, 1).expect("people");
        assert_eq!(again.held, found.held);
        let none = learned(&faces, 100, 0.1, 0).err().expect("nobody has so many").to_string();
        assert!(none.contains("0 people with 100 images"), "{none}");
        assert!(learned(&faces, 2, 0.0, 0).expect("people").held_pairs.is_empty());
    }
}
