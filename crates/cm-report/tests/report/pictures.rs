//! The pictures, as they are seen.

use std::fs;

use cm_eval::Reliability;
use cm_report::{ContactImage, ContactRow, confusion, contact_sheet, reliability, write_figures};

use crate::fixture::{by_severity, by_two, fixture, run, text, written};

/// The picture as pixels of red, green and blue.
fn pixels(folder: &tempfile::TempDir, name: &str) -> image::RgbImage {
    let bytes = fs::read(folder.path().join(format!("{name}.png"))).unwrap();
    image::load_from_memory(&bytes).unwrap().to_rgb8()
}

fn assert_drawn(folder: &tempfile::TempDir, name: &str) {
    let svg = text(folder, &format!("{name}.svg"));
    assert!(svg.contains("@font-face{font-family:Roboto"), "{name} needs a typeface of the machine");
    let width = svg.split("width=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let pixels = pixels(folder, name);
    assert_eq!(pixels.width(), 2 * width.parse::<u32>().unwrap());
    let dark = pixels.pixels().filter(|pixel| pixel.0[0] < 128).count();
    assert!(dark > 1000, "{name} has {dark} dark pixels");
    // The title is the only bold text of 17 pixels: without the typeface there would be nothing.
    let title = (0..80u32).flat_map(|y| (0..800u32).map(move |x| (x, y)));
    let ink = title.filter(|&(x, y)| pixels.get_pixel(x, y).0[0] < 100).count();
    assert!(ink > 200, "the title of {name} has {ink} dark pixels");
}

#[test]
fn every_picture_is_there_as_svg_and_as_png_that_is_not_blank() {
    let (folder, names) = written(&fixture(by_severity(), &[0]));
    for figure in ["accuracy-by-severity", "norm-by-severity", "learning-curves"] {
        for dim in ["64d", "2d"] {
            let name = format!("{figure}-{dim}");
            assert!(names.contains(&format!("{name}.svg")), "{names:?}");
            assert_drawn(&folder, &name);
        }
    }
    assert_drawn(&folder, "features");
    let (folder, _) = written(&fixture(by_two(), &[0, 1]));
    for name in ["accuracy-by-resolution-64d", "accuracy-by-contrast-64d", "norm-by-contrast-2d"] {
        assert_drawn(&folder, name);
    }
}

#[test]
fn every_picture_names_its_data_its_dimension_and_its_seeds() {
    let (folder, names) = written(&fixture(by_severity(), &[0, 1, 2]));
    for name in names.iter().filter(|name| name.ends_with(".svg")) {
        let svg = text(&folder, name);
        assert!(svg.contains("synthetic digits · feature dimension"), "{name}");
        assert!(svg.contains("3 seeds"), "{name}");
    }
}

#[test]
fn levels_stand_on_their_axis_by_name() {
    let (folder, _) = written(&fixture(by_two(), &[0]));
    for (name, levels) in [("resolution", ["25–33", "56–225"]), ("contrast", ["4.2–21.7", "40.1–90.5"])]
    {
        for figure in ["accuracy", "norm"] {
            let svg = text(&folder, &format!("{figure}-by-{name}-64d.svg"));
            for level in levels {
                assert!(svg.contains(&format!("\n{level}\n")), "{level} is not in {figure}-by-{name}");
            }
        }
    }
}

/// Names in the order in which they get better.
const LOSSES: [&str; 12] =
    ["A", "B", "C", "D", "E", "F", "G", "H", "I", "Some-Longer-Loss", "Softmax", "CM-CosFace"];

#[test]
fn many_losses_have_a_row_each_the_best_on_top_and_a_legend_that_stays_in_the_picture() {
    let mut results = fixture(by_severity(), &[0, 1]);
    let layout = results.layout.clone();
    let runs = LOSSES
        .iter()
        .enumerate()
        .flat_map(|(i, loss)| [0, 1].map(|seed| run(&layout, loss, 64, seed, 0.9 + 0.002 * i as f64)));
    results.runs = runs.collect();
    let (folder, _) = written(&results);
    let accuracy = text(&folder, "accuracy-by-severity-64d.svg");
    let place = |loss: &str| accuracy.find(&format!("\n{loss}\n")).unwrap();
    for pair in LOSSES.windows(2) {
        assert!(place(pair[1]) < place(pair[0]), "{} is better than {}", pair[1], pair[0]);
    }
    let curves = text(&folder, "learning-curves-64d.svg");
    assert!(LOSSES.iter().all(|loss| curves.contains(&format!("\n{loss}\n"))));
    let number = |tag: &str, name: &str| -> Option<f64> {
        tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?.parse().ok()
    };
    let view = curves.lines().next().unwrap().split("viewBox=\"0 0 ").nth(1).unwrap();
    let (width, height) = view.split('"').next().unwrap().split_once(' ').unwrap();
    let (width, height): (f64, f64) = (width.parse().unwrap(), height.parse().unwrap());
    for tag in curves.lines().filter(|line| line.starts_with("<text")) {
        let (x, y) = (number(tag, "x").unwrap(), number(tag, "y").unwrap());
        assert!((0.0..width).contains(&x) && (0.0..height).contains(&y), "{tag} lies outside the picture");
    }
}

#[test]
fn a_contact_sheet_shows_the_pixels_of_its_images() {
    let image = |red: u8| ContactImage {
        width: 4,
        height: 4,
        channels: 3,
        pixels: [red, 200, 30].repeat(16),
        caption: "a caption".to_owned(),
    };
    let row = ContactRow { title: "One row".to_owned(), images: (0..14).map(|i| image(i * 10)).collect() };
    let sheet = contact_sheet("sheet", "Images", "fourteen of them", &[row]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    write_figures(folder.path(), &[sheet]).unwrap();
    assert_drawn(&folder, "sheet");
    let pixels = pixels(&folder, "sheet");
    for red in [0, 50, 130] {
        let found = pixels.pixels().filter(|pixel| pixel.0 == [red, 200, 30]).count();
        assert!(found > 5000, "{found} pixels of red {red}");
    }
}

#[test]
fn a_confusion_matrix_is_drawn_for_ten_classes_for_forty_three_and_for_hundreds() {
    let folder = tempfile::tempdir().unwrap();
    for count in [10, 43, 200] {
        let mut counts = vec![vec![0; count]; count];
        for (class, row) in counts.iter_mut().enumerate() {
            row[class] = 90;
            row[(class * 7 + 1) % count] += 10;
        }
        let classes: Vec<String> = (0..count).map(|class| format!("class number {class}")).collect();
        let name = format!("confusion-{count}");
        let figure = confusion(&name, "Confusion", &classes, &counts).unwrap();
        write_figures(folder.path(), &[figure]).unwrap();
        assert_drawn(&folder, &name);
        let svg = text(&folder, &format!("{name}.svg"));
        assert_eq!(svg.contains("the 60 of 200 classes"), count == 200);
    }
}

#[test]
fn a_reliability_diagram_names_its_error() {
    let confidences: Vec<f64> = (0..100).map(|i| f64::from(i) / 100.0).collect();
    let right: Vec<bool> = (0..100).map(|i| i % 3 > 0).collect();
    let found = Reliability::new(&confidences, &right, 10).unwrap();
    let folder = tempfile::tempdir().unwrap();
    write_figures(folder.path(), &[reliability("reliability", "Confidence", &found).unwrap()]).unwrap();
    assert_drawn(&folder, "reliability");
    assert!(text(&folder, "reliability.svg").contains("Expected calibration error"));
}
