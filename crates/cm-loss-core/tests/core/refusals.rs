//! Numbers beyond their range, parts that do not go together, and fields that a part does not have: refused, each by name.

use burn::tensor::{Int, Tensor};
use cm_loss_core::{
    ClassSampling, Error, HeadConfig, Margin, MarginHeadConfig, MarginPlace, MarginWarmUp, NormGradient,
    NormMap, PartialHead, Preset, ProxyHeadConfig, ProxyLoss, Regularizer, RowSgd, SphereFace2Config,
    SubCenterPooling,
    margin::{
        AngularMargin, Annealing, CircleMargin, CosineMargin, CurricularMargin, ElasticMargin, FunFaceMargin,
        MarginForm, MarginGradient, MultiplicativeMargin, PerClassMargin, QuadraticMargin, RankedMargin,
    },
    norm_map::{MeanPreserving, SigmoidContraction, VonMisesFisher},
    regularizer::{CenterSpread, QcFaceNorm},
};

use crate::{devices, shared::margin_config};

fn with_margin(margin: Margin) -> HeadConfig {
    MarginHeadConfig { margin, ..MarginHeadConfig::default() }.into()
}

fn with_map(norm_map: NormMap) -> HeadConfig {
    MarginHeadConfig { norm_map, ..MarginHeadConfig::default() }.into()
}

fn ranked(margin: f64, difference: f64, form: MarginForm) -> HeadConfig {
    with_margin(Margin::Ranked(RankedMargin { margin, difference, form }))
}

fn quadratic(curvature: f64, center: f64, peak: f64) -> HeadConfig {
    with_margin(Margin::Quadratic(QuadraticMargin { curvature, center, peak }))
}

fn elastic(mean: f64, form: MarginForm) -> HeadConfig {
    with_margin(Margin::Elastic(ElasticMargin { mean, form, ..ElasticMargin::default() }))
}

fn per_class(margin: f64, form: MarginForm) -> HeadConfig {
    with_margin(Margin::PerClass(PerClassMargin { margins: vec![0.1, margin, 0.1], form }))
}

fn mean_preserving(scale: f64, momentum: f64) -> HeadConfig {
    with_map(NormMap::MeanPreserving(MeanPreserving { scale, momentum }))
}

fn qcface(weight: f64, lower_norm: f64, upper_norm: f64) -> HeadConfig {
    let regularizer = Regularizer::QcFace(QcFaceNorm { weight, lower_norm, upper_norm });
    MarginHeadConfig::default().with_regularizer(regularizer).into()
}

fn proxy_anchor(margin: f64, scale: f64) -> HeadConfig {
    ProxyHeadConfig::new(ProxyLoss::ProxyAnchor { margin, scale }).into()
}

#[test]
fn numbers_beyond_their_range_are_refused_by_name_and_value() {
    let (_, device) = devices().remove(0);
    let circle = |margin| with_margin(Margin::Circle(CircleMargin { margin }));
    let funface = |mixing| with_margin(Margin::FunFace(FunFaceMargin { mixing, ..Default::default() }));
    let mises = |dimension| {
        with_map(NormMap::VonMisesFisher(VonMisesFisher { scale: 30.0, dimension: Some(dimension) }))
    };
    let of_others =
        |margin| SphereFace2Config { margin_of_others: Some(margin), ..Default::default() }.into();
    let (angular, cosine) = (MarginForm::Angular, MarginForm::Cosine);
    let wrong: [(HeadConfig, &str, &str); 29] = [
        (ranked(0.4, 2.5, cosine), "difference of the ranked margins", "2.5"),
        (ranked(-0.1, 1.0, cosine), "mean ranked margin", "-0.1"),
        (ranked(1.2, 1.0, angular), "largest ranked margin", "1.79"),
        (per_class(-0.2, cosine), "margin of a class", "-0.2"),
        (per_class(1.6, angular), "margin of a class", "1.6"),
        (per_class(f64::NAN, cosine), "margin of a class", "NaN"),
        (quadratic(0.0, 0.0, 0.65), "curvature of the quadratic margin", "is 0"),
        (quadratic(-0.9, 0.1, 0.65), "center of the quadratic margin", "0.1"),
        (quadratic(-0.9, 0.0, 1.5), "peak of the quadratic margin", "1.5"),
        (circle(0.0), "margin of circle loss", "is 0"),
        (circle(1.0), "margin of circle loss", "is 1"),
        (funface(-0.1), "mixing factor of FunFace", "-0.1"),
        (funface(1.1), "mixing factor of FunFace", "1.1"),
        (elastic(1.6, angular), "mean margin of ElasticFace", "1.6"),
        (elastic(2.0, cosine), "mean margin of ElasticFace", "is 2"),
        (mean_preserving(0.0, 0.1), "scale of the mean-preserving map", "is 0"),
        (mean_preserving(30.0, 0.0), "momentum of the mean-preserving map", "is 0"),
        (mean_preserving(30.0, 1.5), "momentum of the mean-preserving map", "1.5"),
        (mises(1), "dimension of the von Mises-Fisher map", "is 1"),
        (mises(0), "dimension of the von Mises-Fisher map", "is 0"),
        (qcface(0.0, 10.0, 110.0), "weight of the QCFace regularizer", "is 0"),
        (qcface(1.0, 110.0, 10.0), "lower norm of the QCFace regularizer", "110"),
        (of_others(-0.1), "margin of the others of SphereFace2", "-0.1"),
        (of_others(2.0), "margin of the others of SphereFace2", "is 2"),
        (proxy_anchor(2.0, 32.0), "margin of ProxyAnchor", "is 2"),
        (proxy_anchor(0.1, 0.0), "scale of ProxyAnchor", "is 0"),
        (
            MarginHeadConfig {
                margin_warm_up: Some(MarginWarmUp { steps: 0 }),
                ..margin_config(Preset::CosFace)
            }
            .into(),
            "steps of the margin's warm-up",
            "is 0",
        ),
        (
            MarginHeadConfig { filter_above: Some(1.0), ..margin_config(Preset::CosFace) }.into(),
            "cosine above which classes are filtered",
            "is 1",
        ),
        (
            margin_config(Preset::CosFace)
                .with_sub_centers(3)
                .with_sub_center_pooling(SubCenterPooling::Soft { gamma: 0.0 })
                .into(),
            "gamma of the pooled sub-centers",
            "is 0",
        ),
    ];
    for (config, what, value) in wrong {
        let message = config.init(4, 3, &device).unwrap_err().to_string();
        assert!(message.contains(what) && message.contains(value), "{what}, {value}: {message}");
    }
    for (momentum, weight_decay, what) in [
        (1.0, 0.0, "momentum of the optimizer"),
        (-0.1, 0.0, "momentum of the optimizer"),
        (0.9, -1.0, "weight decay of the optimizer"),
        (0.9, f64::INFINITY, "weight decay of the optimizer"),
    ] {
        let head = margin_config(Preset::CosFace).with_sampling(ClassSampling::default());
        let head = head.init(4, 3, &device).unwrap();
        let message = PartialHead::new(head, RowSgd { momentum, weight_decay }).unwrap_err().to_string();
        assert!(message.contains(what), "{message}");
    }
}

#[test]
fn parts_that_make_no_sense_together_are_refused_with_both_names() {
    let cosface = || margin_config(Preset::CosFace);
    let contracted = || margin_config(Preset::CmCosFace);
    let outside = MarginPlace::Outside { scale: 30.0 };
    let annealed =
        Margin::Multiplicative(MultiplicativeMargin { margin: 4.0, annealing: Some(Annealing::SPHEREFACE) });
    let of = |margin| MarginHeadConfig { margin, ..contracted() };
    let (curricular, circle) =
        (Margin::Curricular(CurricularMargin::default()), Margin::Circle(CircleMargin::default()));
    let soft = SubCenterPooling::Soft { gamma: 0.1 };
    let weighs = "a margin that weighs the other classes";
    let wrong = [
        (cosface().with_margin_place(outside), "a margin outside the norm map", "a constant norm map"),
        (of(Margin::None).with_margin_place(outside), "a margin outside the norm map", "no margin"),
        (of(curricular.clone()).with_margin_place(outside), "a margin outside the norm map", weighs),
        (of(circle.clone()).with_margin_place(outside), "a margin outside the norm map", weighs),
        (of(Margin::None).with_margin_warm_up(9), "a warm-up of the margin", "no margin"),
        (of(annealed).with_margin_warm_up(9), "a warm-up of the margin", "SphereFace's annealing"),
        (of(curricular.clone()).with_filter_above(0.4), "a filter of classes", weighs),
        (of(circle).with_filter_above(0.4), "a filter of classes", weighs),
        (
            of(curricular).with_sub_centers(2).with_sub_center_pooling(soft),
            "pooled sub-centers",
            "CurricularFace",
        ),
        (
            cosface().with_sub_centers(2).with_center_spread(CenterSpread::default()),
            "the spread of class centers",
            "several centers a class",
        ),
        (cosface().with_temperature_compensation(30.0), "a temperature compensation", "a constant norm map"),
        (cosface().with_norm_gradient(NormGradient::Detached), "a detached norm", "a constant norm map"),
        (cosface().with_regularizer_from(9), "a step from which the regularizer is added", "no regularizer"),
    ];
    for (config, what, with) in wrong {
        let error = config.validate().unwrap_err();
        assert!(matches!(error, Error::DoesNotCombine { .. }), "{error:?}");
        let message = error.to_string();
        assert!(message.contains(what) && message.contains(with), "{what}, {with}: {message}");
    }
    // As many centers as one may be pooled: SoftTriple is CosFace then.
    assert_eq!(cosface().with_sub_center_pooling(soft).validate(), Ok(()));
    // A scale that is learned moves the radius away from that of the margin outside.
    assert_eq!(cosface().with_margin_place(outside).with_learned_scale().validate(), Ok(()));
}

#[test]
fn a_field_that_a_part_does_not_have_is_refused() {
    let read = |json: &str| serde_json::from_str::<HeadConfig>(json);
    for part in [
        r#""norm_map":{"kind":"identity","scale":30}"#,
        r#""margin":{"kind":"none","margin":0.4}"#,
        r#""regularizer":{"kind":"none","weight":0.1}"#,
        r#""margin_place":{"kind":"inside","scale":30}"#,
        r#""sub_center_pooling":{"kind":"largest","gamma":0.1}"#,
        r#""path":{"path":"auto","budget":1000}"#,
        r#""path":{"path":"plain","budget":1000}"#,
        r#""path":{"path":"fused","bytes":1000}"#,
        r#""norm_map":{"kind":"sigmoid","slope":3}"#,
        r#""margin_warm_up":{"epochs":3}"#,
    ] {
        let message = read(&format!(r#"{{"head":"margin",{part}}}"#)).unwrap_err().to_string();
        let field = part.rsplit(['{', ',']).next().unwrap().split('"').nth(1).unwrap();
        assert!(message.contains("unknown field") && message.contains(field), "{part}: {message}");
    }
    let proxy = read(r#"{"head":"proxy","loss":{"kind":"p2-s-grad","scale":32}}"#).unwrap_err().to_string();
    assert!(proxy.contains("unknown field `scale`"), "{proxy}");
}

#[test]
fn messages_name_the_kind_of_head_and_the_way_out() {
    let message = |changed: Result<HeadConfig, Error>| changed.unwrap_err().to_string();
    let of = |preset: Preset| preset.config();
    assert!(
        message(of(Preset::Softmax).with_scale(3.0))
            .contains("a scale cannot be combined with a linear head")
    );
    assert!(
        message(of(Preset::Ring).with_scale(3.0)).contains("a scale cannot be combined with this norm map")
    );
    assert!(message(of(Preset::Softmax).with_margin(0.3)).contains("a linear head"));
    assert!(message(of(Preset::MagFace).with_margin(0.3)).contains("give the margin as a whole"));
    let detached = of(Preset::Softmax).with_margin_gradient(MarginGradient::Detached);
    assert!(message(detached).contains("a gradient of the margin cannot be combined with a linear head"));
    assert!(message(of(Preset::P2SGrad).with_norm_map(NormMap::Identity)).contains("a head of proxies"));
    let sampled = of(Preset::SphereFace2).with_sampling(ClassSampling::default());
    assert!(message(sampled).contains("sampled classes cannot be combined with a one-vs-all head"));

    let cosine = Margin::Cosine(CosineMargin { margin: 0.4 });
    let map = NormMap::Sigmoid(SigmoidContraction::default());
    let built = of(Preset::L2Softmax).with_norm_map(map).unwrap().with_margin_function(cosine).unwrap();
    assert_eq!(built, Preset::CmCosFace.config());
    let beyond = Margin::Angular(AngularMargin { margin: 2.0, ..AngularMargin::default() });
    assert!(message(of(Preset::ArcFace).with_margin_function(beyond)).contains("angular margin"));
}

#[test]
fn shares_of_mixed_samples_are_checked() {
    for (backend, device) in devices() {
        for &preset in Preset::ALL {
            let head = preset.config().init(4, 3, &device).unwrap();
            let y = || Tensor::<1, Int>::from_data([0, 2], &device);
            let mixed = |share: &[f32]| {
                let share = Tensor::<1>::from_data(share, &device);
                head.mixed_loss(Tensor::ones([2, 4], &device), [y(), y()], share).map(drop)
            };
            assert_eq!(
                mixed(&[0.5]),
                Err(Error::ShareCount { shares: 1, features: 2 }),
                "{backend}, {preset}"
            );
            if cfg!(not(feature = "test-wgpu")) {
                let wrong = Err(Error::ShareOutOfRange { index: 1, share: 1.5 });
                assert_eq!(mixed(&[0.5, 1.5]), wrong, "{backend}, {preset}");
                assert!(mixed(&[f32::NAN, 0.5]).is_err(), "{backend}, {preset}");
            }
        }
    }
}
