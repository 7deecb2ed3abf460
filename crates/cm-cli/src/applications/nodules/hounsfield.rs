//! What is added to stored values to make Hounsfield units of them.

use std::collections::HashMap;

use super::table::Row;

/// What scanners add to what they store, if it is not told: −1024 is the usual number.
const USUAL: f64 = -1024.0;
/// A twentieth of a patch below this is air, so that its values are Hounsfield units already.
const AIR: f32 = -300.0;
/// Nothing that is seen on a scan is below air (−1000 Hounsfield units), and only what lies outside of it is stored with less.
const NOWHERE: f32 = -1250.0;
/// In every patch something is brighter than this: a nodule, be it of ground glass, has vessels in it or beside it.
const TISSUE: f32 = -600.0;

/// The intercepts of patches.
#[derive(Debug, PartialEq)]
pub struct Intercepts {
    /// Of each patch.
    pub values: Vec<f64>,
    /// Patches of scans of which none is known.
    pub guessed: usize,
}

impl Intercepts {
    /// One for each scan, as a scanner stores a whole scan alike: what is known of one of its patches; else what the table guesses, or
    /// what the values tell. Patches are of one scan if the table says so, and otherwise if they are of one patient.
    ///
    /// `low` gives the value of a patch that a twentieth of its pixels is below.
    pub fn of(rows: &[Row], low: impl Fn(usize) -> f32) -> Self {
        let scan = |row: &Row| row.scan.clone().unwrap_or_else(|| row.patient.clone());
        let mut known: HashMap<String, f64> = HashMap::new();
        let mut guesses: HashMap<String, f64> = HashMap::new();
        for (patch, row) in rows.iter().enumerate() {
            if let Some(intercept) = row.known_intercept {
                known.entry(scan(row)).or_insert(intercept);
            }
            let guess = row.guessed_intercept.unwrap_or(if low(patch) < AIR { 0.0 } else { USUAL });
            // A patch without air tells less than one with it, where it cannot be taken for anything else.
            let of_scan = guesses.entry(scan(row)).or_insert(guess);
            *of_scan = of_scan.max(guess);
        }
        let intercept = |row: &Row| {
            let scan = scan(row);
            row.known_intercept.or_else(|| known.get(&scan).copied()).unwrap_or_else(|| guesses[&scan])
        };
        let is_guessed = |row: &&Row| row.known_intercept.is_none() && !known.contains_key(&scan(row));
        Self { values: rows.iter().map(intercept).collect(), guessed: rows.iter().filter(is_guessed).count() }
    }

    /// Whether most patches are darker everywhere than any nodule is with these intercepts: the values are no stored ones.
    pub fn are_air(&self, highest: impl Fn(usize) -> f32) -> bool {
        self.most_are_below(TISSUE, highest)
    }

    /// Whether most patches are darker than air can be with these intercepts: the values were Hounsfield units before.
    pub fn are_added_twice(&self, low: impl Fn(usize) -> f32) -> bool {
        self.most_are_below(NOWHERE, low)
    }

    fn most_are_below(&self, limit: f32, stored: impl Fn(usize) -> f32) -> bool {
        let below =
            (0..self.values.len()).filter(|&patch| stored(patch) + (self.values[patch] as f32) < limit);
        2 * below.count() > self.values.len()
    }
}

/// The value that a twentieth of the others is below.
pub fn low(values: &[f32]) -> f32 {
    let mut values = values.to_vec();
    let at = values.len() / 20;
    *values.select_nth_unstable_by(at, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(patient: &str, scan: Option<&str>, known: Option<f64>, guessed: Option<f64>) -> Row {
        Row {
            id: String::new(),
            patient: patient.to_owned(),
            spacing: 0.7,
            diameter: 9.0,
            malignancy: vec![2],
            subtlety: vec![2],
            scan: scan.map(str::to_owned),
            known_intercept: known,
            guessed_intercept: guessed,
        }
    }

    #[test]
    fn what_is_known_of_a_scan_is_known_of_all_its_patches() {
        let rows = [
            row("p", Some("1"), None, Some(-1024.0)),
            row("p", Some("1"), Some(-1000.0), Some(-1024.0)),
            row("p", Some("2"), None, Some(-1024.0)),
            row("p", Some("2"), None, Some(0.0)),
            row("q", None, None, None),
        ];
        let found = Intercepts::of(&rows, |_| 100.0);
        assert_eq!(found, Intercepts { values: vec![-1000.0, -1000.0, 0.0, 0.0, -1024.0], guessed: 3 });
    }

    #[test]
    fn air_in_one_patch_tells_of_the_scan_that_its_values_are_hounsfield_units() {
        let rows = [row("p", None, None, None), row("p", None, None, None), row("q", None, None, None)];
        // A patch within the chest wall beside one with air, and one of another patient.
        let lows = [20.0, -850.0, 170.0];
        assert_eq!(Intercepts::of(&rows, |patch| lows[patch]).values, [0.0, 0.0, -1024.0]);
        let values: Vec<f32> = (0..100).map(|i| if i < 30 { -850.0 } else { 0.0 }).collect();
        assert_eq!(low(&values), -850.0);
        assert_eq!(low(&values[30..]), 0.0);
    }

    #[test]
    fn values_that_are_no_stored_ones_leave_nothing_but_air() {
        let rows = [row("p", None, None, None), row("q", None, None, None)];
        let found = |high: f32| Intercepts::of(&rows, |_| 0.0).are_air(|_| high);
        // From 0 to 1, and bytes.
        assert!(found(1.0) && found(255.0));
        assert!(!found(1064.0));
    }

    #[test]
    fn an_intercept_on_top_of_hounsfield_units_is_noticed() {
        let rows = [row("p", None, Some(-1024.0), None), row("q", None, Some(-1024.0), None)];
        let found = |low: f32| Intercepts::of(&rows, |_| low).are_added_twice(|_| low);
        assert!(found(-850.0));
        assert!(!found(170.0));
        // The wall of the chest alone.
        assert!(!found(1000.0));
    }
}
