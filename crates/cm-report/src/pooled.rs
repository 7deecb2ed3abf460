//! Figures and tests of all folds or seeds together, as tables show them.

use std::collections::BTreeSet;

use cm_record::{CONFIDENCE, Pooled, PooledFigure, PooledTest, Results};

use crate::{
    PageTable,
    summary::distinct,
    text::{capitalized, number, p_value, signed},
};

/// What the runs have together: folds, where there are some.
pub(crate) fn title(results: &Results) -> String {
    let folds: BTreeSet<usize> = results.runs.iter().filter_map(|run| run.key.fold).collect();
    let all = results.data.splits.iter().filter(|split| split.name.starts_with("fold ")).count();
    match (folds.len(), all) {
        (0, _) => "All seeds together".to_owned(),
        (tested, all) if tested < all => format!("{tested} of {all} folds together"),
        _ => "All folds together".to_owned(),
    }
}

/// A table with what stands above it.
pub(crate) struct Titled {
    pub title: String,
    /// Whether it is of all images: a terminal has no room for all strata.
    pub is_of_all: bool,
    pub table: PageTable,
}

/// The figures of every loss: a table for each feature dimension and stratum.
pub(crate) fn figures(pooled: &Pooled) -> Vec<Titled> {
    let groups = distinct(pooled.figures.iter().map(|found| (found.feature_dim, &*found.stratum)));
    let table = |(dim, stratum): (usize, &str)| {
        let of_group: Vec<&PooledFigure> = pooled
            .figures
            .iter()
            .filter(|found| (found.feature_dim, &*found.stratum) == (dim, stratum))
            .collect();
        let metrics = distinct(of_group.iter().map(|found| &*found.metric));
        let losses = distinct(of_group.iter().map(|found| &*found.loss));
        let row = |loss: &str| {
            let cells = metrics.iter().map(|metric| {
                pooled.figure(loss, dim, metric, stratum).map_or_else(|| "–".to_owned(), figure)
            });
            [loss.to_owned()].into_iter().chain(cells).collect()
        };
        let counts = of_group.iter().map(|found| found.count);
        let (fewest, most) = (counts.clone().min().unwrap_or(0), counts.max().unwrap_or(0));
        let mut images = crate::text::count(most, "image");
        if fewest < most {
            images = format!("{images}, {fewest} and more where not all have a value");
        }
        Titled {
            title: format!("{}, feature dimension {dim}: {images}", of(stratum)),
            is_of_all: stratum.is_empty(),
            table: PageTable {
                columns: ["scores of".to_owned()]
                    .into_iter()
                    .chain(metrics.iter().map(|metric| heading(metric)))
                    .collect(),
                rows: losses.into_iter().map(row).collect(),
            },
        }
    };
    groups.into_iter().map(table).collect()
}

/// The tests: a table for each of them, each feature dimension and stratum.
pub(crate) fn tests(pooled: &Pooled) -> Vec<Titled> {
    let key = |found: &PooledTest| {
        (found.test.clone(), found.metric.clone(), found.feature_dim, found.stratum.clone())
    };
    let groups = distinct(pooled.tests.iter().map(key));
    let table = |group: &(String, String, usize, String)| {
        let row = |found: &PooledTest| {
            let interval = found.interval.map_or_else(
                || "–".to_owned(),
                |(low, high)| format!("{} to {}", signed(low, 4), signed(high, 4)),
            );
            let p = |p: Option<f64>| p.map_or_else(|| "–".to_owned(), p_value);
            let marked = if found.is_significant() { " *" } else { "" };
            vec![
                format!("{} − {}", found.loss, found.baseline),
                signed(found.difference, 4) + marked,
                interval,
                p(found.p),
                p(found.p_adjusted),
            ]
        };
        let (test, metric, dim, stratum) = group;
        let interval = format!("{} % interval", number(100.0 * CONFIDENCE, 0));
        Titled {
            title: format!(
                "{test}, {}, {}, feature dimension {dim}",
                heading(metric),
                of(stratum).to_lowercase()
            ),
            is_of_all: stratum.is_empty(),
            table: PageTable {
                columns: ["pair", "difference", &interval, "p", "p (Holm)"].map(str::to_owned).to_vec(),
                rows: pooled.tests.iter().filter(|found| key(found) == *group).map(row).collect(),
            },
        }
    };
    groups.iter().map(table).collect()
}

/// What is said of them.
pub(crate) fn notes(results: &Results) -> Vec<String> {
    let Some(pooled) = &results.pooled else { return Vec::new() };
    let mut notes = pooled.notes.clone();
    if !pooled.tests.is_empty() {
        notes.push(format!(
            "The p values of a table are corrected together by Holm's method; a difference with a corrected p below {} has a *.",
            number(1.0 - CONFIDENCE, 2)
        ));
    }
    notes
}

fn of(stratum: &str) -> String {
    match stratum {
        "" => "All images".to_owned(),
        stratum => capitalized(&stratum.replace('=', " ")),
    }
}

fn figure(found: &PooledFigure) -> String {
    let Some(value) = found.value else { return "–".to_owned() };
    match found.interval {
        Some((low, high)) => format!("{} ({}–{})", number(value, 3), number(low, 3), number(high, 3)),
        None => number(value, 3),
    }
}

fn heading(metric: &str) -> String {
    if let Some(quality) = metric.strip_prefix("spearman_norm_") {
        let (quality, within) = match quality.strip_suffix("_within") {
            Some(quality) => (quality, ", in classes"),
            None => (quality, ""),
        };
        // It is of minus the severity: above 0 where better images have longer features.
        let quality = if quality == "severity" { "intactness" } else { quality };
        return format!("ρ (norm, {quality}){within}");
    }
    match metric {
        "auc" => "AUC".to_owned(),
        "f1" => "F1".to_owned(),
        other => other.replace('_', " "),
    }
}
