//! How configurations and what heads remember are written: what version 1 wrote is read for ever.

use std::sync::Arc;

use burn::tensor::Tensor;
use cm_loss_core::{
    ClassSampling, Custom, CustomMargin, CustomNormMap, HeadConfig, HeadState, LossOptions, LossPath, Margin,
    MarginHeadConfig, MarginPlace, MarginWarmUp, NormGradient, NormMap, NormMoments, Parameters, Preset,
    ProxyHeadConfig, Regularizer, RowSgd, SphereFace2Config, SubCenterPooling,
    margin::{
        AngularMargin, AngularOverflow, Annealing, CombinedMargin, ElasticMargin, Extension, MagFaceMargin,
        MarginForm, MarginGradient, MultiplicativeMargin, PerClassMargin, QuadraticMargin, RankedMargin,
    },
    norm_map::{Clamp, Logarithm, MeanPreserving, Rational, SigmoidContraction, Tanh, VonMisesFisher},
    register_margin, register_norm_map,
    regularizer::{CenterLoss, CenterSpread, Ring, SquaredNorm},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::shared::margin_config;

/// What version 1 wrote, for ever: a line a preset.
#[test]
fn configurations_written_by_version_1_are_read_for_ever() {
    let lines = include_str!("golden/configs-1.jsonl").lines();
    let mut read = 0;
    for line in lines {
        let (name, json) = line.split_once(' ').unwrap();
        let config: HeadConfig = serde_json::from_str(json).unwrap_or_else(|error| panic!("{name}: {error}"));
        config.validate().unwrap();
        assert_eq!(config, name.parse::<Preset>().unwrap().config(), "{name}");
        read += 1;
    }
    assert_eq!(read, 33, "the presets that version 1 had");
}

#[test]
fn every_field_has_a_default_and_a_newer_version_is_refused() {
    let read = |json: &str| serde_json::from_str::<HeadConfig>(json);
    assert_eq!(read(r#"{"head":"linear"}"#).unwrap(), Preset::Softmax.config());
    assert_eq!(read(r#"{"head":"sphere-face2"}"#).unwrap(), SphereFace2Config::default().into());
    assert_eq!(read(r#"{"head":"proxy"}"#).unwrap(), ProxyHeadConfig::default().into());
    assert_eq!(read(r#"{"head":"margin"}"#).unwrap(), Preset::L2Softmax.config());
    let parts = [
        (Preset::CosFace, r#"{"head":"margin","margin":{"kind":"cosine"}}"#),
        (Preset::CmCosFace, r#"{"head":"margin","norm_map":{"kind":"sigmoid"},"margin":{"kind":"cosine"}}"#),
        (
            Preset::MagFace,
            r#"{"head":"margin","norm_map":{"kind":"constant","scale":64},
            "margin":{"kind":"mag-face"},"regularizer":{"kind":"mag-face"}}"#,
        ),
        (
            Preset::FunFace,
            r#"{"head":"margin","norm_map":{"kind":"constant","scale":64},"margin":{"kind":"fun-face"}}"#,
        ),
    ];
    for (preset, json) in parts {
        assert_eq!(read(json).unwrap(), preset.config(), "{preset}");
    }
    // The name that this number had before.
    let older = r#"{"head":"margin","norm_map":{"kind":"constant","scale":64},"margin":{"kind":"ada-face","rate":0.01}}"#;
    assert_eq!(read(older).unwrap(), Preset::AdaFace.config());
    let newer = read(r#"{"head":"margin","version":2}"#).unwrap_err().to_string();
    assert!(newer.contains("version 2") && newer.contains("newer"), "{newer}");
}

#[test]
fn what_is_left_out_of_a_part_has_its_usual_value() {
    let read = |part: &str| -> MarginHeadConfig {
        let json = format!(r#"{{"head":"margin","margin":{{"kind":"cosine"}},{part}}}"#);
        match serde_json::from_str(&json).unwrap() {
            HeadConfig::Margin(config) => config,
            other => panic!("{other:?}"),
        }
    };
    let config = read(r#""path":{"path":"fused"}"#);
    assert_eq!(config.path, LossPath::Fused { budget: LossPath::BUDGET });
    assert_eq!(read(r#""margin_warm_up":{}"#).margin_warm_up, Some(MarginWarmUp { steps: 1000 }));
    assert_eq!(read(r#""norm_map":{"kind":"identity"}"#).norm_map, NormMap::Identity);
    assert_eq!(read(r#""path":{"path":"auto"}"#).path, LossPath::Auto);
}

/// Each part that no preset has, by a name, as a configuration of its own.
fn parts() -> Vec<(&'static str, HeadConfig)> {
    let contracted = || margin_config(Preset::CmCosFace);
    let map = |norm_map| MarginHeadConfig { norm_map, ..contracted() };
    let margin = |margin| MarginHeadConfig { margin, ..contracted() };
    let angular = |overflow| margin(Margin::Angular(AngularMargin { margin: 0.3, overflow }));
    let ranked = |form| margin(Margin::Ranked(RankedMargin { margin: 0.3, difference: -0.5, form }));
    let per_class = |form| margin(Margin::PerClass(PerClassMargin { margins: vec![0.1, 0.25], form }));
    let regularizer = |regularizer| contracted().with_regularizer(regularizer);
    let options = LossOptions {
        class_weights: Some(vec![1.0, 2.5]),
        label_smoothing: 0.1,
        focal_gamma: 2.0,
        ignore_index: Some(-1),
    };
    let magface = MagFaceMargin {
        lower_norm: 5.0,
        upper_norm: 50.0,
        lower_margin: 0.2,
        upper_margin: 0.6,
        form: MarginForm::Cosine,
        overflow: AngularOverflow::MonotoneTail,
    };
    let combined = |extension| {
        margin(Margin::Combined(CombinedMargin { multiplicative: 1.2, angular: 0.3, cosine: 0.2, extension }))
    };
    let elastic =
        ElasticMargin { mean: 0.3, deviation: 0.02, form: MarginForm::Cosine, sorted: true, seed: 9 };
    let annealed = MultiplicativeMargin {
        margin: 4.0,
        annealing: Some(Annealing { start: 500.0, gamma: 0.2, power: 2.0, minimum: 3.0 }),
    };
    let quadratic = QuadraticMargin { curvature: -0.8, center: -0.1, peak: 0.7 };
    let parts: Vec<(&'static str, MarginHeadConfig)> = vec![
        ("identity", map(NormMap::Identity)),
        ("sigmoid", map(NormMap::Sigmoid(SigmoidContraction { scale: 12.0 }))),
        ("tanh", map(NormMap::Tanh(Tanh { scale: 12.0 }))),
        ("rational", map(NormMap::Rational(Rational { scale: 12.0 }))),
        ("logarithm", map(NormMap::Logarithm(Logarithm { scale: 12.0 }))),
        ("clamp", map(NormMap::Clamp(Clamp { scale: 2.0, lower: 0.5, upper: 20.0 }))),
        ("mean-preserving", map(NormMap::MeanPreserving(MeanPreserving { scale: 12.0, momentum: 0.2 }))),
        ("vmf", map(NormMap::VonMisesFisher(VonMisesFisher { scale: 12.0, dimension: None }))),
        ("vmf-of-512", map(NormMap::VonMisesFisher(VonMisesFisher { scale: 12.0, dimension: Some(512) }))),
        ("monotone-tail", angular(AngularOverflow::MonotoneTail)),
        ("easy", angular(AngularOverflow::Easy)),
        ("plain", angular(AngularOverflow::Plain)),
        ("plateau", angular(AngularOverflow::Plateau)),
        ("annealed", margin(Margin::Multiplicative(annealed))),
        ("combined-monotone", combined(Extension::Monotone)),
        ("combined-plain", combined(Extension::Plain)),
        ("magface-cosine", margin(Margin::MagFace(magface))),
        ("elastic", margin(Margin::Elastic(elastic))),
        ("quadratic", margin(Margin::Quadratic(quadratic))),
        ("ranked-angular", ranked(MarginForm::Angular)),
        ("ranked-cosine", ranked(MarginForm::Cosine)),
        ("per-class-angular", per_class(MarginForm::Angular)),
        ("per-class-cosine", per_class(MarginForm::Cosine)),
        ("detached", contracted().with_margin_gradient(MarginGradient::Detached)),
        ("outside", contracted().with_margin_place(MarginPlace::Outside { scale: 20.0 })),
        ("warm-up", contracted().with_margin_warm_up(300)),
        ("detached-norm", contracted().with_norm_gradient(NormGradient::Detached)),
        ("compensated", contracted().with_temperature_compensation(20.0)),
        ("learned-scale", contracted().with_learned_scale()),
        ("filtered", contracted().with_filter_above(0.4)),
        ("squared-norm", regularizer(Regularizer::SquaredNorm(SquaredNorm { weight: 0.2 }))),
        (
            "ring-from",
            regularizer(Regularizer::Ring(Ring { weight: 0.2, radius: 8.0 })).with_regularizer_from(77),
        ),
        (
            "pooled",
            contracted().with_sub_centers(3).with_sub_center_pooling(SubCenterPooling::Soft { gamma: 0.2 }),
        ),
        ("center-loss", contracted().with_center_loss(CenterLoss { weight: 0.2, rate: 0.4 })),
        ("center-spread", contracted().with_center_spread(CenterSpread { weight: 0.2, sharpness: 3.0 })),
        ("sampled", contracted().with_sampling(ClassSampling { fraction: 0.2, seed: 8 })),
        ("options", contracted().with_options(options)),
        ("plain-path", contracted().with_path(LossPath::Plain)),
        (
            "custom",
            MarginHeadConfig::new(
                NormMap::Custom(Custom(Arc::new(Own(2.5)))),
                Margin::Custom(Custom(Arc::new(Own(0.75)))),
            ),
        ),
        ("fused-path", contracted().with_path(LossPath::Fused { budget: 1 << 20 })),
    ];
    parts.into_iter().map(|(name, config)| (name, config.into())).collect()
}

/// A part of somebody's own, as it is written.
#[derive(Debug)]
struct Own(f64);

impl Own {
    const NAME: &str = "own-of-formats";

    fn numbers(&self) -> Parameters {
        [("factor".to_owned(), self.0)].into()
    }

    fn read(numbers: &Parameters) -> Result<Arc<Self>, String> {
        numbers
            .get("factor")
            .map(|&factor| Arc::new(Self(factor)))
            .ok_or_else(|| "it has a factor".to_owned())
    }
}

impl CustomNormMap for Own {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn parameters(&self) -> Parameters {
        self.numbers()
    }

    fn forward(&self, norms: Tensor<2>) -> Tensor<2> {
        norms.mul_scalar(self.0)
    }
}

impl CustomMargin for Own {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn parameters(&self) -> Parameters {
        self.numbers()
    }

    fn forward(&self, cosines: Tensor<2>, _norms: Tensor<2>) -> Tensor<2> {
        cosines.mul_scalar(self.0)
    }
}

/// Compares each value with the line of its name, which is read and never changed.
fn check_lines<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(
    lines: &str,
    values: &[(&str, T)],
) {
    let line = |name: &str| lines.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let of = |(name, value): &(&str, T)| format!("{name} {}\n", serde_json::to_string(value).unwrap());
    let missing: String = values.iter().filter(|(name, _)| line(name).is_none()).map(of).collect();
    assert!(missing.is_empty(), "what is new has no line yet; add:\n{missing}");
    for (name, value) in values {
        let json = line(name).unwrap();
        let read: T = serde_json::from_str(json).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read, *value, "{name}");
    }
    assert_eq!(lines.lines().count(), values.len(), "a line of what is no longer there");
}

#[test]
fn parts_written_by_version_1_are_read_for_ever() {
    register_norm_map(Own::NAME, |numbers| Ok(Own::read(numbers)?));
    register_margin(Own::NAME, |numbers| Ok(Own::read(numbers)?));
    let parts = parts();
    parts
        .iter()
        .for_each(|(name, config)| config.validate().unwrap_or_else(|error| panic!("{name}: {error}")));
    check_lines(include_str!("golden/parts-1.jsonl"), &parts);
}

#[test]
fn states_and_optimizers_written_by_version_1_are_read_for_ever() {
    let moments = |mean, std| NormMoments { mean, std, batches_of_mean: 12, batches_of_std: 11 };
    let mut all = HeadState::default();
    all.norm_map = Some(moments(9.5, 2.25));
    all.margin = Some(moments(18.5, 64.0));
    all.certainty = Some(moments(1.5, 0.5));
    all.curriculum = Some(0.375);
    all.steps = Some(1 << 40);
    let states = [("nothing", HeadState::default()), ("everything", all)];
    check_lines(include_str!("golden/states-1.jsonl"), &states);
    let optimizers =
        [("plain", RowSgd::default()), ("momentum", RowSgd { momentum: 0.9, weight_decay: 5e-4 })];
    check_lines(include_str!("golden/row-sgd-1.jsonl"), &optimizers);
}
