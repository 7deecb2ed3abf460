//! What the numbers say, in sentences.

use cm_record::{Headline, Results, Status};

use crate::summary::{self, DimensionSummary, LossSummary, Spread, count, number};

/// A paragraph for each feature dimension, one on what the seeds allow to conclude, and one for each run that diverged.
pub(crate) fn paragraphs(results: &Results) -> Vec<String> {
    let dimensions = summary::by_dimension(results);
    let mut paragraphs: Vec<String> =
        dimensions.iter().filter_map(|dimension| dimension_paragraph(results, dimension)).collect();
    if paragraphs.is_empty() {
        return vec!["There are no results yet.".into()];
    }
    let losses = summary::losses(results).len();
    if losses > 1 {
        paragraphs.push(caution(dimensions.iter().map(|d| d.seeds.len()).max().unwrap_or(0)));
    }
    paragraphs
}

/// A sentence for each run that diverged.
pub(crate) fn divergences(results: &Results) -> Vec<String> {
    let sentence = |run: &cm_record::RunRecord| match &run.status {
        Status::Diverged { reason, .. } => Some(format!("{} diverged: {reason}.", run.key.label())),
        Status::Finished => None,
    };
    results.runs.iter().filter_map(sentence).collect()
}

fn dimension_paragraph(results: &Results, dimension: &DimensionSummary<'_>) -> Option<String> {
    let layout = &results.layout;
    let mut sentences: Vec<String> =
        layout.headlines.iter().filter_map(|headline| sentence(dimension, headline)).collect();
    let correlations = layout
        .columns
        .iter()
        .filter(|column| column.metric.starts_with("spearman") && !column.metric.ends_with("_within"));
    sentences
        .extend(correlations.filter_map(|column| norm_sentence(dimension, &column.metric, &column.stratum)));
    (!sentences.is_empty())
        .then(|| format!("With feature dimension {}: {}", dimension.feature_dim, sentences.join(" ")))
}

/// Which loss was best, and how far above the baseline.
fn sentence(dimension: &DimensionSummary<'_>, headline: &Headline) -> Option<String> {
    let quantity = |run: &cm_record::RunRecord| run.value(&headline.metric, &headline.stratum);
    let means: Vec<(&LossSummary<'_>, Spread)> =
        dimension.losses.iter().filter_map(|loss| Some((loss, loss.over_seeds(quantity)?))).collect();
    let (best, accuracy) = means.iter().max_by(|a, b| a.1.mean.total_cmp(&b.1.mean))?;
    let percent = format!("{} %", number(accuracy.mean * 100.0, 2));
    let where_ = crate::table::capitalized(&headline.phrase);
    let baseline = dimension.baseline()?;
    if means.len() < 2 {
        return Some(format!("{where_} {} reached {percent}.", best.loss));
    }
    let start = format!("{where_} {} was best with {percent}", best.loss);
    if best.loss == baseline.loss {
        let (second, accuracy) =
            means.iter().filter(|(l, _)| l.loss != best.loss).max_by(|a, b| a.1.mean.total_cmp(&b.1.mean))?;
        return Some(format!("{start}, before {} with {} %.", second.loss, number(accuracy.mean * 100.0, 2)));
    }
    let differences = best.differences(baseline, quantity);
    let Some(difference) = Spread::of(differences.iter().copied()).map(|d| d.scaled(100.0)) else {
        return Some(format!("{start}."));
    };
    let seeds = match difference.std {
        Some(std) => {
            let ahead = differences.iter().filter(|d| **d > 0.0).count();
            format!(" (± {}; ahead in {ahead} of {})", number(std, 2), count(differences.len(), "seed"))
        }
        None => " (one seed)".into(),
    };
    Some(format!("{start}, {} {}{seeds}.", points(difference.mean), baseline.loss))
}

fn points(difference: f64) -> String {
    let size = number(difference.abs(), 2);
    match size.as_str() {
        "0.00" => "level with".into(),
        _ if difference > 0.0 => format!("{size} percentage points above"),
        _ => format!("in the seeds they share {size} percentage points below"),
    }
}

/// The loss whose norm follows a known quality most closely.
pub(crate) fn norm_sentence(dimension: &DimensionSummary<'_>, metric: &str, stratum: &str) -> Option<String> {
    let (loss, rank) = dimension
        .losses
        .iter()
        .filter_map(|loss| Some((loss.loss, loss.over_seeds(|run| run.value(metric, stratum))?.mean)))
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    let quality = metric.strip_prefix("spearman_norm_").unwrap_or("quality");
    let rank = number(rank, 2);
    Some(format!(
        "The feature norm followed image quality ({quality}) most closely with {loss} (Spearman correlation {rank})."
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
