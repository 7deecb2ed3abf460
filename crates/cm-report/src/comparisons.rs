//! Differences between losses over the seeds, as tables show them.

use cm_record::{CONFIDENCE, Comparison, Results};

use crate::{
    metric::{ACCURACY, is_share},
    summary::{distinct, losses},
    text::{capitalized, number, p_value, signed},
};

/// The comparisons of one figure and feature dimension.
pub(crate) struct Family {
    /// `Feature dimension 64, on untouched images (severity 0): differences in percentage points`.
    pub title: String,
    /// Headings of the columns.
    pub headings: [String; 5],
    pub rows: Vec<Row>,
}

/// One comparison, as it is shown.
pub(crate) struct Row {
    /// `CM-CosFace − CosFace`.
    pub pair: String,
    pub mean: String,
    pub interval: String,
    pub p: String,
    pub pairs: String,
    /// The corrected test finds a difference, and one that can be seen.
    pub significant: bool,
}

/// The comparisons by feature dimension and figure, or a sentence that says why there are none.
pub(crate) fn families(results: &Results) -> Result<Vec<Family>, String> {
    let dims = distinct(results.comparisons.iter().map(|comparison| comparison.feature_dim));
    let figures = distinct(results.comparisons.iter().map(|found| (&found.metric, &found.stratum)));
    let mut families = Vec::new();
    for feature_dim in dims {
        for &figure in &figures {
            let of_family = |found: &&Comparison| {
                (found.feature_dim, (&found.metric, &found.stratum)) == (feature_dim, figure)
            };
            let family: Vec<&Comparison> = results.comparisons.iter().filter(of_family).collect();
            // With a single pair there is a difference, but no saying what it is worth.
            if family.iter().any(|comparison| comparison.pairs > 1) {
                families.push(Family::new(results, feature_dim, figure, &family));
            }
        }
    }
    if families.is_empty() { Err(why_none(results)) } else { Ok(families) }
}

/// What the tables say, and what they do not.
pub(crate) fn note(results: &Results) -> String {
    if results.runs.iter().any(|run| run.key.fold.is_some()) {
        return "A difference is the figure of the first loss minus that of the second, over the seeds and folds that both were trained \
                with. Folds share most of what they learn from, so that their differences have no interval and no p value: those are of \
                all folds together."
            .to_owned();
    }
    format!(
        "A difference is the figure of the first loss minus that of the second, over the seeds and folds that both were \
         trained with, with the {} % interval of Student's t distribution. The p values of the paired t-test are \
         corrected by Holm's method for all comparisons of a table; a difference with p below {} is marked.",
        number(100.0 * CONFIDENCE, 0),
        number(1.0 - CONFIDENCE, 2),
    )
}

fn why_none(results: &Results) -> String {
    let reason = match (losses(results).len(), results.comparisons.is_empty()) {
        (0, _) => "There are no results yet.",
        (1, _) => "There is one loss, and nothing to compare it with.",
        (_, false) => {
            "Nothing can be compared: no two losses were trained with more than one and the same seed. Train with \
             several seeds to tell a difference from chance."
        }
        (_, true) => {
            "Nothing can be compared: the record names no two losses that were trained with the same seed."
        }
    };
    reason.to_owned()
}

impl Family {
    fn new(
        results: &Results,
        feature_dim: usize,
        (metric, stratum): (&String, &String),
        comparisons: &[&Comparison],
    ) -> Self {
        let layout = &results.layout;
        let share = is_share(layout, metric);
        let mut headlines = layout.headlines.iter();
        let images = match headlines.find(|found| (&found.metric, &found.stratum) == (metric, stratum)) {
            Some(headline) => headline.phrase.clone(),
            None if stratum.is_empty() => "on all test images".to_owned(),
            None => format!("on the test images of {stratum}"),
        };
        let figure =
            if metric == ACCURACY { String::new() } else { format!("{} ", metric.replace('_', " ")) };
        let unit = if share { " in percentage points" } else { "" };
        let tests = comparisons.iter().filter(|comparison| comparison.p.is_some()).count();
        let interval = format!("{} % interval", number(100.0 * CONFIDENCE, 0));
        Self {
            title: capitalized(&format!(
                "feature dimension {feature_dim}, {figure}{images}: differences{unit}"
            )),
            headings: [
                "Losses".to_owned(),
                "mean".to_owned(),
                interval,
                if tests > 0 { format!("p (Holm, of {tests})") } else { "p".to_owned() },
                "pairs".to_owned(),
            ],
            rows: comparisons.iter().map(|comparison| Row::new(comparison, share)).collect(),
        }
    }
}

impl Row {
    fn new(comparison: &Comparison, share: bool) -> Self {
        let shown = |value: f64| if share { signed(100.0 * value, 2) } else { signed(value, 3) };
        let dash = || "–".to_owned();
        let interval = |(low, high)| format!("{} to {}", shown(low), shown(high));
        let mean = shown(comparison.mean);
        Self {
            pair: format!("{} − {}", comparison.loss, comparison.baseline),
            // What is shown as no difference is none.
            significant: comparison.is_significant() && mean != shown(0.0),
            mean,
            interval: comparison.interval.map_or_else(dash, interval),
            p: comparison.p_adjusted.map_or_else(dash, p_value),
            pairs: comparison.pairs.to_string(),
        }
    }
}
