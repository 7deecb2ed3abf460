//! Sampled classes with nothing for the others, against the dense head.

use burn::{
    module::Module,
    tensor::{Device, Int, Tensor},
};
use cm_loss_core::{
    ClassSampling, LossOptions, MarginHead, MarginHeadConfig, PartialHead, Preset, RowSgd,
    margin::{MarginForm, PerClassMargin},
    regularizer::CenterLoss,
};

use crate::{
    cases::Values,
    devices,
    shared::{margin_config, relative_error, tensor, values},
};

const CLASSES: usize = 60;
const DIM: usize = 5;
const OPTIMIZER: RowSgd = RowSgd { momentum: 0.9, weight_decay: 1e-3 };

fn head(preset: Preset, options: LossOptions, device: &Device) -> MarginHead {
    let config =
        margin_config(preset).with_sampling(ClassSampling { fraction: 0.2, seed: 4 }).with_options(options);
    let head = config.init(DIM, CLASSES, device).unwrap();
    let rows = CLASSES * config.sub_centers;
    head.with_class_centers(tensor(&Values::new(2).matrix(rows, DIM), device)).unwrap()
}

fn features(step: u64, device: &Device) -> Tensor<2> {
    tensor(&Values::new(10 + step).matrix(4, DIM), device)
}

#[test]
fn a_frozen_head_is_not_trained_in_parts() {
    let (_, device) = devices().remove(0);
    let frozen = head(Preset::CosFace, LossOptions::default(), &device).freeze();
    let error = PartialHead::new(frozen, OPTIMIZER).unwrap_err().to_string();
    assert!(error.contains("a frozen head"), "{error}");
}

#[test]
fn the_loss_is_that_of_the_dense_head_and_only_drawn_centers_move() {
    let options = LossOptions { ignore_index: Some(-1), ..LossOptions::default() };
    for (backend, device) in devices() {
        for preset in [Preset::CosFace, Preset::SubCenterArcFace, Preset::AdaFace, Preset::ElasticFaceCos] {
            let name = format!("{backend}, {preset}");
            let each = margin_config(preset).sub_centers;
            let mut dense = head(preset, options.clone(), &device);
            let mut partial = PartialHead::new(head(preset, options.clone(), &device), OPTIMIZER).unwrap();
            assert_eq!(partial.classes(), CLASSES);
            let mut velocity = vec![0.0; CLASSES * each * DIM];
            for round in 0..4 {
                let y = Tensor::<1, Int>::from_data([7, 59, if round == 2 { -1 } else { 0 }, 7], &device);
                let step = partial.draw(&features(round, &device), y.clone()).unwrap();
                let drawn: Vec<usize> =
                    values(step.classes().float()).iter().map(|&class| class as usize).collect();
                let x = features(round, &device).require_grad();
                let output = step.loss(x.clone());
                let mut gradients = output.mean_loss().backward();
                let by_features = values(x.grad(&gradients).unwrap());
                partial.update(step, &mut gradients, 0.1).unwrap();

                // The dense head, and stochastic gradient descent of the drawn rows by hand.
                let x = features(round, &device).require_grad();
                let expected = dense.loss(x.clone(), y);
                let error = relative_error(&values(output.loss), &values(expected.loss.clone()));
                assert!(error < 1e-5, "{name}, {round}: {error:e}");
                let (a, b) =
                    (values(output.predictions.float()), values(expected.predictions.clone().float()));
                assert_eq!(a, b, "{name}");
                let gradients = expected.mean_loss().backward();
                assert!(relative_error(&by_features, &values(x.grad(&gradients).unwrap())) < 1e-5, "{name}");
                let gradient = values(dense.class_centers.val().grad(&gradients).unwrap());
                let mut centers = values(dense.class_centers.val());
                for row in (0..CLASSES * each).filter(|row| drawn.contains(&(row / each))) {
                    for at in row * DIM..(row + 1) * DIM {
                        velocity[at] = 0.9 * velocity[at] + gradient[at] + 1e-3 * centers[at];
                        centers[at] -= 0.1 * velocity[at];
                    }
                }
                let rows: Vec<Vec<f64>> = centers.chunks(DIM).map(<[f64]>::to_vec).collect();
                dense = dense.with_class_centers(tensor(&rows, &device)).unwrap();
            }
            let before = Values::new(2).matrix(CLASSES * each, DIM).concat();
            let found = partial.velocity().unwrap();
            assert!(relative_error(&values(found.clone()), &velocity) < 1e-4, "{name}");
            let trained = partial.into_head();
            assert_eq!(trained.state(), dense.state(), "{name}");
            let found = values(trained.class_centers.val());
            assert!(relative_error(&found, &values(dense.class_centers.val())) < 1e-5, "{name}");
            let still = velocity.iter().zip(found.iter().zip(&before)).filter(|(v, _)| **v == 0.0);
            assert!(still.clone().count() > 0 && still.clone().all(|(_, (a, b))| (*a as f32) == (*b as f32)));
        }
    }
}

/// Features may be elsewhere: of another backend where there is one, or of another kind of graph.
#[test]
fn centers_stay_on_their_device_whatever_that_of_the_features_and_a_copy_is_the_head_so_far() {
    let home = devices().remove(0).1;
    let sampling = ClassSampling { fraction: 0.2, seed: 4 };
    let plain = margin_config(Preset::AdaFace).with_sampling(sampling.clone());
    // What is learned beside the centers goes to the other device and comes back. Burn has one kind of graph for all parameters of
    // a loss, so that with checkpoints there must be none.
    let learning = margin_config(Preset::Ring).with_sampling(sampling).with_learned_scale();
    let devices = || devices().into_iter().map(|(_, device)| (learning.clone(), device));
    let others = devices().chain([(plain, home.clone().gradient_checkpointing())]);
    let run = |config: &MarginHeadConfig, devices: [&Device; 3]| {
        let head = config.init(DIM, CLASSES, &home).unwrap();
        let head = head.with_class_centers(tensor(&Values::new(2).matrix(CLASSES, DIM), &home)).unwrap();
        let mut partial = PartialHead::new(head, OPTIMIZER).unwrap();
        let mut copies = Vec::new();
        for (round, device) in devices.into_iter().enumerate() {
            let y = Tensor::<1, Int>::from_data([7, 59, 0, 7], device);
            let x = features(round as u64, device);
            let step = partial.draw(&x, y).unwrap();
            let output = step.loss(x);
            let found = [output.predictions.device(), output.norms.device()];
            assert_eq!(found, [device.clone(), device.clone()]);
            // Devices are equal whatever their graphs.
            let strategy = |device: &Device| device.gradient_checkpointing_strategy();
            assert_eq!(found.map(|device| strategy(&device)), [strategy(device), strategy(device)]);
            let mut gradients = output.mean_loss().backward();
            partial.update(step, &mut gradients, 0.1).unwrap();
            let copy = partial.to_head();
            assert!(copy.config().sampling.is_some() && copy.classes() == CLASSES);
            copies.push((values(copy.class_centers.val()), copy));
        }
        // A copy that is kept has the centers that it had.
        let kept = copies.iter().all(|(then, copy)| *then == values(copy.class_centers.val()));
        assert!(kept && copies[0].0 != copies[1].0 && copies[1].0 != copies[2].0);
        assert_eq!(copies[2].0, values(partial.into_head().class_centers.val()));
        copies.into_iter().flat_map(|(centers, _)| centers).collect::<Vec<f64>>()
    };
    for (config, device) in others {
        let expected = run(&config, [&home; 3]);
        let error = relative_error(&run(&config, [&device, &device, &home]), &expected);
        assert!(error < 1e-6, "{device:?}: {error:e}");
    }
}

#[test]
fn it_goes_on_from_its_head_and_its_velocity() {
    let (_, device) = devices().remove(0);
    let run = |partial: &mut PartialHead, rounds: std::ops::Range<u64>| {
        for round in rounds {
            let y = Tensor::<1, Int>::from_data([7, 59, 0, 7], &device);
            let step = partial.draw(&features(round, &device), y).unwrap();
            let mut gradients = step.loss(features(round, &device)).mean_loss().backward();
            partial.update(step, &mut gradients, 0.1).unwrap();
        }
    };
    let fresh =
        || PartialHead::new(head(Preset::CosFace, LossOptions::default(), &device), OPTIMIZER).unwrap();
    let mut whole = fresh();
    run(&mut whole, 0..4);
    let mut first = fresh();
    run(&mut first, 0..2);
    let velocity = first.velocity().unwrap().clone();
    let mut second = PartialHead::new(first.into_head(), OPTIMIZER).unwrap().with_velocity(velocity).unwrap();
    run(&mut second, 2..4);
    assert_eq!(values(second.into_head().class_centers.val()), values(whole.into_head().class_centers.val()));
}

#[test]
fn what_has_a_value_for_each_class_cannot_be_trained_in_parts() {
    let (_, device) = devices().remove(0);
    let sampled = margin_config(Preset::CosFace).with_sampling(ClassSampling::default());
    let message = |config: MarginHeadConfig| {
        let head = config.init(DIM, 3, &device).unwrap();
        PartialHead::new(head, RowSgd::default()).unwrap_err().to_string()
    };
    assert!(message(margin_config(Preset::CosFace)).contains("give the head a ClassSampling"));
    let weights = LossOptions { class_weights: Some(vec![1.0; 3]), ..LossOptions::default() };
    assert!(message(sampled.clone().with_options(weights)).contains("class weights"));
    assert!(message(sampled.clone().with_center_loss(CenterLoss::default())).contains("center loss"));
    let mut own = sampled.clone();
    own.margin =
        cm_loss_core::Margin::PerClass(PerClassMargin { margins: vec![0.1; 3], form: MarginForm::Cosine });
    assert!(message(own).contains("margins a class"));
    let wrong = RowSgd { momentum: 1.0, weight_decay: 0.0 };
    assert!(PartialHead::new(sampled.init(DIM, 3, &device).unwrap(), wrong).is_err());

    let mut partial = PartialHead::new(sampled.init(DIM, 3, &device).unwrap(), OPTIMIZER).unwrap();
    let x = Tensor::ones([1, DIM], &device);
    let wrong = partial.draw(&x, Tensor::from_data([3], &device)).unwrap_err().to_string();
    assert!(wrong.contains("target 0 of the batch is 3"), "{wrong}");
    let step = partial.draw(&x, Tensor::from_data([2], &device)).unwrap();
    let mut other = x.clone().require_grad().sum().backward();
    assert!(partial.update(step, &mut other, 0.1).unwrap_err().to_string().contains("no gradient"));
}

/// A class may be the one to ignore: it is no place among the drawn classes.
#[test]
fn an_index_to_ignore_that_is_a_class_ignores_that_class_alone() {
    let options = LossOptions { ignore_index: Some(0), ..LossOptions::default() };
    for (backend, device) in devices() {
        let dense = head(Preset::CosFace, options.clone(), &device);
        let partial = PartialHead::new(head(Preset::CosFace, options.clone(), &device), OPTIMIZER).unwrap();
        let targets = || Tensor::<1, Int>::from_data([0, 1, 2, 7], &device);
        let x = features(1, &device);
        let expected = values(dense.loss(x.clone(), targets()).loss);
        let step = partial.draw(&x, targets()).unwrap();
        let found = values(step.loss(x).loss);
        assert!(relative_error(&found, &expected) < 1e-5, "{backend}: {found:?}, {expected:?}");
        assert!(found[0] == 0.0 && found[1..].iter().all(|loss| *loss > 0.0), "{backend}: {found:?}");
    }
}
