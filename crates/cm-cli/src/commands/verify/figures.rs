//! What is told of compared pairs.

use std::fmt::Write;

use cm_data::PairSet;
use cm_eval::{FarRule, FoldAccuracy, TarAtFar, Thresholds, Verification, auc_interval};
use serde_json::{Value, json};

use super::features::Compared;

/// Probability that an interval holds the true figure.
const CONFIDENCE: f64 = 0.95;
/// Unread images that are named.
const NAMED: usize = 5;

/// All figures. What cannot be had of these pairs is `None`.
pub struct Figures {
    pairs: usize,
    mated: usize,
    folds: Option<FoldAccuracy>,
    verification: Option<Verification>,
    area: Option<(f64, f64, f64)>,
    rule: FarRule,
    rates: Vec<(f64, Option<TarAtFar>)>,
}

impl Figures {
    pub fn of(
        set: &PairSet,
        compared: &[Compared],
        rates: &[f64],
        rule: FarRule,
        thresholds: Thresholds,
    ) -> Self {
        let scores: Vec<f64> = compared.iter().map(|pair| pair.score).collect();
        let mated: Vec<bool> = set.pairs.iter().map(|pair| pair.same).collect();
        let folds: Vec<usize> = set.pairs.iter().map(|pair| pair.fold).collect();
        let verification = Verification::new(&scores, &mated);
        let area = auc_interval(&scores, &mated, None, CONFIDENCE);
        let at = |&far: &f64| (far, verification.as_ref().and_then(|found| found.tar_at(far, rule)));
        Self {
            pairs: set.pairs.len(),
            mated: mated.iter().filter(|&&mated| mated).count(),
            folds: FoldAccuracy::new(&scores, &mated, &folds, thresholds),
            area: area.map(|found| (found.value, found.interval.0, found.interval.1)),
            rule,
            rates: rates.iter().map(at).collect(),
            verification,
        }
    }

    fn rule_in_words(&self) -> &'static str {
        match self.rule {
            FarRule::AtMost => "at most",
            FarRule::Nearest => "nearest",
        }
    }

    pub fn json(&self, unread: &[&str]) -> Value {
        let rates: Vec<Value> = self
            .rates
            .iter()
            .map(|(far, found)| {
                json!({
                    "far": far, "tar": found.map(|found| found.tar), "far_found": found.map(|found| found.far),
                    "threshold": found.map(|found| found.threshold),
                })
            })
            .collect();
        let folds = self.folds.as_ref();
        let by_fold: Option<Vec<Value>> = folds.map(|found| {
            let fold = |fold: &cm_eval::Fold| {
                json!({"accuracy": fold.accuracy, "threshold": fold.threshold, "pairs": fold.pairs})
            };
            found.folds.iter().map(fold).collect()
        });
        json!({
            "pairs": self.pairs,
            "mated": self.mated,
            "accuracy": folds.map(FoldAccuracy::mean),
            "accuracy_std": folds.map(FoldAccuracy::std),
            "folds": by_fold,
            "auc": self.area.map(|area| area.0),
            "auc_low": self.area.map(|area| area.1),
            "auc_high": self.area.map(|area| area.2),
            "eer": self.verification.as_ref().and_then(Verification::equal_error_rate),
            "far_rule": self.rule_in_words(),
            "tar_at_far": rates,
            "unread": unread,
        })
    }

    pub fn text(&self, unread: &[&str]) -> String {
        let mut text = String::new();
        let percent = |share: f64| format!("{:.2} %", 100.0 * share);
        let others = self.pairs - self.mated;
        let _ = writeln!(text, "{} pairs, {} of one person and {others} of two", self.pairs, self.mated);
        let _ = match &self.folds {
            Some(found) if found.folds.len() > 1 => writeln!(
                text,
                "accuracy {} ± {:.2} over {} folds, each by the threshold that is best on the others",
                percent(found.mean()),
                100.0 * found.std(),
                found.folds.len()
            ),
            Some(found) => writeln!(
                text,
                "accuracy {} by the threshold that is best on these pairs, which flatters",
                percent(found.mean())
            ),
            None => writeln!(
                text,
                "accuracy – (a fold has no pair, or the pairs of the other folds are all of one person or all of two)"
            ),
        };
        let _ = match self.area {
            Some((area, low, high)) => writeln!(
                text,
                "area under the ROC curve {} (95 % interval {:.2} to {:.2}, as if no two pairs had a person in common)",
                percent(area),
                100.0 * low,
                100.0 * high
            ),
            None => writeln!(text, "area under the ROC curve – (pairs of one person and of two are needed)"),
        };
        let eer = self.verification.as_ref().and_then(Verification::equal_error_rate);
        let _ = writeln!(text, "equal error rate {}", eer.map_or("–".to_owned(), percent));
        let _ = writeln!(text, "\nTrue accept rate by false accept rate ({})", self.rule_in_words());
        for (far, found) in &self.rates {
            let _ = match found {
                Some(found) => writeln!(
                    text,
                    "  {far:<8e} {:>9}  threshold {:.4}, with which {:.3e} are falsely accepted",
                    percent(found.tar),
                    found.threshold,
                    found.far
                ),
                None if far * (others as f64) < 1.0 => {
                    writeln!(text, "  {far:<8e} {:>9}  less than one of {others} pairs of two people", "–")
                }
                None => writeln!(text, "  {far:<8e} {:>9}  there is no pair of one person", "–"),
            };
        }
        if !unread.is_empty() {
            let named = unread.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
            let more = if unread.len() > NAMED { ", …" } else { "" };
            let _ = writeln!(
                text,
                "\n{} images are missing or cannot be read; their pairs count as errors: {named}{more}",
                unread.len()
            );
        }
        text
    }
}
