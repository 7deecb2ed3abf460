//! `cm reproduce signs`.

use std::fs;

use crate::shared::run;

#[test]
fn without_data_the_study_is_done_on_signs_that_nothing_calls_gtsrb() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let text = out.display().to_string();
    let options = "reproduce signs --data synthetic --synthetic-tracks 40 --losses Softmax,CM-CosFace --feature-dim 2 \
                   --width 2 --epochs 2 --seeds 0,1 --out";
    let arguments: Vec<&str> = options.split_whitespace().chain([text.as_str()]).collect();
    let (success, stdout, stderr) = run(&arguments);
    assert!(success, "{stderr}");
    for word in ["by resolution of the sign", "by contrast", "CM-CosFace − Softmax"] {
        assert!(stdout.contains(word), "{word} is not in\n{stdout}");
    }
    assert!(!stdout.contains("GTSRB") && !stderr.contains("GTSRB"), "{stdout}");
    for name in ["results.json", "results.csv", "report.html"] {
        let content = fs::read_to_string(out.join(name)).unwrap();
        assert!(content.contains("synthetic signs") && !content.contains("GTSRB"), "{name}");
    }
    let pictures =
        ["accuracy-by-resolution-2d", "norm-by-contrast-2d", "shortest-and-longest-2d", "features"];
    for picture in pictures {
        assert!(out.join(format!("{picture}.png")).is_file(), "{picture}");
        assert!(fs::read_to_string(out.join("report.html")).unwrap().contains(picture), "{picture}");
    }
    let csv = fs::read_to_string(out.join("results.csv")).unwrap();
    assert!(csv.contains("spearman_norm_resolution_within") && csv.contains("contrast="), "{csv}");
}
