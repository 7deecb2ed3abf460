//! The losses once more: one sample after the other, in f64, from the formulas alone.

use std::f64::consts::PI;

/// `phi`.
#[derive(Debug, Clone, Copy)]
pub enum Phi {
    Identity,
    Constant(f64),
    Sigmoid(f64),
    /// Limit, floor, mean and standard deviation.
    Calibrated(f64, f64, f64, f64),
    Tanh(f64),
    Rational(f64),
    Logarithm(f64),
    /// Scale, lower and upper bound.
    Clamp(f64, f64, f64),
    /// Scale and `ν`.
    VonMisesFisher(f64, f64),
}

/// `t` of the target class, and of the others where a margin changes them.
#[derive(Debug, Clone, Copy)]
pub enum T {
    None,
    Cosine(f64),
    AngularMonotone(f64),
    AngularEasy(f64),
    AngularPlain(f64),
    AngularPlateau(f64),
    Multiplicative(f64),
    /// Factor and weight `λ` of annealing.
    Annealed(f64, f64),
    CombinedMonotone(f64, f64, f64),
    CombinedPlain(f64, f64, f64),
    /// Bounds of the norm, bounds of the margin.
    MagFaceAngular([f64; 4]),
    MagFaceCosine([f64; 4]),
    /// Margin, concentration, mean and standard deviation.
    AdaFace(f64, f64, f64, f64),
    /// Margin, `ẑ`, and how far the angle is held from 0 and π.
    Held(f64, f64, f64),
    /// Margin and curriculum.
    Curricular(f64, f64),
    /// Curvature, center and peak.
    Quadratic(f64, f64, f64),
}

impl T {
    /// The margin of a feature of norm `r`, with what its formula takes as a constant from the norm.
    pub fn fixed_at(self, r: f64) -> Self {
        match self {
            Self::AdaFace(m, h, mean, std) => {
                let quality = h * (r.clamp(1e-3, 100.0) - mean) / (std + 1e-3);
                Self::Held(m, quality.clamp(-1.0, 1.0), 1e-3)
            }
            other => other,
        }
    }

    /// Whether its derivative by the cosine is infinite at 0 and π.
    pub fn is_steep(self) -> bool {
        !matches!(self, Self::None | Self::Cosine(_) | Self::MagFaceCosine(_))
    }
}

pub fn phi(map: Phi, r: f64) -> f64 {
    let sigmoid = |v: f64| 1.0 / (1.0 + (-v).exp());
    match map {
        Phi::Identity => r,
        Phi::Constant(s) => s,
        Phi::Sigmoid(s) => s * sigmoid(r),
        Phi::Calibrated(s, floor, mean, std) => {
            s * (floor + (1.0 - floor) * sigmoid((r - mean) / std.max(1e-3)))
        }
        Phi::Tanh(s) => s * r.tanh(),
        Phi::Rational(s) => s * r / (1.0 + r),
        Phi::Logarithm(s) => s * r.ln_1p(),
        Phi::Clamp(s, lower, upper) => s * r.max(lower).min(upper),
        Phi::VonMisesFisher(s, nu) => s * r / (nu + nu.hypot(r)),
    }
}

fn monotone_cosine(angle: f64) -> f64 {
    let k = (angle / PI).floor();
    let sign = if k % 2.0 == 0.0 { 1.0 } else { -1.0 };
    sign * angle.cos() - 2.0 * k
}

fn magface_margin([l, u, ml, mu]: [f64; 4], r: f64) -> f64 {
    (mu - ml) / (u - l) * (r.clamp(l, u) - l) + ml
}

pub fn target_cosine(margin: T, cosine: f64, r: f64) -> f64 {
    let angle = cosine.clamp(-1.0, 1.0).acos();
    match margin {
        T::None => cosine,
        T::Cosine(m) => cosine - m,
        T::AngularPlain(m) => (angle + m).cos(),
        T::AngularPlateau(m) => (angle + m).min(PI).cos(),
        T::AngularMonotone(m) | T::Curricular(m, _) if angle + m > PI => cosine - m * m.sin(),
        T::AngularMonotone(m) | T::Curricular(m, _) => (angle + m).cos(),
        T::AngularEasy(_) if cosine <= 0.0 => cosine,
        T::AngularEasy(m) => (angle + m).cos(),
        T::Multiplicative(m) => monotone_cosine(m * angle),
        T::Annealed(m, weight) => (weight * cosine + monotone_cosine(m * angle)) / (1.0 + weight),
        T::CombinedMonotone(m1, m2, m3) => monotone_cosine(m1 * angle + m2) - m3,
        T::CombinedPlain(m1, m2, m3) => (m1 * angle + m2).cos() - m3,
        T::MagFaceAngular(bounds) => target_cosine(T::AngularEasy(magface_margin(bounds, r)), cosine, r),
        T::MagFaceCosine(bounds) => cosine - magface_margin(bounds, r),
        T::AdaFace(..) => target_cosine(margin.fixed_at(r), cosine, r),
        T::Held(m, quality, edge) => (angle - m * quality).clamp(edge, PI - edge).cos() - (m + m * quality),
        T::Quadratic(a, h, k) => a * (angle - h).powi(2) + k,
    }
}

/// The cosine of another class than the target's.
fn other_cosine(margin: T, cosine: f64, target: f64) -> f64 {
    match margin {
        T::Curricular(m, c) if cosine > (target.clamp(-1.0, 1.0).acos() + m).cos() => cosine * (c + cosine),
        _ => cosine,
    }
}

/// Mean and unbiased standard deviation.
pub fn statistics(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    (mean, (values.map(|v| (v - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt())
}

/// A vector this short counts as zero.
const LEAST: f64 = 1e-30;

pub fn length(v: &[f64]) -> f64 {
    if v.iter().all(|a| a.abs() < LEAST) {
        return 0.0;
    }
    v.iter().map(|a| a * a).sum::<f64>().sqrt()
}

pub fn cosine(x: &[f64], w: &[f64]) -> f64 {
    let lengths = length(x) * length(w);
    if lengths == 0.0 { 0.0 } else { x.iter().zip(w).map(|(a, b)| a * b).sum::<f64>() / lengths }
}

pub fn training_logits(map: Phi, margin: T, x: &[f64], centers: &[Vec<f64>], y: usize) -> Vec<f64> {
    let (r, target) = (length(x), cosine(x, &centers[y]));
    let with_margin = |j: usize, c: f64| match j == y {
        true => target_cosine(margin, c, r),
        false => other_cosine(margin, c, target),
    };
    let radius = phi(map, r);
    centers.iter().enumerate().map(|(j, w)| radius * with_margin(j, cosine(x, w))).collect()
}

pub fn cross_entropy(logits: &[f64], y: usize) -> f64 {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    largest + logits.iter().map(|z| (z - largest).exp()).sum::<f64>().ln() - logits[y]
}

pub fn loss(map: Phi, margin: T, x: &[f64], centers: &[Vec<f64>], y: usize) -> f64 {
    cross_entropy(&training_logits(map, margin, x, centers, y), y)
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
