//! The losses once more: one sample after the other, in f64, from the formulas alone.

/// `phi`.
#[derive(Debug, Clone, Copy)]
pub enum Phi {
    Identity,
    Constant(f64),
    Sigmoid(f64),
}

/// `t` of the target class.
#[derive(Debug, Clone, Copy)]
pub enum T {
    None,
    Cosine(f64),
    AngularMonotone(f64),
    AngularEasy(f64),
    AngularPlain(f64),
}

pub fn phi(map: Phi, r: f64) -> f64 {
    match map {
        Phi::Identity => r,
        Phi::Constant(s) => s,
        Phi::Sigmoid(s) => s / (1.0 + (-r).exp()),
    }
}

pub fn target_cosine(margin: T, cosine: f64) -> f64 {
    let angle = cosine.clamp(-1.0, 1.0).acos();
    match margin {
        T::None => cosine,
        T::Cosine(m) => cosine - m,
        T::AngularPlain(m) => (angle + m).cos(),
        T::AngularMonotone(m) if angle + m > std::f64::consts::PI => cosine - m * m.sin(),
        T::AngularMonotone(m) => (angle + m).cos(),
        T::AngularEasy(_) if cosine <= 0.0 => cosine,
        T::AngularEasy(m) => (angle + m).cos(),
    }
}

pub fn length(v: &[f64]) -> f64 {
    v.iter().map(|a| a * a).sum::<f64>().sqrt()
}

fn cosine(x: &[f64], w: &[f64]) -> f64 {
    let lengths = length(x) * length(w);
    if lengths == 0.0 { 0.0 } else { x.iter().zip(w).map(|(a, b)| a * b).sum::<f64>() / lengths }
}

pub fn training_logits(map: Phi, margin: T, x: &[f64], centres: &[Vec<f64>], y: usize) -> Vec<f64> {
    let with_margin = |j: usize, c: f64| if j == y { target_cosine(margin, c) } else { c };
    let radius = phi(map, length(x));
    centres.iter().enumerate().map(|(j, w)| radius * with_margin(j, cosine(x, w))).collect()
}

pub fn cross_entropy(logits: &[f64], y: usize) -> f64 {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    largest + logits.iter().map(|z| (z - largest).exp()).sum::<f64>().ln() - logits[y]
}

pub fn loss(map: Phi, margin: T, x: &[f64], centres: &[Vec<f64>], y: usize) -> f64 {
    cross_entropy(&training_logits(map, margin, x, centres, y), y)
}

/// Central difference of `f` by every coordinate of `at`, with a step that suits the length of the row.
pub fn gradient(at: &[Vec<f64>], f: impl Fn(&[Vec<f64>]) -> f64) -> Vec<Vec<f64>> {
    let mut point = at.to_vec();
    let mut gradient = Vec::new();
    for i in 0..at.len() {
        let step = if length(&at[i]) == 0.0 { 1e-4 } else { (1e-5 * length(&at[i])).min(1e-4) };
        let mut row = Vec::new();
        for j in 0..at[i].len() {
            let mut value = |shift: f64| {
                point[i][j] = at[i][j] + shift;
                f(&point)
            };
            let difference = value(step) - value(-step);
            row.push(difference / (2.0 * step));
            point[i][j] = at[i][j];
        }
        gradient.push(row);
    }
    gradient
}
