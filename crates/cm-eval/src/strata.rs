//! Images divided by a number that each has, such as its resolution.

/// The images in parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Strata {
    levels: Vec<Level>,
}

/// A part.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// The least and the largest number in it; `None` for images without a number.
    pub range: Option<(f64, f64)>,
    /// `25–33`, or `missing`.
    pub label: String,
    /// Positions of its images.
    pub indices: Vec<usize>,
}

/// The label of images without a number.
pub const MISSING: &str = "missing";

impl Strata {
    /// Parts of about the same number of images, by rising numbers. Equal numbers are never parted, so that there may be
    /// fewer parts; images whose number is NaN are a part of their own at the end.
    pub fn quantiles(values: &[f64], parts: usize) -> Self {
        let mut order: Vec<usize> = (0..values.len()).filter(|&i| !values[i].is_nan()).collect();
        order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
        let (count, parts) = (order.len(), parts.max(1));
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut part = 0;
        let mut done = 0;
        for tied in order.chunk_by(|&i, &j| values[i] == values[j]) {
            // Equal numbers go where most of them belong.
            let middle = done as f64 + tied.len() as f64 / 2.0;
            let own = ((middle / count as f64 * parts as f64) as usize).min(parts - 1);
            match groups.last_mut() {
                Some(last) if own == part => last.extend(tied),
                _ => groups.push(tied.to_vec()),
            }
            part = own;
            done += tied.len();
        }
        let ranges: Vec<(f64, f64)> =
            groups.iter().map(|group| (values[group[0]], values[group[group.len() - 1]])).collect();
        let decimals = decimals(&ranges);
        let mut levels: Vec<Level> = groups
            .into_iter()
            .zip(ranges)
            .map(|(mut indices, range)| {
                indices.sort_unstable();
                Level { range: Some(range), label: label(range, decimals), indices }
            })
            .collect();
        let missing: Vec<usize> = (0..values.len()).filter(|&i| values[i].is_nan()).collect();
        if !missing.is_empty() {
            levels.push(Level { range: None, label: MISSING.to_owned(), indices: missing });
        }
        Self { levels }
    }

    /// The parts, by rising numbers.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// The label of each of `count` images.
    ///
    /// # Panics
    ///
    /// If there are more images than that.
    pub fn labels_of(&self, count: usize) -> Vec<String> {
        let mut labels = vec![String::new(); count];
        for level in &self.levels {
            level.indices.iter().for_each(|&index| labels[index].clone_from(&level.label));
        }
        labels
    }
}

/// The fewest decimals with which no end of a part reads as that of another.
fn decimals(ranges: &[(f64, f64)]) -> usize {
    const MOST: usize = 6;
    let apart = |&decimals: &usize| {
        let shown = |value: f64| format!("{value:.decimals$}");
        let within = ranges.iter().all(|&(low, high)| low == high || shown(low) != shown(high));
        within && ranges.windows(2).all(|pair| shown(pair[0].1) != shown(pair[1].0))
    };
    (0..MOST).find(apart).unwrap_or(MOST)
}

fn label((low, high): (f64, f64), decimals: usize) -> String {
    let shown = |value: f64| {
        let text = format!("{value:.decimals$}");
        let is_zero = text.trim_matches(['-', '0', '.']).is_empty();
        if is_zero { text.replace('-', "") } else { text.replace('-', "−") }
    };
    match low == high {
        true => shown(low),
        false => format!("{}–{}", shown(low), shown(high)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(values: &[f64], parts: usize) -> Vec<String> {
        Strata::quantiles(values, parts).levels().iter().map(|level| level.label.clone()).collect()
    }

    #[test]
    fn parts_have_about_as_many_images_and_are_called_by_their_ends() {
        let values: Vec<f64> = (0..100).map(|i| f64::from((i * 37) % 100)).collect();
        let strata = Strata::quantiles(&values, 4);
        assert_eq!(labels(&values, 4), ["0–24", "25–49", "50–74", "75–99"]);
        assert!(strata.levels().iter().all(|level| level.indices.len() == 25));
        let first = &strata.levels()[0];
        assert!(first.indices.iter().all(|&i| values[i] <= 24.0) && first.indices.is_sorted());
        assert_eq!(strata.labels_of(100)[1], "25–49");
    }

    #[test]
    fn equal_numbers_are_not_parted() {
        assert_eq!(labels(&[1.0, 1.0, 1.0, 1.0, 2.0, 3.0], 3), ["1", "2–3"]);
        assert_eq!(labels(&[5.0; 7], 4), ["5"]);
        assert_eq!(labels(&[], 4), [""; 0]);
    }

    #[test]
    fn ends_have_the_decimals_that_tell_parts_apart() {
        assert_eq!(labels(&[0.11, 0.12, 0.13, 0.14], 2), ["0.11–0.12", "0.13–0.14"]);
        assert_eq!(labels(&[-0.001, 0.4, 1.6, 2.0], 2), ["−0.0–0.4".replace('−', ""), "1.6–2.0".to_owned()]);
    }

    #[test]
    fn images_without_a_number_are_a_part_of_their_own() {
        let strata = Strata::quantiles(&[1.0, f64::NAN, 2.0], 2);
        let missing = &strata.levels()[2];
        assert_eq!(
            (missing.label.as_str(), missing.range, missing.indices.as_slice()),
            (MISSING, None, &[1][..])
        );
    }
}
