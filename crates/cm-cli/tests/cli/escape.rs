//! Names of classes and files are text on every page, whatever they look like, and a page asks nobody for anything.

use std::{fs, path::Path};

use crate::shared::{run, striped, write_image};

/// A class, and with it a folder, that a careless page would run.
const CLASS: &str = "<img src=x onerror=alert(1)>&\"'";

/// A file that one would, too.
const FILE: &str = "<script>alert(2)<script>\"'&.pgm";

/// Asserts that a page shows a name as text, and has nothing that makes a browser fetch anything.
fn harmless(page: &Path, shows: &[&str]) {
    let text = fs::read_to_string(page).unwrap();
    let page = page.display();
    for tag in ["<img src=x", "<script>alert", "onerror=alert(1)>&\"'"] {
        assert!(!text.contains(tag), "{page} has {tag}");
    }
    for name in shows {
        assert!(text.contains(name), "{page} does not show {name}");
    }
    for (attribute, allowed) in [
        ("src=\"", ["data:"].as_slice()),
        // Links within the page and to files beside it.
        ("href=\"", &["#", "data:", "results.csv", "results.json"]),
        ("url(", &["#", "data:", "\"data:", "'data:"]),
    ] {
        for (at, _) in text.match_indices(attribute) {
            let value = &text[at + attribute.len()..];
            let value: String = value.chars().take(60).collect();
            assert!(allowed.iter().any(|start| value.starts_with(start)), "{page}: {attribute}{value}");
        }
    }
    for word in ["@import", "<link", "<iframe", "<object", "<embed", "fetch(", "XMLHttpRequest", "srcset"] {
        assert!(!text.contains(word), "{page} has {word}");
    }
}

#[test]
fn what_a_folder_or_a_file_is_called_is_shown_and_never_run() {
    let folder = tempfile::tempdir().unwrap();
    let data = striped(folder.path(), &["train", "test"], 9);
    for split in ["train", "test"] {
        fs::rename(data.join(split).join("down"), data.join(split).join(CLASS)).unwrap();
        write_image(&data.join(split).join("across").join(FILE), 16, |x, y| (x * 9 + y * 5) as u8);
    }
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (data, out) = (data.display().to_string(), at("out"));
    let done = |arguments: &[&str]| {
        let (success, stdout, stderr) = run(arguments);
        // What `data check` finds is no failure.
        assert!(success || arguments[0] == "data", "{arguments:?}: {stdout}{stderr}");
    };
    let options = "--width 2 --feature-dim 8 --epochs 2 --batch-size 8 --no-augmentation";
    let train: Vec<&str> =
        ["train", &data, "--out", &out].into_iter().chain(options.split_whitespace()).collect();
    done(&train);
    let model = format!("{out}/model.safetensors");
    done(&["eval", &model, &data, "--out", &at("tested")]);
    // What cannot be read is listed by name.
    let photos = folder.path().join("photos");
    fs::create_dir(&photos).unwrap();
    fs::write(photos.join(FILE), "no image").unwrap();
    done(&["score", &model, &data, &photos.display().to_string(), "--page", &at("quality.html")]);
    done(&["data", "check", &data, "--page", &at("check.html")]);
    done(&["diagnose", &model, &data, "--degraded", "--page", &at("diagnosis.html")]);

    let (class, file) = ("&lt;img src=x onerror=alert(1)&gt;&amp;", "&lt;script&gt;alert(2)&lt;script&gt;");
    harmless(Path::new(&out).join("report.html").as_path(), &[]);
    harmless(Path::new(&at("quality.html")), &[file]);
    harmless(Path::new(&at("check.html")), &[class]);
    harmless(Path::new(&at("diagnosis.html")), &[]);
    // Pictures are pages as well, where a browser opens them.
    for folder in [out, at("tested")] {
        let pictures = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
        for picture in pictures.filter(|path| path.extension().is_some_and(|ending| ending == "svg")) {
            harmless(&picture, &[]);
        }
    }
}
