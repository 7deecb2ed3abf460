//! A page of images by their quality.

use std::{borrow::Cow, path::Path};

use cm_data::{Image, ImageSet, InputSpec, Resize};
use cm_report::{
    ContactImage, ContactRow, Page, PageSection, PageTable,
    chart::{self, Axis, Color, Corner, Curve, Panel},
    contact_sheet,
};
use cm_train::model::{ModelCard, QualityMap};

use crate::error::CliError;

/// Levels of quality that the images are shown in.
const LEVELS: u8 = 10;
/// Images of a level.
const OF_A_LEVEL: usize = 12;
/// Pixels of the longer side of an image on the page.
const SIDE: usize = 96;
/// Files that cannot be read that are named.
const NAMED: usize = 50;

/// An image with its quality.
pub struct Scored {
    /// Position in the set.
    pub index: usize,
    /// Its file.
    pub file: String,
    /// Length of the feature; `None` for a file that cannot be read.
    pub norm: Option<f32>,
    /// From 0 to 100.
    pub quality: Option<u8>,
}

/// What the page is about.
pub struct QualityPage<'a> {
    /// The images.
    pub set: &'a dyn ImageSet,
    /// The model that scored them.
    pub card: &'a ModelCard,
    /// Its file.
    pub model: &'a Path,
    /// The images, in their order.
    pub scored: &'a [Scored],
}

impl QualityPage<'_> {
    /// Writes the page.
    ///
    /// # Errors
    ///
    /// A page that cannot be written, or is somebody else's.
    pub fn write(&self, path: &Path) -> Result<(), CliError> {
        let mut known: Vec<&Scored> = self.scored.iter().filter(|image| image.quality.is_some()).collect();
        known.sort_by(|a, b| {
            (a.quality, a.norm).partial_cmp(&(b.quality, b.norm)).unwrap_or(std::cmp::Ordering::Equal)
        });
        let unread: Vec<&Scored> = self.scored.iter().filter(|image| image.quality.is_none()).collect();
        let mut sections = vec![PageSection {
            title: "All images".to_owned(),
            paragraphs: vec![self.scale()],
            figures: vec![histogram(&known)?],
            ..PageSection::default()
        }];
        let rows = self.levels(&known);
        let shown: usize = rows.iter().map(|row| row.images.len()).sum();
        let caption = format!(
            "{shown} of {} images, up to {OF_A_LEVEL} of each level of quality, spread evenly over it; below each its quality, the \
             length of its feature and its file.",
            known.len()
        );
        sections.push(PageSection {
            title: "By quality".to_owned(),
            figures: vec![contact_sheet("by-quality", "Images by quality", &caption, &rows)?],
            ..PageSection::default()
        });
        if !unread.is_empty() {
            sections.push(PageSection {
                title: "Files that cannot be read".to_owned(),
                paragraphs: vec![format!(
                    "{} files, of which the first {} stand here.",
                    unread.len(),
                    unread.len().min(NAMED)
                )],
                table: Some(PageTable {
                    columns: vec!["file".to_owned()],
                    rows: unread.iter().take(NAMED).map(|image| vec![image.file.clone()]).collect(),
                }),
                ..PageSection::default()
            });
        }
        let name = self.model.file_name().unwrap_or_default().to_string_lossy();
        let page = Page {
            title: "Quality of images".to_owned(),
            lead: format!("{} images, scored by {name} ({}).", self.scored.len(), self.card.loss),
            sections,
        };
        Ok(page.write(path)?)
    }

    /// What a quality means here.
    fn scale(&self) -> String {
        let Some(scale) = &self.card.quality else {
            return "The model is not calibrated: a quality of 30 says that 30 % of the images that it learned from have a shorter \
                    feature."
                .to_owned();
        };
        let fitted = &scale.fitted;
        let map = match &scale.map {
            QualityMap::Sigmoid(_) => "a sigmoid of the length of the feature",
            _ => "a curve over the length of the feature",
        };
        format!(
            "Quality is {map}, fitted to {} ({} images from {}; Spearman's correlation {:.2}, 95 % interval {:.2} to {:.2}).",
            fitted.target,
            fitted.images,
            fitted.data,
            fitted.correlation,
            fitted.interval[0],
            fitted.interval[1]
        )
    }

    /// Images of every level that has some.
    fn levels(&self, known: &[&Scored]) -> Vec<ContactRow<'static>> {
        let mut rows = Vec::new();
        for level in 0..LEVELS {
            let (low, high) = (
                level * (100 / LEVELS),
                if level + 1 == LEVELS { 100 } else { (level + 1) * (100 / LEVELS) - 1 },
            );
            let members: Vec<&&Scored> = known
                .iter()
                .filter(|image| image.quality.is_some_and(|q| (low..=high).contains(&q)))
                .collect();
            let count = members.len().min(OF_A_LEVEL);
            let chosen = (0..count).map(|i| members[i * members.len() / count]);
            let images: Vec<ContactImage<'static>> = chosen.filter_map(|image| self.small(image)).collect();
            if !images.is_empty() {
                rows.push(ContactRow { title: format!("{low} to {high}: {} images", members.len()), images });
            }
        }
        rows
    }

    fn small(&self, scored: &Scored) -> Option<ContactImage<'static>> {
        // It was read a moment ago; a file that has gone since is left out.
        let image = self.set.image(scored.index).ok()?;
        let image = shrunk(&image)?;
        let name = scored.file.rsplit('/').next().unwrap_or_default();
        let caption = format!("{}\n{:.2}\n{name}", scored.quality?, scored.norm?);
        Some(ContactImage {
            width: image.width,
            height: image.height,
            pixels: Cow::Owned(image.pixels),
            caption,
        })
    }
}

/// An image whose longer side is no longer than it is shown; of a volume the slice in the middle.
pub fn shrunk(image: &Image) -> Option<Image> {
    if image.is_volume() {
        return shrunk(&image.to_gray());
    }
    let longer = image.width.max(image.height).max(1);
    if longer <= SIDE {
        return Some(image.clone());
    }
    let fitted = |side: usize| (side * SIDE / longer).max(1);
    let spec = InputSpec {
        width: fitted(image.width),
        height: fitted(image.height),
        channels: image.channels,
        resize: Resize::Stretch,
        region: None,
        mean: vec![0.0; image.channels],
        std: vec![1.0; image.channels],
    };
    spec.apply(image).ok()
}

/// How many images have which quality.
fn histogram(known: &[&Scored]) -> Result<cm_report::Figure, CliError> {
    const BINS: usize = 20;
    let mut counts = [0usize; BINS];
    for quality in known.iter().filter_map(|image| image.quality) {
        counts[(usize::from(quality) * BINS / 101).min(BINS - 1)] += 1;
    }
    let width = 100.0 / BINS as f64;
    let mut points = vec![(0.0, 0.0)];
    for (bin, &count) in counts.iter().enumerate() {
        let share = 100.0 * count as f64 / known.len().max(1) as f64;
        points.extend([(width * bin as f64, share), (width * (bin + 1) as f64, share)]);
    }
    points.push((100.0, 0.0));
    let most = points.iter().map(|point| point.1).fold(1.0, f64::max);
    let panel = Panel {
        title: "How many images have which quality".to_owned(),
        x: Axis::new(0.0..100.0, "quality", 11, true),
        y: Axis::new(0.0..1.08 * most, "images (%)", 6, false),
        legend: Corner::TopLeft,
        curves: vec![Curve::new("", Color::CURVES[0], points)],
        about_zero: None,
    };
    let caption = format!("{} images, in steps of {width} of quality", known.len());
    Ok(chart::panels("qualities", "Qualities", &caption, 300, (1, 1), &[panel])?)
}
