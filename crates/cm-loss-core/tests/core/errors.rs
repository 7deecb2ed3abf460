//! Wrong input ends with a message that names the thing and its value.

use burn::tensor::{Int, Tensor};
use cm_loss_core::{
    Error, HeadConfig, Margin, MarginHeadConfig, NormMap, Preset, Regularizer,
    margin::{AngularMargin, AngularOverflow, CosineMargin},
    norm_map::{Constant, SigmoidContraction},
    regularizer::SquaredNorm,
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
    for config in [HeadConfig::Linear, Preset::CmCosFace.config()] {
        assert!(config.init(0, 3, &device).unwrap_err().to_string().contains("feature dimensions"));
        assert!(config.init(4, 0, &device).unwrap_err().to_string().contains("number of classes"));
    }
}

#[test]
fn a_target_that_is_no_class_is_named_with_its_place() {
    for (_, device) in devices() {
        let head = Preset::CmCosFace.config().init(4, 10, &device).unwrap();
        let targets = |values: [i32; 3]| Tensor::<1, Int>::from_data(values, &device);
        assert_eq!(head.check_targets(&targets([0, 9, 5])), Ok(()));
        let error = head.check_targets(&targets([0, 10, 5])).unwrap_err();
        assert_eq!(error.to_string(), "target 1 of the batch is 10, but the head has 10 classes, 0 to 9");
        assert!(head.check_targets(&targets([0, 1, -1])).is_err());
    }
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
