//! The parts of a margin head beside their references.

use burn::{module::Param, tensor::Device};
use cm_loss_core::{
    Margin, MarginHead, MarginHeadConfig, NormMap,
    margin::{
        AdaFaceMargin, AngularMargin, AngularOverflow, Annealing, CombinedMargin, CosineMargin,
        CurricularMargin, Extension, MagFaceMargin, MarginForm, MultiplicativeMargin, QuadraticMargin,
    },
    norm_map::{
        CalibratedSigmoid, Clamp, Constant, Logarithm, Rational, SigmoidContraction, Tanh, VonMisesFisher,
    },
};

use crate::{
    cases::{self, Case},
    devices,
    reference::{self, Phi, T},
    shared::tensor,
};

pub fn margin_head(map: &NormMap, margin: &Margin, centers: &[Vec<f64>], device: &Device) -> MarginHead {
    let config = MarginHeadConfig::new(map.clone(), margin.clone());
    let mut head = config.init(centers[0].len(), centers.len(), device).unwrap();
    head.class_centers = Param::from_tensor(tensor(centers, device));
    head
}

/// A part of the head and its reference.
pub struct Pair<R, P> {
    pub reference: R,
    pub part: P,
}

/// Every norm map, as it is after one batch of the case.
pub fn norm_maps(case: &Case) -> Vec<Pair<Phi, NormMap>> {
    let norms = case.features.iter().map(|x| reference::length(x));
    let (mean, std) = reference::statistics(norms);
    // One sample has no standard deviation and leaves the one that the map begins with.
    let std = if case.features.len() == 1 { 1.0 } else { std };
    let pair = |reference, part| Pair { reference, part };
    let mut maps = vec![
        pair(Phi::Identity, NormMap::Identity),
        pair(Phi::Constant(30.0), NormMap::Constant(Constant { scale: 30.0 })),
        pair(Phi::Sigmoid(30.0), NormMap::Sigmoid(SigmoidContraction { scale: 30.0 })),
        pair(Phi::Tanh(30.0), NormMap::Tanh(Tanh { scale: 30.0 })),
        pair(Phi::Rational(30.0), NormMap::Rational(Rational { scale: 30.0 })),
        pair(Phi::Logarithm(10.0), NormMap::Logarithm(Logarithm { scale: 10.0 })),
        pair(Phi::Clamp(2.0, 0.5, 20.0), NormMap::Clamp(Clamp { scale: 2.0, lower: 0.5, upper: 20.0 })),
        pair(
            Phi::VonMisesFisher(30.0, (case.centers[0].len() - 1) as f64 / 2.0),
            NormMap::VonMisesFisher(VonMisesFisher { scale: 30.0, dimension: None }),
        ),
    ];
    // Standardising norms that differ by rounding alone gives rounding: there only finiteness holds, which the
    // laws check.
    if std > 1e-4 * mean {
        for floor in [0.0, 0.5] {
            let part = NormMap::CalibratedSigmoid(CalibratedSigmoid { scale: 30.0, floor, momentum: 0.01 });
            maps.push(pair(Phi::Calibrated(30.0, floor, mean, std), part));
        }
    }
    maps
}

/// Every margin, as it is after one batch of the case.
pub fn margins(case: &Case) -> Vec<Pair<T, Margin>> {
    let pair = |reference, part| Pair { reference, part };
    let angular = |margin, overflow| Margin::Angular(AngularMargin { margin, overflow });
    let multiplicative =
        |margin, annealing| Margin::Multiplicative(MultiplicativeMargin { margin, annealing });
    let combined = |extension| {
        Margin::Combined(CombinedMargin { multiplicative: 1.2, angular: 0.3, cosine: 0.2, extension })
    };
    let magface = |form| {
        Margin::MagFace(MagFaceMargin {
            lower_norm: 0.5,
            upper_norm: 40.0,
            lower_margin: 0.2,
            upper_margin: 0.8,
            form,
            overflow: AngularOverflow::Easy,
        })
    };
    let bounds = [0.5, 40.0, 0.2, 0.8];

    let rows = || case.features.iter().zip(&case.targets);
    let held = case.features.iter().map(|x| reference::length(x).clamp(1e-3, 100.0));
    let (mean, std) = reference::statistics(held);
    let std = if case.features.len() == 1 { 100.0 } else { 0.99 * 100.0 + 0.01 * std };
    let mean = 0.99 * 20.0 + 0.01 * mean;
    let adaface = AdaFaceMargin { margin: 0.4, concentration: 0.333, momentum: 0.01 };
    let target_cosines = rows().map(|(x, &y)| reference::cosine(x, &case.centers[y]));
    let curriculum = 0.01 * target_cosines.sum::<f64>() / case.features.len() as f64;
    vec![
        pair(T::None, Margin::None),
        pair(T::Cosine(0.4), Margin::Cosine(CosineMargin { margin: 0.4 })),
        pair(T::AngularMonotone(0.5), angular(0.5, AngularOverflow::MonotoneTail)),
        pair(T::AngularEasy(0.5), angular(0.5, AngularOverflow::Easy)),
        pair(T::AngularPlain(0.5), angular(0.5, AngularOverflow::Plain)),
        pair(T::AngularPlateau(0.5), angular(0.5, AngularOverflow::Plateau)),
        pair(T::Multiplicative(4.0), multiplicative(4.0, None)),
        pair(T::Multiplicative(1.7), multiplicative(1.7, None)),
        pair(T::Annealed(4.0, 1000.0), multiplicative(4.0, Some(Annealing::SPHEREFACE))),
        pair(T::CombinedMonotone(1.2, 0.3, 0.2), combined(Extension::Monotone)),
        pair(T::CombinedPlain(1.2, 0.3, 0.2), combined(Extension::Plain)),
        pair(T::MagFaceAngular(bounds), magface(MarginForm::Angular)),
        pair(T::MagFaceCosine(bounds), magface(MarginForm::Cosine)),
        pair(T::AdaFace(0.4, 0.333, mean, std), Margin::AdaFace(adaface)),
        pair(
            T::Curricular(0.5, curriculum),
            Margin::Curricular(CurricularMargin { margin: 0.5, momentum: 0.01 }),
        ),
        pair(
            T::Quadratic(-0.9, -0.1, 0.65),
            Margin::Quadratic(QuadraticMargin { curvature: -0.9, center: -0.1, peak: 0.65 }),
        ),
    ]
}

/// Calls `check` with a head for every combination of parts, every case and every backend.
pub fn for_every_head(check: impl Fn(&str, Phi, T, &Case, &MarginHead, &Device)) {
    for (backend, device) in devices() {
        for case in cases::all() {
            for map in norm_maps(&case) {
                for margin in margins(&case) {
                    let (phi, t) = (map.reference, margin.reference);
                    let name = format!("{backend}, {phi:?} x {t:?}, {}", case.name);
                    let head = margin_head(&map.part, &margin.part, &case.centers, &device);
                    check(&name, phi, t, &case, &head, &device);
                }
            }
        }
    }
}
