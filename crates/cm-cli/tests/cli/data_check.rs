//! `cm data check`.

use std::fs;

use serde_json::Value;

use crate::shared::{cm, refused, run, striped, write_image};

/// Whether a picture of soft shapes is light at a place; another for each number.
fn shapes(number: usize) -> impl Fn(usize, usize) -> u8 {
    move |x, y| {
        let (x, y) = (x as f64 / 32.0, y as f64 / 32.0);
        let wave = |k: usize| ((3.0 + (number * 7 + k * 5) as f64 % 9.0) * (x + k as f64 * y)).sin();
        (128.0 + 40.0 * wave(0) + 30.0 * wave(1) + 30.0 * wave(2)) as u8
    }
}

#[test]
fn what_is_wrong_is_told_with_its_files_and_by_the_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for (path, number) in
        [("train/a/1", 1), ("train/a/2", 2), ("train/b/3", 3), ("test/a/4", 4), ("test/b/5", 5)]
    {
        write_image(&data.join(format!("{path}.pgm")), 32, shapes(number));
    }
    let text = data.display().to_string();
    let (success, stdout, stderr) = run(&["data", "check", &text]);
    assert!(success, "{stdout}{stderr}");
    assert!(stdout.contains("5 images of 2 classes (3 train, 2 test)"), "{stdout}");
    assert!(
        stdout.contains("Width 32, height 32 pixels; gray") && stdout.ends_with("nothing is wrong\n"),
        "{stdout}"
    );

    // The same file in two parts, a lighter picture with another class, a file that is none, and images to look at.
    write_image(&data.join("test/a/again.pgm"), 32, shapes(1));
    write_image(&data.join("train/b/lighter.pgm"), 32, move |x, y| shapes(2)(x, y).saturating_add(7));
    fs::write(data.join("train/a/none.png"), "no image").unwrap();
    write_image(&data.join("train/a/gray.pgm"), 32, |_, _| 120);
    write_image(&data.join("train/a/dark.pgm"), 32, move |x, y| shapes(6)(x, y) / 12);
    write_image(&data.join("train/b/bright.pgm"), 32, move |x, y| 245 - shapes(7)(x, y) / 16);
    let [page, csv] = ["page.html", "images.csv"].map(|name| folder.path().join(name).display().to_string());
    let output = cm(&["data", "check", &text, "--json", "--page", &page, "--csv", &csv]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&found["images"], &found["wrong"]), (&11.into(), &true.into()));
    let files = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|file| file.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(found["bad"][0]["file"], "train/a/none.png");
    assert_eq!(files(&found["leaks"][0]["files"]), ["test/a/again.pgm", "train/a/1.pgm"]);
    assert_eq!(files(&found["leaks"][0]["in"]), ["test", "train"]);
    assert_eq!(found["leaks"][0]["exact"], true);
    assert_eq!(files(&found["contradictions"][0]["files"]), ["train/a/2.pgm", "train/b/lighter.pgm"]);
    assert_eq!(
        (files(&found["contradictions"][0]["in"]), &found["contradictions"][0]["exact"]),
        (vec!["a".to_owned(), "b".to_owned()], &false.into())
    );
    assert_eq!(files(&found["remarks"]["constant"]), ["train/a/gray.pgm"]);
    assert_eq!(files(&found["remarks"]["very dark"]), ["train/a/dark.pgm"]);
    assert_eq!(files(&found["remarks"]["very bright"]), ["train/b/bright.pgm"]);
    let table = fs::read_to_string(&csv).unwrap();
    assert_eq!(table.lines().count(), 12);
    assert!(table.contains("train/a/gray.pgm,a,train,32,32,1,120.0,0.0,0.0,constant,,"), "{table}");
    assert!(fs::read_to_string(&page).unwrap().contains("Copies in several parts"));
    let output = cm(&["data", "check", &text]).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    for told in
        ["1 files that cannot be used", "1 groups of copies in several parts", "none.png", "again.pgm"]
    {
        assert!(stdout.contains(told), "{told} is not in\n{stdout}");
    }
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("error: something is wrong"));
}

#[test]
fn groups_on_two_sides_and_images_without_classes_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let data = striped(folder.path(), &["train"], 6);
    let list = data.join("list.csv");
    let rows =
        "train/down/0_0.pgm,a,p1,train\ntrain/down/0_1.pgm,a,p1,test\ntrain/across/0_0.pgm,b,p2,test\n";
    fs::write(&list, format!("path,label,group,split\n{rows}train/across/gone.pgm,b,p2,test\n")).unwrap();
    let list = list.display().to_string();
    let output = cm(&["data", "check", &list, "--json"]).output().unwrap();
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["shared_groups"], serde_json::json!(["p1"]));
    assert_eq!(found["bad"][0]["file"], "train/across/gone.pgm");
    let flat = data.join("train/down").display().to_string();
    let (_, stdout, _) = run(&["data", "check", &flat]);
    assert!(stdout.contains("6 images."), "{stdout}");
    let missing = refused(&["data", "check", "/no/such/data"]);
    assert!(missing.contains("/no/such/data"), "{missing}");
}
