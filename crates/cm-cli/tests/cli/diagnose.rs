//! `cm diagnose`.

use std::fs;

use serde_json::Value;

use crate::{
    look::{Trained, rows, trained},
    shared::{refused, run},
};

/// The signal of this name.
fn signal<'a>(found: &'a Value, name: &str) -> &'a Value {
    let signals = found["signals"].as_array().unwrap();
    signals.iter().find(|signal| signal["signal"].as_str().unwrap().starts_with(name)).unwrap()
}

#[test]
fn norm_and_what_is_had_without_it_are_compared_where_quality_is_known() {
    let Trained { folder, model, images } = trained();
    let text = images.display().to_string();
    let scored = rows(&run(&["score", &model, &text]).1);
    let rated = |name: &str, sign: f64| {
        let lines: String = scored[1..]
            .iter()
            .map(|row| {
                let class = row[0].split('/').rev().nth(1).unwrap();
                format!("{},{class},{}\n", row[0], sign * row[1].parse::<f64>().unwrap())
            })
            .collect();
        let path = folder.path().join(name);
        fs::write(&path, format!("path,label,rating\n{lines}")).unwrap();
        path.display().to_string()
    };
    let diagnose = |list: &str| -> Value {
        let (success, stdout, stderr) = run(&["diagnose", &model, list, "--column", "rating", "--json"]);
        assert!(success, "{stderr}");
        serde_json::from_str(&stdout).unwrap()
    };
    // A quality that is the norm itself.
    let found = diagnose(&rated("with.csv", 1.0));
    assert!(signal(&found, "norm")["correlation"]["value"].as_f64().unwrap() > 0.9999);
    assert!(signal(&found, "norm")["correlation_within_classes"]["value"].as_f64().unwrap() > 0.9999);
    let verdict = found["verdict"].to_string();
    assert!(
        verdict.contains("The norm follows the quality")
            && verdict.contains("Nothing that is had without it")
    );
    // And one that is its opposite.
    let found = diagnose(&rated("against.csv", -1.0));
    assert_eq!(signal(&found, "norm")["correlation"]["reversed"], true);
    assert!(found["verdict"].to_string().contains("The norm goes the other way"), "{found}");
    for name in ["norm", "confidence", "sharpness", "contrast"] {
        assert!(signal(&found, name)["error_discard_area"].is_number(), "{name}: {found}");
    }
    // Images without contrast differences have none to correlate with; it is said, not invented.
    assert!(found["expected_calibration_error"].is_number());

    let page = folder.path().join("page.html").display().to_string();
    let (success, stdout, stderr) = run(&["diagnose", &model, &text, "--degraded", "--page", &page]);
    assert!(success, "{stderr}");
    for told in ["240 images of", "norm of the feature", "an order that knows every error", "no order"] {
        assert!(stdout.contains(told), "{told} is not in\n{stdout}");
    }
    let html = fs::read_to_string(&page).unwrap();
    assert!(html.contains("Norm and quality") && html.contains("Errors, when images are left out"));
}

#[test]
fn without_classes_and_quality_there_is_nothing_to_compare_with() {
    let Trained { folder, model, images } = trained();
    let flat = folder.path().join("flat");
    fs::create_dir(&flat).unwrap();
    for i in 0..4 {
        fs::copy(images.join(format!("down/0_{}.pgm", i % 3)), flat.join(format!("{i}.pgm"))).unwrap();
    }
    let flat = flat.display().to_string();
    let nothing = refused(&["diagnose", &model, &flat]);
    assert!(nothing.contains("--column") && nothing.contains("--degraded"), "{nothing}");
    assert!(run(&["diagnose", &model, &flat, "--degraded"]).0);
    let both = refused(&["diagnose", &model, &flat, "--degraded", "--column", "a"]);
    assert!(both.contains("--degraded"), "{both}");
    let (success, stdout, _) = run(&["diagnose", &model, &images.display().to_string()]);
    assert!(
        success && stdout.contains("risk-coverage area") && !stdout.contains("correlation with"),
        "{stdout}"
    );
}
