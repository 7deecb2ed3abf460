//! Inputs that every head must get right.

use crate::reference::length;

/// Features, centers and targets. All numbers are exact in f32.
pub struct Case {
    pub name: &'static str,
    pub features: Vec<Vec<f64>>,
    pub centers: Vec<Vec<f64>>,
    pub targets: Vec<usize>,
}

/// Values in (−1, 1), the same on every machine.
pub struct Values(u64);

impl Values {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let unit = (self.0 >> 40) as f64 / (1u64 << 24) as f64;
        f64::from((2.0 * unit - 1.0) as f32)
    }

    pub fn matrix(&mut self, rows: usize, columns: usize) -> Vec<Vec<f64>> {
        (0..rows).map(|_| (0..columns).map(|_| self.next()).collect()).collect()
    }
}

fn scaled(row: &[f64], to: f64) -> Vec<f64> {
    let factor = to / length(row);
    row.iter().map(|v| f64::from((v * factor) as f32)).collect()
}

fn random(name: &'static str, batch: usize, classes: usize, dim: usize, norm: Option<f64>) -> Case {
    let mut values = Values::new((batch * 31 + classes * 7 + dim) as u64);
    let mut features = values.matrix(batch, dim);
    if let Some(norm) = norm {
        features = features.iter().map(|row| scaled(row, norm)).collect();
    }
    let centers = values.matrix(classes, dim);
    Case { name, features, centers, targets: (0..batch).map(|i| (i * 5 + 1) % classes).collect() }
}

/// As many classes as a small face data set has people.
pub fn many_classes() -> Case {
    random("10,000 classes", 2, 10_000, 4, Some(9.0))
}

pub fn all() -> Vec<Case> {
    let mut zero = random("zero feature among others", 4, 5, 6, None);
    zero.features[2] = vec![0.0; 6];
    let mut parallel = random("features parallel and antiparallel to their centers", 4, 5, 6, None);
    for (row, factor) in [(0, 4.0), (1, -2.0), (2, 0.125)] {
        let center = &parallel.centers[parallel.targets[row]];
        parallel.features[row] = center.iter().map(|v| v * factor).collect();
    }
    let mut spread = random("norms 1e-6, 1, 30 and 1e6 in one batch", 4, 3, 8, None);
    for (row, norm) in [1e-6, 1.0, 30.0, 1e6].into_iter().enumerate() {
        spread.features[row] = scaled(&spread.features[row], norm);
    }
    let mut tiny = random("sub-normal feature among others", 4, 5, 6, None);
    tiny.features[1] = scaled(&tiny.features[1], 1e-39);
    vec![
        random("random", 9, 10, 16, None),
        random("two-dimensional", 8, 10, 2, Some(3.0)),
        random("norm 1e-6", 5, 4, 8, Some(1e-6)),
        random("norm 1e-4", 5, 4, 8, Some(1e-4)),
        random("norm 1e4", 5, 4, 8, Some(1e4)),
        random("norm 1e6", 5, 4, 8, Some(1e6)),
        random("one sample", 1, 7, 5, Some(2.0)),
        random("one class", 3, 1, 4, None),
        zero,
        tiny,
        parallel,
        spread,
    ]
}
