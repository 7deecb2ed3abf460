//! Parts that remember: they learn while training, and only then.

use burn::{
    module::Module,
    tensor::{Device, Int, Tensor},
};
use cm_loss_core::{
    Head, Margin, MarginHead, MarginHeadConfig, NormMap, Preset, Regularizer,
    margin::{ElasticMargin, MarginForm, MarginGradient},
    norm_map::Constant,
    regularizer::{MagFaceNorm, Ring},
};

use crate::{
    devices,
    shared::{features, first_class, known_head, margin_config, values},
};

#[test]
fn the_calibrated_sigmoid_is_in_its_middle_at_the_mean_of_the_norms_seen() {
    for (backend, device) in devices() {
        let head = known_head(&margin_config(Preset::CalibratedCmSoftmax), &device);
        let radius = |head: &MarginHead, norm: f32| {
            let (logits, _) = head.logits(features(&[norm], &head.class_centers.val().device()));
            // Of the cosines with the centers, that with a center's own direction is 1.
            values(logits)[0]
        };
        // Means 4 and 6, then their average, 5; unbiased deviations sqrt(2) and sqrt(8), average 2.1213.
        head.forward(features(&[3.0, 5.0], &device), first_class(2, &device));
        head.forward(features(&[4.0, 8.0], &device), first_class(2, &device));
        let at = |norm: f32| radius(&head, norm) / radius(&head, 5.0);
        let sigmoid = |v: f64| 1.0 / (1.0 + (-v).exp());
        for norm in [1.0f32, 4.0, 9.0] {
            let expected = (1.0 + sigmoid((f64::from(norm) - 5.0) / 2.121_32)) / 1.5;
            assert!((at(norm) - expected).abs() < 1e-5, "{backend}, {norm}: {} not {expected}", at(norm));
        }

        // Outside training nothing moves, and a record holds the statistics.
        let before = radius(&head, 7.0);
        let valid = head.valid();
        let plain = valid.class_centers.val().device();
        valid.forward(features(&[100.0, 300.0], &plain), first_class(2, &plain));
        assert_eq!(radius(&valid, 7.0), before, "{backend}");
        let fresh = margin_config(Preset::CalibratedCmSoftmax).init(2, 3, &device).unwrap();
        let restored = fresh.load_record(head.into_record());
        assert_eq!(radius(&restored, 7.0), before, "{backend}");
    }
}

#[test]
fn a_batch_of_one_moves_the_mean_and_leaves_the_deviation() {
    for (backend, device) in devices() {
        let head = known_head(&margin_config(Preset::CalibratedCmSoftmax), &device);
        head.forward(features(&[3.0, 5.0], &device), first_class(2, &device));
        head.forward(features(&[8.0], &device), first_class(1, &device));
        // Means 4 and 8, then their average, 6; the deviation stays sqrt(2).
        let radius = |norm: f32| {
            let (logits, _) = head.logits(features(&[norm], &head.class_centers.val().device()));
            values(logits)[0]
        };
        let sigmoid = |v: f64| 1.0 / (1.0 + (-v).exp());
        for norm in [3.0f32, 6.0, 7.5] {
            let found = radius(norm) / radius(6.0);
            let expected = (1.0 + sigmoid((f64::from(norm) - 6.0) / 2f64.sqrt())) / 1.5;
            assert!((found - expected).abs() < 1e-5, "{backend}, {norm}: {found} not {expected}");
        }
    }
}

#[test]
fn a_batch_of_one_has_a_finite_loss_and_gradient_with_every_loss() {
    for (backend, device) in devices() {
        for &loss in Preset::ALL {
            let head = loss.config().init(2, 3, &device).unwrap();
            for norm in [2.0, 0.0, 1e6] {
                let x = features(&[norm], &device).require_grad();
                let output = head.forward(x.clone(), first_class(1, &device));
                let gradient = values(x.grad(&output.mean_loss().backward()).unwrap());
                let loss_value = values(output.loss);
                let finite = loss_value.iter().chain(&gradient).all(|v| v.is_finite());
                assert!(finite, "{backend}, {loss}, {norm}: {loss_value:?}, {gradient:?}");
            }
        }
    }
}

#[test]
fn norms_at_the_end_of_the_number_range_do_not_spoil_the_statistics() {
    for (backend, device) in devices() {
        let head = known_head(&margin_config(Preset::CalibratedCmCosFace), &device);
        for norms in [[1e30, 3e30, 2e30], [1e-30, 2e-30, 0.0], [1.0, 2.0, 3.0]] {
            let loss = values(head.forward(features(&norms, &device), first_class(3, &device)).loss);
            assert!(loss.iter().all(|v| v.is_finite()), "{backend}, {norms:?}: {loss:?}");
        }
    }
}

#[test]
fn annealing_lowers_its_weight_with_every_step() {
    use cm_loss_core::margin::{Annealing, MultiplicativeMargin};
    for (backend, device) in devices() {
        let annealing = Annealing { start: 10.0, gamma: 1.0, power: 1.0, minimum: 2.0 };
        let margin = Margin::Multiplicative(MultiplicativeMargin { margin: 2.0, annealing: Some(annealing) });
        let head = known_head(&MarginHeadConfig::new(NormMap::Identity, margin), &device);
        let x = || features(&[1.0], &device);
        let cosine = values(head.logits(x()).0)[0];
        for weight in [10.0, 5.0, 10.0 / 3.0, 2.5, 2.0, 2.0] {
            let found = values(head.training_logits(x(), first_class(1, &device)))[0];
            let angle = 2.0 * cosine.acos();
            let full = if angle > std::f64::consts::PI { -angle.cos() - 2.0 } else { angle.cos() };
            let expected = (weight * cosine + full) / (1.0 + weight);
            assert!((found - expected).abs() < 1e-5, "{backend}, {weight}: {found}, not {expected}");
            head.forward(x(), first_class(1, &device));
        }
    }
}

#[test]
fn elastic_margins_repeat_with_the_seed_and_sorted_ones_favor_the_worst_sample() {
    for (backend, device) in devices() {
        let elastic = |sorted, seed| {
            let form = MarginForm::Cosine;
            let margin = ElasticMargin { mean: 0.35, deviation: 0.1, form, sorted, seed };
            MarginHeadConfig::new(NormMap::Constant(Constant { scale: 1.0 }), Margin::Elastic(margin))
        };
        let count = 400;
        let x = features(&vec![1.0; count], &device);
        // Target cosine and margin of each sample; the margin is read off the loss.
        let margins = |head: &MarginHead| -> Vec<(f64, f64)> {
            let cosines = values(head.logits(x.clone()).0);
            let losses = values(head.forward(x.clone(), first_class(count, &device)).loss);
            let rows = cosines.chunks(3).zip(losses);
            rows.map(|(c, loss)| {
                // exp(−loss) = e^t / (e^t + others)
                let others = c[1].exp() + c[2].exp();
                let p = (-loss).exp();
                (c[0], c[0] - (p * others / (1.0 - p)).ln())
            })
            .collect()
        };
        let fresh = |sorted, seed| known_head(&elastic(sorted, seed), &device);
        let first = fresh(false, 1);
        let plain = margins(&first);
        assert_eq!(plain, margins(&fresh(false, 1)), "{backend}: the same seed gives other margins");
        assert_ne!(plain, margins(&fresh(false, 2)), "{backend}");
        // The next step has other margins, and one that goes on from a record has those.
        let resumed = fresh(false, 1).load_record(first.clone().into_record());
        let next = margins(&first);
        assert_ne!(plain, next, "{backend}");
        assert_eq!(next, margins(&resumed), "{backend}");
        let mean = plain.iter().map(|(_, m)| m).sum::<f64>() / count as f64;
        let variance = plain.iter().map(|(_, m)| (m - mean).powi(2)).sum::<f64>() / count as f64;
        assert!(
            (mean - 0.35).abs() < 0.02 && (variance.sqrt() - 0.1).abs() < 0.02,
            "{backend}: {mean} {variance}"
        );

        let mut sorted = margins(&fresh(true, 1));
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert!(sorted.windows(2).all(|w| w[0].1 >= w[1].1 - 1e-4), "{backend}");
        assert!(sorted[0].1 > sorted[count - 1].1 + 0.3, "{backend}");
    }
}

#[test]
fn a_detached_margin_keeps_the_value_and_has_slope_one() {
    for (backend, device) in devices() {
        let exact = margin_config(Preset::ArcFace);
        let detached = exact.clone().with_margin_gradient(MarginGradient::Detached);
        let run = |config: &MarginHeadConfig| {
            let head = known_head(config, &device);
            let x = features(&[2.0], &device).require_grad();
            let y = Tensor::<1, Int>::ones([1], &device);
            let logits = values(head.training_logits(x.clone(), y.clone()));
            let output = head.forward(x.clone(), y);
            let gradient = values(x.grad(&output.mean_loss().backward()).unwrap());
            let cosines: Vec<f64> = values(output.logits()).iter().map(|z| z / 64.0).collect();
            (logits, gradient, cosines)
        };
        let (value, with, _) = run(&exact);
        let (same, without, cosines) = run(&detached);
        assert_eq!(value, same, "{backend}");
        assert!((with[1] - without[1]).abs() > 1e-3 * without[1].abs(), "{backend}: {with:?} {without:?}");

        // dL/dx = Σ_j (p_j − [j = y]) s dcos θ_j/dx, for x along the first axis: dcos θ_j/dx = (0, w_j2 / r).
        let largest = value.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = value.iter().map(|z| (z - largest).exp()).sum();
        let centers = values(known_head(&detached, &device).class_centers.val());
        let mut expected = 0.0;
        for j in 0..3 {
            let length = centers[2 * j].hypot(centers[2 * j + 1]);
            assert!((centers[2 * j] / length - cosines[j]).abs() < 1e-5);
            let p = (value[j] - largest).exp() / sum - if j == 1 { 1.0 } else { 0.0 };
            expected += p * 64.0 * centers[2 * j + 1] / length / 2.0;
        }
        assert!((without[1] - expected).abs() < 1e-4 * expected.abs(), "{backend}: {without:?} {expected}");
    }
}

#[test]
fn the_cosine_with_a_class_is_the_largest_with_its_sub_centers() {
    for (backend, device) in devices() {
        let config = MarginHeadConfig::new(NormMap::Constant(Constant { scale: 2.0 }), Margin::None);
        let single = known_head(&config, &device);
        let mut several = config.clone().with_sub_centers(2).init(2, 3, &device).unwrap();
        assert_eq!(several.classes(), 3);
        // The second center of each class is turned by a quarter; logits of the two alone, then of the pair.
        let centers = single.class_centers.val();
        let [x, y] = [centers.clone().narrow(1, 0, 1), centers.clone().narrow(1, 1, 1)];
        let turned = Tensor::cat(vec![-y, x], 1);
        let pair = Tensor::cat(vec![centers.clone(), turned.clone()], 1).reshape([6, 2]);
        several.class_centers = several.class_centers.map(|_| pair.clone());
        let x = || features(&[1.0, 3.0, 0.5, 7.0], &device);
        let alone = |centers: Tensor<2>| {
            let mut head = config.init(2, 3, &device).unwrap();
            head.class_centers = head.class_centers.map(|_| centers.clone());
            values(head.logits(x()).0)
        };
        let pairs = alone(centers.clone()).into_iter().zip(alone(turned));
        let expected: Vec<f64> = pairs.map(|(a, b)| a.max(b)).collect();
        let found = values(several.logits(x()).0);
        let close = found.iter().zip(&expected).all(|(f, e)| (f - e).abs() < 1e-6);
        assert!(close, "{backend}: {found:?}, not {expected:?}");
    }
}

#[test]
fn regularizers_add_their_formula_and_ring_loss_learns_its_radius() {
    for (backend, device) in devices() {
        let plain = margin_config(Preset::CmSoftmax);
        let added = |regularizer: Regularizer| {
            let with = known_head(&plain.clone().with_regularizer(regularizer), &device);
            let (x, y) = (features(&[5.0, 2.0, 200.0], &device), first_class(3, &device));
            let output = with.forward(x.clone(), y.clone());
            let loss = output.loss.clone() - known_head(&plain, &device).forward(x, y).loss;
            let gradients = output.loss.sum().backward();
            let radius = with.learned_radius.as_ref().map(|r| values(r.val().grad(&gradients).unwrap())[0]);
            (values(loss), radius)
        };
        let close = |found: &[f64], expected: [f64; 3]| {
            found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 1e-4 * e.abs().max(0.1))
        };
        let (ring, radius) = added(Regularizer::Ring(Ring { weight: 0.5, radius: 3.0 }));
        assert!(close(&ring, [1.0, 0.25, 0.25 * 197.0 * 197.0]), "{backend}: {ring:?}");
        // d/dR = −λ Σ (r − R)
        assert!((radius.unwrap() + 0.5 * (2.0 - 1.0 + 197.0)).abs() < 1e-3, "{backend}: {radius:?}");

        let g = MagFaceNorm { weight: 35.0, lower_norm: 3.0, upper_norm: 110.0 };
        let (magface, radius) = added(Regularizer::MagFace(g));
        let value = |a: f64| 35.0 * (a / 12100.0 + 1.0 / a);
        assert!(close(&magface, [value(5.0), value(3.0), value(110.0)]), "{backend}: {magface:?}");
        assert_eq!(radius, None);
    }
}

#[test]
fn sixteen_bit_features_are_computed_in_32_bits_by_every_loss() {
    use burn::tensor::DType;
    for (backend, device) in devices() {
        for dtype in [DType::F16, DType::BF16] {
            if !device.supports_dtype(dtype) {
                println!("skipped: {backend} has no {dtype:?} here");
                continue;
            }
            for &preset in Preset::ALL {
                let head = preset.config().init(2, 3, &device).unwrap();
                // Their squares leave the range of 16-bit floats; the last is zero.
                let run = |widened: bool| {
                    let x = features(&[300.0, 3e4, 0.5, 0.0], &device).cast(dtype);
                    let x = if widened { x.cast(DType::F32) } else { x }.detach().require_grad();
                    let head = preset_copy(&head, preset, &device);
                    let output = head.forward(x.clone(), first_class(4, &device));
                    assert_eq!(output.loss.dtype(), DType::F32, "{backend}, {preset}");
                    let gradient = x.grad(&output.loss.clone().sum().backward()).unwrap();
                    (values(output.loss), values(gradient))
                };
                let (narrow, wide) = (run(false), run(true));
                assert_eq!(narrow.0, wide.0, "{backend}, {preset}, {dtype:?}");
                let largest = if dtype == DType::F16 { 65_504.0 } else { f64::from(f32::MAX) };
                for (narrow, wide) in narrow.1.iter().zip(&wide.1) {
                    let fits = wide.abs() <= largest;
                    assert_eq!(narrow.is_finite(), fits, "{backend}, {preset}, {dtype:?}: {narrow} {wide}");
                    // Of all losses the pull of QCFace at a short feature alone is beyond 16 bits.
                    assert!(fits || preset == Preset::QcFace, "{backend}, {preset}, {dtype:?}: {wide}");
                }
            }
        }
    }
}

/// A head with the same weights that has not been trained.
fn preset_copy(head: &Head, preset: Preset, device: &Device) -> Head {
    preset.config().init(2, 3, device).unwrap().load_record(head.clone().into_record())
}

#[test]
fn a_step_that_is_not_finite_does_not_spoil_what_a_head_remembers() {
    for (backend, device) in devices() {
        for preset in [Preset::CalibratedCmCosFace, Preset::AdaFace, Preset::CurricularFace] {
            let head = preset.config().init(2, 3, &device).unwrap();
            head.forward(features(&[3.0, 5.0], &device), first_class(2, &device));
            for wrong in [f32::NAN, f32::INFINITY, f32::MAX] {
                head.forward(features(&[3.0, wrong], &device), first_class(2, &device));
            }
            let x = features(&[3.0, 5.0], &device).require_grad();
            let output = head.forward(x.clone(), first_class(2, &device));
            let gradient = values(x.grad(&output.mean_loss().backward()).unwrap());
            let numbers = [values(output.loss), gradient].concat();
            assert!(numbers.iter().all(|v| v.is_finite()), "{backend}, {preset}: {numbers:?}");
        }
    }
}

#[test]
fn the_first_deviation_is_that_of_the_first_batch_that_has_one() {
    for (backend, device) in devices() {
        let head = margin_config(Preset::CalibratedCmSoftmax).init(2, 3, &device).unwrap();
        head.forward(features(&[5.0], &device), first_class(1, &device));
        head.forward(features(&[3.0, 7.0], &device), first_class(2, &device));
        // Mean 5, deviation sqrt(8).
        let saturation = |norm: f64| {
            let norms = Tensor::from_data([norm as f32], &device);
            head.saturation(norms).unwrap().share
        };
        // 4 sigmoid'(u) falls under 1e-3 at u = 8.2935.
        let edge = 5.0 + 8.2935 * 8f64.sqrt();
        assert_eq!((saturation(edge - 0.1), saturation(edge + 0.1)), (0.0, 1.0), "{backend}");
    }
}

#[test]
fn parts_of_a_batch_have_the_losses_of_the_whole_and_are_one_step() {
    for (backend, device) in devices() {
        let numbers: Vec<f32> = (0..24).map(|i| 3.0 * (i as f32 * 1.7).sin()).collect();
        let features = Tensor::<1>::from_data(numbers.as_slice(), &device).reshape([6, 4]);
        let targets = Tensor::<1, Int>::from_data([0, 1, 2, 0, 1, 2], &device);
        // The margin comes in with the steps.
        let config = Preset::CosFace.config().with_margin_warm_up(3).unwrap();
        let [whole, shared] = [0, 1].map(|_| config.init(4, 3, &device).unwrap());
        let shared = shared.load_record(whole.clone().into_record());
        for step in 0..3 {
            let expected = values(whole.loss(features.clone(), targets.clone()).loss);
            let parts = [(0, 0, 2), (1, 2, 4)].map(|(part, start, count)| {
                let features = features.clone().narrow(0, start, count);
                shared.clone().loss_of_part(features, targets.clone().narrow(0, start, count), part).loss
            });
            let found = values(Tensor::cat(parts.to_vec(), 0));
            for (expected, found) in expected.iter().zip(&found) {
                assert!((expected - found).abs() < 1e-4, "{backend}, step {step}: {found} not {expected}");
            }
            assert_eq!(shared.state().steps, Some(step));
            shared.count_step();
        }
        assert_eq!((whole.state().steps, shared.state().steps), (Some(3), Some(3)));
        // A head that counts nothing has nothing to count.
        Preset::Softmax.config().init(4, 3, &device).unwrap().count_step();
    }
}
