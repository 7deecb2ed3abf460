//! `cm rehearse`.

use serde_json::Value;

use crate::shared::{refused, run};

const SMALL: &str =
    "rehearse --classes 500 --steps 3 --size 16 --batch-size 4 --backbone lenet++ --width 2 --feature-dim 8";

fn with(more: &str) -> Vec<&str> {
    SMALL.split_whitespace().chain(more.split_whitespace()).collect()
}

#[test]
fn a_training_is_rehearsed_with_all_classes_and_with_a_share_of_them() {
    for more in ["--json", "--json --sampled 0.1", "--json --loss CM-ArcFace"] {
        let (success, stdout, stderr) = run(&with(more));
        assert!(success, "{stderr}");
        let found: Value = serde_json::from_str(&stdout).unwrap();
        assert!(found["images_per_second"].as_f64().unwrap() > 0.0, "{found}");
        let share = found["share_of_the_head"].as_f64().unwrap();
        assert!(share > 0.0 && share < 1.0, "{found}");
        // A step of four images takes as long as its parts.
        let parts =
            ["seconds_images", "seconds_network", "seconds_head"].map(|part| found[part].as_f64().unwrap());
        let whole = parts.iter().sum::<f64>();
        let rate = found["images_per_second"].as_f64().unwrap();
        assert!((rate * whole / 4.0 - 1.0).abs() < 1e-6 && found["counted_steps"] == 3, "{found}");
        assert!((share * whole - parts[2]).abs() < 1e-9, "{found}");
        let more = &found["with_more_classes"][1];
        assert_eq!(more["classes"], 5000.0);
        assert!((more["seconds_head"].as_f64().unwrap() - 10.0 * parts[2]).abs() < 1e-9, "{found}");
    }
    let (success, stdout, stderr) = run(&with("--sampled 0.2"));
    assert!(success, "{stderr}");
    for part in ["500 classes, 20 % of them in a step", "images/s", "head", "5000 classes", "50000 classes"] {
        assert!(stdout.contains(part), "{stdout}");
    }
}

#[test]
fn what_cannot_be_rehearsed_is_said() {
    assert!(refused(&with("--loss Softmax")).contains("Softmax has no class centers"));
    assert!(refused(&["rehearse", "--classes", "0"]).contains("--classes must be at least 1"));
    assert!(refused(&with("--sampled 2")).contains("fraction"));
}
