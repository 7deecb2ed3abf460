//! What is told of compared pairs.

use std::fmt::Write;

use cm_data::PairSet;
use cm_eval::{FarRule, FoldAccuracy, QualityAware, TarAtFar, Thresholds, Verification, auc_interval};
use cm_train::evaluation::Views;
use serde_json::{Value, json};

use super::{
    Score,
    features::Compared,
    qualities::{Areas, Qualities},
};
use crate::figures::discarded::{AREA, Pairs};

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
    rates: Vec<(f64, Option<TarAtFar>)>,
    discards: [Areas; 2],
    /// How all of it was asked for.
    words: Words,
}

/// What figures are asked for.
pub struct Asked<'a> {
    pub rates: &'a [f64],
    pub rule: FarRule,
    pub thresholds: Thresholds,
    pub score: Score,
    pub views: Views,
    pub quality_aware: Option<QualityAware>,
}

/// The same in words.
struct Words {
    rule: &'static str,
    thresholds: &'static str,
    score: String,
    views: &'static str,
}

impl Words {
    fn of(asked: &Asked<'_>) -> Self {
        let score = match asked.score {
            Score::Cosine => "cosine",
            Score::Distance => "minus the squared distance of features of length 1",
            Score::Raw => "minus the squared distance of the features",
        };
        let aware = asked.quality_aware.map(|QualityAware { alpha, beta }| {
            format!("{score}, quality-aware with α {alpha} and β {beta}")
        });
        Self {
            rule: match asked.rule {
                FarRule::AtMost => "at most",
                FarRule::Nearest => "nearest",
            },
            thresholds: match asked.thresholds {
                Thresholds::Between => "between the scores",
                Thresholds::Grid => "a grid of squared distances",
            },
            score: aware.unwrap_or_else(|| score.to_owned()),
            views: match asked.views {
                Views::One => "the image",
                _ => "the image and its mirror image",
            },
        }
    }
}

impl Figures {
    pub fn of(set: &PairSet, compared: &[Compared], qualities: &Qualities, asked: Asked<'_>) -> Self {
        let scores: Vec<f64> = compared.iter().map(|pair| pair.score).collect();
        let mated: Vec<bool> = set.pairs.iter().map(|pair| pair.same).collect();
        let folds: Vec<usize> = set.pairs.iter().map(|pair| pair.fold).collect();
        let verification = Verification::new(&scores, &mated);
        let area = auc_interval(&scores, &mated, None, CONFIDENCE);
        let at = |&far: &f64| (far, verification.as_ref().and_then(|found| found.tar_at(far, asked.rule)));
        Self {
            pairs: set.pairs.len(),
            mated: mated.iter().filter(|&&mated| mated).count(),
            folds: FoldAccuracy::new(&scores, &mated, &folds, asked.thresholds),
            area: area.map(|found| (found.value, found.interval.0, found.interval.1)),
            rates: asked.rates.iter().map(at).collect(),
            discards: qualities.areas(Pairs { scores: &scores, same: &mated }),
            words: Words::of(&asked),
            verification,
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
        let mut all = json!({
            "score": self.words.score,
            "views": self.words.views,
            "thresholds": self.words.thresholds,
            "pairs": self.pairs,
            "mated": self.mated,
            "accuracy": folds.map(FoldAccuracy::mean),
            "accuracy_std": folds.map(FoldAccuracy::std),
            "folds": by_fold,
            "auc": self.area.map(|area| area.0),
            "auc_low": self.area.map(|area| area.1),
            "auc_high": self.area.map(|area| area.2),
            "eer": self.verification.as_ref().and_then(Verification::equal_error_rate),
            "far_rule": self.words.rule,
            "tar_at_far": rates,
            "unread": unread,
        });
        for areas in &self.discards {
            let (name, areas) = areas.json();
            all[name] = areas;
        }
        all
    }

    pub fn text(&self, unread: &[&str]) -> String {
        let mut text = String::new();
        let percent = |share: f64| format!("{:.2} %", 100.0 * share);
        let others = self.pairs - self.mated;
        let _ = writeln!(text, "{} pairs, {} of one person and {others} of two", self.pairs, self.mated);
        let _ = writeln!(text, "score: {}, of {}", self.words.score, self.words.views);
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
        let _ = writeln!(text, "\nTrue accept rate by false accept rate ({})", self.words.rule);
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
        let _ = writeln!(
            text,
            "\nRejected pairs of one person when up to {:.0} % of the pairs are left out (area above that of leaving out \
             the rejected ones first)",
            100.0 * AREA
        );
        self.discards.iter().for_each(|areas| text.push_str(&areas.text()));
        let what = "are missing or cannot be read; their pairs are accepted by no threshold, and count as wrong for the accuracy";
        text.push_str(&unread_in_words(unread, what));
        text
    }
}

/// Which images have no feature, and what that means; nothing if all have one.
pub fn unread_in_words(unread: &[&str], what: &str) -> String {
    if unread.is_empty() {
        return String::new();
    }
    let named = unread.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let more = if unread.len() > NAMED { ", …" } else { "" };
    format!("\n{} images {what}: {named}{more}\n", unread.len())
}
