//! Changes of a configuration by a word: what they change, and what they refuse.

use cm_loss_core::{
    ClassSampling, HeadConfig, LossOptions, LossPath, Margin, MarginPlace, NormGradient, NormMap, Preset,
    Regularizer, SubCenterPooling,
    margin::{AngularMargin, MarginGradient},
    norm_map::{Constant, Tanh},
    regularizer::{CenterLoss, CenterSpread, SquaredNorm},
};

use crate::devices;

/// Every change by a word, with whether it suits a linear head, one-vs-all and proxies.
#[test]
fn what_a_head_does_not_have_cannot_be_changed() {
    type Change = fn(HeadConfig) -> Result<HeadConfig, cm_loss_core::Error>;
    let changes: [(Change, [bool; 3]); 19] = [
        (|head| head.with_scale(20.0), [false, true, true]),
        (|head| head.with_margin(0.2), [false, true, true]),
        (|head| head.with_seed(3), [true, true, true]),
        (|head| head.with_options(LossOptions { ignore_index: Some(-1), ..Default::default() }), [true; 3]),
        (|head| head.with_norm_map(NormMap::Tanh(Tanh::default())), [false, true, false]),
        (|head| head.with_margin_gradient(MarginGradient::Detached), [false, true, false]),
        (|head| head.with_regularizer(Regularizer::SquaredNorm(SquaredNorm::default())), [false; 3]),
        (
            |head| {
                head.with_regularizer(Regularizer::SquaredNorm(SquaredNorm::default()))?
                    .with_regularizer_from(7)
            },
            [false; 3],
        ),
        (|head| head.with_margin_place(MarginPlace::Outside { scale: 30.0 }), [false; 3]),
        (|head| head.with_margin_warm_up(100), [false; 3]),
        (|head| head.with_norm_gradient(NormGradient::Detached), [false; 3]),
        (|head| head.with_temperature_compensation(30.0), [false; 3]),
        (|head| head.with_learned_scale(), [false; 3]),
        (|head| head.with_filter_above(0.4), [false; 3]),
        (
            |head| head.with_sub_centers(2)?.with_sub_center_pooling(SubCenterPooling::Soft { gamma: 0.1 }),
            [false; 3],
        ),
        (
            |head| head.with_center_loss(CenterLoss::default())?.with_center_spread(CenterSpread::default()),
            [false; 3],
        ),
        (|head| head.with_sampling(ClassSampling::default()), [false; 3]),
        (|head| head.with_path(LossPath::Plain), [false; 3]),
        (|head| head.with_margin_function(Margin::Angular(AngularMargin::default())), [false; 3]),
    ];
    for (i, (change, suits)) in changes.iter().enumerate() {
        let changed = change(Preset::CmCosFace.config()).unwrap();
        assert_eq!(changed == Preset::CmCosFace.config(), i == 2, "{i}");
        changed.init(3, 5, &devices().remove(0).1).unwrap();
        for (preset, suits) in
            [Preset::Softmax, Preset::SphereFace2, Preset::ProxyAnchor].into_iter().zip(suits)
        {
            match change(preset.config()) {
                Ok(_) => assert!(suits, "{i}, {preset}"),
                Err(error) => {
                    assert!(!suits && error.to_string().contains("cannot be combined"), "{i}: {error}")
                }
            }
        }
    }
    let beyond: [(Change, &str); 9] = [
        (|head| head.with_scale(f64::NAN), "NaN"),
        (|head| head.with_margin_place(MarginPlace::Outside { scale: 0.0 }), "outside the norm map"),
        (|head| head.with_margin_warm_up(0), "warm-up"),
        (|head| head.with_temperature_compensation(-1.0), "temperature compensation"),
        (|head| head.with_filter_above(1.5), "filtered"),
        (|head| head.with_sub_center_pooling(SubCenterPooling::Soft { gamma: 0.0 }), "gamma of the pooled"),
        (|head| head.with_sampling(ClassSampling { fraction: 2.0, seed: 0 }), "fraction"),
        (|head| head.with_norm_map(NormMap::Constant(Constant { scale: 0.0 })), "scale"),
        (
            |head| head.with_options(LossOptions { label_smoothing: 2.0, ..Default::default() }),
            "label smoothing",
        ),
    ];
    for (change, named) in beyond {
        let message = change(Preset::CmCosFace.config()).unwrap_err().to_string();
        assert!(message.contains(named), "{named}: {message}");
    }
    let without = Preset::L2Softmax.config();
    for change in [
        without.clone().with_margin_place(MarginPlace::Outside { scale: 3.0 }),
        without.clone().with_margin_warm_up(3),
        without.clone().with_regularizer_from(3),
        without.clone().with_norm_gradient(NormGradient::Detached),
        without.with_temperature_compensation(30.0),
        Preset::CurricularFace.config().with_filter_above(0.3),
        Preset::CircleLoss.config().with_filter_above(0.3),
    ] {
        assert!(change.unwrap_err().to_string().contains("cannot be combined"));
    }
}
