//! `cm identify`: searches among images of known people.

use std::fs;

use serde_json::Value;

use crate::{
    look::{Trained, trained},
    shared::{refused, run},
};

#[test]
fn images_are_found_among_those_of_their_class_and_strangers_are_counted() {
    let Trained { folder, model, images } = trained();
    let data = images.display().to_string();
    let json = |more: &[&str]| -> Value {
        let (success, stdout, stderr) = run(&[&["identify", &model, &data, "--json"], more].concat());
        assert!(success, "{stderr}");
        serde_json::from_str(&stdout).unwrap()
    };
    let found = json(&["--views", "one"]);
    let count = |name: &str| found[name].as_u64().unwrap();
    assert_eq!((count("gallery"), count("searched"), count("searched_others")), (2, count("images") - 2, 0));
    assert!(
        found["rank_1"].as_f64().unwrap() > 0.8 && found["precision_at_1"].as_f64().unwrap() > 0.8,
        "{found}"
    );
    assert_eq!(found["rank_5"], 1.0, "there are two in the gallery");
    assert!(found["tpir_at_fpir"][0]["tpir"].is_null(), "nobody is outside of the gallery");
    assert_eq!(count("queries"), count("images"));
    let (success, stdout, stderr) = run(&["identify", &model, &data]);
    assert!(success, "{stderr}");
    for part in ["2 people in the gallery", "rank 1", "less than one of 0 searches", "MAP@R"] {
        assert!(stdout.contains(part), "{stdout}");
    }
    // Twelve strangers with an image each, and one that is no image.
    for i in 0..12 {
        let stranger = images.join(format!("stranger {i}"));
        fs::create_dir_all(&stranger).unwrap();
        fs::copy(images.join("down/0_0.pgm"), stranger.join("only.pgm")).unwrap();
    }
    let found = json(&["--fpir", "0.1,0.5"]);
    assert_eq!(found["images_of_learned"].as_u64(), Some(count("images")), "{found}");
    assert_eq!(found["searched_others"], 12);
    assert!(found["tpir_at_fpir"][1]["tpir"].as_f64().is_some(), "{found}");
    fs::write(images.join("across/0_1.pgm"), "no image").unwrap();
    let message = refused(&["identify", &model, &data]);
    assert!(message.contains("1 of") && message.contains("across/0_1.pgm"), "{message}");
    let found = json(&["--skip-bad", "1"]);
    assert_eq!(found["unread"], serde_json::json!(["across/0_1.pgm"]));
    // It is searched for all the same.
    assert_eq!(found["searched"].as_u64().unwrap(), count("searched"));
    let (success, stdout, stderr) = run(&["identify", &model, &data, "--skip-bad", "1"]);
    assert!(success && stdout.contains("they count as not found: across/0_1.pgm"), "{stdout}{stderr}");
    let found = json(&["--skip-bad", "1", "--searches", "5"]);
    let searched = found["searched"].as_u64().unwrap() + found["searched_others"].as_u64().unwrap();
    assert_eq!((found["queries"].as_u64(), searched), (Some(5), 5), "{found}");

    let single = folder.path().join("single");
    for class in ["a", "b"] {
        fs::create_dir_all(single.join(class)).unwrap();
        fs::copy(images.join("down/0_0.pgm"), single.join(class).join("only.pgm")).unwrap();
    }
    let message = refused(&["identify", &model, &single.display().to_string()]);
    assert!(message.contains("nobody with two images"), "{message}");
}
