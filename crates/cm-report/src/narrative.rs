//! What the numbers say, in sentences.

use cm_record::{Headline, Layout, Results, RunRecord, Status};

use crate::{
    metric::{ACCURACY, Better, correlation, correlation_within, is_share},
    summary::{self, DimensionSummary, LossSummary, Spread},
    text::{capitalized, count, grouped, number, percent},
};

/// Data, feature dimensions and numbers of images, in one line.
pub(crate) fn heading(results: &Results) -> String {
    let dims: Vec<String> =
        summary::by_dimension(results).iter().map(|found| found.feature_dim.to_string()).collect();
    let mut parts = vec![results.data.name.clone()];
    if !dims.is_empty() {
        let plural = if dims.len() == 1 { "" } else { "s" };
        parts.push(format!("feature dimension{plural} {}", dims.join(", ")));
    }
    let splits = results.data.splits.iter();
    let splits: Vec<String> =
        splits.map(|split| format!("{} {}", split.name, grouped(split.images))).collect();
    if !splits.is_empty() {
        parts.push(format!("images: {}", splits.join(", ")));
    }
    parts.join(" · ")
}

/// A paragraph for each feature dimension, and one on what the seeds allow to conclude.
pub(crate) fn paragraphs(results: &Results) -> Vec<String> {
    let dimensions = summary::by_dimension(results);
    let mut paragraphs: Vec<String> =
        dimensions.iter().filter_map(|dimension| dimension_paragraph(&results.layout, dimension)).collect();
    if paragraphs.is_empty() {
        return vec!["There are no results yet.".into()];
    }
    if summary::losses(results).len() > 1 {
        paragraphs.push(caution(dimensions.iter().max_by_key(|dimension| dimension.runs)));
    }
    paragraphs
}

/// A sentence for each run that diverged.
pub(crate) fn divergences(results: &Results) -> Vec<String> {
    let sentence = |run: &RunRecord| match &run.status {
        Status::Diverged { epoch, step, reason } => {
            Some(format!("{}: epoch {epoch}, step {step}: {reason}", run.key.label()))
        }
        Status::Finished => None,
    };
    results.runs.iter().filter_map(sentence).collect()
}

/// What a person should know of single runs.
pub(crate) fn warnings(results: &Results) -> Vec<String> {
    let of = |run: &RunRecord| -> Vec<String> {
        run.warnings.iter().map(|warning| format!("{}: {warning}", run.key.label())).collect()
    };
    results.runs.iter().flat_map(of).collect()
}

fn dimension_paragraph(layout: &Layout, dimension: &DimensionSummary<'_>) -> Option<String> {
    let headlines = layout.headlines.iter().filter_map(|headline| sentence(layout, dimension, headline));
    let correlations =
        layout.stratifications.iter().filter_map(|of| closest_to_quality(dimension, &of.name, &of.title));
    let sentences: Vec<String> = headlines.chain(correlations).collect();
    (!sentences.is_empty())
        .then(|| format!("With feature dimension {}: {}", dimension.feature_dim, sentences.join(" ")))
}

/// A loss with a figure over its seeds.
type Found<'a, 'b> = (&'b LossSummary<'a>, Spread);

/// Those with the best mean first.
fn ranked<'a, 'b>(dimension: &'b DimensionSummary<'a>, metric: &str, stratum: &str) -> Vec<Found<'a, 'b>> {
    let figure = |loss: &'b LossSummary<'a>| Some((loss, loss.figure(metric, stratum)?));
    let mut found: Vec<Found<'a, 'b>> = dimension.losses.iter().filter_map(figure).collect();
    found.sort_by(|(_, a), (_, b)| match Better::of(metric) {
        Better::Lower => a.mean.total_cmp(&b.mean),
        Better::Higher | Better::Neither => b.mean.total_cmp(&a.mean),
    });
    found
}

/// Which loss was best, and how far from the baseline.
fn sentence(layout: &Layout, dimension: &DimensionSummary<'_>, headline: &Headline) -> Option<String> {
    let Headline { metric, stratum, phrase } = headline;
    let share = is_share(layout, metric);
    let shown = |value: f64| if share { percent(value, 2) } else { number(value, 3) };
    let found = ranked(dimension, metric, stratum);
    let (best, figure) = found.first()?;
    let what = if metric == ACCURACY { String::new() } else { format!(" of {}", metric.replace('_', " ")) };
    let start = format!("{} {}", capitalized(phrase), best.loss);
    let Some((second, next)) = found.get(1) else {
        return Some(format!("{start} reached {}{what}.", shown(figure.mean)));
    };
    let verb = match Better::of(metric) {
        Better::Neither => "had the highest figure with",
        _ => "was best with",
    };
    let start = format!("{start} {verb} {}{what}", shown(figure.mean));
    let baseline = dimension.baseline()?;
    if best.loss == baseline.loss {
        return Some(format!("{start}, before {} with {}.", second.loss, shown(next.mean)));
    }
    let differences = best.differences(baseline, metric, stratum);
    let Some(difference) = Spread::of(differences.iter().copied()) else {
        return Some(format!("{start}."));
    };
    let (size, std) = match share {
        true => (number(100.0 * difference.mean.abs(), 2), difference.std.map(|std| number(100.0 * std, 2))),
        false => (number(difference.mean.abs(), 3), difference.std.map(|std| number(std, 3))),
    };
    let seeds = match std {
        Some(std) => {
            let ahead = match Better::of(metric) {
                Better::Lower => differences.iter().filter(|d| **d < 0.0).count(),
                _ => differences.iter().filter(|d| **d > 0.0).count(),
            };
            format!(" (± {std}; ahead in {ahead} of {})", count(differences.len(), dimension.repeat()))
        }
        None => format!(" (one {})", dimension.repeat()),
    };
    let unit = if share { " percentage points" } else { "" };
    // The best over all its runs may be behind in those that have a partner.
    let ahead = (difference.mean > 0.0) != (Better::of(metric) == Better::Lower);
    let shared = if ahead { String::new() } else { format!("in the {}s they share ", dimension.repeat()) };
    let distance = match size.chars().all(|letter| matches!(letter, '0' | '.')) {
        true => "level with".to_owned(),
        false if difference.mean > 0.0 => format!("{shared}{size}{unit} above"),
        false => format!("{shared}{size}{unit} below"),
    };
    Some(format!("{start}, {distance} {}{seeds}.", baseline.loss))
}

/// The loss whose norm follows a known quality most closely.
pub(crate) fn closest_to_quality(
    dimension: &DimensionSummary<'_>,
    stratification: &str,
    title: &str,
) -> Option<String> {
    let found = ranked(dimension, &correlation(stratification), "");
    let (best, rank) = found.first()?;
    let within = best.figure(&correlation_within(stratification), "");
    let within =
        within.map(|within| format!(", {} within classes", number(within.mean, 2))).unwrap_or_default();
    Some(format!(
        "The feature norm followed image quality ({title}) most closely with {} (Spearman correlation {}{within}).",
        best.loss,
        number(rank.mean, 2)
    ))
}

fn caution(dimension: Option<&DimensionSummary<'_>>) -> String {
    let Some(dimension) = dimension.filter(|dimension| dimension.runs > 1) else {
        return "One seed proves nothing: every loss was trained once, and another seed may reverse any of these \
                differences. Train with several seeds before drawing a conclusion."
            .into();
    };
    format!(
        "A difference that is not clearly larger than its spread over the {} (±) should be taken as none; with {} the \
         spread itself is only a rough estimate.",
        dimension.repeats(),
        count(dimension.runs, dimension.repeat())
    )
}
