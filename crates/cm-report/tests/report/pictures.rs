//! The pictures of a study.

use std::fs;

use cm_record::Results;
use cm_report::write_report;
use resvg::tiny_skia::Pixmap;

use crate::fixtures::{all_features, digits, digits_run, signs, text, written};

const DIGITS: [&str; 7] = [
    "features",
    "accuracy-by-severity-64d",
    "accuracy-by-severity-2d",
    "norm-by-severity-64d",
    "norm-by-severity-2d",
    "learning-curves-64d",
    "learning-curves-2d",
];
const SIGNS: [&str; 6] = [
    "features",
    "accuracy-by-resolution-2d",
    "accuracy-by-contrast-2d",
    "norm-by-resolution-2d",
    "norm-by-contrast-2d",
    "learning-curves-2d",
];

#[test]
fn every_picture_is_there_as_svg_and_as_png_that_is_not_blank() {
    for (results, figures) in [(digits(&[0]), &DIGITS[..]), (signs(&[0, 1]), &SIGNS)] {
        let (dir, names) = written(&results);
        assert_eq!(names.len(), 2 * figures.len() + 2, "{names:?}");
        for figure in figures {
            assert!(names.contains(&format!("{figure}.svg")), "{names:?}");
            assert!(names.contains(&format!("{figure}.png")), "{names:?}");
            let bytes = fs::read(dir.path().join(format!("{figure}.png"))).unwrap();
            let pixels = Pixmap::decode_png(&bytes).unwrap();
            let svg = text(&dir, &format!("{figure}.svg"));
            assert!(
                svg.contains("@font-face{font-family:Roboto"),
                "{figure} needs a typeface of the machine"
            );
            assert_eq!(pixels.width(), 2 * number(svg.lines().next().unwrap(), "width").unwrap() as u32);
            let dark = pixels.pixels().iter().filter(|p| p.red() < 128 && p.alpha() == 255).count();
            assert!(dark > 1000, "{figure} has {dark} dark pixels");
            // The title is the only bold text of 17 pixels: without the typeface there would be
            // nothing.
            let title = (0..80u32).flat_map(|y| (0..800u32).map(move |x| (x, y)));
            let ink = title.filter_map(|(x, y)| pixels.pixel(x, y)).filter(|p| p.red() < 100).count();
            assert!(ink > 200, "the title of {figure} has {ink} dark pixels");
        }
    }
}

#[test]
fn every_picture_names_its_data_its_dimension_and_its_seeds_and_carries_its_caption() {
    let (dir, names) = written(&signs(&[0, 1, 2]));
    for name in names.iter().filter(|name| name.ends_with(".svg")) {
        let svg = text(&dir, name);
        assert!(svg.contains("traffic signs · feature dimension 2"), "{name}");
        assert!(svg.contains("3 seeds"), "{name}");
        let caption = svg.split("<desc>").nth(1).and_then(|rest| rest.split("</desc>").next()).unwrap();
        assert!(text(&dir, "report.html").contains(caption), "{caption}");
    }
}

/// The value of an attribute of a tag.
fn number(tag: &str, name: &str) -> Option<f64> {
    tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?.parse().ok()
}

/// Every text is inside its picture.
fn assert_texts_inside(svg: &str, name: &str) {
    let sheet = svg.lines().next().unwrap();
    let view = sheet.split("viewBox=\"0 0 ").nth(1).unwrap().split('"').next().unwrap();
    let (width, height) = view.split_once(' ').unwrap();
    let (width, height): (f64, f64) = (width.parse().unwrap(), height.parse().unwrap());
    for tag in svg.lines().filter(|line| line.starts_with("<text")) {
        let (x, y) = (number(tag, "x").unwrap(), number(tag, "y").unwrap());
        assert!((0.0..width).contains(&x) && (0.0..height).contains(&y), "{tag} lies outside {name}");
    }
}

/// A text as an element: `ArcFace` is not found in `CM-ArcFace`.
fn has_text(svg: &str, text: &str) -> bool {
    svg.contains(&format!("\n{text}\n"))
}

/// 25 losses in 64 dimensions, each a little better than the one before it.
fn many() -> Results {
    let mut results = digits(&[]);
    for i in 0..25 {
        for seed in [0, 1] {
            results.runs.push(digits_run(&format!("Loss {i}"), 64, seed, 0.9 + 0.002 * f64::from(i)));
        }
    }
    results
}

#[test]
fn many_losses_have_a_row_each_the_best_on_top_and_a_legend_that_stays_in_the_picture() {
    let (dir, names) = written(&many());
    let accuracy = text(&dir, "accuracy-by-severity-64d.svg");
    let place = |loss: &str| {
        accuracy.find(&format!("\n{loss}\n")).unwrap_or_else(|| panic!("{loss} is not in the picture"))
    };
    for i in 1..25 {
        assert!(place(&format!("Loss {i}")) < place(&format!("Loss {}", i - 1)), "Loss {i} is better");
    }
    let curves = text(&dir, "learning-curves-64d.svg");
    assert!((0..25).all(|i| has_text(&curves, &format!("Loss {i}"))));
    for name in names.iter().filter(|name| name.ends_with(".svg")) {
        assert_texts_inside(&text(&dir, name), name);
    }
}

#[test]
fn levels_stand_at_the_axis_by_their_labels_and_upright_where_there_is_no_room() {
    let results = signs(&[0]);
    let (dir, _) = written(&results);
    let labels = |svg: &str, label: &str| -> Vec<String> {
        let lines: Vec<&str> = svg.lines().collect();
        let found = lines.iter().enumerate().filter(|(_, line)| **line == label);
        found.map(|(i, _)| lines[i - 1].to_owned()).collect()
    };
    let accuracy = text(&dir, "accuracy-by-resolution-2d.svg");
    for label in ["15–24", "25–34", "35–49", "50–79", "80–250"] {
        let tags = labels(&accuracy, label);
        assert_eq!(tags.len(), 2, "{label}");
        assert!(tags.iter().all(|tag| !tag.contains("rotate")), "{tags:?}");
    }
    assert!(has_text(&accuracy, "height or width seen (pixels)"));

    // With four panels beside each other the same labels would touch.
    let mut many = signs(&[]);
    for i in 0..12 {
        let mut run = results.runs[0].clone();
        run.key.loss = format!("Loss {i}");
        many.runs.push(run);
    }
    let (dir, _) = written(&many);
    let norms = text(&dir, "norm-by-resolution-2d.svg");
    let tags = labels(&norms, "25–34");
    assert_eq!(tags.len(), 12);
    assert!(tags.iter().all(|tag| tag.contains("rotate(270")), "{tags:?}");
    assert_texts_inside(&norms, "norm-by-resolution-2d");
}

#[test]
fn a_level_whose_label_cannot_be_written_is_called_by_its_name() {
    let mut results = signs(&[0]);
    results.layout.stratifications[0].levels[0].label = "低".to_owned();
    let (dir, _) = written(&results);
    let svg = text(&dir, "accuracy-by-resolution-2d.svg");
    assert!(has_text(&svg, "15–24") && !svg.contains('低'));
    assert!(text(&dir, "report.html").contains('低'), "a page can show any letter");
}

#[test]
fn norms_are_drawn_from_the_record_without_any_features() {
    let results = digits(&[0, 1]);
    let (with, _) = written(&results);
    let dir = tempfile::tempdir().unwrap();
    write_report(dir.path(), &results, &vec![None; results.runs.len()], &[]).unwrap();
    assert_eq!(text(&dir, "norm-by-severity-64d.svg"), text(&with, "norm-by-severity-64d.svg"));
    assert!(has_text(&text(&dir, "norm-by-severity-64d.svg"), "5 % of the images are above"));
}

#[test]
fn a_record_with_the_least_and_the_largest_norm_has_them_for_whiskers() {
    let mut results = digits(&[0]);
    for found in results.runs.iter_mut().flat_map(|run| &mut run.measurements) {
        found.metric = found.metric.replace("norm_p5", "norm_min").replace("norm_min0", "norm_p50");
        found.metric = found.metric.replace("norm_p95", "norm_max");
    }
    let (dir, _) = written(&results);
    let svg = text(&dir, "norm-by-severity-64d.svg");
    assert!(has_text(&svg, "longest") && has_text(&svg, "shortest"), "{svg}");
}

#[test]
fn classes_are_listed_as_far_as_they_can_be_told_apart_and_named_in_the_panels() {
    let (dir, _) = written(&digits(&[0]));
    let svg = text(&dir, "features.svg");
    // Once in the legend, and once in each of two panels, beside the numbers at the axes.
    assert_eq!(svg.matches("\n7\n").count(), 3);
    assert!(has_text(&svg, "severity 0") && has_text(&svg, "severity 1 to 4"));
    assert!(has_text(&svg, "severity 0: 100.0 %, others: 90.0 %"), "accuracies are those of the rows");

    let (dir, _) = written(&signs(&[0]));
    let svg = text(&dir, "features.svg");
    assert!(has_text(&svg, "43 classes, called by their numbers; every 10th has the same color"));
    assert!(has_text(&svg, "resolution 15–24") && has_text(&svg, "resolution 25–34 to 80–250"));
    assert_eq!(svg.matches("\n42\n").count(), 3);
}

#[test]
fn a_panel_of_another_seed_says_so() {
    let results = digits(&[0, 1]);
    let mut features = all_features(&results);
    // The first seed of CM-CosFace in two dimensions.
    features[3] = None;
    let dir = tempfile::tempdir().unwrap();
    write_report(dir.path(), &results, &features, &[]).unwrap();
    let svg = text(&dir, "features.svg");
    assert!(has_text(&svg, "Softmax") && has_text(&svg, "CM-CosFace 2-d seed 1"), "{svg}");
}

#[test]
fn without_validation_images_there_is_no_empty_panel() {
    let mut results = digits(&[0]);
    for epoch in results.runs.iter_mut().flat_map(|run| &mut run.epochs) {
        (epoch.valid_accuracy, epoch.valid_loss) = (f64::NAN, f64::NAN);
    }
    let (dir, _) = written(&results);
    let svg = text(&dir, "learning-curves-64d.svg");
    assert!(!svg.contains("Validation images") && has_text(&svg, "Training images"));
}

#[test]
fn a_stratification_cannot_lead_out_of_the_folder() {
    let mut results = digits(&[0]);
    results.layout.stratifications[0].name = "../severity".to_owned();
    for found in results.runs.iter_mut().flat_map(|run| &mut run.measurements) {
        found.stratum = found.stratum.replace("severity=", "../severity=");
    }
    let (_dir, names) = written(&results);
    assert!(names.contains(&"accuracy-by-..-severity-64d.svg".to_owned()), "{names:?}");
}
