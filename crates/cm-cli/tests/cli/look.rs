//! `cm predict`, `score`, `embed` and `calibrate`: a trained model in use.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::Value;

use crate::shared::{cm, refused, run, striped, write_image};

/// A model of stripes, down and across, and a folder of images that it was not trained on.
pub struct Trained {
    pub folder: tempfile::TempDir,
    pub model: String,
    pub images: PathBuf,
}

pub fn trained() -> Trained {
    let folder = tempfile::tempdir().unwrap();
    let data = striped(folder.path(), &["train", "test"], 24);
    let out = folder.path().join("out").display().to_string();
    let settings = "--width 2 --feature-dim 8 --epochs 6 --batch-size 8 --no-augmentation";
    let data_text = data.display().to_string();
    let arguments: Vec<&str> =
        ["train", &data_text, "--out", &out].into_iter().chain(settings.split_whitespace()).collect();
    let (success, _, stderr) = run(&arguments);
    assert!(success, "{stderr}");
    Trained { model: format!("{out}/model.safetensors"), images: data.join("test"), folder }
}

pub fn rows(csv: &str) -> Vec<Vec<String>> {
    csv.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

fn card(model: &Path) -> Value {
    let bytes = fs::read(model).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    serde_json::from_str(header["__metadata__"]["cm_loss_card"].as_str().unwrap()).unwrap()
}

#[test]
fn images_are_predicted_embedded_and_scored_with_a_row_for_each_whatever_it_is() {
    let Trained { folder, model, images } = trained();
    fs::write(images.join("down/broken.png"), "no image").unwrap();
    let text = images.display().to_string();
    let (success, stdout, stderr) = run(&["predict", &model, &text, "--top", "2"]);
    assert!(success, "{stderr}");
    let found = rows(&stdout);
    assert_eq!(found[0], ["file", "class", "probability", "class_2", "probability_2", "norm", "quality"]);
    assert_eq!(found.len(), 1 + 49);
    let broken = found.iter().find(|row| row[0].ends_with("down/broken.png")).unwrap();
    assert_eq!(broken[1..], ["", "", "", "", "", "-1"]);
    assert!(stderr.contains("1 of 49 images cannot be read") && stderr.contains("broken.png"), "{stderr}");
    let read: Vec<&Vec<String>> = found[1..].iter().filter(|row| !row[1].is_empty()).collect();
    let right = read.iter().filter(|row| row[0].contains(&format!("/{}/", row[1]))).count();
    assert!(right > 40, "{right} of {}", read.len());
    for row in &read {
        let number = |at: usize| row[at].parse::<f64>().unwrap();
        assert!((number(2) + number(4) - 1.0).abs() < 1e-5 && number(2) >= number(4));
        assert!((0.0..=100.0).contains(&number(6)) && number(5) > 0.0);
    }

    // The same norms and qualities from the other two commands, on standard output and in a file.
    let scores = folder.path().join("scores.csv").display().to_string();
    let (success, stdout, stderr) = run(&["score", &model, &text, "--out", &scores]);
    assert!(success && stdout.is_empty(), "{stdout}{stderr}");
    assert!(stderr.contains("not calibrated"), "{stderr}");
    let of = |row: &Vec<String>| [row[0].clone(), row[5].clone(), row[6].clone()];
    let expected: Vec<[String; 3]> = found[1..].iter().map(of).collect();
    let scored = rows(&fs::read_to_string(&scores).unwrap());
    assert_eq!(scored[0], ["file", "norm", "quality"]);
    assert_eq!(scored[1..], expected[..]);

    let npy = folder.path().join("features.npy");
    let arguments = ["embed", &model, &text, "--npy", &npy.display().to_string(), "--unit"];
    let (success, stdout, stderr) = run(&arguments);
    assert!(success, "{stderr}");
    let listed = rows(&stdout);
    assert_eq!(listed.iter().filter(|row| row[0].is_empty()).count(), 1);
    let bytes = fs::read(&npy).unwrap();
    let array = npyz::NpyFile::new(&bytes[..]).unwrap();
    assert_eq!(array.shape(), [48, 8]);
    for feature in array.into_vec::<f32>().unwrap().chunks(8) {
        let length = feature.iter().map(|value| value * value).sum::<f32>().sqrt();
        assert!((length - 1.0).abs() < 1e-5, "{length}");
    }
}

#[test]
fn files_come_from_lists_standard_input_and_zips_under_the_names_that_were_given() {
    let Trained { folder, model, images } = trained();
    let one = images.join("down/0_0.pgm");
    let list = folder.path().join("list.csv");
    fs::write(&list, "path\nstripes/test/across/0_1.pgm\nstripes/test/across/gone.pgm\n").unwrap();
    let (success, stdout, _) =
        run(&["score", &model, &one.display().to_string(), &list.display().to_string(), "--json"]);
    assert!(success);
    let found: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = found.iter().map(|row| row["file"].as_str().unwrap()).collect();
    let given = one.display().to_string();
    assert_eq!(names, [&given, "stripes/test/across/0_1.pgm", "stripes/test/across/gone.pgm"]);
    assert_eq!((&found[2]["norm"], &found[2]["quality"]), (&Value::Null, &Value::from(-1)));
    assert!(found[1]["norm"].is_number());

    let mut child = cm(&["score", &model, "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    write!(child.stdin.take().unwrap(), "{given}\r\n\n/no/such/file.png\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let found = rows(&String::from_utf8(output.stdout).unwrap());
    assert_eq!(found[1][..2], [given.clone(), found[1][1].clone()]);
    assert_eq!(found[2], ["/no/such/file.png", "", "-1"]);
    assert_eq!(found.len(), 3);
}

#[test]
fn a_page_and_two_lists_show_what_is_kept() {
    let Trained { folder, model, images } = trained();
    let hostile = images.join("<script>alert(1)");
    write_image(&hostile.join("a.pgm"), 16, |x, _| (x * 9) as u8);
    fs::write(hostile.join("b.pgm"), "P5 nothing").unwrap();
    let [out, page] = ["scores.csv", "page.html"].map(|name| folder.path().join(name).display().to_string());
    let text = images.display().to_string();
    let arguments = ["score", &model, &text, "--out", &out, "--page", &page, "--reject-below", "40"];
    let (success, _, stderr) = run(&arguments);
    assert!(success, "{stderr}");
    let scored = rows(&fs::read_to_string(&out).unwrap());
    let list = |name: &str| -> Vec<String> {
        let text = fs::read_to_string(folder.path().join(name)).unwrap();
        text.lines().map(str::to_owned).collect()
    };
    let part = |kept: bool| -> Vec<String> {
        let quality = |row: &&Vec<String>| (row[2].parse::<i32>().unwrap() >= 40) == kept;
        scored[1..].iter().filter(quality).map(|row| row[0].clone()).collect()
    };
    assert_eq!((list("scores.kept.txt"), list("scores.rejected.txt")), (part(true), part(false)));
    assert!(part(false).iter().any(|file| file.ends_with("b.pgm")));
    let html = fs::read_to_string(&page).unwrap();
    assert!(!html.contains("<script") && html.contains("&lt;script&gt;alert(1)/b.pgm"));
    assert!(html.contains("data:image/png") && !html.contains("src=\"http"));
}

#[test]
fn a_calibration_is_kept_in_the_model_and_is_what_quality_is_from_then_on() {
    let Trained { folder, model, images } = trained();
    let text = images.display().to_string();
    assert_eq!(card(Path::new(&model))["norms"].as_array().unwrap().len(), 101);
    let before = run(&["score", &model, &text]).1;
    // A column that is the norm itself, from 0 to its largest: the quality rises with it.
    let norms: Vec<(String, f64)> =
        rows(&before)[1..].iter().map(|row| (row[0].clone(), row[1].parse().unwrap())).collect();
    let list = folder.path().join("rated.csv");
    let lines: String = norms.iter().map(|(file, norm)| format!("{file},{norm}\n")).collect();
    fs::write(&list, format!("path,rating\n{lines}")).unwrap();
    let list = list.display().to_string();
    let calibrated = folder.path().join("calibrated.safetensors").display().to_string();
    for map in ["sigmoid", "isotonic"] {
        let arguments =
            ["calibrate", &model, &list, "--column", "rating", "--map", map, "--out", &calibrated, "--json"];
        let (success, stdout, stderr) = run(&arguments);
        assert!(success, "{stderr}");
        let scale: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!((&scale["map"]["kind"], &scale["fitted"]["images"]), (&map.into(), &48.into()));
        assert!(scale["fitted"]["correlation"].as_f64().unwrap() > 0.999);
        assert_eq!(card(Path::new(&calibrated))["quality"], scale);
        let (success, stdout, stderr) = run(&["score", &calibrated, &text]);
        assert!(success && !stderr.contains("not calibrated"), "{stderr}");
        let mut found: Vec<(f64, i32)> =
            rows(&stdout)[1..].iter().map(|row| (row[1].parse().unwrap(), row[2].parse().unwrap())).collect();
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert!(found.windows(2).all(|pair| pair[0].1 <= pair[1].1) && found[0].1 < found[47].1, "{found:?}");
    }
    assert!(card(Path::new(&model)).get("quality").is_none(), "the model itself was not changed");
    let (success, stdout, stderr) = run(&["calibrate", &model, &text, "--degraded", "--out", &calibrated]);
    // Whether the norm of this small network falls with the severity is not for this test to say.
    assert!(
        success == stderr.contains("kept in") && success != stderr.contains("cannot be calibrated so"),
        "{stdout}"
    );

    // What does not go together, the wrong way round, one quality alone, no quality at all.
    let with = |name: &str, quality: &dyn Fn(usize, f64) -> f64| {
        let path = folder.path().join(name);
        let line = |(i, (file, norm)): (usize, &(String, f64))| format!("{file},{}\n", quality(i, *norm));
        let lines: String = norms.iter().enumerate().map(line).collect();
        fs::write(&path, format!("path,rating\n{lines}")).unwrap();
        path.display().to_string()
    };
    let column =
        |list: &str| refused(&["calibrate", &model, list, "--column", "rating", "--out", &calibrated]);
    let written = fs::read(&calibrated).ok();
    assert!(column(&with("wrong.csv", &|_, norm| -norm)).contains("longer features belong to worse images"));
    assert!(column(&with("one.csv", &|_, _| 3.0)).contains("all 48 images have the same quality"));
    assert!(column(&with("noise.csv", &|i, _| (i % 2) as f64)).contains("the norm does not tell"));
    let unknown = refused(&["calibrate", &model, &list, "--column", "sharpness"]);
    assert!(
        unknown.contains("no column of numbers named sharpness") && unknown.contains("rating"),
        "{unknown}"
    );
    let range = refused(&["calibrate", &model, &list, "--column", "rating", "--range", "5,1"]);
    assert!(range.contains("5,1") && range.contains("larger one"), "{range}");
    let neither = refused(&["calibrate", &model, &list]);
    assert!(neither.contains("--degraded") && neither.contains("--correct"), "{neither}");
    assert_eq!(fs::read(&calibrated).ok(), written, "what was refused left a file");
}

#[test]
fn what_cannot_be_looked_at_is_named() {
    let Trained { folder, model, images } = trained();
    let text = images.display().to_string();
    let none = refused(&["score", &text, &text]);
    assert!(none.contains(&text), "{none}");
    let no_model = folder.path().join("no-model.safetensors");
    fs::write(&no_model, "nothing of the kind, for sure").unwrap();
    assert!(refused(&["predict", "no-such.safetensors", &text]).contains("there is no such file"));
    assert!(refused(&["predict", &text, &text]).contains("this is a folder; give the model in it"));
    assert!(refused(&["predict", &no_model.display().to_string(), &text]).contains("no safetensors file"));
    assert!(refused(&["predict", &model, "/no/such/folder"]).contains("/no/such/folder"));
    let broken = folder.path().join("broken.png");
    fs::write(&broken, "no image").unwrap();
    let unread = refused(&["score", &model, &broken.display().to_string()]);
    assert!(unread.contains("broken.png"), "{unread}");
    let out = format!("{model}/place.csv");
    let place = refused(&["score", &model, &text, "--out", &out]);
    assert!(place.contains("place.csv"), "{place}");
    let page = folder.path().join("mine.html");
    fs::write(&page, "<html>mine</html>").unwrap();
    let mine = refused(&["score", &model, &text, "--page", &page.display().to_string()]);
    assert!(mine.contains("mine.html"), "{mine}");
    assert_eq!(fs::read_to_string(&page).unwrap(), "<html>mine</html>");
}

#[test]
fn a_device_that_is_not_there_is_refused_with_those_that_are() {
    let Trained { model, images, folder: _folder } = trained();
    let images = images.display().to_string();
    let on = |device: &str| refused(&["score", &model, &images, "--device", device]);
    let number = on("flex:3");
    assert!(
        number.contains("there is no device flex:3") && number.contains("flex:0 and no other"),
        "{number}"
    );
    let several = on("flex:0,0");
    assert!(several.contains("--devices"), "{several}");
    assert!(on("gpu:0").contains("the backends are flex"));
    assert!(on("flex:first").contains("\"first\" is no number of a device"));
    let server = on("ws://127.0.0.1:1");
    assert!(server.contains("--features remote") || server.contains("cm serve must run there"), "{server}");
    let (success, chosen, stderr) = run(&["score", &model, &images, "--device", "flex:0"]);
    assert!(success && chosen == run(&["score", &model, &images]).1, "{stderr}");
    if cfg!(not(feature = "remote")) {
        let serve = refused(&["serve", "--address", "127.0.0.1:0"]);
        assert!(serve.contains("--features remote") && !serve.contains("serving"), "{serve}");
    }
}

#[test]
fn lists_of_choices_name_all_of_them() {
    let (_, losses, _) = run(&["list", "losses"]);
    assert_eq!(losses.lines().count(), cm_loss_core::Preset::ALL.len());
    assert!(losses.contains("CM-CosFace") && losses.contains("norm map sigmoid (scale 30.0)"), "{losses}");
    let (_, devices, _) = run(&["list", "devices", "--json"]);
    let devices: Vec<Value> = serde_json::from_str(&devices).unwrap();
    assert!(devices.iter().any(|device| device["name"] == "flex:0" && device["about"] == "ready"));
    assert!(run(&["list", "backbones"]).1.contains("resnet18"));
    let unknown = refused(&["list", "optimizers"]);
    assert!(unknown.contains("losses") && unknown.contains("devices"), "{unknown}");
}

#[test]
fn a_model_is_written_as_onnx_with_its_classes_and_preprocessing() {
    let Trained { folder, model, .. } = trained();
    let onnx = folder.path().join("model.onnx");
    let text = onnx.display().to_string();
    for (more, values) in [(&[][..], "(v / 255 - mean) / std"), (&["--raw-pixels"], "values from 0 to 255")] {
        let (success, stdout, stderr) = run(&[&["export", &model, &text], more].concat());
        assert!(success && stdout.is_empty(), "{stdout}{stderr}");
        let bytes = fs::read(&onnx).unwrap();
        let has = |words: &str| bytes.windows(words.len()).any(|window| window == words.as_bytes());
        for words in
            ["pixels", "features", "probabilities", "quality", "[\"across\",\"down\"]", "gray", values]
        {
            assert!(has(words), "{words}");
        }
    }
    let before = fs::read(&onnx).unwrap();
    let none = refused(&["export", &text, &text]);
    assert!(none.contains("model.onnx"), "{none}");
    assert_eq!(fs::read(&onnx).unwrap(), before);
}
