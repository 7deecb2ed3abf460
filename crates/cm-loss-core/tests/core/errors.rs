//! Wrong input ends with a message that names the thing and its value.

use burn::tensor::{Int, Tensor};
use cm_loss_core::{
    ClassSampling, Error, HeadConfig, LossOptions, Margin, MarginHeadConfig, NormMap, Preset, Regularizer,
    margin::{AngularMargin, AngularOverflow, CosineMargin},
    norm_map::{Constant, SigmoidContraction},
    regularizer::{CenterLoss, CenterSpread, SquaredNorm},
};

use crate::devices;

fn init(norm_map: NormMap, margin: Margin, regularizer: Regularizer) -> Result<(), Error> {
    let (_, device) = devices().remove(0);
    MarginHeadConfig::new(norm_map, margin).with_regularizer(regularizer).init(4, 3, &device).map(drop)
}

#[test]
fn parameters_outside_their_formula_are_refused_by_name() {
    let sigmoid = |scale| NormMap::Sigmoid(SigmoidContraction { scale });
    let constant = |scale| NormMap::Constant(Constant { scale });
    let cosine = |margin| Margin::Cosine(CosineMargin { margin });
    let angular = |margin| Margin::Angular(AngularMargin { margin, overflow: AngularOverflow::Plain });
    let squared = |weight| Regularizer::SquaredNorm(SquaredNorm { weight });
    let wrong = [
        (init(sigmoid(0.0), Margin::None, Regularizer::None), "scale of the sigmoid contraction", "is 0"),
        (init(sigmoid(f64::NAN), Margin::None, Regularizer::None), "scale of the sigmoid contraction", "NaN"),
        (init(constant(-30.0), Margin::None, Regularizer::None), "scale of the constant norm map", "-30"),
        (init(sigmoid(30.0), cosine(-0.1), Regularizer::None), "cosine margin", "-0.1"),
        (init(sigmoid(30.0), cosine(2.0), Regularizer::None), "cosine margin", "is 2"),
        (init(sigmoid(30.0), angular(28.6), Regularizer::None), "in radians", "28.6"),
        (init(sigmoid(30.0), Margin::None, squared(f64::INFINITY)), "squared-norm", "inf"),
    ];
    for (result, what, value) in wrong {
        let message = result.unwrap_err().to_string();
        assert!(message.contains(what) && message.contains(value), "{message}");
    }
    let (_, device) = devices().remove(0);
    for config in [HeadConfig::Linear(Default::default()), Preset::CmCosFace.config()] {
        assert!(config.init(0, 3, &device).unwrap_err().to_string().contains("feature dimensions"));
        assert!(config.init(4, 0, &device).unwrap_err().to_string().contains("number of classes"));
    }
}

#[test]
fn wrong_input_is_named_with_its_place() {
    for (backend, device) in devices() {
        for &preset in Preset::ALL {
            let head = preset.config().init(4, 10, &device).unwrap();
            let y = |values: [i32; 3]| Tensor::<1, Int>::from_data(values, &device);
            let x = || Tensor::<2>::ones([3, 4], &device);
            let message = |x: Tensor<2>, y| head.try_forward(x, y).unwrap_err().to_string();
            assert!(head.try_forward(x(), y([0, 9, 5])).is_ok(), "{backend}, {preset}");
            let expected = "target 1 of the batch is 10, but the head has 10 classes, 0 to 9";
            assert_eq!(message(x(), y([0, 10, 5])), expected);
            assert!(message(x(), y([0, 1, -1])).starts_with("target 2 of the batch is -1"));
            let hole = x().slice_assign([1..2, 3..4], Tensor::from_data([[f32::NAN]], &device));
            assert!(message(hole, y([0, 1, 2])).starts_with("feature 1 of the batch has NaN in column 3"));
            let infinite = x().slice_assign([2..3, 0..1], Tensor::from_data([[f32::INFINITY]], &device));
            assert!(
                message(infinite, y([0, 1, 2])).starts_with("feature 2 of the batch has inf in column 0")
            );
            // Their sum is infinite and none of them is.
            assert_eq!(head.check(&x().mul_scalar(3e38), &y([0, 1, 2])), Ok(()));
            let columns = message(Tensor::ones([3, 5], &device), y([0, 1, 2]));
            assert_eq!(columns, "features have 5 columns, but the head was made for 4");
            let count = message(Tensor::ones([2, 4], &device), y([0, 1, 2]));
            assert_eq!(count, "3 targets were given for a batch of 2 features");
        }
    }
}

#[cfg(not(feature = "test-wgpu"))]
#[test]
fn on_a_cpu_a_target_that_is_no_class_is_found_without_asking() {
    for (_, device) in devices() {
        let panic = std::panic::catch_unwind(|| {
            let head = Preset::CmCosFace.config().init(4, 10, &device).unwrap();
            head.forward(Tensor::ones([2, 4], &device), Tensor::from_data([3, 11], &device));
        });
        let message = *panic.unwrap_err().downcast::<String>().unwrap();
        assert!(message.contains("target 1 of the batch is 11"), "{message}");
    }
}

#[test]
fn options_and_parts_that_cannot_be_are_refused() {
    let (_, device) = devices().remove(0);
    let message = |config: HeadConfig| config.init(4, 3, &device).unwrap_err().to_string();
    let with = |options: LossOptions| {
        let HeadConfig::Margin(config) = Preset::CosFace.config() else { panic!("it has class centers") };
        message(HeadConfig::Margin(config.with_options(options)))
    };
    let plain = LossOptions::default;
    assert!(with(LossOptions { label_smoothing: 1.0, ..plain() }).contains("label smoothing"));
    assert!(with(LossOptions { focal_gamma: -1.0, ..plain() }).contains("focal_gamma"));
    let weights = |weights: &[f64]| LossOptions { class_weights: Some(weights.to_vec()), ..plain() };
    assert!(
        with(weights(&[1.0, -1.0, 1.0])).contains("class weight must be finite and at least 0, but is -1")
    );
    assert_eq!(with(weights(&[1.0; 4])), "4 class weights were given for 3 classes");
    let smooth = LossOptions { label_smoothing: 0.1, ..plain() };
    let refused = Preset::SphereFace2.config().with_options(smooth).unwrap_err().to_string();
    assert!(refused.contains("softmax"), "{refused}");

    let HeadConfig::Margin(config) = Preset::CosFace.config() else { panic!("it has class centers") };
    let margin = |config: MarginHeadConfig| message(HeadConfig::Margin(config));
    let fraction = ClassSampling { fraction: 0.0, seed: 0 };
    assert!(margin(config.clone().with_sampling(fraction)).contains("fraction of sampled classes"));
    let center = CenterLoss { weight: 0.1, rate: 1.5 };
    assert!(margin(config.clone().with_center_loss(center)).contains("rate of the center loss"));
    let spread = CenterSpread { weight: 0.1, sharpness: 2.0 };
    let several = config.clone().with_sub_centers(3).with_center_spread(spread);
    assert!(margin(several).contains("several centers a class"));

    assert_eq!(config.check_scale(1000, 0.9), Ok(()));
    let HeadConfig::Margin(config) = Preset::NormFace.config() else { panic!("it has class centers") };
    let message = config.check_scale(1_000_000_000, 0.9).unwrap_err().to_string();
    assert!(message.contains("scale of 20 and 1000000000 classes"), "{message}");
}

#[test]
fn shapes_that_do_not_fit_panic_with_both_numbers() {
    let message = |columns: usize, labels: usize| -> String {
        let panic = std::panic::catch_unwind(|| {
            let (_, device) = devices().remove(0);
            let head = Preset::CmCosFace.config().init(4, 10, &device).unwrap();
            let y = Tensor::<1, Int>::zeros([labels], &device);
            head.forward(Tensor::<2>::ones([3, columns], &device), y);
        });
        *panic.unwrap_err().downcast::<String>().unwrap()
    };
    assert!(message(5, 3).contains("features have 5 columns, but the head was made for 4"));
    assert!(message(4, 2).contains("2 targets were given for a batch of 3 features"));
}
