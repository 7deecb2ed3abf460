//! What a network says of the nodules of a fold, and the figures of it.

use std::sync::Arc;

use cm_data::{Degradation, ImageSet, MemorySet, SEVERITIES, degrade_all};
use cm_eval::{BinaryFigures, Bootstrap, Statistic};
use cm_record::{FeatureRow, Level, Measurement, Stratification};
use cm_train::{
    Error,
    classifier::Classifier,
    evaluation::{Asked, Predictor},
};

use super::nodule::Nodule;

/// Stratification by how hard the nodule is to see.
pub const SUBTLETY: &str = "subtlety";
/// Stratification by how much the radiologists disagree.
pub const DISAGREEMENT: &str = "disagreement";
/// Stratification by what was done to the image.
pub const SEVERITY: &str = "severity";

/// A way in which nodules are divided by a number that is known of them.
pub struct Division {
    pub name: &'static str,
    /// What [`Division::quality`] is called.
    pub quality: &'static str,
    pub title: &'static str,
    pub axis: &'static str,
    /// Name, and from which number up to which, the upper end not included.
    pub levels: &'static [(&'static str, f64, f64)],
}

/// The divisions by ratings.
pub const DIVISIONS: [Division; 2] = [
    Division {
        name: SUBTLETY,
        quality: SUBTLETY,
        title: "subtlety",
        axis: "mean rating of subtlety (1 extremely subtle, 5 obvious)",
        levels: &[("1–2.9", 1.0, 3.0), ("3–3.9", 3.0, 4.0), ("4–4.9", 4.0, 5.0), ("5", 5.0, 6.0)],
    },
    Division {
        name: DISAGREEMENT,
        quality: "agreement",
        title: "disagreement of the radiologists",
        axis: "standard deviation of the ratings of malignancy",
        levels: &[
            ("0", 0.0, 1e-9),
            ("to 0.5", 1e-9, 0.501),
            ("above 0.5", 0.501, 5.0),
            (UNKNOWN, f64::NAN, f64::NAN),
        ],
    },
];

/// The level of nodules that a division says nothing of: a single radiologist cannot disagree.
pub const UNKNOWN: &str = "one radiologist";

impl Division {
    /// The number that it divides by.
    pub fn value(&self, nodule: &Nodule) -> Option<f64> {
        match self.name {
            SUBTLETY => Some(nodule.mean_subtlety()),
            _ => nodule.disagreement(),
        }
    }

    /// The number with the sign with which it rises as a nodule is easier to judge.
    pub fn quality(&self, nodule: &Nodule) -> Option<f64> {
        let value = self.value(nodule)?;
        Some(if self.name == DISAGREEMENT { -value } else { value })
    }

    /// The level that a nodule is in.
    pub fn level(&self, nodule: &Nodule) -> &'static str {
        let Some(value) = self.value(nodule) else { return UNKNOWN };
        let found = self.levels.iter().find(|(_, from, to)| (*from..*to).contains(&value));
        found.map_or(UNKNOWN, |(name, ..)| name)
    }

    fn stratification(&self) -> Stratification {
        let level = |&(name, ..): &(&str, f64, f64)| Level { name: name.to_owned(), label: name.to_owned() };
        Stratification {
            name: self.name.to_owned(),
            title: self.title.to_owned(),
            axis: self.axis.to_owned(),
            levels: self.levels.iter().map(level).collect(),
        }
    }
}

/// All stratifications, as tables and pictures show them.
pub fn stratifications() -> Vec<Stratification> {
    let severities = (0..SEVERITIES).map(|severity| Level {
        name: severity.to_string(),
        label: if severity == 0 { "untouched".to_owned() } else { severity.to_string() },
    });
    let severity = Stratification {
        name: SEVERITY.to_owned(),
        title: "severity of the degradation".to_owned(),
        axis: "severity of the degradation (0 untouched, 4 worst)".to_owned(),
        levels: severities.collect(),
    };
    DIVISIONS.iter().map(Division::stratification).chain([severity]).collect()
}

/// The images of nodules at each severity, all of them at each, the kind of degradation drawn for each image.
pub fn degraded(set: &MemorySet, seed: u64) -> Vec<Arc<dyn ImageSet>> {
    let at = |severity: usize| -> Arc<dyn ImageSet> {
        let severities = vec![severity as u8; set.len()];
        Arc::new(degrade_all(set, Degradation::Mixed, &severities, seed))
    };
    (0..SEVERITIES).map(at).collect()
}

/// What a network says of an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// Position of the nodule.
    pub nodule: usize,
    pub label: u32,
    pub predicted: u32,
    pub confidence: f32,
    pub norm: f32,
    /// `ln p(malignant) − ln p(benign)`.
    pub logit: f32,
}

impl Scored {
    /// The probability of malignancy.
    pub fn probability(&self) -> f64 {
        probability(f64::from(self.logit))
    }
}

/// The probability of malignancy that has this logit.
pub fn probability(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

/// Scores of all images of a set, whose nodules are `nodules`; `None` when told to stop.
pub fn scored(
    network: &Classifier,
    set: Arc<dyn ImageSet>,
    nodules: &[usize],
    predictor: &Predictor<'_>,
) -> Result<Option<Vec<Scored>>, Error> {
    let mut found = Vec::with_capacity(set.len());
    let asked = Asked { classes: true, probabilities: true, ..Asked::default() };
    let finished = predictor.each_batch(network, set, asked, |batch| {
        for row in 0..batch.indices.len() {
            let [benign, malignant] = [0, 1].map(|class| {
                // The smaller one is not rounded away; it is at least the smallest number that 32 bits hold.
                f64::from(batch.probabilities[2 * row + class].max(f32::MIN_POSITIVE)).ln()
            });
            found.push(Scored {
                nodule: nodules[batch.indices[row]],
                label: batch.labels[row],
                predicted: batch.predicted[row],
                confidence: batch.confidences[row],
                norm: batch.norms[row],
                logit: (malignant - benign) as f32,
            });
        }
        Ok::<(), Error>(())
    })?;
    Ok(finished.then_some(found))
}

/// The figures of a fold: of untouched images all together and by ratings, and of all severities.
pub fn measurements(at_severity: &[Vec<Scored>], nodules: &[Nodule], patients: &[u32]) -> Vec<Measurement> {
    let untouched = &at_severity[0];
    let mut found = figures("", untouched);
    for division in &DIVISIONS {
        for &(level, ..) in division.levels {
            let of_level: Vec<Scored> = untouched
                .iter()
                .filter(|scored| division.level(&nodules[scored.nodule]) == level)
                .copied()
                .collect();
            found.extend(figures(&format!("{}={level}", division.name), &of_level));
        }
        let known = |scored: &&Scored| division.value(&nodules[scored.nodule]).is_some();
        let of_known: Vec<Scored> = untouched.iter().filter(known).copied().collect();
        let quality = |scored: &Scored| division.quality(&nodules[scored.nodule]);
        let qualities: Vec<f64> = of_known.iter().filter_map(quality).collect();
        found.extend(correlations(division.quality, &of_known, &qualities, patients));
    }
    let (mut all, mut qualities) = (Vec::new(), Vec::new());
    for (severity, scored) in at_severity.iter().enumerate() {
        found.extend(figures(&format!("{SEVERITY}={severity}"), scored));
        all.extend_from_slice(scored);
        qualities.extend(std::iter::repeat_n(-(severity as f64), scored.len()));
    }
    found.extend(correlations(SEVERITY, &all, &qualities, patients));
    found
}

/// Diagnosis and norms of some images; nothing where there is none.
fn figures(stratum: &str, scored: &[Scored]) -> Vec<Measurement> {
    let count = scored.len();
    let probabilities: Vec<f64> = scored.iter().map(Scored::probability).collect();
    let positive: Vec<bool> = scored.iter().map(|scored| scored.label == 1).collect();
    let norms: Vec<f64> = scored.iter().map(|scored| f64::from(scored.norm)).collect();
    let Some(figures) = BinaryFigures::new(&probabilities, &positive) else { return Vec::new() };
    // Many probabilities are rounded to 1, and their logits still differ.
    let logits: Vec<f64> = scored.iter().map(|scored| f64::from(scored.logit)).collect();
    let figures = BinaryFigures { auc: cm_eval::auc(&logits, &positive), ..figures };
    let named = BinaryFigures::METRICS.into_iter().zip(figures.values());
    let mut found: Vec<Measurement> =
        named.map(|(metric, value)| Measurement::new(metric, stratum, value, count)).collect();
    found.extend(crate::applications::common::norm_measurements(stratum, &norms));
    found
}

/// How the norm goes with the quality of the images, over all and within classes: above 0 where better images have longer features,
/// whatever the quality is measured by. Patients are drawn for the intervals.
fn correlations(name: &str, scored: &[Scored], qualities: &[f64], patients: &[u32]) -> Vec<Measurement> {
    let norms: Vec<f64> = scored.iter().map(|scored| f64::from(scored.norm)).collect();
    let classes: Vec<usize> = scored.iter().map(|scored| scored.label as usize).collect();
    let groups: Vec<usize> = scored.iter().map(|scored| patients[scored.nodule] as usize).collect();
    let bootstrap = Bootstrap { resamples: 200, ..Bootstrap::default() };
    let statistic = Statistic::Spearman;
    let [overall, within] = bootstrap.by_group(&groups, |images| {
        let pick = |from: &[f64]| images.iter().map(|&i| from[i]).collect::<Vec<_>>();
        let classes: Vec<usize> = images.iter().map(|&i| classes[i]).collect();
        let (norms, qualities) = (pick(&norms), pick(qualities));
        [statistic.of(&norms, &qualities), statistic.within_classes(&norms, &qualities, &classes)]
    });
    let named = [("", overall), ("_within", within)];
    named
        .into_iter()
        .flat_map(|(suffix, found)| {
            crate::applications::common::with_interval(
                &format!("spearman_norm_{name}{suffix}"),
                found,
                scored.len(),
            )
        })
        .collect()
}

/// A row of a features file, with the levels of the nodule.
pub fn row(scored: &Scored, nodule: &Nodule, severity: usize) -> FeatureRow {
    let of_ratings = DIVISIONS.iter().map(|division| division.level(nodule).to_owned());
    FeatureRow {
        index: scored.nodule,
        label: scored.label,
        predicted: scored.predicted,
        confidence: scored.confidence,
        norm: scored.norm,
        point: None,
        logit: Some(scored.logit),
        levels: of_ratings.chain([severity.to_string()]).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_begin_with_their_number_and_a_single_radiologist_does_not_disagree() {
        let [subtlety, disagreement] = DIVISIONS;
        let level = |ratings: &[u8]| subtlety.level(&Nodule::rated(&vec![2; ratings.len()], ratings));
        assert_eq!(
            [&[1, 4, 3][..], &[3, 3], &[3, 3, 5, 5], &[5, 4], &[5]].map(level),
            ["1–2.9", "3–3.9", "4–4.9", "4–4.9", "5"]
        );
        let level = |ratings: &[u8]| disagreement.level(&Nodule::rated(ratings, &vec![3; ratings.len()]));
        assert_eq!([&[2, 2][..], &[2, 3], &[2, 4], &[2]].map(level), ["0", "to 0.5", "above 0.5", UNKNOWN]);
    }

    #[test]
    fn quality_rises_with_subtlety_ratings_and_with_agreement() {
        let [subtlety, disagreement] = DIVISIONS;
        let (agreed, split) = (Nodule::rated(&[2, 2], &[5, 5]), Nodule::rated(&[1, 3], &[2, 2]));
        assert!(subtlety.quality(&agreed) > subtlety.quality(&split));
        assert!(disagreement.quality(&agreed) > disagreement.quality(&split));
        assert_eq!(disagreement.quality(&Nodule::rated(&[4], &[4])), None);
    }

    #[test]
    fn norms_that_fall_with_the_severity_have_a_correlation_above_0() {
        let nodules: Vec<Nodule> = (0..20).map(|i| Nodule::rated(&[1 + i % 2 * 3], &[1 + i % 5])).collect();
        let patients: Vec<u32> = (0..20).collect();
        let at = |severity: usize| -> Vec<Scored> {
            let scored = |i: usize| Scored {
                nodule: i,
                label: (i % 2) as u32,
                predicted: (i % 2) as u32,
                confidence: 0.9,
                norm: 10.0 - severity as f32 + 0.01 * (i * 7 % 20) as f32,
                logit: if i % 2 == 1 { 2.0 } else { -2.0 } + 0.1 * i as f32,
            };
            (0..20).map(scored).collect()
        };
        let severities: Vec<Vec<Scored>> = (0..SEVERITIES).map(at).collect();
        let found = measurements(&severities, &nodules, &patients);
        let value = |metric: &str, stratum: &str| {
            let is = |of: &&Measurement| of.metric == metric && of.stratum == stratum;
            found.iter().find(is).and_then(|of| of.value)
        };
        assert!(value("spearman_norm_severity", "").is_some_and(|found| found > 0.95));
        assert_eq!((value("auc", ""), value("auc", "severity=4")), (Some(1.0), Some(1.0)));
        // Two radiologists are needed for agreement.
        assert_eq!(value("spearman_norm_agreement", ""), None);
    }
}
