//! Pairs of one person that are rejected, when those of low quality are left out.

use cm_eval::{Comparison, ErrorDiscardCurve};
use cm_report::chart::{Axis, Color, Corner, Curve, Line, Panel};

/// The area under the curve is taken up to this share of pairs left out.
pub const AREA: f64 = 0.3;
/// The false accept rate of a threshold that is set anew.
pub const FALSE_ACCEPTS: f64 = 0.1;
/// Of what is left after this share, a share of errors says little.
const SHOWN: f64 = 0.95;
/// Steps in which pairs are left out where the threshold is set anew.
const STEP: f64 = 0.01;

/// Pairs with how alike their images are. Those that could not be compared have −∞ and are in no curve.
#[derive(Clone, Copy)]
pub struct Pairs<'a> {
    /// Higher is more alike.
    pub scores: &'a [f64],
    /// Whether both images show the same person.
    pub same: &'a [bool],
}

/// What becomes of the threshold when pairs are left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold {
    /// It is that by which this share of all pairs of one person is rejected.
    Fixed(f64),
    /// It is set anew, as low as accepts at most [`FALSE_ACCEPTS`] of the pairs of two people that are left.
    Anew,
}

impl Pairs<'_> {
    fn comparisons(&self, same: bool, quality: &[f64]) -> Vec<Comparison> {
        let of_kind = (0..self.scores.len()).filter(|&pair| self.same[pair] == same);
        let comparison = |pair: usize| Comparison { score: self.scores[pair], quality: quality[pair] };
        of_kind.map(comparison).filter(|found| found.score > f64::NEG_INFINITY).collect()
    }

    /// The rejects of one person among what is left; `None` without pairs of both kinds, or of NaN.
    pub fn curve(&self, quality: &[f64], threshold: Threshold) -> Option<ErrorDiscardCurve> {
        let mated = self.comparisons(true, quality);
        match threshold {
            Threshold::Fixed(starting_error) => ErrorDiscardCurve::fixed(&mated, starting_error),
            Threshold::Anew => {
                let shares: Vec<f64> =
                    (0..).map(|i| f64::from(i) * STEP).take_while(|s| *s < SHOWN).collect();
                let others = self.comparisons(false, quality);
                ErrorDiscardCurve::recomputed(&mated, &others, FALSE_ACCEPTS, &shares)
            }
        }
    }

    /// The area below a curve, above that of leaving out the rejected pairs first with the threshold as it is.
    pub fn area(&self, quality: &[f64], threshold: Threshold) -> Option<f64> {
        self.curve(quality, threshold).map(|curve| curve.partial_area(AREA))
    }

    /// The area that is to be expected of any order that has nothing to do with errors.
    pub fn random_area(&self, threshold: Threshold) -> Option<f64> {
        self.curve(self.scores, threshold).map(|curve| curve.random_area(AREA))
    }
}

/// A curve in a picture, with the area below it.
fn drawn(name: &str, color: Color, curve: &ErrorDiscardCurve) -> Curve {
    let until = curve.points.partition_point(|point| point.0 <= SHOWN);
    let points = curve.points[..until].iter().map(|point| (100.0 * point.0, 100.0 * point.1)).collect();
    Curve::new(format!("{name} (pAUC {:.4})", curve.partial_area(AREA)), color, points)
}

/// What any order without regard to the errors is expected to leave: as many as there were.
fn without_order(curve: &ErrorDiscardCurve) -> Curve {
    let start = 100.0 * curve.points.first().map_or(0.0, |point| point.1);
    let name = format!("no order (pAUC {:.4})", curve.random_area(AREA));
    Curve::new(name, Color::MUTED, vec![(0.0, start), (100.0 * SHOWN, start)])
}

/// A quality of pairs, as a picture shows it.
pub struct Quality<'a> {
    pub name: &'a str,
    pub color: Color,
    pub pairs: Pairs<'a>,
    /// Of every pair.
    pub values: &'a [f64],
}

/// The curves of qualities, between those of no order and, if the threshold is fixed, of the best order, which is that of the scores
/// themselves: both of the first one's pairs.
pub fn panel(qualities: &[Quality<'_>], threshold: Threshold) -> Panel {
    let mut curves = Vec::new();
    let mut highest: f64 = 0.0;
    for Quality { name, color, pairs, values } in qualities {
        let Some(curve) = pairs.curve(values, threshold) else { continue };
        let shown = curve.points.iter().take_while(|point| point.0 <= SHOWN);
        highest = shown.fold(highest, |highest, point| highest.max(point.1));
        curves.push(drawn(name, *color, &curve));
    }
    let by_score = qualities.first().and_then(|first| first.pairs.curve(first.pairs.scores, threshold));
    if let Some(curve) = by_score {
        curves.push(without_order(&curve));
        if let Threshold::Fixed(_) = threshold {
            curves.push(drawn("best order", Color::MUTED, &curve).drawn(Line::Dashed));
        }
    }
    let title = match threshold {
        Threshold::Fixed(_) => "Threshold fixed".to_owned(),
        Threshold::Anew => format!("Threshold anew, {:.0} % false accepts", 100.0 * FALSE_ACCEPTS),
    };
    Panel {
        title,
        x: Axis::new(0.0..100.0, "pairs left out, lowest quality first (%)", 6, true),
        // With room for the names above; where nearly all are rejected they stand below, before the curves fall.
        y: Axis::new(0.0..(170.0 * highest).clamp(1.0, 100.0), "pairs of one person rejected (%)", 6, false),
        legend: if highest > 0.7 { Corner::BottomLeft } else { Corner::TopRight },
        curves,
        about_zero: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quality_that_tells_errors_has_less_area_than_no_order_whatever_becomes_of_the_threshold() {
        let count = 2000;
        let uniform = |i: usize| (i as f64 * 0.618_034).fract();
        // Pairs of low quality are told apart less well.
        let quality: Vec<f64> = (0..count).map(uniform).collect();
        let same: Vec<bool> = (0..count).map(|i| i % 2 == 0).collect();
        let mut scores: Vec<f64> = (0..count)
            .map(|i| (if same[i] { 1.0 } else { -1.0 }) * quality[i] + 2.0 * (uniform(7 * i + 3) - 0.5))
            .collect();
        let unknown: Vec<f64> = (0..count).map(|i| uniform(13 * i + 5)).collect();
        for threshold in [Threshold::Fixed(0.1), Threshold::Anew] {
            let pairs = Pairs { scores: &scores, same: &same };
            let [knows, not] = [&quality, &unknown].map(|of| pairs.area(of, threshold).expect("pairs"));
            let random = pairs.random_area(threshold).expect("pairs");
            assert!(knows < 0.8 * random, "{threshold:?}: {knows} {random}");
            assert!((not - random).abs() < 0.15 * random, "{threshold:?}: {not} {random}");
        }
        scores[0] = f64::NEG_INFINITY;
        let pairs = Pairs { scores: &scores, same: &same };
        assert!(pairs.area(&quality, Threshold::Anew).is_some());
        assert_eq!(Pairs { scores: &[], same: &[] }.area(&[], Threshold::Fixed(0.1)), None);
    }
}
