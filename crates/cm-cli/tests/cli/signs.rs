//! `cm reproduce signs`.

use std::{fmt::Write, fs, path::Path};

use crate::shared::{refused, run, write_image};

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

/// A folder like that of GTSRB: a list, and the images zipped or in folders.
fn gtsrb(folder: &Path, images: impl Fn(&Path)) {
    let mut list = "path,label,track,width,height,split\n".to_owned();
    let gtsrb = folder.join("gtsrb");
    for (split, count) in [("train", 24), ("test", 16)] {
        for class in ["00000", "00001"] {
            for i in 0..count {
                let file = format!("{split}/{class}/{i:03}.ppm");
                write_image(&gtsrb.join(&file), 32, |x, y| {
                    let along = if class == "00000" { x } else { y };
                    (if along % 8 < 4 { 60 } else { 160 + i as u8 }) + ((x * 7 + y * 13 + i * 5) % 40) as u8
                });
                let track = format!("{split}-{class}-{}", i / 4);
                writeln!(list, "{file},{class},{track},{},{},{split}", 25 + i, 30 + i).unwrap();
            }
        }
    }
    fs::write(gtsrb.join("images.csv"), list).unwrap();
    images(&gtsrb);
}

#[test]
fn signs_with_a_list_are_read_from_folders_and_their_strata_are_what_the_camera_saw() {
    let folder = tempfile::tempdir().unwrap();
    gtsrb(folder.path(), |_| ());
    let [out, data] = ["out", "."].map(|name| folder.path().join(name).display().to_string());
    let options = "reproduce signs --losses Softmax --feature-dim 2 --width 2 --epochs 1 --data-dir";
    let arguments: Vec<&str> = options.split_whitespace().chain([data.as_str(), "--out", &out]).collect();
    let (success, stdout, stderr) = run(&arguments);
    assert!(success && stderr.contains("GTSRB: "), "{stdout}{stderr}");
    let csv = fs::read_to_string(format!("{out}/results.csv")).unwrap();
    // 32 test images with 25 to 40 pixels, in quarters.
    for stratum in ["resolution=25–28", "resolution=37–40"] {
        let row = csv.lines().find(|line| line.contains("accuracy") && line.contains(stratum));
        assert!(row.is_some_and(|row| row.ends_with(",8")), "{stratum}: {csv}");
    }
    let results = fs::read_to_string(format!("{out}/results.json")).unwrap();
    assert!(results.contains("train names, classes and pixels"), "{results}");

    // The hint of a study that cannot go on offers nothing that is refused.
    fs::remove_dir_all(folder.path().join("gtsrb")).unwrap();
    let message = refused(&["reproduce", "signs", "--resume", &out, "--data-dir", &data]);
    assert!(
        message.contains("there is nothing of GTSRB in") && !message.contains("--data synthetic"),
        "{message}"
    );
}

#[test]
fn a_set_of_signs_that_is_not_whole_is_named_and_never_replaced_by_synthetic_ones() {
    let folder = tempfile::tempdir().unwrap();
    gtsrb(folder.path(), |gtsrb| {
        fs::write(gtsrb.join("gtsrb32.zip"), "").unwrap();
        fs::remove_file(gtsrb.join("images.csv")).unwrap();
    });
    let data = folder.path().display().to_string();
    let out = folder.path().join("out");
    let text = out.display().to_string();
    let message = refused(&["reproduce", "signs", "--out", &text, "--data-dir", &data]);
    assert!(message.contains("gtsrb32.zip and not images.csv"), "{message}");
    gtsrb(folder.path(), |gtsrb| fs::remove_file(gtsrb.join("test/00001/003.ppm")).unwrap());
    fs::remove_file(folder.path().join("gtsrb/gtsrb32.zip")).unwrap();
    let message = refused(&["reproduce", "signs", "--out", &text, "--data-dir", &data]);
    assert!(message.contains("1 of its 80 files") && message.contains("test/00001/003.ppm"), "{message}");
    assert!(!out.exists());
}
