//! What the name of a metric says about its figures.

use cm_record::{Layout, Results, RunRecord};

/// The metric that is shown level by level.
pub(crate) const ACCURACY: &str = "accuracy";

/// Errors, losses and rates of failure: the less the better. What only describes, such as a norm,
/// has no best.
const LOWER_IS_BETTER: [&str; 9] =
    ["aurc", "brier", "calibration_error", "ece", "eer", "error", "fmr", "fnmr", "nll"];

/// Which of two figures is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Better {
    Higher,
    Lower,
    Neither,
}

impl Better {
    /// For figures of this metric.
    pub(crate) fn of(metric: &str) -> Self {
        let is_an_error = LOWER_IS_BETTER.iter().any(|name| {
            metric.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        });
        match metric {
            _ if metric.starts_with("norm_") => Self::Neither,
            _ if is_an_error => Self::Lower,
            _ => Self::Higher,
        }
    }

    /// The best of some figures.
    pub(crate) fn best(self, figures: impl Iterator<Item = f64>) -> Option<f64> {
        match self {
            Self::Higher => figures.reduce(f64::max),
            Self::Lower => figures.reduce(f64::min),
            Self::Neither => None,
        }
    }
}

/// Whether figures of this metric are shares, shown in percent. A column of the layout says it; of
/// other metrics all are but correlations and norms.
pub(crate) fn is_share(layout: &Layout, metric: &str) -> bool {
    let column = layout.columns.iter().find(|column| column.metric == metric);
    column.map_or_else(
        || !metric.starts_with("spearman") && !metric.starts_with("norm_"),
        |column| column.percent,
    )
}

/// The correlation of the norm with a stratification, over all test images.
pub(crate) fn correlation(stratification: &str) -> String {
    format!("spearman_norm_{stratification}")
}

/// The same within the classes.
pub(crate) fn correlation_within(stratification: &str) -> String {
    format!("spearman_norm_{stratification}_within")
}

/// Test images that a figure is of, as the runs say: `2000`, or `118–124` where folds differ.
pub(crate) fn images(results: &Results, feature_dim: usize, metric: &str, stratum: &str) -> Option<String> {
    let of_dim = |run: &&RunRecord| run.key.feature_dim == feature_dim && run.is_finished();
    let counts = || {
        let runs = results.runs.iter().filter(of_dim);
        runs.filter_map(|run| run.measurement(metric, stratum)).map(|found| found.count)
    };
    let (least, most) = (counts().min()?, counts().max()?);
    let grouped = crate::text::grouped;
    Some(if least == most { grouped(least) } else { format!("{}–{}", grouped(least), grouped(most)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracies_and_correlations_are_best_when_high_and_errors_when_low() {
        for (metric, better) in [
            ("accuracy", Better::Higher),
            ("spearman_norm_severity", Better::Higher),
            ("ece", Better::Lower),
            ("error_rate", Better::Lower),
            ("eerie", Better::Higher),
            ("norm_p50", Better::Neither),
        ] {
            assert_eq!(Better::of(metric), better, "{metric}");
        }
        assert_eq!(Better::Lower.best([3.0, 1.0, 2.0].into_iter()), Some(1.0));
    }

    #[test]
    fn a_column_of_the_layout_says_whether_its_metric_is_a_share() {
        let layout = Layout { columns: vec![cm_record::Column::number("nll", "", "")], ..Layout::default() };
        assert!(is_share(&layout, "accuracy") && !is_share(&layout, "nll"));
        assert!(!is_share(&layout, "spearman_norm_contrast"));
    }
}
