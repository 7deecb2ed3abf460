//! Maps of the feature norm: range, slope, saturation, and one of your own.

use burn::tensor::{Tensor, TensorData};
use cm_loss_core::{
    LossOptions, Margin, MarginHeadConfig, NormMap, Preset,
    norm_map::{Constant, MeanPreserving},
};

use crate::{
    devices,
    shared::{features, first_class, known_head, margin_config, values},
};

#[test]
fn saturation_is_the_share_of_norms_where_the_map_is_flat_and_says_so_with_the_remedy() {
    for (backend, device) in devices() {
        let norms = || Tensor::<1>::from_data([0.0, 8.0, 9.0, 20.0], &device);
        let share =
            |loss: Preset| loss.config().init(2, 3, &device).unwrap().saturation(norms()).map(|s| s.share);
        // 4 sigmoid'(r) falls under 1e-3 at r = 8.29.
        assert_eq!(share(Preset::CmCosFace), Some(0.5), "{backend}");
        assert_eq!(share(Preset::Ring), Some(0.0));
        assert_eq!((share(Preset::CosFace), share(Preset::Softmax)), (None, None));
        let serious = margin_config(Preset::CmCosFace).init(2, 3, &device).unwrap();
        let serious = serious.saturation(Tensor::from_data([20.0, 21.0], &device)).unwrap();
        assert!(serious.is_serious() && serious.to_string().contains("calibrated sigmoid"), "{serious}");

        // The calibrated sigmoid has the same norms in its middle once it has seen them.
        let calibrated = margin_config(Preset::CalibratedCmCosFace).init(2, 3, &device).unwrap();
        calibrated.forward(features(&[19.0, 20.0, 21.0, 22.0], &device), first_class(4, &device));
        let found = calibrated.saturation(Tensor::from_data([20.0, 21.0], &device)).unwrap();
        assert_eq!(found.share, 0.0, "{backend}");
        assert!(!found.is_serious());
    }
}

/// A feature that is not finite is left out of the mean that all samples share: its own loss is not finite, and no other.
#[test]
fn one_undefined_feature_does_not_spoil_the_mean_preserving_map_for_the_others() {
    let map = NormMap::MeanPreserving(MeanPreserving::default());
    let config = MarginHeadConfig::new(map, Margin::None);
    for (backend, device) in devices() {
        let ignoring = LossOptions { ignore_index: Some(-1), ..LossOptions::default() };
        // Losses, and the gradients of the features of their sum.
        let step = |norms: &[f32], targets: &[i32]| {
            let x = features(norms, &device).require_grad();
            let head = known_head(&config.clone().with_options(ignoring.clone()), &device);
            let output = head.forward(x.clone(), Tensor::from_data(targets, &device));
            let gradients = output.loss.clone().sum().backward();
            (values(output.loss), values(x.grad(&gradients).unwrap()))
        };
        let expected = step(&[3.0, 0.5], &[0, 0]);
        assert!(expected.1.iter().all(|gradient| gradient.is_finite() && *gradient != 0.0), "{backend}");
        for wrong in [f32::NAN, f32::INFINITY] {
            for target in [0, -1] {
                let found = step(&[3.0, 0.5, wrong], &[0, 0, target]);
                assert_eq!(found.0[..2], expected.0[..], "{backend}, {wrong}, {target}");
                assert_eq!(found.1[..4], expected.1[..], "{backend}, {wrong}, {target}");
            }
        }
        // An ignored sample of any other length is not in the mean either.
        let found = step(&[3.0, 0.5, 9.0], &[0, 0, -1]);
        assert_eq!((&found.0[..2], &found.1[..4]), (&expected.0[..], &expected.1[..]), "{backend}");
        assert_eq!((found.0[2], &found.1[4..]), (0.0, &[0.0; 2][..]), "{backend}");
    }
}

/// Every map with its range and largest slope for `s = 3`.
#[test]
fn norm_maps_rise_within_their_range_and_no_faster_than_their_lipschitz_constant() {
    use cm_loss_core::norm_map::{Clamp, Logarithm, Rational, SigmoidContraction, Tanh, VonMisesFisher};
    let s = 3.0;
    let infinity = f64::INFINITY;
    let maps = [
        (NormMap::Identity, 0.0, infinity, 1.0),
        (NormMap::Constant(Constant { scale: s }), s, s, 0.0),
        (NormMap::Sigmoid(SigmoidContraction { scale: s }), s / 2.0, s, s / 4.0),
        (NormMap::Tanh(Tanh { scale: s }), 0.0, s, s),
        (NormMap::Rational(Rational { scale: s }), 0.0, s, s),
        (NormMap::Logarithm(Logarithm { scale: s }), 0.0, infinity, s),
        (NormMap::Clamp(Clamp { scale: s, lower: 1.0, upper: 7.0 }), s, 7.0 * s, s),
        (NormMap::VonMisesFisher(VonMisesFisher { scale: s, dimension: Some(9) }), 0.0, s, s / 8.0),
    ];
    let norms: Vec<f32> = (0..2000).map(|i| i as f32 * 0.01).collect();
    for (backend, device) in devices() {
        let column = Tensor::<2>::from_data(TensorData::new(norms.clone(), [norms.len(), 1]), &device);
        for (map, low, high, lipschitz) in &maps {
            let radii = values(map.forward(column.clone(), None));
            let slopes = map.relative_slope(column.clone(), None).map(values);
            assert!(radii.iter().all(|r| *r >= low - 1e-6 && *r <= high + 1e-6), "{backend}, {map:?}");
            for (i, pair) in radii.windows(2).enumerate() {
                let slope = (pair[1] - pair[0]) / 0.01;
                assert!(
                    slope >= -1e-4 && slope <= lipschitz + 2e-3,
                    "{backend}, {map:?}: slope {slope} at {i}"
                );
                // The relative slope is the derivative over its largest value.
                if let Some(slopes) = &slopes {
                    let middle = (slopes[i] + slopes[i + 1]) / 2.0 * lipschitz;
                    let at_corner = matches!(map, NormMap::Clamp(_)) && slopes[i] != slopes[i + 1];
                    assert!(
                        at_corner || (slope - middle).abs() < 3e-3,
                        "{backend}, {map:?}: {slope}, {middle}"
                    );
                }
            }
        }
    }
}
