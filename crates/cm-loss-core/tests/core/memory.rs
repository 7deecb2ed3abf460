//! What heads remember: on several devices, in several threads, frozen, in half precision, after steps that failed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::{
    module::{Module, ParamGroup},
    tensor::{DType, Device, Tensor},
};
use cm_loss_core::{
    ClassSampling, Head, HeadConfig, HeadState, Margin, MarginHeadConfig, NormMap, NormMoments, Preset,
    margin::MultiplicativeMargin,
    norm_map::{CalibratedSigmoid, MeanPreserving, VonMisesFisher},
    regularizer::CenterLoss,
};

use crate::{
    devices,
    shared::{features, first_class, margin_config, tensor, values},
};

/// A head for everything that remembers.
fn heads(device: &Device) -> Vec<(&'static str, Head)> {
    let calibrated = NormMap::CalibratedSigmoid(CalibratedSigmoid { scale: 30.0, floor: 0.5, momentum: 0.1 });
    let HeadConfig::SphereFace2(mut sphereface2) = Preset::SphereFace2.config() else { unreachable!() };
    sphereface2.norm_map = calibrated;
    let preserving = NormMap::MeanPreserving(MeanPreserving::default());
    let annealed = {
        let mut config = margin_config(Preset::SphereFace);
        let annealing = Some(cm_loss_core::margin::Annealing::SPHEREFACE);
        config.margin = Margin::Multiplicative(MultiplicativeMargin { margin: 4.0, annealing });
        config
    };
    let sampled = margin_config(Preset::CosFace).with_sampling(ClassSampling { fraction: 0.5, seed: 2 });
    let center = margin_config(Preset::CosFace).with_center_loss(CenterLoss { weight: 0.1, rate: 0.5 });
    let configs = [
        ("calibrated", Preset::CalibratedCmCosFace.config()),
        ("AdaFace", Preset::AdaFace.config()),
        ("CurricularFace", Preset::CurricularFace.config()),
        ("FunFace", Preset::FunFace.config()),
        ("ElasticFace", Preset::ElasticFaceArcPlus.config()),
        ("annealed SphereFace", HeadConfig::Margin(annealed)),
        ("sampled classes", HeadConfig::Margin(sampled)),
        ("center loss", HeadConfig::Margin(center)),
        ("calibrated SphereFace2", HeadConfig::SphereFace2(sphereface2)),
        ("mean-preserving", Preset::CmCosFace.config().with_norm_map(preserving).unwrap()),
    ];
    configs.into_iter().map(|(name, config)| (name, config.init(2, 4, device).unwrap())).collect()
}

/// Loss and gradient of the features in a training step.
fn step(head: &Head, norms: &[f32], device: &Device) -> (Vec<f64>, Vec<f64>) {
    let x = features(norms, device).require_grad();
    let output = head.forward(x.clone(), first_class(norms.len(), device));
    let gradient = values(x.grad(&output.mean_loss().backward()).unwrap());
    (values(output.loss), gradient)
}

/// All that a head remembers, as numbers.
fn memory(head: &Head) -> (HeadState, Option<Vec<f64>>) {
    (head.state(), head.as_margin().and_then(|head| head.feature_centers()).map(values))
}

/// Devices to fork to: without gradients, the same, and another backend where there is one.
fn others(device: &Device) -> Vec<Device> {
    let mut others = vec![device.clone().without_autodiff()];
    others.extend(devices().into_iter().map(|(_, device)| device));
    others
}

#[test]
fn a_fork_on_another_device_leaves_the_original_able_to_train() {
    for (backend, device) in devices() {
        for (name, head) in heads(&device) {
            step(&head, &[3.0, 5.0], &device);
            for other in others(&device) {
                let fork = head.clone().fork(&other);
                // Both train in turn, as the main device and a worker do, and share what they remember.
                fork.forward(features(&[2.0, 9.0], &other), first_class(2, &other));
                let (loss, gradient) = step(&head, &[3.0, 5.0], &device);
                let finite = loss.iter().chain(&gradient).all(|v| v.is_finite());
                assert!(finite, "{backend}, {name}: {loss:?}, {gradient:?}");
                assert_eq!(memory(&head), memory(&fork), "{backend}, {name}");
            }
        }
    }
}

#[test]
fn workers_lose_no_step_and_every_batch_moves_the_statistics() {
    for (backend, device) in devices() {
        let config = margin_config(Preset::CalibratedCmCosFace)
            .with_sampling(ClassSampling { fraction: 0.5, seed: 1 });
        let head = config.init(2, 4, &device).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let fork = head.clone().fork(&device);
                    for _ in 0..25 {
                        fork.forward(features(&[2.0, 4.0], &device), first_class(2, &device));
                    }
                });
            }
        });
        let state = head.state();
        assert_eq!(state.steps, Some(100), "{backend}");
        let moments = state.norm_map.unwrap();
        assert_eq!((moments.batches_of_mean, moments.batches_of_std), (100, 100), "{backend}");
        assert!((moments.mean - 3.0).abs() < 1e-5 && (moments.std - 2f64.sqrt()).abs() < 1e-5, "{moments:?}");
    }
}

#[test]
fn a_frozen_head_remembers_nothing_and_draws_nothing() {
    for (backend, device) in devices() {
        for (name, head) in heads(&device) {
            step(&head, &[3.0, 5.0], &device);
            let before = memory(&head);
            let group = ParamGroup::from_predicate("training");
            for frozen in [head.clone().freeze(), head.clone().freeze_group(group)] {
                let runs = [0, 1].map(|_| step(&frozen, &[2.0, 9.0], &device));
                assert_eq!(runs[0], runs[1], "{backend}, {name}: the same batch twice");
                assert_eq!(memory(&frozen), before, "{backend}, {name}");
                // All classes take part.
                let x = features(&[1.0], &device);
                assert_eq!(frozen.forward(x, first_class(1, &device)).logits().dims(), [1, 4]);
            }
            step(&head.clone().freeze().unfreeze(), &[2.0, 9.0], &device);
            assert_ne!(memory(&head), before, "{backend}, {name}");
        }
    }
}

#[test]
fn what_is_remembered_has_32_bits_when_the_default_has_16() {
    // Its own process-wide default is not touched: the format is asked for, tensor by tensor.
    for (backend, device) in devices() {
        if !device.supports_dtype(DType::F16) {
            println!("skipped: {backend} has no 16-bit floats here");
            continue;
        }
        for (name, head) in heads(&device) {
            // In 16 bits a mean of 20000.3 would be 20000, and one of 70000 infinite.
            let (x, y) = (features(&[70_000.5, 70_001.5], &device), first_class(2, &device));
            head.forward(x, y);
            let state = head.state();
            for moments in [state.norm_map, state.margin].into_iter().flatten() {
                let expected = match name {
                    "AdaFace" | "FunFace" => 20.0 + 0.01 * 80.0,
                    // Of sigmoids.
                    "mean-preserving" => 1.0,
                    _ => 70_001.0,
                };
                assert!((moments.mean - expected).abs() < 1e-2, "{backend}, {name}: {moments:?}");
            }
        }
    }
}

#[test]
fn a_step_that_is_not_finite_does_not_spoil_what_any_head_remembers() {
    for (backend, device) in devices() {
        for (name, head) in heads(&device) {
            step(&head, &[3.0, 5.0], &device);
            let before = memory(&head).0;
            for wrong in [f32::NAN, f32::INFINITY, f32::MAX, 1e30] {
                head.forward(features(&[4.0, wrong], &device), first_class(2, &device));
            }
            let after = memory(&head).0;
            for (found, first) in [(after.norm_map, before.norm_map), (after.margin, before.margin)] {
                let (Some(found), Some(first)) = (found, first) else { continue };
                // The sample of norm 4 moved the mean, in each batch that it was in.
                let moved = (found.mean - first.mean).abs();
                assert!(moved < 4.0 && found.std == first.std, "{backend}, {name}: {first:?}, {found:?}");
            }
            let (loss, gradient) = step(&head, &[3.0, 5.0], &device);
            let finite = loss.iter().chain(&gradient).all(|v| v.is_finite());
            assert!(finite, "{backend}, {name}: {loss:?}, {gradient:?}");
        }
    }
}

#[test]
fn a_state_is_read_written_as_json_and_set_in_another_head() {
    for (backend, device) in devices() {
        for ((name, head), (_, other)) in heads(&device).into_iter().zip(heads(&device)) {
            for _ in 0..3 {
                step(&head, &[3.0, 5.0], &device);
            }
            let json = serde_json::to_string(&head.state()).unwrap();
            let state: HeadState = serde_json::from_str(&json).unwrap();
            assert_eq!(state, head.state(), "{backend}, {name}");
            other.set_state(&state).unwrap();
            assert_eq!(other.state(), state, "{backend}, {name}");
        }
        let adaface = Preset::AdaFace.config().init(2, 4, &device).unwrap();
        let moments = NormMoments { mean: 20.0, std: f64::NAN, batches_of_mean: 0, batches_of_std: 0 };
        let mut wrong = HeadState::default();
        wrong.margin = Some(moments);
        let before = adaface.state();
        assert!(adaface.set_state(&wrong).unwrap_err().to_string().contains("running deviation"));
        wrong.margin = None;
        wrong.curriculum = Some(0.5);
        let error = adaface.set_state(&wrong).unwrap_err().to_string();
        assert_eq!(error, "this head has no curriculum, so that it cannot be set");
        assert_eq!(adaface.state(), before);
    }
}

#[test]
fn moments_without_counts_are_settled_and_move_by_the_momentum() {
    for (backend, device) in devices() {
        let head = Preset::CalibratedCmCosFace.config().init(2, 4, &device).unwrap();
        let state: HeadState = serde_json::from_str(r#"{"norm_map": {"mean": 20, "std": 2}}"#).unwrap();
        assert_eq!(state.norm_map, Some(NormMoments::new(20.0, 2.0)));
        head.set_state(&state).unwrap();
        step(&head, &[10.0, 10.0], &device);
        let after = head.state().norm_map.unwrap();
        assert!((after.mean - 19.0).abs() < 1e-4 && (after.std - 1.8).abs() < 1e-4, "{backend}: {after:?}");
    }
}

#[test]
fn means_that_no_norms_have_cannot_be_set() {
    let (_, device) = devices().remove(0);
    let preserving = NormMap::MeanPreserving(MeanPreserving::default());
    let preserving = Preset::CmSoftmax.config().with_norm_map(preserving).unwrap();
    let calibrated = Preset::CalibratedCmSoftmax.config();
    let heads = [
        (
            preserving.clone(),
            r#"{"norm_map": {"mean": 0.3, "std": 0.1}}"#,
            "mean of the sigmoids must be from 0.5 to 1",
        ),
        (preserving.clone(), r#"{"norm_map": {"mean": 1.5, "std": 0.1}}"#, "but is 1.5"),
        (
            calibrated,
            r#"{"norm_map": {"mean": -1, "std": 2}}"#,
            "mean of the norms must be at least 0, but is -1",
        ),
        (Preset::AdaFace.config(), r#"{"margin": {"mean": -20, "std": 100}}"#, "but is -20"),
        (
            Preset::FunFace.config(),
            r#"{"certainty": {"mean": -2, "std": 10}}"#,
            "certainty ratio must be at least 0",
        ),
    ];
    for (config, state, expected) in heads {
        let head = config.init(2, 4, &device).unwrap();
        let before = head.state();
        let state: HeadState = serde_json::from_str(state).unwrap();
        let message = head.set_state(&state).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
        assert_eq!(head.state(), before);
    }
    // What a fresh head gives can be set again.
    let fresh = preserving.init(2, 4, &device).unwrap();
    fresh.set_state(&fresh.state()).unwrap();
}

#[test]
fn statistics_outside_a_head_are_what_the_map_says() {
    for (backend, device) in devices() {
        let map = NormMap::MeanPreserving(MeanPreserving::default());
        let statistics = map.statistics(&device).unwrap();
        let norms = tensor(&[vec![0.5], vec![2.0]], &device);
        map.update_statistics(&norms, None, &statistics);
        let mean = [0.5f64, 2.0].iter().map(|r| 1.0 / (1.0 + (-r).exp())).sum::<f64>() / 2.0;
        assert!((statistics.moments().mean - mean).abs() < 1e-6, "{backend}");
        let radii = values(map.forward(norms, Some(&statistics)));
        assert!((radii.iter().sum::<f64>() / 2.0 - 30.0).abs() < 1e-4, "{backend}: {radii:?}");
    }
}

#[test]
fn a_map_for_features_of_so_many_dimensions_is_that_of_a_head_and_without_them_it_says_so() {
    let (_, device) = devices().remove(0);
    let map = NormMap::VonMisesFisher(VonMisesFisher::default());
    let norms = tensor(&[vec![4.0]], &device);
    // ν = 4
    let radius = values(map.for_features(9).forward(norms.clone(), None))[0];
    assert!((radius - 30.0 * 4.0 / (4.0 + 32f64.sqrt())).abs() < 1e-4, "{radius}");
    let panic = catch_unwind(AssertUnwindSafe(|| map.forward(norms, None))).unwrap_err();
    assert!(panic.downcast_ref::<&str>().unwrap().contains("NormMap::for_features"));
}

#[test]
fn what_is_random_is_this_for_ever() {
    let (_, device) = devices().remove(0);
    let Margin::Elastic(margin) = margin_config(Preset::ElasticFaceCos).margin else { unreachable!() };
    let config = MarginHeadConfig { margin: Margin::Elastic(margin.clone()), ..Default::default() };
    let head = config.init(2, 3, &device).unwrap();
    let drawn = head.coming_margins(3).unwrap();
    let expected = [0.397_979_23, 0.466_559_17, 0.366_328_3];
    for (drawn, expected) in drawn.iter().zip(expected) {
        assert!((drawn - expected).abs() < 1e-6, "{drawn}");
    }
    let config = margin_config(Preset::CosFace).with_sampling(ClassSampling { fraction: 0.1, seed: 3 });
    let head = config.init(2, 60, &device).unwrap();
    let output = head.forward(features(&[1.0], &device), first_class(1, &device));
    let classes = values(output.sampled_logits().unwrap().classes.float());
    assert_eq!(classes, [0.0, 22.0, 24.0, 34.0, 41.0, 52.0]);
}

#[test]
fn the_margins_of_the_coming_step_are_those_that_it_draws() {
    let (_, device) = devices().remove(0);
    let head = margin_config(Preset::ElasticFaceCos).init(2, 3, &device).unwrap();
    let coming = head.coming_margins(3).unwrap();
    let x = features(&[1.0, 1.0, 1.0], &device);
    let logits = values(head.logits(x.clone()).0);
    let losses = values(head.loss(x, first_class(3, &device)).loss);
    for i in 0..3 {
        let row = &logits[3 * i..3 * i + 3];
        let target = row[0] - 64.0 * f64::from(coming[i]);
        let expected = ((row[1] - target).exp() + (row[2] - target).exp()).ln_1p();
        assert!((losses[i] - expected).abs() < 1e-3 * expected.max(0.01), "{i}: {} {expected}", losses[i]);
    }
    assert_ne!(head.coming_margins(3).unwrap(), coming);
    assert!(margin_config(Preset::CosFace).init(2, 3, &device).unwrap().coming_margins(3).is_none());
}

#[test]
fn sixty_four_bit_features_meet_a_memory_of_32() {
    for (backend, device) in devices() {
        if !device.supports_dtype(DType::F64) {
            continue;
        }
        for (name, head) in heads(&device) {
            let centers = head.class_centers().cast(DType::F64).detach();
            let head = match head {
                Head::Margin(mut head) => {
                    head.class_centers = burn::module::Param::from_tensor(centers);
                    Head::Margin(head)
                }
                _ => continue,
            };
            let x: Tensor<2> = features(&[3.0, 5.0], &device).cast(DType::F64).detach().require_grad();
            let loss = head.forward(x.clone(), first_class(2, &device)).mean_loss();
            assert_eq!(loss.dtype(), DType::F64, "{backend}, {name}");
            let gradient = values(x.grad(&loss.backward()).unwrap());
            assert!(gradient.iter().all(|v| v.is_finite()), "{backend}, {name}");
        }
    }
}
