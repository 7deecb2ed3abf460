//! Presets are data with the names of the literature.

use cm_loss_core::{
    ClassSampling, Error, HeadConfig, Margin, NormMap, Preset, ProxyLoss, Regularizer,
    margin::{CombinedMargin, MagFaceMargin},
};

#[test]
fn names_are_read_without_regard_to_capitals_and_printed_as_in_the_literature() {
    for &preset in Preset::ALL {
        assert_eq!(preset.to_string().to_lowercase().parse(), Ok(preset));
    }
    let error = "CM-ArcFacee".parse::<Preset>().unwrap_err().to_string();
    assert!(error.contains("\"CM-ArcFacee\"") && error.contains("CM-Softmax, SphereFace"), "{error}");
}

/// Scale of the norm map and the numbers of margin and regularizer, as the literature or its code has them.
#[test]
fn presets_have_the_parameters_of_their_papers() {
    let expected = [
        (Preset::NormFace, "Constant { scale: 20.0 }", "None"),
        (Preset::L2Softmax, "Constant { scale: 30.0 }", "None"),
        (Preset::Ring, "Identity", "None"),
        (Preset::CmSoftmax, "SigmoidContraction { scale: 30.0 }", "None"),
        (Preset::SphereFace, "Constant { scale: 30.0 }", "margin: 1.7, annealing: None"),
        (Preset::CosFace, "Constant { scale: 30.0 }", "CosineMargin { margin: 0.4 }"),
        (Preset::CmCosFace, "SigmoidContraction { scale: 30.0 }", "CosineMargin { margin: 0.4 }"),
        (Preset::ArcFace, "Constant { scale: 64.0 }", "margin: 0.5, overflow: MonotoneTail"),
        (Preset::CmArcFace, "SigmoidContraction { scale: 30.0 }", "margin: 0.5, overflow: MonotoneTail"),
        (Preset::Combined, "Constant { scale: 64.0 }", "multiplicative: 1.0, angular: 0.3, cosine: 0.2"),
        (Preset::SubCenterArcFace, "Constant { scale: 64.0 }", "margin: 0.5, overflow: MonotoneTail"),
        (
            Preset::MagFace,
            "Constant { scale: 64.0 }",
            "lower_norm: 10.0, upper_norm: 110.0, lower_margin: 0.45, upper_margin: 0.8, form: Angular, overflow: Easy",
        ),
        (Preset::AdaFace, "Constant { scale: 64.0 }", "margin: 0.4, concentration: 0.333, momentum: 0.01"),
        (Preset::CmAdaFace, "SigmoidContraction { scale: 30.0 }", "margin: 0.4, concentration: 0.333"),
        (Preset::CurricularFace, "Constant { scale: 64.0 }", "margin: 0.5, momentum: 0.01"),
        (Preset::ElasticFaceArc, "scale: 64.0", "mean: 0.5, deviation: 0.05, form: Angular, sorted: false"),
        (
            Preset::ElasticFaceArcPlus,
            "scale: 64.0",
            "mean: 0.5, deviation: 0.0175, form: Angular, sorted: true",
        ),
        (Preset::ElasticFaceCos, "scale: 64.0", "mean: 0.35, deviation: 0.05, form: Cosine, sorted: false"),
        (
            Preset::ElasticFaceCosPlus,
            "scale: 64.0",
            "mean: 0.35, deviation: 0.02, form: Cosine, sorted: true",
        ),
        (Preset::CalibratedCmSoftmax, "CalibratedSigmoid { scale: 30.0, floor: 0.5", "None"),
        (
            Preset::CalibratedCmCosFace,
            "CalibratedSigmoid { scale: 30.0, floor: 0.5",
            "CosineMargin { margin: 0.4 }",
        ),
        (
            Preset::CalibratedCmArcFace,
            "CalibratedSigmoid { scale: 30.0, floor: 0.5",
            "margin: 0.5, overflow: MonotoneTail",
        ),
        (Preset::CalibratedCmAdaFace, "CalibratedSigmoid { scale: 30.0, floor: 0.5", "concentration: 0.333"),
        (Preset::QcFace, "Constant { scale: 64.0 }", "margin: 0.5, overflow: Easy"),
        (
            Preset::FunFace,
            "Constant { scale: 64.0 }",
            "margin: 0.4, concentration: 0.333, mixing: 0.1, momentum: 0.01",
        ),
        (Preset::X2Softmax, "Constant { scale: 64.0 }", "curvature: -0.9, center: 0.0, peak: 0.65"),
        (Preset::CircleLoss, "Constant { scale: 256.0 }", "margin: 0.25"),
        (Preset::SoftTriple, "Constant { scale: 20.0 }", "CosineMargin { margin: 0.01 }"),
    ];
    // Softmax has no parameters; the others have heads of their own.
    let apart =
        [Preset::Softmax, Preset::SphereFace2, Preset::UniTsFace, Preset::ProxyAnchor, Preset::P2SGrad];
    assert_eq!(expected.len() + apart.len(), Preset::ALL.len(), "every preset is here");
    let HeadConfig::SphereFace2(config) = Preset::UniTsFace.config() else { panic!("it is one-vs-all") };
    assert_eq!((config.margin, config.margin_of_others), (0.4, Some(0.0)));
    let HeadConfig::Proxy(config) = Preset::ProxyAnchor.config() else { panic!("it has proxies") };
    assert_eq!(config.loss, ProxyLoss::ProxyAnchor { margin: 0.1, scale: 32.0 });
    let HeadConfig::SphereFace2(config) = Preset::SphereFace2.config() else {
        panic!("it is a head of its own")
    };
    assert_eq!(config.norm_map.largest_radius(), Some(40.0));
    assert_eq!((config.margin, config.exponent, config.balance, config.weight), (0.4, 3.0, 0.7, 1.25));
    assert_eq!(Preset::Softmax.config(), HeadConfig::Linear(Default::default()));
    for (preset, norm_map, margin) in expected {
        let HeadConfig::Margin(config) = preset.config() else { panic!("{preset} has class centers") };
        config.validate().unwrap();
        let found = (format!("{:?}", config.norm_map), format!("{:?}", config.margin));
        assert!(found.0.contains(norm_map) && found.1.contains(margin), "{preset}: {found:?}");
        let centers = match preset {
            Preset::SubCenterArcFace => 3,
            Preset::SoftTriple => 10,
            _ => 1,
        };
        assert_eq!(config.sub_centers, centers, "{preset}");
        match (preset, &config.regularizer) {
            (Preset::Ring, Regularizer::Ring(ring)) => assert_eq!((ring.weight, ring.radius), (0.01, 20.0)),
            (Preset::MagFace, Regularizer::MagFace(g)) => {
                assert_eq!((g.weight, g.lower_norm, g.upper_norm), (35.0, 10.0, 110.0));
            }
            (Preset::QcFace, Regularizer::QcFace(g)) => {
                assert_eq!((g.weight, g.lower_norm, g.upper_norm), (20.0, 1.0, 100.0));
                // As the authors' solver finds it.
                assert!((g.balance() - 3421.927).abs() < 1e-2, "{}", g.balance());
            }
            (_, regularizer) => assert_eq!(*regularizer, Regularizer::None, "{preset}"),
        }
    }
}

#[test]
fn presets_and_their_heads_go_through_json_unchanged() {
    for &preset in Preset::ALL {
        let name = serde_json::to_string(&preset).unwrap();
        assert_eq!(name, format!("\"{preset}\""));
        assert_eq!(serde_json::from_str::<Preset>(&name).unwrap(), preset);
        let config = serde_json::to_string(&preset.config()).unwrap();
        assert_eq!(serde_json::from_str::<HeadConfig>(&config).unwrap(), preset.config(), "{config}");
    }
    assert!(serde_json::from_str::<Preset>("\"ArkFace\"").unwrap_err().to_string().contains("ArcFace"));
}

#[test]
fn a_regularizer_too_weak_for_its_magface_margin_is_warned_of_with_the_bound_of_the_paper() {
    let HeadConfig::Margin(mut config) = Preset::MagFace.config() else { panic!("it has class centers") };
    let (Margin::MagFace(margin), NormMap::Constant(map)) = (&config.margin, &config.norm_map) else {
        panic!("MagFace has its margin and a constant scale")
    };
    // What the authors' trainer prints for these values.
    assert!((MagFaceMargin::least_regularizer_weight(margin, map.scale) - 22.59).abs() < 0.005);
    let Regularizer::MagFace(regularizer) = &mut config.regularizer else {
        panic!("MagFace has its regularizer")
    };
    regularizer.weight = 22.5;
    config.validate().unwrap();
    let warnings = HeadConfig::from(config.clone()).warnings();
    let message = warnings[0].to_string();
    assert_eq!(warnings.len(), 1);
    assert!(Preset::ALL.iter().all(|preset| preset.config().warnings().is_empty()));
    assert!(message.contains("at least 22.59") && message.contains("is 22.5"), "{message}");
    let Regularizer::MagFace(regularizer) = &mut config.regularizer else { unreachable!() };
    (regularizer.weight, regularizer.upper_norm) = (35.0, 300.0);
    assert!(config.validate().unwrap_err().to_string().contains("other norms"));
}

#[test]
fn terms_that_insightface_ignores_are_errors_that_name_them() {
    let ignored = |m1, m2, m3| match CombinedMargin::as_in_insightface(m1, m2, m3) {
        Err(Error::MarginIgnored { term, value }) => Some((term, value)),
        other => other.map(|_| None).unwrap(),
    };
    assert_eq!(ignored(1.0, 0.5, 0.0), None);
    assert_eq!(ignored(1.0, 0.0, 0.4), None);
    assert_eq!(ignored(1.0, 0.3, 0.2), Some(("m2", 0.3)));
    assert_eq!(ignored(0.9, 0.0, 0.2), Some(("m1", 0.9)));
    assert_eq!(ignored(1.35, 0.0, 0.0), Some(("m1", 1.35)));
}

#[test]
fn scale_and_margin_of_a_preset_are_changed_by_a_word() {
    let changed = Preset::ArcFace.config().with_scale(30.0).unwrap().with_margin(0.3).unwrap();
    let HeadConfig::Margin(config) = &changed else { panic!("it has class centers") };
    assert_eq!(config.norm_map.largest_radius(), Some(30.0));
    assert!(format!("{:?}", config.margin).contains("margin: 0.3"));
    let wrong = |result: Result<HeadConfig, Error>| result.unwrap_err().to_string();
    assert!(wrong(Preset::ArcFace.config().with_margin(28.6)).contains("radians"));
    assert!(wrong(Preset::CosFace.config().with_scale(-1.0)).contains("is -1"));
    assert!(wrong(Preset::Softmax.config().with_scale(2.0)).contains("a scale"));
    assert!(wrong(Preset::NormFace.config().with_margin(0.2)).contains("a margin"));
    let sphereface2 = Preset::SphereFace2.config().with_margin(0.2).unwrap();
    assert!(format!("{sphereface2:?}").contains("margin: 0.2"));
}

#[test]
fn a_field_that_no_part_has_is_an_error_and_not_forgotten() {
    let mut config = serde_json::to_value(Preset::CosFace.config()).unwrap();
    config["sub_centres"] = 3.into();
    let error = serde_json::from_value::<HeadConfig>(config).unwrap_err().to_string();
    assert!(error.contains("unknown field `sub_centres`"), "{error}");
    let mut config = serde_json::to_value(Preset::CosFace.config()).unwrap();
    config["options"] = serde_json::json!({ "smoothing": 0.1 });
    assert!(serde_json::from_value::<HeadConfig>(config).unwrap_err().to_string().contains("smoothing"));
}

#[test]
fn a_seed_reaches_what_is_random_in_a_loss_and_nothing_else() {
    for &preset in Preset::ALL {
        let config = preset.config();
        let seeded = config.clone().with_seed(7).unwrap();
        let random =
            matches!(&config, HeadConfig::Margin(parts) if matches!(parts.margin, Margin::Elastic(_)));
        assert_eq!(seeded != config, random, "{preset}");
        assert_eq!(seeded.with_seed(0).unwrap(), config, "{preset}");
    }
    let HeadConfig::Margin(parts) = Preset::ArcFace.config() else { panic!("ArcFace has class centers") };
    let sampled = HeadConfig::Margin(parts.with_sampling(ClassSampling { fraction: 0.1, seed: 0 }));
    let HeadConfig::Margin(parts) = sampled.with_seed(7).unwrap() else {
        panic!("still a head with centers")
    };
    assert_eq!(parts.sampling, Some(ClassSampling { fraction: 0.1, seed: 7 }));
}
