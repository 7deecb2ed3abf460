//! The interface: changes by a word, parts of your own, and what is asked of a head beside its loss.

use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor};
use cm_loss_core::{
    ClassSampling, Custom, CustomMargin, CustomNormMap, Head, HeadConfig, LinearHeadConfig, Margin,
    MarginHeadConfig, NormMap, Parameters, Preset, ProxyHeadConfig, SphereFace2Config,
    margin::{CosineMargin, MarginForm, PerClassMargin},
    register_margin, register_norm_map,
};

use crate::{
    cases::Values,
    devices,
    shared::{
        features, first_class, known_head, margin_config, relative_error, tensor, values, with_centers,
    },
};

fn head(preset: Preset, rows: usize, device: &Device) -> Head {
    let head = preset.config().init(6, 40, device).unwrap();
    let [own, _] = head.class_centers().dims();
    with_centers(head, &Values::new(11).matrix(own.max(rows), 6), device)
}

#[test]
fn the_top_k_are_the_largest_logits_in_order() {
    for (backend, device) in devices() {
        for &preset in Preset::ALL {
            let head = head(preset, 40, &device);
            let x = || tensor(&Values::new(5).matrix(7, 6), &device);
            let logits = values(head.logits(x()).0);
            let top = head.top_k(x(), 3).unwrap();
            let (classes, found) = (values(top.classes.float()), values(top.logits));
            for (row, logits) in logits.chunks(40).enumerate() {
                let mut order: Vec<usize> = (0..40).collect();
                order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]));
                for k in 0..3 {
                    assert_eq!(classes[3 * row + k] as usize, order[k], "{backend}, {preset}, {row}");
                    assert!((found[3 * row + k] - logits[order[k]]).abs() < 1e-4, "{backend}, {preset}");
                }
            }
            for wrong in [0, 41] {
                assert!(head.top_k(x(), wrong).unwrap_err().to_string().contains("k of the classes"));
            }
            assert!(head.top_k(Tensor::zeros([2, 5], &device), 1).is_err());
            assert_eq!(head.top_k(Tensor::zeros([0, 6], &device), 2).unwrap().logits.dims(), [0, 2]);
        }
    }
}

#[cfg(not(feature = "test-wgpu"))]
#[test]
fn the_top_k_of_many_classes_come_from_all_blocks() {
    let device = Device::flex();
    let classes = 20_000;
    let head = Preset::CosFace.config().init(8, classes, &device).unwrap();
    let x = tensor(&Values::new(5).matrix(3, 8), &device);
    let logits = values(head.logits(x.clone()).0);
    let found = values(head.top_k(x, 5).unwrap().classes.float());
    for (row, logits) in logits.chunks(classes).enumerate() {
        let mut order: Vec<usize> = (0..classes).collect();
        order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]));
        let found: Vec<usize> = found[5 * row..5 * row + 5].iter().map(|&class| class as usize).collect();
        assert_eq!(found, order[..5], "{row}");
    }
}

#[test]
fn the_top_k_are_on_the_device_of_the_features_and_have_no_graph() {
    for (backend, device) in devices() {
        for &preset in Preset::ALL {
            let head = head(preset, 40, &device);
            let x = tensor(&Values::new(5).matrix(4, 6), &device).require_grad();
            let found = head.top_k(x.clone(), 3).unwrap();
            let devices = [found.logits.device(), found.classes.device()];
            let both = devices.iter().all(|found| *found == device && found.is_autodiff());
            assert!(both, "{backend}, {preset}: {devices:?}");
            let gradients = (found.logits.sum() + x.clone().sum()).backward();
            assert_eq!(values(x.grad(&gradients).unwrap()), [1.0; 24], "{backend}, {preset}");
        }
    }
}

#[test]
fn the_validation_loss_is_the_plain_cross_entropy_of_the_logits_and_changes_nothing() {
    for (backend, device) in devices() {
        for &preset in Preset::ALL {
            let head = head(preset, 40, &device);
            let (x, y) = (tensor(&Values::new(5).matrix(4, 6), &device), [3i32, 39, 0, 7]);
            let before = head.state();
            let output = head.validation_loss(x.clone(), Tensor::from_data(y, &device));
            assert_eq!(head.state(), before, "{backend}, {preset}");
            let apart = [Preset::SphereFace2, Preset::UniTsFace, Preset::ProxyAnchor, Preset::P2SGrad];
            if !apart.contains(&preset) {
                let logits = values(head.logits(x.clone()).0);
                for ((found, z), y) in values(output.loss).iter().zip(logits.chunks(40)).zip(y) {
                    let expected = crate::reference::cross_entropy(z, y as usize);
                    let allowed = 1e-5 * expected.abs().max(10.0);
                    assert!(
                        (found - expected).abs() < allowed,
                        "{backend}, {preset}: {found}, not {expected}"
                    );
                }
            } else {
                // What has a margin is worth more without it.
                let with =
                    values(head.loss(x.clone(), Tensor::from_data(y, &device)).loss).iter().sum::<f64>();
                let without = values(output.loss).iter().sum::<f64>();
                let same = preset == Preset::P2SGrad;
                assert!(if same { with == without } else { without < with }, "{backend}, {preset}");
            }
            assert_eq!(
                values(output.predictions.float()),
                values(head.predictions(x).float()),
                "{backend}, {preset}"
            );
        }
    }
}

#[test]
fn mixed_samples_have_the_mixed_loss_and_count_as_one_step() {
    for (backend, device) in devices() {
        for &preset in Preset::ALL {
            let (x, share) = (tensor(&Values::new(5).matrix(4, 6), &device), [0.25f32, 1.0, 0.0, 0.7]);
            let y = |targets: [i32; 4]| Tensor::<1, Int>::from_data(targets, &device);
            let (a, b) = ([3, 39, 0, 7], [4, 1, 2, 7]);
            let mixed = head(preset, 40, &device).mixed_loss(
                x.clone(),
                [y(a), y(b)],
                Tensor::from_data(share, &device),
            );
            if preset == Preset::ProxyAnchor {
                assert!(mixed.unwrap_err().to_string().contains("ProxyAnchor cannot be combined"));
                continue;
            }
            let remembering = head(preset, 40, &device);
            let found =
                remembering.mixed_loss(x.clone(), [y(a), y(b)], Tensor::from_data(share, &device)).unwrap();
            assert!(remembering.state().steps.is_none_or(|steps| steps == 1), "{backend}, {preset}");
            // Whose margins are random, or follow all of the batch, has another second half.
            if preset.name().contains("Elastic")
                || [Preset::FunFace, Preset::CurricularFace].contains(&preset)
            {
                continue;
            }
            let first = values(head(preset, 40, &device).loss(x.clone(), y(a)).loss);
            let second = values(head(preset, 40, &device).loss(x.clone(), y(b)).loss);
            for (i, found) in values(found.loss).iter().enumerate() {
                let share = f64::from(share[i]);
                let expected = share * first[i] + (1.0 - share) * second[i];
                assert!((found - expected).abs() < 1e-4 * expected.max(1.0), "{backend}, {preset}, {i}");
            }
        }
        let sampled = Preset::CosFace.config().with_sampling(ClassSampling::default()).unwrap();
        let head = sampled.init(6, 40, &device).unwrap();
        let y = || Tensor::<1, Int>::zeros([1], &device);
        let refused = head.mixed_loss(Tensor::ones([1, 6], &device), [y(), y()], Tensor::ones([1], &device));
        assert!(refused.unwrap_err().to_string().contains("sampled classes cannot be combined"));
    }
}

#[derive(Debug)]
struct Power {
    scale: f64,
    exponent: f64,
}

impl CustomNormMap for Power {
    fn name(&self) -> &str {
        "power"
    }

    fn parameters(&self) -> Parameters {
        [("scale".to_owned(), self.scale), ("exponent".to_owned(), self.exponent)].into()
    }

    fn forward(&self, norms: Tensor<2>) -> Tensor<2> {
        norms.clamp_min(1e-6).powf_scalar(self.exponent).mul_scalar(self.scale)
    }
}

#[derive(Debug)]
struct Halved;

impl CustomMargin for Halved {
    fn name(&self) -> &str {
        "halved"
    }

    fn forward(&self, cosines: Tensor<2>, norms: Tensor<2>) -> Tensor<2> {
        cosines.sub_scalar(1.0).mul_scalar(1.5).add_scalar(0.9) - norms.mul_scalar(0.01)
    }
}

#[test]
fn parts_of_ones_own_are_computed_differentiated_written_and_read() {
    let config = MarginHeadConfig::new(
        NormMap::Custom(Custom(Arc::new(Power { scale: 2.0, exponent: 0.5 }))),
        Margin::Custom(Custom(Arc::new(Halved))),
    );
    let json = serde_json::to_string(&HeadConfig::from(config.clone())).unwrap();
    let unknown = serde_json::from_str::<HeadConfig>(&json).unwrap_err().to_string();
    assert!(unknown.contains("\"power\"") && unknown.contains("register_norm_map"), "{unknown}");
    register_norm_map("power", |numbers| match (numbers.get("scale"), numbers.get("exponent")) {
        (Some(&scale), Some(&exponent)) => Ok(Arc::new(Power { scale, exponent })),
        _ => Err("it has a scale and an exponent".to_owned()),
    });
    // What makes a part may itself make others known.
    register_margin("halved", |_| {
        register_margin("inner", |_| Ok(Arc::new(Halved)));
        Ok(Arc::new(Halved))
    });
    assert_eq!(serde_json::from_str::<HeadConfig>(&json).unwrap(), HeadConfig::from(config.clone()));
    let wrong =
        serde_json::from_str::<HeadConfig>(&json.replace("exponent", "power")).unwrap_err().to_string();
    assert!(wrong.contains("it has a scale and an exponent"), "{wrong}");

    for (backend, device) in devices() {
        let head = known_head(&config, &device);
        let x = features(&[4.0, 9.0], &device).require_grad();
        let cosines = values(known_head(&MarginHeadConfig::default(), &device).logits(x.clone()).0);
        let logits = values(head.training_logits(x.clone(), first_class(2, &device)));
        for (row, (norm, radius)) in [(4.0f64, 4.0), (9.0, 6.0)].into_iter().enumerate() {
            for class in 0..3 {
                let cosine = cosines[3 * row + class] / 30.0;
                let t = if class == 0 { (cosine - 1.0) * 1.5 + 0.9 - 0.01 * norm } else { cosine };
                assert!((logits[3 * row + class] - radius * t).abs() < 1e-4, "{backend}, {row}, {class}");
            }
        }
        // The gradient along the feature is that by the norm, through both parts.
        let loss = |scale: f32| -> f64 {
            let x = features(&[4.0 * scale], &device);
            values(head.loss(x, first_class(1, &device)).loss)[0]
        };
        let gradients = head.loss(x.clone(), first_class(2, &device)).loss.sum().backward();
        let gradient = values(x.grad(&gradients).unwrap());
        let along = gradient[0];
        let slope = (loss(1.001) - loss(0.999)) / (4.0 * 0.002);
        assert!((along - slope).abs() < 2e-2 * slope.abs().max(0.05), "{backend}: {along}, not {slope}");
    }
}

#[test]
fn every_kind_of_head_has_the_same_methods() {
    let device = devices().remove(0).1;
    let heads: Vec<Head> = vec![
        LinearHeadConfig::default().init(2, 3, &device).unwrap().into(),
        margin_config(Preset::CosFace).init(2, 3, &device).unwrap().into(),
        SphereFace2Config::default().init(2, 3, &device).unwrap().into(),
        ProxyHeadConfig::default().init(2, 3, &device).unwrap().into(),
    ];
    // By name on each, for what is declared once must be declared for all.
    macro_rules! same {
        ($head:expr) => {{
            let head = $head;
            head.set_state(&head.state()).unwrap();
            let centers = head.class_centers();
            let head = head.with_class_centers(centers.clone()).unwrap();
            assert_eq!(head.unit_centers().dims(), [3, 2]);
            let head = head.with_new_classes(centers).unwrap();
            assert_eq!((head.classes(), head.feature_dim()), (6, 2));
            let x = || features(&[1.0, 2.0], &device);
            let y = || first_class(2, &device);
            let head = head.with_class_means(x(), y()).unwrap();
            let _ = (head.validation_loss(x(), y()), head.saturation(Tensor::ones([2], &device)));
            let _ =
                (head.mixed_loss(x(), [y(), y()], Tensor::ones([2], &device)), head.top_k(x(), 2).unwrap());
        }};
    }
    for head in heads {
        same!(head.clone());
        match head {
            Head::Linear(head) => same!(head),
            Head::Margin(head) => {
                same!(Head::from(head.clone()).into_margin().unwrap());
                same!(head);
            }
            Head::SphereFace2(head) => same!(head),
            Head::Proxy(head) => same!(head),
            _ => unreachable!("there are four kinds"),
        }
    }
    let linear: Head = LinearHeadConfig::default().init(2, 3, &device).unwrap().into();
    assert!(linear.into_margin().is_err());
}

#[test]
fn a_margin_a_class_is_that_of_its_target_and_ldam_gives_rare_classes_more() {
    // n^(-1/4) of 16, 256 and 10000, as shares of the first.
    let ldam = PerClassMargin::ldam(&[256, 16, 10_000], 0.5);
    for (found, expected) in ldam.margins.iter().zip([0.25, 0.5, 0.1]) {
        assert!((found - expected).abs() < 1e-12, "{ldam:?}");
    }
    let dynamic = PerClassMargin::dynamic(&[1, 16], 0.45, 0.25, 0.05);
    assert!((dynamic.margins[0] - 0.5).abs() < 1e-12 && (dynamic.margins[1] - 0.275).abs() < 1e-12);
    assert_eq!(dynamic.form, MarginForm::Angular);
    for (backend, device) in devices() {
        let with = |margin: Margin| known_head(&MarginHeadConfig { margin, ..Default::default() }, &device);
        let head = with(Margin::PerClass(ldam.clone()));
        let x = || features(&[1.0, 2.0, 3.0], &device);
        let y = Tensor::from_data([2, 0, 1], &device);
        let found = values(head.training_logits(x(), y));
        for (row, (class, margin)) in [(2usize, 0.1), (0, 0.25), (1, 0.5)].into_iter().enumerate() {
            let single = with(Margin::Cosine(CosineMargin { margin }));
            let expected = values(single.training_logits(x(), Tensor::full([3], class as i32, &device)));
            let rows = (&found[3 * row..3 * row + 3], &expected[3 * row..3 * row + 3]);
            assert!(relative_error(rows.0, rows.1) < 1e-6, "{backend}, {row}");
        }
        let error = MarginHeadConfig { margin: Margin::PerClass(ldam.clone()), ..Default::default() }
            .init(2, 4, &device)
            .unwrap_err();
        assert_eq!(error.to_string(), "3 margins were given for 4 classes");
    }
}

#[test]
fn centers_come_from_heads_and_devices_with_and_without_gradients() {
    for (backend, device) in devices() {
        let plain = device.clone().without_autodiff();
        for &preset in Preset::ALL {
            let (trained, other) = (head(preset, 8, &device), head(preset, 8, &device));
            let centers = other.class_centers();
            let expected = values(centers.clone());
            for from in
                [centers.clone(), centers.clone().detach().to_device(&plain), centers.without_autodiff()]
            {
                let head = trained.clone().with_class_centers(from).unwrap();
                assert_eq!(values(head.class_centers()), expected, "{backend}, {preset}");
                // Those of a linear head are its weights, transposed.
                let learned = head.class_centers().is_require_grad();
                assert!(learned || preset == Preset::Softmax, "{backend}, {preset}");
            }
        }
    }
}
