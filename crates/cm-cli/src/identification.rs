//! Who is on an image? Searches among images of known people.

use cm_eval::{Retrieval, Search};
use rayon::prelude::*;

use crate::vectors::dot;

/// Searches of images in a gallery, and of every image among all others.
pub struct Searched {
    /// People in the gallery, one image each.
    pub gallery: usize,
    /// Searches of people who are in the gallery.
    pub inside: usize,
    /// Of these, and of others. None at all where a feature is not a number.
    pub searches: Vec<Search>,
    /// Every image among all others; `None` where nobody has two.
    pub retrieval: Option<Retrieval>,
}

impl Searched {
    /// The first image of everyone who has several is the gallery, their other images are searched for in it, and the images of the
    /// others, who are not in it. `features` have length 1.
    pub fn new(features: &[&[f32]], people: &[u32]) -> Self {
        let last = people.iter().max().map_or(0, |&last| last as usize + 1);
        let mut images: Vec<Vec<usize>> = vec![Vec::new(); last];
        people.iter().enumerate().for_each(|(image, &person)| images[person as usize].push(image));
        let known: Vec<&Vec<usize>> = images.iter().filter(|images| images.len() > 1).collect();
        let gallery: Vec<usize> = known.iter().map(|images| images[0]).collect();
        let inside = known
            .iter()
            .enumerate()
            .flat_map(|(place, images)| images[1..].iter().map(move |&i| (i, Some(place))));
        let outside = images.iter().filter(|images| images.len() == 1).map(|images| (images[0], None));
        let probes: Vec<(usize, Option<usize>)> = inside.chain(outside).collect();
        let searches: Option<Vec<Search>> = probes
            .par_iter()
            .map(|&(probe, right)| {
                let scores: Vec<f64> =
                    gallery.iter().map(|&entry| dot(features[probe], features[entry])).collect();
                Search::new(&scores, right)
            })
            .collect();
        let labels: Vec<usize> = people.iter().map(|&person| person as usize).collect();
        let retrieval = Retrieval::new(&labels, |query, scores| {
            let of = |(score, other): (&mut f32, &&[f32])| *score = dot(features[query], other) as f32;
            scores.par_iter_mut().zip(features).for_each(of);
        });
        Self {
            gallery: gallery.len(),
            inside: probes.iter().filter(|(_, right)| right.is_some()).count(),
            searches: searches.unwrap_or_default(),
            retrieval,
        }
    }
}
