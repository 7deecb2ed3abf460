//! Who is on an image? Searches among images of known people.

use cm_eval::{Retrieval, Search};
use rayon::prelude::*;

use crate::vectors::dot;

/// Searches between two looks at whether to go on.
const AT_ONCE: usize = 64;

/// Searches of images in a gallery, and of images among all others.
pub struct Searched {
    /// People in the gallery, one image each.
    pub gallery: usize,
    /// Searches of people who are in the gallery.
    pub inside: usize,
    /// All searches in the gallery.
    pub searches: Vec<Search>,
    /// Images among all others; `None` where nobody has two.
    pub retrieval: Option<Retrieval>,
}

/// Images with the person on each.
pub struct People<'a> {
    /// Features of length 1; `None` of an image that could not be read.
    pub features: &'a [Option<&'a [f32]>],
    /// Who is on each image.
    pub people: &'a [u32],
}

/// Who is searched for in whom.
pub struct Protocol {
    /// Images of people, one of each.
    gallery: Vec<usize>,
    /// Images that are searched for there, and the place in the gallery of the person on each.
    probes: Vec<(usize, Option<usize>)>,
    /// Images that are searched for among all others.
    queries: Vec<usize>,
}

impl Protocol {
    /// How many searches there are.
    pub fn searches(&self) -> usize {
        self.probes.len() + self.queries.len()
    }
}

impl People<'_> {
    /// The first image of everyone who has several is the gallery, their other images are searched for in it, and the images of the
    /// others, who are not in it. Where that image could not be read, the next one of the person stands in the gallery. All images
    /// of people who have several are searched for among all others. At most `most` are searched for in either, spread evenly.
    pub fn protocol(&self, most: usize) -> Protocol {
        let last = self.people.iter().max().map_or(0, |&last| last as usize + 1);
        let mut images: Vec<Vec<usize>> = vec![Vec::new(); last];
        self.people.iter().enumerate().for_each(|(image, &person)| images[person as usize].push(image));
        let several = |image: &usize| images[self.people[*image] as usize].len() > 1;
        let queries: Vec<usize> = (0..self.people.len()).filter(several).collect();
        let (mut gallery, mut probes, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for images in images {
            if let [one] = images[..] {
                others.push((one, None));
            } else if let Some(&first) = images.first() {
                let readable = images.iter().copied().find(|&image| self.features[image].is_some());
                let entry = readable.unwrap_or(first);
                let place = Some(gallery.len());
                gallery.push(entry);
                let searched = images.into_iter().filter(|&image| image != entry);
                probes.extend(searched.map(|image| (image, place)));
            }
        }
        probes.extend(others);
        Protocol { gallery, probes: spread(&probes, most), queries: spread(&queries, most) }
    }

    fn search(&self, gallery: &[usize], (probe, right): (usize, Option<usize>)) -> Option<Search> {
        let failed = Search::failed(right.is_some());
        let Some(feature) = self.features[probe] else { return Some(failed) };
        let score =
            |&entry: &usize| self.features[entry].map_or(f64::NEG_INFINITY, |other| dot(feature, other));
        let scores: Vec<f64> = gallery.iter().map(score).collect();
        Search::new(&scores, right)
    }

    /// Makes all searches. `on` is told how many more have been made, and says whether to go on. An image that could not be read is
    /// not found.
    ///
    /// `None` if it is not to go on.
    pub fn search_for(&self, protocol: Protocol, on: &(dyn Fn(usize) -> bool + Sync)) -> Option<Searched> {
        let Protocol { gallery, probes, queries } = protocol;
        let mut searches = Vec::with_capacity(probes.len());
        for some in probes.chunks(AT_ONCE) {
            let found: Option<Vec<Search>> =
                some.par_iter().map(|&probe| self.search(&gallery, probe)).collect();
            // Without a gallery there is nothing to search in.
            searches.extend(found.unwrap_or_default());
            if !on(some.len()) {
                return None;
            }
        }
        let labels: Vec<usize> = self.people.iter().map(|&person| person as usize).collect();
        let mut stopped = false;
        let retrieval = Retrieval::of_queries(&labels, queries, |query, scores| {
            let feature = self.features[query];
            scores.par_iter_mut().zip(self.features).with_min_len(1024).for_each(|(score, other)| {
                *score = feature.zip(*other).map_or(f32::NEG_INFINITY, |(a, b)| dot(a, b) as f32);
            });
            stopped = !on(1);
            !stopped
        });
        (!stopped).then(|| Searched {
            gallery: gallery.len(),
            inside: probes.iter().filter(|(_, right)| right.is_some()).count(),
            searches,
            retrieval,
        })
    }
}

/// At most so many, evenly spread over all.
fn spread<T: Copy>(all: &[T], most: usize) -> Vec<T> {
    let taken = all.len().min(most);
    (0..taken).map(|i| all[(i as u128 * all.len() as u128 / taken as u128) as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(features: &[Option<&[f32]>], people: &[u32], most: usize) -> Searched {
        let set = People { features, people };
        set.search_for(set.protocol(most), &|_| true).expect("not stopped")
    }

    #[test]
    fn an_image_that_cannot_be_read_is_searched_for_in_vain() {
        let directions: Vec<[f32; 2]> =
            [0.0_f32, 0.1, 0.2, 1.5, 1.6].iter().map(|angle| [angle.cos(), angle.sin()]).collect();
        let mut features: Vec<Option<&[f32]>> =
            directions.iter().map(|feature| Some(feature.as_slice())).collect();
        let people = [0, 0, 0, 1, 1];
        let found = all(&features, &people, 100);
        let ranks = |found: &Searched| cm_eval::rank_accuracy(&found.searches, 1);
        assert_eq!((found.gallery, found.searches.len(), ranks(&found)), (2, 3, Some(1.0)));
        // The second one takes the place of the first in the gallery, and the first is not found.
        features[0] = None;
        let found = all(&features, &people, 100);
        assert_eq!((found.gallery, found.searches.len()), (2, 3));
        assert_eq!(ranks(&found), Some(2.0 / 3.0));
        let retrieval = found.retrieval.expect("queries");
        assert_eq!((retrieval.queries, retrieval.precision_at_1), (5, 4.0 / 5.0));
        // Who has two images stays in the gallery.
        features[4] = None;
        assert_eq!(all(&features, &people, 100).searches.len(), 3);
    }

    #[test]
    fn so_many_are_searched_for_and_a_stop_is_heard() {
        let feature: &[f32] = &[1.0, 0.0];
        let features = vec![Some(feature); 90];
        let people: Vec<u32> = (0..90).map(|image| image / 3).collect();
        let set = People { features: &features, people: &people };
        let searches = |most: usize| set.protocol(most).searches();
        assert_eq!((searches(1000), searches(10)), (60 + 90, 20));
        let found = all(&features, &people, 10);
        assert_eq!((found.searches.len(), found.retrieval.map(|found| found.queries)), (10, Some(10)));
        assert_eq!(spread(&[0, 1, 2, 3, 4, 5], 3), [0, 2, 4]);
        assert!(set.search_for(set.protocol(10), &|_| false).is_none());
    }
}
