//! Accuracy by a threshold that was chosen on other pairs.

/// Thresholds that are tried. A pair is called mated if its score is above the threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Thresholds {
    /// Halfway between every two neighboring scores, and beyond the last at either end; of equally good ones the middle one.
    Between,
    /// Squared distances from 0 to 4 in steps of 0.01 between features of length 1, scores being the negative squared distance: of
    /// equally good ones the smallest distance. What insightface does.
    Grid,
}

/// What one fold came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fold {
    /// Chosen on the other folds.
    pub threshold: f64,
    /// Share of the fold's pairs that it tells right.
    pub accuracy: f64,
    /// Pairs of the fold.
    pub pairs: usize,
}

/// Accuracy of pairs in folds: each fold by the threshold that is best on the others (LFW's protocol; with a single fold, on itself).
#[derive(Debug, Clone, PartialEq)]
pub struct FoldAccuracy {
    /// In order.
    pub folds: Vec<Fold>,
}

impl FoldAccuracy {
    /// Of pairs with these scores, each in a fold, from 0 on.
    ///
    /// `None` if the lengths differ, there is no pair, a score is NaN, a fold has no pair, or the pairs that a threshold is chosen on
    /// are all mated or all not: no threshold can be learned from them.
    pub fn new(scores: &[f64], mated: &[bool], folds: &[usize], thresholds: Thresholds) -> Option<Self> {
        let consistent = scores.len() == mated.len() && scores.len() == folds.len();
        if !consistent || scores.is_empty() || scores.iter().any(|score| score.is_nan()) {
            return None;
        }
        let count = folds.iter().max()? + 1;
        let pairs: Vec<(f64, bool)> = scores.iter().copied().zip(mated.iter().copied()).collect();
        let of_fold = |fold: usize| -> Option<Fold> {
            let is_test = |i: usize| count == 1 || folds[i] == fold;
            let is_train = |i: usize| count == 1 || folds[i] != fold;
            let chosen = |is: &dyn Fn(usize) -> bool| -> Vec<(f64, bool)> {
                (0..pairs.len()).filter(|&i| is(i)).map(|i| pairs[i]).collect()
            };
            let (train, test) = (chosen(&is_train), chosen(&is_test));
            let has = |kind: bool| train.iter().any(|(_, mated)| *mated == kind);
            if test.is_empty() || !has(true) || !has(false) {
                return None;
            }
            let threshold = best(train, thresholds);
            // A pair that could not be compared is told wrong, whatever it is.
            let right = test
                .iter()
                .filter(|(score, mated)| *score > f64::NEG_INFINITY && (*score > threshold) == *mated);
            let accuracy = right.count() as f64 / test.len() as f64;
            Some(Fold { threshold, accuracy, pairs: test.len() })
        };
        (0..count).map(of_fold).collect::<Option<_>>().map(|folds| Self { folds })
    }

    /// Mean over the folds.
    pub fn mean(&self) -> f64 {
        self.folds.iter().map(|fold| fold.accuracy).sum::<f64>() / self.folds.len() as f64
    }

    /// Standard deviation over the folds, of so many and not one fewer, as it is usually given.
    pub fn std(&self) -> f64 {
        let mean = self.mean();
        let squares: f64 = self.folds.iter().map(|fold| (fold.accuracy - mean).powi(2)).sum();
        (squares / self.folds.len() as f64).sqrt()
    }
}

/// The threshold that tells most pairs right.
fn best(mut pairs: Vec<(f64, bool)>, thresholds: Thresholds) -> f64 {
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let non_mated = pairs.iter().filter(|(_, mated)| !mated).count();
    // Right with a threshold below all scores, and then with one above each: a pair that falls below it is right if it is not mated.
    let mut right = vec![pairs.len() - non_mated];
    for (_, mated) in &pairs {
        let last = right[right.len() - 1];
        right.push(if *mated { last - 1 } else { last + 1 });
    }
    match thresholds {
        Thresholds::Between => {
            // `places[i]` lies below pair `i`; between equal scores there is none.
            let place = |i: usize| match i {
                0 => Some(pairs[0].0 - 1.0),
                i if i == pairs.len() => Some(pairs[i - 1].0 + 1.0),
                // Below the first that could be compared there is no middle.
                i if pairs[i - 1].0 == f64::NEG_INFINITY && pairs[i].0 > f64::NEG_INFINITY => {
                    Some(pairs[i].0 - 1.0)
                }
                i => (pairs[i - 1].0 < pairs[i].0).then(|| pairs[i - 1].0.midpoint(pairs[i].0)),
            };
            let is_finite = |threshold: &f64| threshold.is_finite();
            let places: Vec<(usize, f64)> =
                (0..=pairs.len()).filter_map(|i| Some((right[i], place(i).filter(is_finite)?))).collect();
            let most = places.iter().map(|(right, _)| *right).max().unwrap_or(0);
            let best: Vec<f64> =
                places.iter().filter(|(right, _)| *right == most).map(|(_, threshold)| *threshold).collect();
            best.get(best.len() / 2).copied().unwrap_or(0.0)
        }
        Thresholds::Grid => {
            // `np.arange(0, 4, 0.01)`; a distance below it is mated.
            let tried = (0..400).map(|step| -(f64::from(step) * 0.01));
            let scored = tried.map(|threshold| {
                let below = pairs.partition_point(|(score, _)| *score <= threshold);
                (right[below], threshold)
            });
            let best = scored.reduce(|best, next| if next.0 > best.0 { next } else { best });
            best.map_or(0.0, |(_, threshold)| threshold)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fold_is_told_by_the_threshold_of_the_others() {
        let scores = [0.9, 0.2, 0.8, 0.1, 0.4, 0.3];
        let mated = [true, false, true, false, true, false];
        let folds = [0, 0, 1, 1, 2, 2];
        let found = FoldAccuracy::new(&scores, &mated, &folds, Thresholds::Between).expect("pairs");
        let accuracies: Vec<f64> = found.folds.iter().map(|fold| fold.accuracy).collect();
        // The others of the last fold are divided at 0.5, between 0.2 and 0.8.
        assert_eq!(accuracies, [1.0, 1.0, 0.5]);
        assert!((found.folds[2].threshold - 0.5).abs() < 1e-12);
        assert!((found.mean() - 5.0 / 6.0).abs() < 1e-12);
        assert!((found.std() - (1.0f64 / 18.0).sqrt()).abs() < 1e-12);
        // All in one fold: a threshold of its own.
        let found = FoldAccuracy::new(&scores, &mated, &[0; 6], Thresholds::Between).expect("pairs");
        assert_eq!((found.mean(), found.folds.len()), (1.0, 1));
    }

    #[test]
    fn what_could_not_be_compared_is_wrong_and_no_threshold_comes_of_one_kind() {
        let scores = [0.9, f64::NEG_INFINITY, 0.8, f64::NEG_INFINITY, 0.7, 0.1];
        let mated = [true, false, true, true, true, false];
        let folds = [0, 0, 1, 1, 2, 2];
        let found = FoldAccuracy::new(&scores, &mated, &folds, Thresholds::Between).expect("pairs");
        assert_eq!(found.folds[0].accuracy, 0.5);
        assert_eq!(found.folds[1].accuracy, 0.5);
        // All of one person but what could not be compared: everything is accepted.
        let threshold = best(
            vec![(f64::NEG_INFINITY, false), (0.2, true), (0.3, true), (0.4, true)],
            Thresholds::Between,
        );
        assert!(threshold < 0.2, "{threshold}");
        // Without the first fold no pair of two people is left.
        let mated = [true, false, true, true, true, true];
        assert_eq!(FoldAccuracy::new(&scores, &mated, &folds, Thresholds::Between), None);
        assert_eq!(FoldAccuracy::new(&[], &[], &[], Thresholds::Grid), None);
        assert_eq!(FoldAccuracy::new(&[0.1, 0.2], &[true, false], &[0, 2], Thresholds::Grid), None);
    }
}
