//! Who is it? The best of a gallery, and whether anyone there is meant at all.

use crate::shares::at_most;

/// What the search of one image in a gallery came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Search {
    /// The highest score in the gallery.
    pub best: f64,
    /// Entries of other people with a score of at least that of the right one: 0 if it comes first. `None` if the person is not in the
    /// gallery.
    pub before: Option<usize>,
}

impl Search {
    /// From the scores of an image with every entry, and the place of the right one, if it is there. Of several entries of the
    /// person, give their highest score.
    ///
    /// `None` if there is no entry, or a score is NaN.
    pub fn new(scores: &[f64], right: Option<usize>) -> Option<Self> {
        if scores.iter().any(|score| score.is_nan()) {
            return None;
        }
        let best = scores.iter().copied().reduce(f64::max)?;
        let before = match right {
            Some(right) => {
                let own = *scores.get(right)?;
                Some(scores.iter().enumerate().filter(|&(i, &score)| i != right && score >= own).count())
            }
            None => None,
        };
        Some(Self { best, before })
    }

    /// The search of an image that could not be read: it finds nobody, and stays in the denominator.
    pub fn failed(is_in_gallery: bool) -> Self {
        Self { best: f64::NEG_INFINITY, before: is_in_gallery.then_some(usize::MAX) }
    }
}

/// The share of the searches of people in the gallery whose right entry is among the first `rank`. Equal scores count against it.
///
/// `None` if nobody searched for is in the gallery.
pub fn rank_accuracy(searches: &[Search], rank: usize) -> Option<f64> {
    let places: Vec<usize> = searches.iter().filter_map(|search| search.before).collect();
    let found = places.iter().filter(|&&before| before < rank).count();
    (!places.is_empty()).then(|| found as f64 / places.len() as f64)
}

/// The true positive identification rate (TPIR) at a false positive identification rate (FPIR): the share of the searches of people
/// in the gallery whose right entry comes first with a score above the threshold, which is as low as leaves at most `fpir` of the
/// searches of others above it.
///
/// `None` where nobody, or everybody, is in the gallery, or `fpir` asks for less than one search.
pub fn tpir_at_fpir(searches: &[Search], fpir: f64) -> Option<f64> {
    let mut others: Vec<f64> =
        searches.iter().filter(|search| search.before.is_none()).map(|search| search.best).collect();
    others.sort_by(|a, b| b.total_cmp(a));
    let allowed = at_most(fpir, others.len());
    if !(fpir > 0.0 && fpir < 1.0) || allowed == 0 {
        return None;
    }
    let threshold = others.get(allowed).copied().unwrap_or(f64::NEG_INFINITY);
    let inside: Vec<&Search> = searches.iter().filter(|search| search.before.is_some()).collect();
    let found = inside.iter().filter(|search| search.before == Some(0) && search.best > threshold).count();
    (!inside.is_empty()).then(|| found as f64 / inside.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_count_who_comes_before_and_ties_count_against() {
        let scores = [0.2, 0.9, 0.5, 0.5];
        let places = [0, 1, 2].map(|right| Search::new(&scores, Some(right)).expect("scores").before);
        assert_eq!(places, [Some(3), Some(0), Some(2)]);
        assert_eq!(Search::new(&scores, None), Some(Search { best: 0.9, before: None }));
        assert_eq!(Search::new(&[], None), None);
        assert_eq!(Search::new(&[f64::NAN], Some(0)), None);
        let searches: Vec<Search> = (0..4).filter_map(|right| Search::new(&scores, Some(right))).collect();
        assert_eq!((rank_accuracy(&searches, 1), rank_accuracy(&searches, 3)), (Some(0.25), Some(0.75)));
        assert_eq!(rank_accuracy(&[], 1), None);
    }

    #[test]
    fn an_image_that_cannot_be_read_finds_nobody_and_counts() {
        let searches =
            [Search { best: 0.9, before: Some(0) }, Search::failed(true), Search { best: 0.5, before: None }];
        let searches = [&searches[..], &[Search::failed(false)]].concat();
        assert_eq!((rank_accuracy(&searches, 1), rank_accuracy(&searches, 1000)), (Some(0.5), Some(0.5)));
        // One of two others may be above the threshold: it is that of nothing at all.
        assert_eq!(tpir_at_fpir(&searches, 0.5), Some(0.5));
    }

    #[test]
    fn an_open_set_has_a_threshold_from_those_who_are_not_in_it() {
        let inside =
            [(0.9, 0), (0.6, 0), (0.8, 1)].map(|(best, before)| Search { best, before: Some(before) });
        let others = [0.7, 0.5, 0.4, 0.3].map(|best| Search { best, before: None });
        let all = [&inside[..], &others].concat();
        // One of the others may be above: the threshold is 0.5.
        assert_eq!(tpir_at_fpir(&all, 0.25), Some(2.0 / 3.0));
        assert_eq!(tpir_at_fpir(&all, 0.2), None);
        assert_eq!(tpir_at_fpir(&others, 0.5), None);
        assert_eq!(tpir_at_fpir(&inside, 0.5), None);
    }
}
