//! Laws that hold for every input.

use burn::tensor::{Int, Tensor, TensorData};
use cm_loss_core::{Head, HeadConfig, LossOptions, Margin, MarginHeadConfig, NormMap, Preset, Regularizer};
use cm_loss_core::{
    margin::{AngularMargin, AngularOverflow, CosineMargin},
    norm, norm_and_unit,
    norm_map::{Clamp, Logarithm, MeanPreserving, Rational, SigmoidContraction, Tanh, VonMisesFisher},
};
use proptest::prelude::*;

use crate::{
    devices,
    shared::{gradient_of_centers, values},
};

fn magnitudes() -> impl Strategy<Value = f32> {
    prop_oneof![
        Just(0.0f32),
        -1.0f32..1.0,
        (-44i32..38, -1.0f32..1.0).prop_map(|(exponent, v)| v * 10f32.powi(exponent)),
        (0.5f32..1.0).prop_map(|v| v * f32::MAX),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_is_ever_nan_for_finite_features(
        row in proptest::collection::vec(magnitudes(), 12),
        target in 0i32..5,
    ) {
        for (backend, device) in devices() {
            for &preset in Preset::ALL {
                // A linear layer and penalties of the norm have no bound: their numbers leave the range of 32-bit floats.
                let unbounded = matches!(preset, Preset::Softmax | Preset::Ring | Preset::QcFace);
                let limit = if unbounded { 1e18 } else { f32::MAX };
                let hostile: Vec<f32> = row.iter().map(|v| v.clamp(-limit, limit)).collect();
                let head = preset.config().init(4, 5, &device).unwrap();
                let x = Tensor::<2>::from_data(TensorData::new(hostile, [3, 4]), &device).require_grad();
                let y = Tensor::<1, Int>::from_data([target, 0, 4], &device);
                let output = head.forward(x.clone(), y);
                // The penalty of QCFace is 0 near its least value, and not at it.
                let least = if preset == Preset::QcFace { -1e-2 } else { 0.0 };
                let loss: Vec<f32> = output.loss.to_data().iter::<f32>().collect();
                prop_assert!(loss.iter().all(|v| v.is_finite() && *v >= least), "{backend} {preset}: {loss:?}");
                let gradients = output.loss.sum().backward();
                let gradient: Vec<f32> = x.grad(&gradients).unwrap().to_data().iter::<f32>().collect();
                prop_assert!(gradient.iter().all(|v| v.is_finite()), "{backend} {preset}: {gradient:?}");
                let by_centers = gradient_of_centers(&head, &gradients);
                prop_assert!(by_centers.iter().all(|v| v.is_finite()), "{backend} {preset}: {by_centers:?}");
            }
        }
    }

    #[test]
    fn no_norm_map_gives_nan_for_finite_features(
        row in proptest::collection::vec(magnitudes(), 12),
        target in 0i32..5,
    ) {
        let s = 30.0;
        let maps = [
            NormMap::Identity,
            NormMap::Tanh(Tanh { scale: s }),
            NormMap::Rational(Rational { scale: s }),
            NormMap::Logarithm(Logarithm { scale: s }),
            NormMap::Clamp(Clamp { scale: s, lower: 0.5, upper: 20.0 }),
            NormMap::MeanPreserving(MeanPreserving { scale: s, momentum: 0.1 }),
            NormMap::VonMisesFisher(VonMisesFisher { scale: s, dimension: None }),
        ];
        let angular = AngularMargin { margin: 0.5, overflow: AngularOverflow::MonotoneTail };
        for (backend, device) in devices() {
            for map in &maps {
                // Logits without a bound, and their sums, must stay in the range of 32-bit floats.
                let limit = if *map == NormMap::Identity { 1e30 } else { f32::MAX };
                let hostile: Vec<f32> = row.iter().map(|v| v.clamp(-limit, limit)).collect();
                let config = MarginHeadConfig::new(map.clone(), Margin::Angular(angular.clone()));
                let head = config.init(4, 5, &device).unwrap();
                let x = Tensor::<2>::from_data(TensorData::new(hostile, [3, 4]), &device).require_grad();
                let output = head.forward(x.clone(), Tensor::from_data([target, 0, 4], &device));
                let gradients = output.loss.clone().sum().backward();
                let numbers = [
                    values(output.loss),
                    values(x.grad(&gradients).unwrap()),
                    values(head.class_centers.val().grad(&gradients).unwrap()),
                ];
                prop_assert!(numbers.concat().iter().all(|v| v.is_finite()), "{backend} {map:?}: {numbers:?}");
            }
        }
    }

    #[test]
    fn the_sigmoid_radius_lies_between_half_the_scale_and_the_scale_and_rises(
        mut norms in proptest::collection::vec(0.0f32..40.0, 2..20),
        scale in 0.5f64..100.0,
    ) {
        norms.sort_by(f32::total_cmp);
        let map = NormMap::Sigmoid(SigmoidContraction { scale });
        for (_, device) in devices() {
            let column = Tensor::<2>::from_data(TensorData::new(norms.clone(), [norms.len(), 1]), &device);
            let radii: Vec<f64> = map.forward(column, None).into_data().iter::<f64>().collect();
            prop_assert!(radii.iter().all(|r| (scale * 0.499_999..=scale * 1.000_001).contains(r)));
            for (radii, norms) in radii.windows(2).zip(norms.windows(2)) {
                let (rise, run) = (radii[1] - radii[0], f64::from(norms[1] - norms[0]));
                prop_assert!(rise >= -1e-6 * scale && rise <= scale / 4.0 * run + 1e-5 * scale);
            }
        }
    }

    #[test]
    fn unit_vectors_have_length_one_at_every_magnitude(
        row in proptest::collection::vec(-1.0f32..1.0, 5),
        exponent in -28i32..30,
    ) {
        prop_assume!(row.iter().any(|v| v.abs() > 0.1));
        for (_, device) in devices() {
            let scaled: Vec<f32> = row.iter().map(|v| v * 10f32.powi(exponent)).collect();
            let x = Tensor::<2>::from_data(TensorData::new(scaled.clone(), [1, 5]), &device);
            let (norms, unit) = norm_and_unit(x);
            let length = norm(unit).into_scalar::<f32>();
            prop_assert!((length - 1.0).abs() < 1e-6);
            let exact = scaled.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
            let error = (f64::from(norms.into_scalar::<f32>()) / exact - 1.0).abs();
            prop_assert!(error < 1e-6, "{error:e}");
        }
    }
}

#[test]
fn a_margin_of_zero_is_no_margin_and_a_larger_one_only_raises_the_loss() {
    for (backend, device) in devices() {
        let loss = |margin: Margin| -> Vec<f64> {
            let norm_map = NormMap::Sigmoid(SigmoidContraction { scale: 30.0 });
            let config = MarginHeadConfig::new(norm_map, margin);
            device.seed(7);
            let head = config.init(3, 4, &device).unwrap();
            let x = Tensor::<2>::from_data([[1.0, 2.0, -0.5], [0.3, -0.1, 2.0]], &device);
            let y = Tensor::<1, Int>::from_data([2, 0], &device);
            head.forward_no_reduction(x, y).into_data().iter::<f64>().collect()
        };
        let with = |margin| loss(Margin::Cosine(CosineMargin { margin }));
        assert_eq!(loss(Margin::None), with(0.0), "{backend}");
        assert!(with(0.2).iter().zip(with(0.4)).all(|(small, large)| *small < large), "{backend}");
    }
}

#[test]
fn permuting_the_classes_permutes_the_logits() {
    for (backend, device) in devices() {
        let Head::Margin(mut head) = Preset::CmCosFace.config().init(3, 4, &device).unwrap() else {
            panic!("CM-CosFace has class centers")
        };
        let x = Tensor::<2>::from_data([[1.0, 2.0, -0.5], [0.3, -0.1, 2.0]], &device);
        let before = head.training_logits(x.clone(), Tensor::from_data([2, 0], &device));
        let order = Tensor::<1, Int>::from_data([3, 0, 1, 2], &device);
        head.class_centers = head.class_centers.map(|centers| centers.select(0, order.clone()));
        let after = head.training_logits(x, Tensor::from_data([3, 1], &device));
        let moved = before.select(1, order);
        let difference = (moved - after).abs().max().into_scalar::<f32>();
        assert!(difference < 1e-5, "{backend}: {difference}");
    }
}

#[test]
fn the_squared_norm_regularizer_adds_its_weight_times_the_squared_norm() {
    for (backend, device) in devices() {
        let HeadConfig::Margin(config) = Preset::CmSoftmax.config() else { panic!("it has class centers") };
        let weight = 0.25;
        let regularizer = Regularizer::SquaredNorm(cm_loss_core::regularizer::SquaredNorm { weight });
        let plain = config.init(2, 3, &device).unwrap();
        let mut with = MarginHeadConfig { regularizer, ..config }.init(2, 3, &device).unwrap();
        with.class_centers = plain.class_centers.clone();
        let x = Tensor::<2>::from_data([[3.0, 4.0], [0.0, 2.0]], &device);
        let y = Tensor::<1, Int>::from_data([1, 2], &device);
        let added = with.forward_no_reduction(x.clone(), y.clone()) - plain.forward_no_reduction(x, y);
        let added: Vec<f32> = added.into_data().iter::<f32>().collect();
        assert!((added[0] - 6.25).abs() < 1e-5 && (added[1] - 1.0).abs() < 1e-5, "{backend}: {added:?}");
    }
}

#[test]
fn the_derivative_of_a_norm_map_is_exact_where_the_map_is_flat() {
    let s = 30.0;
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    type Slope = Box<dyn Fn(f64) -> f64>;
    let nu = 4.0f64;
    let maps: [(NormMap, Slope); 4] = [
        (
            NormMap::VonMisesFisher(VonMisesFisher { scale: s, dimension: Some(9) }),
            Box::new(move |r| s * nu / (nu.hypot(r) * (nu + nu.hypot(r)))),
        ),
        (NormMap::Sigmoid(SigmoidContraction { scale: s }), Box::new(move |r| s * sigmoid(r) * sigmoid(-r))),
        (NormMap::Tanh(Tanh { scale: s }), Box::new(move |r| s / r.cosh().powi(2))),
        (NormMap::Rational(Rational { scale: s }), Box::new(move |r| s / (1.0 + r).powi(2))),
    ];
    for (backend, device) in devices() {
        for (map, slope) in &maps {
            for r in [0.0f32, 0.5, 1.0, 4.0, 8.0, 12.0, 17.0, 20.0, 30.0, 40.0, 1e4, 1e6] {
                let norm = Tensor::<2>::from_data([[r]], &device).require_grad();
                let gradients = map.forward(norm.clone(), None).backward();
                let found = values(norm.grad(&gradients).unwrap())[0];
                let expected = slope(f64::from(r));
                // What is below the range of 32-bit floats is 0.
                let error = (found - expected).abs() / expected.max(1e-30);
                assert!(error < 1e-5, "{backend}, {map:?}, r = {r}: {found:e}, not {expected:e}");
            }
        }
    }
}

#[test]
fn an_empty_batch_has_no_loss_and_changes_nothing() {
    // The matrix product of ndarray divides by the number of rows.
    for (backend, device) in devices().into_iter().filter(|(backend, _)| *backend != "ndarray") {
        let late = Preset::QcFace.config().with_regularizer_from(3).unwrap();
        let warming = Preset::CircleLoss.config().with_margin_warm_up(3).unwrap();
        let presets = Preset::ALL.iter().map(|preset| (preset.name(), preset.config()));
        for (preset, config) in presets.chain([("late", late), ("warming", warming)]) {
            let options = LossOptions { ignore_index: Some(-1), ..LossOptions::default() };
            let head = config.with_options(options).unwrap().init(4, 5, &device).unwrap();
            let x = || Tensor::<2>::ones([2, 4], &device);
            let before = values(head.logits(x()).0);
            let empty = Tensor::<2>::zeros([0, 4], &device);
            let output = head.forward(empty, Tensor::<1, Int>::zeros([0], &device));
            assert_eq!(output.loss.dims(), [0], "{backend}, {preset}");
            assert_eq!(values(head.logits(x()).0), before, "{backend}, {preset}");
            let nothing = (Tensor::<2>::zeros([0, 4], &device), Tensor::<1, Int>::zeros([0], &device));
            let head = head.with_class_means(nothing.0, nothing.1).unwrap();
            assert_eq!(values(head.logits(x()).0), before, "{backend}, {preset}");
        }
    }
}
