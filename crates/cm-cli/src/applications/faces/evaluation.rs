//! What a network says of pairs of faces, and the figures of it.

use std::sync::Arc;

use cm_data::{ImageSet, Pair, SEVERITIES};
use cm_eval::{
    Bootstrap, FarRule, FoldAccuracy, Statistic, Thresholds, Verification, auc, rank_accuracy, tpir_at_fpir,
};
use cm_record::{FeatureRow, Level, Measurement, Stratification};
use cm_train::{
    Error,
    classifier::Classifier,
    evaluation::{Asked, Predictor},
};

use crate::{
    applications::common,
    identification::{People, Searched},
    vectors::{dot, unit},
};

/// False accept rates whose true accept rates are told. Of 500 pairs of two people none can be a thousandth.
pub const RATES: [(&str, f64); 2] = [("tar_at_far_0.1", 0.1), ("tar_at_far_0.01", 0.01)];
/// Share of the pairs of one person that fail where curves of errors begin.
pub const STARTING_ERROR: f64 = 0.1;

/// Which image of a pair is degraded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Both,
    /// The second one, which is looked for.
    Probe,
    /// The first one, which is known.
    Gallery,
}

impl Side {
    pub const ALL: [Self; 3] = [Self::Both, Self::Probe, Self::Gallery];

    /// Name of the stratification.
    pub fn name(self) -> &'static str {
        match self {
            Self::Both => "severity",
            Self::Probe => "probe",
            Self::Gallery => "gallery",
        }
    }

    /// Severities of the two images.
    fn of(self, severity: usize) -> [usize; 2] {
        match self {
            Self::Both => [severity, severity],
            Self::Probe => [0, severity],
            Self::Gallery => [severity, 0],
        }
    }

    fn stratification(self) -> Stratification {
        let what = match self {
            Self::Both => "severity of the degradation of both images",
            Self::Probe => "severity of the degradation of the second image",
            Self::Gallery => "severity of the degradation of the first image",
        };
        let level = |severity: usize| Level {
            name: severity.to_string(),
            label: if severity == 0 { "untouched".to_owned() } else { severity.to_string() },
        };
        Stratification {
            name: self.name().to_owned(),
            title: what.to_owned(),
            axis: format!("{what} (0 untouched, 4 worst)"),
            levels: (0..SEVERITIES).map(level).collect(),
        }
    }
}

/// All stratifications, as tables and pictures show them.
pub fn stratifications() -> Vec<Stratification> {
    Side::ALL.into_iter().map(Side::stratification).collect()
}

/// The direction of a feature, and how long those of its views are.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    pub unit: Vec<f32>,
    pub norm: f32,
}

/// Features of all images of a set; `None` when told to stop.
pub fn features(
    network: &Classifier,
    set: Arc<dyn ImageSet>,
    predictor: &Predictor<'_>,
) -> Result<Option<Vec<Feature>>, Error> {
    let mut found = Vec::with_capacity(set.len());
    let asked = Asked { features: true, ..Asked::default() };
    let finished = predictor.each_batch(network, set, asked, |batch| {
        let dim = batch.features.len() / batch.indices.len().max(1);
        for (feature, &norm) in batch.features.chunks_exact(dim.max(1)).zip(&batch.norms) {
            found.push(Feature { unit: unit(feature.to_vec()), norm });
        }
        Ok::<(), Error>(())
    })?;
    Ok(finished.then_some(found))
}

/// What came of a pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    pub score: f64,
    /// Length of the shorter feature.
    pub norm: f64,
}

/// Scores of pairs whose images are degraded on one side or both. `at` gives the feature of an image at a severity.
pub fn scored<'a>(
    pairs: &[Pair],
    side: Side,
    severity: usize,
    at: impl Fn(usize, usize) -> &'a Feature,
) -> Vec<Scored> {
    let severities = side.of(severity);
    let score = |pair: &Pair| {
        let [first, second] = [0, 1].map(|i| at(pair.images[i], severities[i]));
        Scored { score: dot(&first.unit, &second.unit), norm: f64::from(first.norm.min(second.norm)) }
    };
    pairs.iter().map(score).collect()
}

/// Figures of pairs: accuracy in folds, area, equal errors, rates.
pub fn figures(scores: &[f64], same: &[bool], folds: &[usize]) -> [Option<f64>; 5] {
    let verification = Verification::new(scores, same);
    let tar = |far| verification.as_ref()?.tar_at(far, FarRule::AtMost).map(|found| found.tar);
    [
        FoldAccuracy::new(scores, same, folds, Thresholds::Between).map(|found| found.mean()),
        auc(scores, same),
        verification.as_ref().and_then(Verification::equal_error_rate),
        tar(RATES[0].1),
        tar(RATES[1].1),
    ]
}

/// Their names.
pub const METRICS: [&str; 5] = ["accuracy", "auc", "eer", RATES[0].0, RATES[1].0];

/// The figures of a stratum as measurements.
pub fn measured(stratum: &str, scored: &[Scored], same: &[bool], folds: &[usize]) -> Vec<Measurement> {
    let scores: Vec<f64> = scored.iter().map(|pair| pair.score).collect();
    let named = METRICS.into_iter().zip(figures(&scores, same, folds));
    named.map(|(metric, value)| Measurement::new(metric, stratum, value, scores.len())).collect()
}

/// The correlation of the norm with a quality over images, people drawn together for its interval.
pub fn correlation(name: &str, norms: &[f64], qualities: &[f64], people: &[usize]) -> Vec<Measurement> {
    let bootstrap = Bootstrap { resamples: 200, ..Bootstrap::default() };
    let found = bootstrap.overall_by_group(Statistic::Spearman, norms, qualities, people);
    common::with_interval(&format!("spearman_norm_{name}"), found, norms.len()).to_vec()
}

/// Identification and retrieval among untouched images.
pub fn searched(features: &[Feature], people: &[u32]) -> Vec<Measurement> {
    let features: Vec<Option<&[f32]>> = features.iter().map(|feature| Some(&*feature.unit)).collect();
    let set = People { features: &features, people };
    let found = set.search_for(set.protocol(usize::MAX), &|_| true);
    let Some(Searched { searches, inside, retrieval, .. }) = found else { return Vec::new() };
    let queries = retrieval.map_or(0, |found| found.queries);
    vec![
        Measurement::new("rank_1", "", rank_accuracy(&searches, 1), inside),
        Measurement::new("rank_5", "", rank_accuracy(&searches, 5), inside),
        Measurement::new("tpir_at_fpir_0.1", "", tpir_at_fpir(&searches, 0.1), searches.len()),
        Measurement::new("precision_at_1", "", retrieval.map(|found| found.precision_at_1), queries),
        Measurement::new("map_at_r", "", retrieval.map(|found| found.map_at_r), queries),
    ]
}

/// A row of a features file: a pair, with the severities of its images.
pub fn row(index: usize, pair: &Pair, scored: Scored, side: Side, severity: usize) -> FeatureRow {
    let level = |of: Side| match (of == side, severity) {
        (true, severity) => severity.to_string(),
        // An untouched pair is untouched in every way.
        (false, 0) => "0".to_owned(),
        (false, _) => "–".to_owned(),
    };
    FeatureRow {
        index,
        label: u32::from(pair.same),
        predicted: u32::from(pair.same),
        confidence: f32::NAN,
        norm: scored.norm as f32,
        point: None,
        logit: Some(scored.score as f32),
        levels: Side::ALL.map(level).to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_with_one_image_is_looked_for_and_is_not_in_the_gallery() {
        let feature = |angle: f32| Feature { unit: vec![angle.cos(), angle.sin()], norm: 1.0 };
        // Two people with two images each, and ten with one.
        let mut features = vec![feature(0.0), feature(0.1), feature(1.0), feature(1.1)];
        let mut people = vec![0, 0, 1, 1];
        for other in 0..10 {
            features.push(feature(2.0 + 0.1 * other as f32));
            people.push(2 + other);
        }
        let found = searched(&features, &people);
        let value =
            |metric: &str| found.iter().find(|found| found.metric == metric).and_then(|found| found.value);
        assert_eq!(
            (value("rank_1"), value("precision_at_1"), value("map_at_r")),
            (Some(1.0), Some(1.0), Some(1.0))
        );
        assert_eq!(value("tpir_at_fpir_0.1"), Some(1.0));
        // Of two people there is a second image, and twelve are searched for.
        assert_eq!((found[0].count, found[2].count), (2, 12));
    }
}
