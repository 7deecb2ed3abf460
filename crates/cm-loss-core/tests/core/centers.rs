//! Class centers put in, taken out, begun at class means, and joined by new classes.

use burn::tensor::{Int, Tensor};
use cm_loss_core::{Head, LossOptions, Preset, regularizer::CenterLoss};

use crate::{
    cases::Values,
    devices,
    shared::{margin_config, relative_error, tensor, values},
};

const PRESETS: [Preset; 4] =
    [Preset::Softmax, Preset::CosFace, Preset::SubCenterArcFace, Preset::SphereFace2];

#[test]
fn centers_come_out_as_they_went_in() {
    for (backend, device) in devices() {
        for preset in PRESETS {
            let head = preset.config().init(3, 5, &device).unwrap();
            let [rows, _] = head.class_centers().dims();
            let centers = Values::new(4).matrix(rows, 3);
            let head = head.with_class_centers(tensor(&centers, &device)).unwrap();
            let error = relative_error(&values(head.class_centers()), &centers.concat());
            assert!(error < 1e-6, "{backend}, {preset}");
            for unit in values(head.unit_centers()).chunks(3) {
                assert!((unit.iter().map(|v| v * v).sum::<f64>() - 1.0).abs() < 1e-5, "{backend}, {preset}");
            }
            // They train.
            let x = tensor(&Values::new(5).matrix(2, 3), &device).require_grad();
            let loss = head.forward(x, Tensor::from_data([0, 4], &device)).mean_loss();
            let gradient = crate::shared::gradient_of_centers(&head, &loss.backward());
            assert!(gradient.iter().any(|g| *g != 0.0), "{backend}, {preset}");

            let wrong = head.clone().with_class_centers(Tensor::zeros([3, rows], &device)).unwrap_err();
            let message = wrong.to_string();
            assert!(message.contains(&format!("[3, {rows}]")) && message.contains("transposed"), "{message}");
            let infinite = Tensor::full([rows, 3], f32::INFINITY, &device);
            assert!(head.with_class_centers(infinite).unwrap_err().to_string().contains("inf in column 0"));
        }
    }
}

#[test]
fn class_means_are_mean_directions_and_classes_without_samples_keep_their_centers() {
    for (backend, device) in devices() {
        for preset in PRESETS {
            let options = LossOptions { ignore_index: Some(-1), ..LossOptions::default() };
            let head = preset.config().with_options(options).unwrap().init(2, 3, &device).unwrap();
            let before = values(head.class_centers());
            let x = [[2.0, 0.0], [0.0, 30.0], [-1.0, 0.0], [5.0, 5.0]].map(|row| row.to_vec());
            let y: Tensor<1, Int> = Tensor::from_data([0, 0, 2, -1], &device);
            let head = head.with_class_means(tensor(&x, &device), y).unwrap();
            let each = head.class_centers().dims()[0] / 3;
            let found = values(head.class_centers());
            let half = 0.5f64.sqrt();
            for k in 0..each {
                let of = |class: usize| &found[2 * (class * each + k)..][..2];
                // Several centers of a class begin apart.
                let tolerance = if each == 1 { 1e-6 } else { 0.1 + 1e-6 };
                let error = (of(0)[0] - half).hypot(of(0)[1] - half);
                assert!(error < tolerance && (k == 0 || error > 0.09), "{backend}, {preset}: {error}");
                assert!(k == 0 || of(0) != &found[..2], "{backend}, {preset}");
                assert_eq!(of(1), &before[2 * (each + k)..][..2], "{backend}, {preset}");
                assert!((of(2)[0] + 1.0).abs() < tolerance, "{backend}, {preset}");
            }
        }
    }
}

#[test]
fn new_classes_follow_those_that_a_head_knows() {
    for (backend, device) in devices() {
        for preset in PRESETS {
            let head = preset.config().init(3, 5, &device).unwrap();
            let each = head.class_centers().dims()[0] / 5;
            let x = || tensor(&Values::new(5).matrix(4, 3), &device);
            let before = values(head.logits(x()).0);
            let new = tensor(&Values::new(8).matrix(2 * each, 3), &device);
            let head = head.with_new_classes(new).unwrap();
            assert_eq!(head.classes(), 7, "{backend}, {preset}");
            let after = values(head.logits(x()).0);
            for (before, after) in before.chunks(5).zip(after.chunks(7)) {
                assert!(relative_error(&after[..5], before) < 1e-6, "{backend}, {preset}");
            }
            // The new ones can be targets.
            let loss = head.loss(x(), Tensor::from_data([6, 5, 0, 6], &device)).loss;
            assert!(values(loss).iter().all(|v| v.is_finite()));
            assert!(head.with_new_classes(Tensor::zeros([each, 4], &device)).is_err());
        }
        let config = margin_config(Preset::CosFace).with_center_loss(CenterLoss { weight: 0.1, rate: 0.5 });
        let head = Head::Margin(config.init(3, 5, &device).unwrap());
        let error = head.clone().with_new_classes(Tensor::zeros([1, 3], &device)).unwrap_err().to_string();
        assert!(error.contains("new classes cannot be combined with"), "{error}");

        // The centers of center loss go in and out as well.
        let head = head.into_margin().unwrap();
        let kept = Values::new(9).matrix(5, 3);
        let head = head.with_feature_centers(tensor(&kept, &device)).unwrap();
        let error = relative_error(&values(head.feature_centers().unwrap()), &kept.concat());
        assert!(error < 1e-6, "{backend}: {error:e}");
        assert!(head.with_feature_centers(Tensor::zeros([4, 3], &device)).is_err());
        let without = margin_config(Preset::CosFace).init(3, 5, &device).unwrap();
        let error = without.with_feature_centers(tensor(&kept, &device)).unwrap_err().to_string();
        assert!(error.contains("no centers of center loss"), "{error}");
    }
}
