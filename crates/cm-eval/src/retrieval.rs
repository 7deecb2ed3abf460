//! Are the nearest images of the same class?

/// Precision at 1 and mean average precision at R (MAP@R) of images that each search for all the others.
///
/// With `R` other images of its class, a query's average precision at R is `1/R Σ_{i ≤ R} P(i)`, over those places `i` of the
/// `R` nearest that have its class, where `P(i)` is the share of its class among the first `i`.
///
/// From K. Musgrave, S. Belongie, S.-N. Lim, "A Metric Learning Reality Check", ECCV 2020, arXiv 2003.08505.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retrieval {
    /// Share of the queries whose nearest image has their class.
    pub precision_at_1: f64,
    /// Mean of the average precisions at R.
    pub map_at_r: f64,
    /// Queries: images whose class has another one.
    pub queries: usize,
}

impl Retrieval {
    /// Every image searches. `row(i, scores)` writes the similarities of image `i` with all images, itself among them, into `scores`.
    ///
    /// `None` if no class has two images, or a similarity is NaN.
    pub fn new(labels: &[usize], mut row: impl FnMut(usize, &mut [f32])) -> Option<Self> {
        Self::of_queries(labels, 0..labels.len(), |i, scores| {
            row(i, scores);
            true
        })
    }

    /// Only some of the images search, each among all the others; those that are alone in their class do not. Of equally similar
    /// images those of other classes come first, so that an image that could not be read, with similarities of −∞, finds
    /// nothing.
    ///
    /// `None` as [`new`](Self::new), and as soon as `row` gives `false`.
    pub fn of_queries(
        labels: &[usize],
        queries: impl IntoIterator<Item = usize>,
        mut row: impl FnMut(usize, &mut [f32]) -> bool,
    ) -> Option<Self> {
        let classes = labels.iter().max()? + 1;
        let mut counts = vec![0; classes];
        labels.iter().for_each(|&label| counts[label] += 1);
        let mut scores = vec![0.0; labels.len()];
        let mut order: Vec<usize> = Vec::new();
        let (mut first, mut precision, mut searched) = (0_u32, 0.0, 0);
        for query in queries {
            let label = labels[query];
            let relevant = counts[label] - 1;
            if relevant == 0 {
                continue;
            }
            if !row(query, &mut scores) || scores.iter().any(|score| score.is_nan()) {
                return None;
            }
            order.clear();
            order.extend((0..labels.len()).filter(|&i| i != query));
            let is_right = |i: usize| labels[i] == label;
            let nearer = |&i: &usize, &j: &usize| {
                scores[j].total_cmp(&scores[i]).then(is_right(i).cmp(&is_right(j))).then(i.cmp(&j))
            };
            if relevant < order.len() {
                order.select_nth_unstable_by(relevant - 1, nearer);
            }
            order.truncate(relevant);
            order.sort_unstable_by(nearer);
            searched += 1;
            first += u32::from(labels[order[0]] == label);
            let mut found = 0;
            let mut sum = 0.0;
            for (place, &image) in order.iter().enumerate() {
                if labels[image] == label {
                    found += 1;
                    sum += f64::from(found) / (place + 1) as f64;
                }
            }
            precision += sum / relevant as f64;
        }
        (searched > 0).then(|| Self {
            precision_at_1: f64::from(first) / searched as f64,
            map_at_r: precision / searched as f64,
            queries: searched,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_r_count_by_their_place() {
        // Similarities with the first image: its class, another, its class, another.
        let rows = [
            [1.0, 0.9, 0.5, 0.7, 0.1],
            [0.9, 1.0, 0.2, 0.3, 0.4],
            [0.5, 0.2, 1.0, 0.6, 0.1],
            [0.7, 0.3, 0.6, 1.0, 0.2],
            [0.1, 0.4, 0.1, 0.2, 1.0],
        ];
        let labels = [0, 0, 1, 0, 1];
        let found = Retrieval::new(&labels, |i, scores| scores.copy_from_slice(&rows[i])).expect("queries");
        // Class 0 has R = 2. Image 0: both first, 1. Image 1: 0 is right, then 4 is not: (1)/2. Image 3: 0 is right, then 2 is not:
        // 1/2. Class 1 has R = 1: image 2 finds 3, image 4 finds 1.
        assert_eq!(found.queries, 5);
        assert!((found.precision_at_1 - 3.0 / 5.0).abs() < 1e-12, "{found:?}");
        assert!((found.map_at_r - (1.0 + 0.5 + 0.5) / 5.0).abs() < 1e-12, "{found:?}");
        let of = |stop: usize| {
            Retrieval::of_queries(&labels, [0, 1], |i, scores| {
                scores.copy_from_slice(&rows[i]);
                i != stop
            })
        };
        assert_eq!(of(5).map(|found| (found.queries, found.map_at_r)), Some((2, 0.75)));
        assert_eq!(of(1), None);
    }

    #[test]
    fn an_image_alone_in_its_class_searches_for_nothing() {
        let found = Retrieval::new(&[0, 0, 1], |i, scores| {
            scores.fill(0.5);
            scores[i] = 1.0;
        });
        assert_eq!(found.map(|found| (found.queries, found.precision_at_1)), Some((2, 0.0)));
        assert_eq!(Retrieval::new(&[0, 1], |_, _| {}), None);
        assert_eq!(Retrieval::new(&[], |_, _| {}), None);
        assert_eq!(Retrieval::new(&[0, 0], |_, scores| scores.fill(f32::NAN)), None);
    }
}
