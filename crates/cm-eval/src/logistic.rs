//! Several numbers that together tell two classes apart.

/// Logistic regression: `p(x) = 1 / (1 + exp(−(b + Σ wᵢ xᵢ)))`, fitted by maximum likelihood.
///
/// From D. R. Cox, "The Regression Analysis of Binary Sequences", Journal of the Royal Statistical Society B 20 (1958).
#[derive(Debug, Clone, PartialEq)]
pub struct Logistic {
    /// The weight of each number.
    pub weights: Vec<f64>,
    /// The constant.
    pub bias: f64,
}

/// Weight of the squares of the weights of standardized numbers, divided by the number of rows: it keeps the weights finite
/// where the classes can be told apart without a mistake, and changes nothing that can be seen elsewhere.
const RIDGE: f64 = 1e-9;
const MOST_STEPS: usize = 100;

impl Logistic {
    /// Fits the regression to rows of numbers by Newton's method.
    ///
    /// `None` if there is no row, one of the classes has none, rows differ in length or hold a number that is not finite, or two
    /// of the numbers say the same in every row.
    pub fn fit(rows: &[Vec<f64>], positive: &[bool]) -> Option<Self> {
        let dims = rows.first()?.len();
        let valid = rows.iter().all(|row| row.len() == dims && row.iter().all(|x| x.is_finite()));
        let positives = positive.iter().filter(|&&positive| positive).count();
        if !valid || rows.len() != positive.len() || positives == 0 || positives == rows.len() {
            return None;
        }
        // Standardized numbers, the last being the constant.
        let count = rows.len() as f64;
        let mean = |i: usize| rows.iter().map(|row| row[i]).sum::<f64>() / count;
        let means: Vec<f64> = (0..dims).map(mean).collect();
        let spread = |i: usize| {
            let squares: f64 = rows.iter().map(|row| (row[i] - means[i]).powi(2)).sum();
            if squares > 0.0 { (squares / count).sqrt() } else { 1.0 }
        };
        let spreads: Vec<f64> = (0..dims).map(spread).collect();
        let standard = |row: &[f64]| -> Vec<f64> {
            let numbers = (0..dims).map(|i| (row[i] - means[i]) / spreads[i]);
            numbers.chain([1.0]).collect()
        };
        let rows: Vec<Vec<f64>> = rows.iter().map(|row| standard(row)).collect();

        let mut weights = vec![0.0; dims + 1];
        let mut loss = objective(&rows, positive, &weights);
        for _ in 0..MOST_STEPS {
            let step = newton_step(&rows, positive, &weights)?;
            // Half steps where a whole one goes too far.
            let mut length = 1.0;
            let (next, next_loss) = loop {
                let next: Vec<f64> = weights.iter().zip(&step).map(|(w, s)| w - length * s).collect();
                let next_loss = objective(&rows, positive, &next);
                if next_loss <= loss || length < 1e-6 {
                    break (next, next_loss);
                }
                length /= 2.0;
            };
            let done = loss - next_loss <= 1e-14 * loss.abs();
            (weights, loss) = (next, next_loss.min(loss));
            if done {
                break;
            }
        }
        let scaled: Vec<f64> = (0..dims).map(|i| weights[i] / spreads[i]).collect();
        let bias = weights[dims] - scaled.iter().zip(&means).map(|(w, m)| w * m).sum::<f64>();
        Some(Self { weights: scaled, bias })
    }

    /// The probability of the positive class.
    ///
    /// # Panics
    ///
    /// As [`logit`](Self::logit).
    pub fn probability(&self, row: &[f64]) -> f64 {
        sigmoid(self.logit(row))
    }

    /// `ln p − ln (1 − p)` of this probability.
    ///
    /// # Panics
    ///
    /// If there are not as many numbers as weights.
    pub fn logit(&self, row: &[f64]) -> f64 {
        assert_eq!(row.len(), self.weights.len(), "one number for each weight");
        self.bias + logit(row, &self.weights)
    }
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

fn logit(row: &[f64], weights: &[f64]) -> f64 {
    row.iter().zip(weights).map(|(x, w)| x * w).sum()
}

/// Mean negative logarithm of the likelihood, with the ridge.
fn objective(rows: &[Vec<f64>], positive: &[bool], weights: &[f64]) -> f64 {
    let loss = |(row, &positive): (&Vec<f64>, &bool)| {
        let z = if positive { -logit(row, weights) } else { logit(row, weights) };
        // ln(1 + exp(z)) that does not overflow.
        z.max(0.0) + (-z.abs()).exp().ln_1p()
    };
    let squares: f64 = weights.iter().map(|w| w * w).sum();
    rows.iter().zip(positive).map(loss).sum::<f64>() / rows.len() as f64 + RIDGE * squares / 2.0
}

/// `H⁻¹ g`; `None` where the numbers depend on each other.
fn newton_step(rows: &[Vec<f64>], positive: &[bool], weights: &[f64]) -> Option<Vec<f64>> {
    let size = weights.len();
    let count = rows.len() as f64;
    let mut system: Vec<Vec<f64>> =
        (0..size).map(|i| (0..=size).map(|j| if i == j { RIDGE } else { 0.0 }).collect()).collect();
    for (i, row) in system.iter_mut().enumerate() {
        row[size] = RIDGE * weights[i];
    }
    for (row, &positive) in rows.iter().zip(positive) {
        let p = sigmoid(logit(row, weights));
        let (error, curvature) = (p - f64::from(u8::from(positive)), p * (1.0 - p));
        for i in 0..size {
            for j in 0..size {
                system[i][j] += curvature * row[i] * row[j] / count;
            }
            system[i][size] += error * row[i] / count;
        }
    }
    solved(system)
}

/// Solves a symmetric system by elimination, the right side in the last column.
fn solved(mut system: Vec<Vec<f64>>) -> Option<Vec<f64>> {
    let size = system.len();
    for column in 0..size {
        let pivot =
            (column..size).max_by(|&a, &b| system[a][column].abs().total_cmp(&system[b][column].abs()))?;
        system.swap(column, pivot);
        let pivot = system[column].clone();
        if pivot[column].abs() < f64::MIN_POSITIVE {
            return None;
        }
        for row in &mut system[column + 1..] {
            let factor = row[column] / pivot[column];
            row.iter_mut().zip(&pivot).for_each(|(x, p)| *x -= factor * p);
        }
    }
    let mut solution = vec![0.0; size];
    for i in (0..size).rev() {
        let known: f64 = (i + 1..size).map(|j| system[i][j] * solution[j]).sum();
        solution[i] = (system[i][size] - known) / system[i][i];
    }
    Some(solution)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_says_how_common_the_positive_class_is() {
        let rows = vec![vec![5.0]; 8];
        let positive: Vec<bool> = (0..8).map(|i| i < 2).collect();
        let found = Logistic::fit(&rows, &positive).expect("both classes");
        assert!((found.probability(&[5.0]) - 0.25).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn classes_that_are_told_apart_without_a_mistake_have_finite_weights() {
        let rows: Vec<Vec<f64>> = (0..20).map(|i| vec![f64::from(i)]).collect();
        let positive: Vec<bool> = (0..20).map(|i| i >= 10).collect();
        let found = Logistic::fit(&rows, &positive).expect("both classes");
        assert!(found.weights[0].is_finite() && found.probability(&[12.0]) > 0.999, "{found:?}");
        assert!(found.probability(&[7.0]) < 0.001, "{found:?}");
    }

    #[test]
    fn what_cannot_be_fitted_is_none() {
        assert_eq!(Logistic::fit(&[], &[]), None);
        assert_eq!(Logistic::fit(&[vec![1.0], vec![2.0]], &[true, true]), None);
        assert_eq!(Logistic::fit(&[vec![1.0], vec![f64::NAN]], &[true, false]), None);
        assert_eq!(Logistic::fit(&[vec![1.0], vec![2.0, 3.0]], &[true, false]), None);
    }
}
