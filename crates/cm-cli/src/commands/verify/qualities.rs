//! How good the images of pairs are, and whether that tells which comparisons fail.

use cm_data::{ContentHash, Look, PairSet};
use cm_report::chart::Color;
use cm_train::study::Session;
use rayon::prelude::*;
use serde_json::{Value, json};

use super::features::Compared;
use crate::{
    error::CliError,
    figures::discarded::{AREA, FALSE_ACCEPTS, Pairs, Quality, Threshold},
};

/// Share of the pairs of one person that the curve of errors begins with.
pub const STARTING_ERROR: f64 = 0.05;
/// What qualities are called.
const NAMES: [&str; 2] = ["norm", "sharpness"];

/// The qualities of pairs: those of the image that has the lower one.
pub struct Qualities {
    /// By norm and by sharpness, each for every pair; NaN where an image could not be read.
    values: [Vec<f64>; 2],
}

/// Areas below the curve of rejects when pairs are left out.
pub struct Areas {
    threshold: Threshold,
    qualities: Vec<(&'static str, Option<f64>)>,
    random: Option<f64>,
    best: Option<f64>,
}

impl Qualities {
    /// Looks at every image for its sharpness.
    ///
    /// # Errors
    ///
    /// A stop by Ctrl-C.
    pub fn of(set: &PairSet, compared: &[Compared], session: &Session) -> Result<Self, CliError> {
        let bar = session.display.bar(set.images.len(), "sharpness");
        let sharpness = |image: usize| {
            if session.interrupter.should_stop() {
                return None;
            }
            bar.inc(1);
            let found = set.images.image(image);
            Some(found.map_or(f64::NAN, |image| Look::of(&image, ContentHash([0; 32])).sharpness))
        };
        let sharpness: Option<Vec<f64>> = (0..set.images.len()).into_par_iter().map(sharpness).collect();
        let sharpness = sharpness.ok_or(CliError::Stopped)?;
        bar.finish_and_clear();
        // Of NaN and a number NaN, which `min` would drop.
        let lower = |[a, b]: [f64; 2]| if a.is_nan() || b.is_nan() { f64::NAN } else { a.min(b) };
        let norms = compared.iter().map(|found| lower(found.norms)).collect();
        let sharp = set.pairs.iter().map(|pair| lower(pair.images.map(|image| sharpness[image]))).collect();
        Ok(Self { values: [norms, sharp] })
    }

    /// For a picture.
    pub fn shown<'a>(&'a self, pairs: Pairs<'a>) -> Vec<Quality<'a>> {
        let names = ["shorter feature", "less sharp image"];
        let all = names.into_iter().zip(Color::CURVES).zip(&self.values);
        all.map(|((name, color), values)| Quality { name, color, pairs, values }).collect()
    }

    /// The areas with a fixed threshold and with one that is set anew.
    pub fn areas(&self, pairs: Pairs<'_>) -> [Areas; 2] {
        [Threshold::Fixed(STARTING_ERROR), Threshold::Anew].map(|threshold| Areas {
            threshold,
            qualities: NAMES
                .into_iter()
                .zip(&self.values)
                .map(|(name, values)| (name, pairs.area(values, threshold)))
                .collect(),
            random: pairs.random_area(threshold),
            // With another threshold the order of the scores is not the best one.
            best: match threshold {
                Threshold::Fixed(_) => pairs.area(pairs.scores, threshold),
                Threshold::Anew => None,
            },
        })
    }
}

impl Areas {
    pub fn json(&self) -> (&'static str, Value) {
        let mut all = json!({ "up_to": AREA, "random": self.random });
        for (name, area) in &self.qualities {
            all[*name] = json!(area);
        }
        match self.threshold {
            Threshold::Fixed(error) => {
                all["starting_error"] = json!(error);
                all["best"] = json!(self.best);
                ("pauc", all)
            }
            Threshold::Anew => {
                all["far"] = json!(FALSE_ACCEPTS);
                ("pauc_threshold_anew", all)
            }
        }
    }

    pub fn text(&self) -> String {
        let shown = |area: Option<f64>| area.map_or("–".to_owned(), |area| format!("{area:.4}"));
        let what = match self.threshold {
            Threshold::Fixed(error) => format!("{:.0} % at first", 100.0 * error),
            Threshold::Anew => format!("threshold anew, {:.0} % false accepts", 100.0 * FALSE_ACCEPTS),
        };
        let qualities = self.qualities.iter().map(|(name, area)| format!("{name} {}", shown(*area)));
        let mut all: Vec<String> = qualities.collect();
        all.push(format!("no order {}", shown(self.random)));
        all.extend(self.best.map(|best| format!("best {}", shown(Some(best)))));
        format!("  {what}: {}\n", all.join(", "))
    }
}
