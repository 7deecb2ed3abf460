//! Sampled classes, sub-center outliers, center loss and the spread of centers.

use burn::{
    module::Module,
    tensor::{Device, Tensor},
};
use cm_loss_core::{
    ClassSampling, Head, MarginHead, MarginHeadConfig, Preset,
    regularizer::{CenterLoss, CenterSpread},
};

use crate::{
    cases::Values,
    devices,
    shared::{margin_config, relative_error, tensor, values, with_centers},
};

fn head(config: &MarginHeadConfig, centers: &[Vec<f64>], device: &Device) -> MarginHead {
    let classes = centers.len() / config.sub_centers;
    let head = config.init(centers[0].len(), classes, device).unwrap();
    let Head::Margin(head) = with_centers(Head::Margin(head), centers, device) else { unreachable!() };
    head
}

#[test]
fn sampled_classes_give_the_loss_over_them_and_leave_the_others_alone() {
    let (classes, dim) = (40, 6);
    let targets = [7, 31, 7, 0];
    for (backend, device) in devices() {
        for preset in [Preset::CmCosFace, Preset::SubCenterArcFace, Preset::CurricularFace, Preset::AdaFace] {
            let name = format!("{backend}, {preset}");
            let plain = margin_config(preset);
            let count = plain.sub_centers;
            let centers = Values::new(2).matrix(classes * count, dim);
            let sampling = ClassSampling { fraction: 0.2, seed: 3 };
            let sampled = head(&plain.clone().with_sampling(sampling.clone()), &centers, &device);
            let x = tensor(&Values::new(9).matrix(4, dim), &device).require_grad();
            let output = sampled.forward(x.clone(), Tensor::from_data(targets, &device));
            let logits = output.sampled_logits().unwrap();
            let chosen: Vec<usize> =
                values(logits.classes.float()).iter().map(|&class| class as usize).collect();
            assert_eq!(chosen.len(), 8, "{name}");
            assert!(targets.iter().all(|target| chosen.contains(&(*target as usize))), "{name}: {chosen:?}");
            assert_eq!(logits.columns.dims(), [4, 8]);

            // The same as a head that has these classes alone.
            let rows = chosen.iter().flat_map(|class| centers[class * count..(class + 1) * count].to_vec());
            let small = head(&plain, &rows.collect::<Vec<_>>(), &device);
            let places =
                targets.map(|target| chosen.iter().position(|&c| c == target as usize).unwrap() as i32);
            let x_small = tensor(&Values::new(9).matrix(4, dim), &device).require_grad();
            let expected = small.forward(x_small.clone(), Tensor::from_data(places, &device));
            let error = relative_error(&values(output.loss.clone()), &values(expected.loss.clone()));
            assert!(error < 1e-6, "{name}: {error:e}");
            let predicted = values(output.predictions().float());
            let expected_classes: Vec<f64> =
                values(expected.predictions().float()).iter().map(|&j| chosen[j as usize] as f64).collect();
            assert_eq!(predicted, expected_classes, "{name}");

            let (found, wanted) = (output.mean_loss().backward(), expected.mean_loss().backward());
            let by_features = values(x.grad(&found).unwrap());
            assert!(relative_error(&by_features, &values(x_small.grad(&wanted).unwrap())) < 1e-5, "{name}");
            let by_centers = values(sampled.class_centers.val().grad(&found).unwrap());
            let by_small = values(small.class_centers.val().grad(&wanted).unwrap());
            for (class, gradient) in by_centers.chunks(count * dim).enumerate() {
                match chosen.iter().position(|&c| c == class) {
                    None => assert!(gradient.iter().all(|g| *g == 0.0), "{name}: class {class}"),
                    Some(place) => {
                        let expected = &by_small[place * count * dim..(place + 1) * count * dim];
                        let differ = gradient.iter().zip(expected).all(|(g, e)| (g - e).abs() < 1e-5);
                        assert!(differ, "{name}: class {class}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_classes_follow_the_seed_and_the_step_and_go_on_from_a_record() {
    let (_, device) = devices().remove(0);
    let centers = Values::new(2).matrix(40, 3);
    let fresh = |seed| {
        let sampling = ClassSampling { fraction: 0.25, seed };
        head(&margin_config(Preset::CosFace).with_sampling(sampling), &centers, &device)
    };
    let classes = |head: &MarginHead| {
        let output = head.forward(Tensor::ones([1, 3], &device), Tensor::from_data([5], &device));
        values(output.sampled_logits().unwrap().classes.float())
    };
    let first = fresh(1);
    let step = classes(&first);
    assert_eq!(step, classes(&fresh(1)));
    assert_ne!(step, classes(&fresh(2)));
    let resumed = fresh(1).load_record(first.clone().into_record());
    let next = classes(&first);
    assert_ne!(step, next);
    assert_eq!(next, classes(&resumed));

    // Outside training all classes take part.
    let valid = first.valid();
    let plain = valid.class_centers.val().device();
    let output = valid.forward(Tensor::ones([1, 3], &plain), Tensor::from_data([5], &plain));
    assert_eq!((output.logits().dims(), output.sampled_logits().is_none()), ([1, 40], true));
}

#[test]
fn outliers_are_the_samples_far_from_the_center_that_most_of_their_class_are_near() {
    let (_, device) = devices().remove(0);
    // Class 0 has centers along +x and +y, class 1 along −x and −y.
    let centers = [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]].map(|row| row.to_vec());
    let head = head(&margin_config(Preset::CosFace).with_sub_centers(2), &centers, &device);
    let x = [[2.0, 0.1], [1.0, -0.2], [0.1, 5.0], [0.0, -3.0], [-0.1, -1.0], [0.7, 0.7], [-2.0, 0.1]];
    let x = x.map(|row| row.to_vec());
    let y = Tensor::from_data([0, 0, 0, 1, 1, 0, 1], &device);
    let found = head.sub_center_outliers(tensor(&x, &device), y, 75f64.to_radians()).unwrap();
    assert_eq!(found.dominant, [Some(0), Some(1)]);
    assert_eq!(found.outliers, [2, 6]);
    let degrees = found.angles[5].unwrap().to_degrees();
    assert!((degrees - 45.0).abs() < 1e-3, "{degrees}");
    let wrong = head.sub_center_outliers(tensor(&x, &device), Tensor::from_data([2; 7], &device), 1.0);
    assert!(wrong.unwrap_err().to_string().contains("target 0 of the batch is 2"));
}

#[test]
fn center_loss_pulls_to_centers_that_follow_the_features() {
    for (backend, device) in devices() {
        let with = margin_config(Preset::CosFace).with_center_loss(CenterLoss { weight: 0.2, rate: 0.5 });
        let centers = Values::new(4).matrix(3, 2);
        let (with, without) =
            (head(&with, &centers, &device), head(&margin_config(Preset::CosFace), &centers, &device));
        let rows = [[3.0, 4.0], [1.0, 0.0], [0.0, 2.0]].map(|row| row.to_vec());
        let added = || {
            let y = || Tensor::from_data([1, 1, 2], &device);
            let x = tensor(&rows, &device).require_grad();
            let loss = with.forward(x.clone(), y()).loss;
            let plain = without.forward(x.clone(), y()).loss;
            let difference = loss - plain;
            let gradient = values(x.grad(&difference.clone().sum().backward()).unwrap());
            (values(difference), gradient)
        };
        let close = |found: &[f64], expected: &[f64]| {
            let near = found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 1e-5);
            assert!(near, "{backend}: {found:?}, not {expected:?}");
        };
        // Centers at 0: 0.1 ‖x‖².
        let (penalty, gradient) = added();
        close(&penalty, &[2.5, 0.1, 0.4]);
        close(&gradient, &[0.6, 0.8, 0.2, 0.0, 0.0, 0.4]);
        // k_1 = 0.5 ((3, 4) + (1, 0)) / (1 + 2), k_2 = 0.5 (0, 2) / (1 + 1)
        let (x, y) = (2.0 / 3.0, 2.0 / 3.0);
        let squared = |a: f64, b: f64| 0.1 * (a * a + b * b);
        let (penalty, gradient) = added();
        close(&penalty, &[squared(3.0 - x, 4.0 - y), squared(1.0 - x, y), squared(0.0, 1.5)]);
        close(&gradient[..2], &[0.2 * (3.0 - x), 0.2 * (4.0 - y)]);
    }
}

#[test]
fn the_spread_of_centers_is_least_where_they_are_apart_and_is_nothing_for_one_class() {
    for (backend, device) in devices() {
        let spread = CenterSpread { weight: 1.0, sharpness: 2.0 };
        let loss = |centers: &[[f64; 2]]| {
            let centers: Vec<Vec<f64>> = centers.iter().map(|row| row.to_vec()).collect();
            let run = |config: &MarginHeadConfig| {
                let head = head(config, &centers, &device);
                let x = Tensor::<2>::ones([1, 2], &device);
                values(head.forward(x, Tensor::from_data([0], &device)).loss)[0]
            };
            let plain = margin_config(Preset::CosFace);
            run(&plain.clone().with_center_spread(spread.clone())) - run(&plain)
        };
        // Squared distances 4 and 2, and 0: ln((e^-8 + e^-4) / 2), ln 1.
        let apart = loss(&[[1.0, 0.0], [-2.0, 0.0], [0.0, 3.0]]);
        let expected = (((-8f64).exp() + (-4f64).exp()) / 2.0).ln();
        assert!((apart - expected).abs() < 1e-5, "{backend}: {apart}, not {expected}");
        assert!(loss(&[[1.0, 0.0], [2.0, 0.0]]).abs() < 1e-5, "{backend}");
        assert_eq!(loss(&[[1.0, 0.0]]), 0.0, "{backend}");
    }
}
