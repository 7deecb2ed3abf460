//! What the numbers say, in sentences.

use super::summary::{self, DimensionSummary, LossSummary, Spread, count};
use crate::experiment::{Results, RunRecord};

/// A paragraph for each feature dimension, and one on what the seeds allow to conclude.
pub(super) fn paragraphs(results: &Results) -> Vec<String> {
    let dimensions = summary::by_dimension(results);
    let mut paragraphs: Vec<String> = dimensions.iter().filter_map(dimension_paragraph).collect();
    if paragraphs.is_empty() {
        return vec!["There are no results yet.".into()];
    }
    paragraphs.push(caution(dimensions.iter().map(|d| d.seeds.len()).max().unwrap_or(0)));
    paragraphs
}

fn dimension_paragraph(dimension: &DimensionSummary<'_>) -> Option<String> {
    let clean = sentence(dimension, "On untouched images (severity 0)", summary::accuracy_at(0));
    let degraded = sentence(
        dimension,
        "On degraded images (mean over the severities above 0)",
        summary::low_quality_accuracy,
    );
    let sentences: Vec<String> = [clean, degraded, norm_sentence(dimension)].into_iter().flatten().collect();
    (!sentences.is_empty())
        .then(|| format!("With feature dimension {}: {}", dimension.feature_dim, sentences.join(" ")))
}

/// Which loss was best, and how far above the baseline.
fn sentence(
    dimension: &DimensionSummary<'_>,
    where_: &str,
    quantity: impl Fn(&RunRecord) -> Option<f64>,
) -> Option<String> {
    let means: Vec<(&LossSummary<'_>, Spread)> =
        dimension.losses.iter().filter_map(|loss| Some((loss, loss.over_seeds(&quantity)?))).collect();
    let (best, accuracy) = means.iter().max_by(|a, b| a.1.mean.total_cmp(&b.1.mean))?;
    let percent = format!("{:.2} %", accuracy.mean * 100.0);
    let baseline = dimension.baseline()?;
    if means.len() < 2 {
        return Some(format!("{where_} {} reached {percent}.", best.loss));
    }
    let start = format!("{where_} {} was best with {percent}", best.loss);
    if best.loss == baseline.loss {
        let (second, accuracy) =
            means.iter().filter(|(l, _)| l.loss != best.loss).max_by(|a, b| a.1.mean.total_cmp(&b.1.mean))?;
        return Some(format!("{start}, before {} with {:.2} %.", second.loss, accuracy.mean * 100.0));
    }
    let differences = best.differences(baseline, &quantity);
    let Some(difference) = Spread::of(differences.iter().copied()).map(|d| d.scaled(100.0)) else {
        return Some(format!("{start}."));
    };
    let seeds = match difference.std {
        Some(std) => {
            let ahead = differences.iter().filter(|d| **d > 0.0).count();
            format!(" (± {std:.2}; ahead in {ahead} of {})", count(differences.len(), "seed"))
        }
        None => " (one seed)".into(),
    };
    Some(format!("{start}, {} {}{seeds}.", points(difference.mean), baseline.loss))
}

fn points(difference: f64) -> String {
    let size = format!("{:.2}", difference.abs());
    match size.as_str() {
        "0.00" => "level with".into(),
        _ if difference > 0.0 => format!("{size} percentage points above"),
        _ => format!("in the seeds they share {size} percentage points below"),
    }
}

fn norm_sentence(dimension: &DimensionSummary<'_>) -> Option<String> {
    let (loss, rank) = dimension
        .losses
        .iter()
        .filter_map(|loss| Some((loss.loss, loss.over_seeds(|run| run.norm_quality_spearman)?.mean)))
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    let rank = format!("{rank:.2}").replace('-', "−");
    Some(format!(
        "The feature norm followed image quality most closely with {loss} (Spearman correlation {rank})."
    ))
}

fn caution(seeds: usize) -> String {
    if seeds < 2 {
        return "One seed proves nothing: every loss was trained once, and another seed may reverse any of these \
                differences. Train with several seeds before drawing a conclusion."
            .into();
    }
    format!(
        "A difference that is not clearly larger than its spread over the seeds (±) should be taken as none; with {} \
         the spread itself is only a rough estimate.",
        count(seeds, "seed")
    )
}
