//! What a check of a data set has found.

use std::collections::{BTreeMap, BTreeSet};

use cm_data::{Collection, Copies, Look, Split};
use cm_eval::Summary;

/// Lightest and darkest mean gray that is nothing to remark.
const LIGHT: (f64, f64) = (25.0, 230.0);
/// Least deviation of the gray values that is nothing to remark.
const CONTRAST: f64 = 8.0;
/// Share of the median sharpness below which an image counts as blurred.
const BLURRED: f64 = 0.05;

/// What is to be remarked of an image. It may be meant so, and nobody is kept from training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remark {
    Constant,
    Dark,
    Bright,
    LowContrast,
    Blurred,
}

impl Remark {
    pub const ALL: [Self; 5] = [Self::Constant, Self::Dark, Self::Bright, Self::LowContrast, Self::Blurred];

    pub fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Dark => "very dark",
            Self::Bright => "very bright",
            Self::LowContrast => "low contrast",
            Self::Blurred => "blurred",
        }
    }

    /// What the word means here.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Constant => "every pixel has the same gray",
            Self::Dark => "a mean gray below 25 of 255",
            Self::Bright => "a mean gray above 230 of 255",
            Self::LowContrast => "a deviation of the gray values below 8",
            Self::Blurred => "a variance of the Laplacian below a twentieth of the median",
        }
    }
}

/// Everything that was found.
pub struct Findings<'a> {
    pub collection: &'a Collection,
    /// How each image looks, or why it cannot be used.
    pub looks: &'a [Result<Look, String>],
    pub copies: Vec<Copies>,
    /// Remarks on images, by position.
    pub remarks: BTreeMap<usize, Vec<Remark>>,
}

/// Copies in two parts of the data, or of two classes.
pub struct Conflict<'a> {
    pub copies: &'a Copies,
    /// The parts or classes that they are in.
    pub places: Vec<String>,
}

impl<'a> Findings<'a> {
    pub fn new(collection: &'a Collection, looks: &'a [Result<Look, String>]) -> Self {
        let known: Vec<Option<&Look>> = looks.iter().map(|look| look.as_ref().ok()).collect();
        let sharpness: Vec<f64> = known.iter().flatten().map(|look| look.sharpness).collect();
        let median = Summary::of(&sharpness).map_or(0.0, |summary| summary.quantile(0.5));
        let remarks = known.iter().enumerate().filter_map(|(index, look)| {
            let remarks = remarks((*look)?, median);
            (!remarks.is_empty()).then_some((index, remarks))
        });
        let remarks = remarks.collect();
        Self { collection, looks, copies: Copies::among(&known), remarks }
    }

    /// Files that cannot be used, and why.
    pub fn bad(&self) -> impl Iterator<Item = (usize, &str)> {
        self.looks.iter().enumerate().filter_map(|(index, look)| Some((index, look.as_ref().err()?.as_str())))
    }

    /// Copies in several parts: what is learned from one is tested on the other.
    pub fn leaks(&self) -> Vec<Conflict<'_>> {
        self.conflicts(|index| self.collection.items[index].split.map(|split| split.name().to_owned()))
    }

    /// Copies of several classes: one of them is wrong, or nobody can tell them apart.
    pub fn contradictions(&self) -> Vec<Conflict<'_>> {
        self.conflicts(|index| {
            let item = &self.collection.items[index];
            item.class().map(|class| self.collection.classes[class].clone())
        })
    }

    fn conflicts(&self, place: impl Fn(usize) -> Option<String>) -> Vec<Conflict<'_>> {
        let of = |copies: &'_ Copies| -> Vec<String> {
            let places: BTreeSet<String> = copies.images.iter().filter_map(|&index| place(index)).collect();
            places.into_iter().collect()
        };
        let conflicts = self.copies.iter().map(|copies| Conflict { copies, places: of(copies) });
        conflicts.filter(|conflict| conflict.places.len() > 1).collect()
    }

    /// Groups with images in several parts.
    pub fn shared_groups(&self) -> Vec<String> {
        let mut parts: BTreeMap<u32, BTreeSet<Split>> = BTreeMap::new();
        for item in &self.collection.items {
            if let (Some(group), Some(split)) = (item.group, item.split) {
                parts.entry(group).or_default().insert(split);
            }
        }
        let shared = parts.into_iter().filter(|(_, splits)| splits.len() > 1);
        shared.map(|(group, _)| self.collection.groups[group as usize].clone()).collect()
    }

    /// Whether something is wrong, and not only worth a look.
    pub fn is_wrong(&self) -> bool {
        self.bad().next().is_some()
            || !self.leaks().is_empty()
            || !self.contradictions().is_empty()
            || !self.shared_groups().is_empty()
    }

    /// Images of each class (rows) in each part (columns), `None` for images without.
    pub fn counts(&self) -> BTreeMap<Option<usize>, BTreeMap<Option<Split>, usize>> {
        let mut counts: BTreeMap<Option<usize>, BTreeMap<Option<Split>, usize>> = BTreeMap::new();
        for item in &self.collection.items {
            *counts.entry(item.class()).or_default().entry(item.split).or_default() += 1;
        }
        counts
    }

    /// Images with a remark.
    pub fn with(&self, remark: Remark) -> Vec<usize> {
        let has = self.remarks.iter().filter(|(_, remarks)| remarks.contains(&remark));
        has.map(|(&index, _)| index).collect()
    }

    pub fn file(&self, index: usize) -> &str {
        &self.collection.items[index].file
    }
}

fn remarks(look: &Look, median_sharpness: f64) -> Vec<Remark> {
    if look.contrast == 0.0 {
        return vec![Remark::Constant];
    }
    let mut remarks = Vec::new();
    if look.light < LIGHT.0 {
        remarks.push(Remark::Dark);
    }
    if look.light > LIGHT.1 {
        remarks.push(Remark::Bright);
    }
    if look.contrast < CONTRAST {
        remarks.push(Remark::LowContrast);
    }
    if look.sharpness < BLURRED * median_sharpness {
        remarks.push(Remark::Blurred);
    }
    remarks
}
