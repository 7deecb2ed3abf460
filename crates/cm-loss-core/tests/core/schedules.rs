//! What begins or grows with the steps of a training: margins and regularizers.

use cm_loss_core::{Margin, MarginHead, MarginHeadConfig, Preset, Regularizer, regularizer::SquaredNorm};

use crate::{
    devices,
    shared::{features, first_class, known_head, margin_config, tensor, values},
};

#[test]
fn a_margin_warms_up_and_a_learned_scale_learns() {
    for (backend, device) in devices() {
        let config = margin_config(Preset::CosFace).with_margin_warm_up(4).with_learned_scale();
        let head = known_head(&config, &device);
        let x = || features(&[2.0], &device);
        let cosine = values(head.logits(x()).0)[0] / 30.0;
        for share in [0.0, 0.25, 0.5, 0.75, 1.0, 1.0] {
            let found = values(head.training_logits(x(), first_class(1, &device)))[0];
            assert!((found - 30.0 * (cosine - 0.4 * share)).abs() < 1e-4, "{backend}, {share}: {found}");
            head.forward(x(), first_class(1, &device));
        }
        let gradients = head.loss(x().require_grad(), first_class(1, &device)).mean_loss().backward();
        let by_scale = values(head.log_scale.as_ref().unwrap().val().grad(&gradients).unwrap())[0];
        assert!(by_scale.abs() > 1e-3, "{backend}: {by_scale}");
        let mut larger = head.clone();
        larger.log_scale = larger.log_scale.map(|scale| {
            burn::module::Param::from_tensor(scale.val().detach().add_scalar(2f64.ln()).detach())
        });
        let (found, before) = (values(larger.logits(x()).0), values(head.logits(x()).0));
        assert!((found[0] / before[0] - 2.0).abs() < 1e-5, "{backend}");
    }
}

#[test]
fn a_warm_up_brings_in_what_weighs_the_other_classes_too() {
    for (backend, device) in devices() {
        for preset in [Preset::CurricularFace, Preset::CircleLoss] {
            let config = margin_config(preset).with_margin_warm_up(4);
            let with = |config: &MarginHeadConfig| {
                let head = config.init(2, 3, &device).unwrap();
                let centers = [[1.0, 0.2], [0.9, -0.1], [-0.8, 1.0]].map(|row| row.to_vec());
                head.with_class_centers(tensor(&centers, &device)).unwrap()
            };
            let (warming, whole) = (with(&config), with(&margin_config(preset)));
            let plain = with(&MarginHeadConfig { margin: Margin::None, ..margin_config(preset) });
            // The curriculum begins at 0, and would leave nothing of a class that it weighs.
            for head in [&warming, &whole] {
                let mut state = head.state();
                state.curriculum = state.curriculum.map(|_| 0.3);
                head.set_state(&state).unwrap();
            }
            let x = || features(&[2.0], &device);
            let training = |head: &MarginHead| values(head.training_logits(x(), first_class(1, &device)));
            let (first, last) = (training(&plain), training(&whole));
            assert!((last[1] - first[1]).abs() > 0.5, "{backend}, {preset}: no class is weighed");
            for step in [0, 1, 3, 4, 9] {
                let mut state = warming.state();
                state.steps = Some(step);
                warming.set_state(&state).unwrap();
                let share = (step as f64 / 4.0).min(1.0);
                let found = training(&warming);
                for (j, found) in found.iter().enumerate() {
                    let expected = first[j] + share * (last[j] - first[j]);
                    let error = (found - expected).abs();
                    assert!(
                        error < 1e-4 * expected.abs().max(1.0),
                        "{backend}, {preset}, {step}, {j}: {found} {expected}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_regularizer_is_added_from_its_step_on() {
    for (backend, device) in devices() {
        let squared = Regularizer::SquaredNorm(SquaredNorm { weight: 0.5 });
        let config = margin_config(Preset::CosFace).with_regularizer(squared).with_regularizer_from(2);
        let (head, plain) =
            (known_head(&config, &device), known_head(&margin_config(Preset::CosFace), &device));
        for step in 0..4 {
            let penalty = if step < 2 { [0.0, 0.0] } else { [2.0, 4.5] };
            let x = features(&[2.0, 3.0], &device).require_grad();
            let loss = |head: &MarginHead| values(head.loss(x.clone(), first_class(2, &device)).loss);
            let (before, found) = (loss(&plain), loss(&head));
            for i in 0..2 {
                assert!((found[i] - before[i] - penalty[i]).abs() < 1e-4, "{backend}, {step}: {found:?}");
            }
        }
    }
}
