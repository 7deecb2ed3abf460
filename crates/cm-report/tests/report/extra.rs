//! Pictures that an application adds.

use std::fs;

use cm_eval::ReliabilityBin;
use cm_report::{
    ContactImage, ContactRow, Figure, Kind,
    chart::{self, Axis, Color, Corner, Curve, Panel},
    confusion, contact_sheet, rebuild, reliability, write_figures, write_report,
};
use resvg::tiny_skia::Pixmap;

use crate::fixtures::{all_features, digits, text};

fn image(color: [u8; 3], caption: &str) -> ContactImage<'static> {
    ContactImage { pixels: color.repeat(16).into(), width: 4, height: 4, caption: caption.to_owned() }
}

fn sheet() -> Figure {
    let images = vec![image([250, 0, 0], "red"), image([0, 0, 250], "blue")];
    let rows = [ContactRow { title: "The <shortest>".to_owned(), images }];
    contact_sheet("sheet", "Shortest and longest", "synthetic digits, a < b & c", &rows).unwrap()
}

#[test]
fn images_of_a_contact_sheet_are_in_the_svg_and_in_the_png() {
    let figure = sheet();
    assert_eq!((figure.kind, figure.name.as_str()), (Kind::Other, "sheet"));
    let svg = figure.svg();
    assert_eq!(svg.matches("href=\"data:image/png;base64,").count(), 2);
    for text in ["red", "blue", "The &lt;shortest&gt;", "synthetic digits, a &lt; b &amp; c"] {
        assert!(svg.contains(&format!("\n{text}\n")), "{text}");
    }
    let pixels = Pixmap::decode_png(&figure.png().unwrap()).unwrap();
    let of = |red, blue| {
        let wanted =
            |p: &&resvg::tiny_skia::PremultipliedColorU8| (p.red(), p.green(), p.blue()) == (red, 0, blue);
        pixels.pixels().iter().filter(wanted).count()
    };
    assert!(of(250, 0) > 50_000, "{} red pixels", of(250, 0));
    assert_eq!(of(250, 0), of(0, 250));
}

#[test]
fn an_image_of_another_size_than_it_says_is_refused() {
    let wrong = ContactImage { width: 5, ..image([0, 0, 0], "") };
    let rows = [ContactRow { title: String::new(), images: vec![wrong] }];
    let error = contact_sheet("sheet", "", "", &rows).unwrap_err().to_string();
    assert!(error.contains("picture sheet: an image of 5 × 4 pixels has 48 bytes"), "{error}");
}

#[test]
fn pictures_of_an_application_stay_on_the_page_when_it_is_made_anew() {
    let results = digits(&[0]);
    let dir = tempfile::tempdir().unwrap();
    results.write(dir.path()).unwrap();
    write_report(dir.path(), &results, &all_features(&results), &[sheet()]).unwrap();
    let caption = "synthetic digits, a &lt; b &amp; c";
    let first = text(&dir, "report.html");
    assert!(first.contains("<h2>More pictures</h2>") && first.contains(caption));

    // What is in the file is shown and not run.
    let svg = text(&dir, "sheet.svg").replace("</svg>", "<script>alert(1)</script></svg>");
    fs::write(dir.path().join("sheet.svg"), svg).unwrap();
    for _ in 0..2 {
        rebuild(dir.path()).unwrap();
        let page = text(&dir, "report.html");
        assert!(page.contains("<h2>More pictures</h2>") && page.contains(caption));
        assert!(page.contains("src=\"data:image/svg+xml;base64,") && !page.contains("<script>"));
    }
    // One that was drawn from the record is not taken for such a picture.
    assert_eq!(text(&dir, "report.html").matches("<img ").count(), 1);
}

#[test]
fn two_pictures_of_one_name_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let error = write_figures(dir.path(), &[sheet(), sheet()]).unwrap_err().to_string();
    assert!(error.contains("there are two pictures of this name"), "{error}");
    assert_eq!(write_figures(dir.path(), &[sheet()]).unwrap().len(), 2);
}

/// Each class is taken for the next one once for each of its number, and right 90 times.
fn confused(classes: usize) -> (Vec<String>, Vec<Vec<usize>>) {
    let row = |class: usize| {
        let found = |predicted: usize| match predicted {
            _ if predicted == class => 90,
            _ if predicted == (class + 1) % classes => class,
            _ => 0,
        };
        (0..classes).map(found).collect()
    };
    ((0..classes).map(|class| format!("sign {class}")).collect(), (0..classes).map(row).collect())
}

fn texts(svg: &str, text: &str) -> usize {
    svg.matches(&format!("\n{text}\n")).count()
}

#[test]
fn a_small_confusion_matrix_has_its_counts_and_a_large_one_the_pairs_beside_it() {
    let (names, counts) = confused(10);
    let figure = confusion("confusion", "Digits", &names, &counts).unwrap();
    let svg = figure.svg();
    assert_eq!((texts(&svg, "90"), texts(&svg, "9"), texts(&svg, "sign 3")), (10, 1, 2));
    // 900 of 945 images.
    assert!(svg.contains("945 images, 95.24 % of them recognized"), "{}", figure.caption);
    assert_eq!(texts(&svg, "Confused most often"), 0);

    let (names, counts) = confused(43);
    let svg = confusion("confusion", "Signs", &names, &counts).unwrap().svg();
    assert_eq!((texts(&svg, "Confused most often"), texts(&svg, "90")), (1, 0));
    // 42 of 132 images of the last class were taken for the first one.
    assert!(texts(&svg, "42") == 1 && texts(&svg, "31.8 %") == 1, "{svg}");
}

#[test]
fn of_very_many_classes_only_the_pairs_are_shown() {
    let (names, counts) = confused(61);
    let figure = confusion("confusion", "Persons", &names, &counts).unwrap();
    let svg = figure.svg();
    assert!(texts(&svg, "predicted class") == 0 && texts(&svg, "taken for") == 1);
    assert_eq!(
        (texts(&svg, "sign 60"), texts(&svg, "sign 7")),
        (2, 0),
        "the last is the first one's victim too"
    );
    let pixels = Pixmap::decode_png(&figure.png().unwrap()).unwrap();
    assert!(pixels.pixels().iter().filter(|p| p.red() < 100).count() > 1000);
}

#[test]
fn a_class_in_another_script_is_called_by_its_index() {
    let names = ["Stop".to_owned(), "停车".to_owned()];
    let svg = confusion("confusion", "Signs", &names, &[vec![7, 5], vec![6, 8]]).unwrap().svg();
    assert_eq!((texts(&svg, "Stop"), texts(&svg, "1")), (2, 2));
    assert!(!svg.contains('停'));
}

#[test]
fn a_matrix_that_is_not_square_is_refused() {
    let names = ["a".to_owned(), "b".to_owned()];
    for counts in [vec![vec![1, 2]], vec![vec![1, 2], vec![3]], Vec::new()] {
        let error = confusion("confusion", "", &names, &counts).unwrap_err().to_string();
        assert!(error.contains("2 classes needs as many rows and columns"), "{error}");
    }
}

#[test]
fn a_reliability_diagram_says_how_far_confidence_is_from_accuracy() {
    let bin = |confidence, accuracy, count| ReliabilityBin { confidence, accuracy, count };
    // (30 · 0.1 + 10 · 0.3) / 40
    let figure =
        reliability("reliability", "Signs", &[bin(0.9, 0.8, 30), bin(0.5, 0.8, 10), bin(0.1, 0.0, 0)])
            .unwrap();
    assert!(figure.svg().contains("\n40 images, expected calibration error 15.00 %\n"), "{}", figure.caption);
    for wrong in [bin(1.2, 0.5, 1), bin(0.5, f64::NAN, 1)] {
        let error = reliability("reliability", "", &[wrong]).unwrap_err().to_string();
        assert!(error.contains("are not both from 0 to 1"), "{error}");
    }
    reliability("reliability", "Nothing yet", &[]).expect("an empty diagram");
}

#[test]
fn panels_of_curves_have_their_legend_and_break_where_there_is_no_value() {
    let curve = |name: &str, points| Curve::new(name, Color::CURVES[0], points);
    let panel = |title: &str| Panel {
        title: title.to_owned(),
        x: Axis::new(0.0..4.0, "x", 5, true),
        y: Axis::new(-1.0..1.0, "y", 5, false),
        legend: Corner::TopRight,
        curves: vec![
            curve("broken", vec![(0.0, 0.5), (1.0, 0.5), (2.0, f64::NAN), (3.0, 0.5), (4.0, 0.5)]),
            curve("whole", vec![(0.0, -0.5), (4.0, -0.5)]),
        ],
        about_zero: Some(["above", "below"]),
    };
    let figure =
        chart::panels("curves", "Curves", "of nothing", 300, (1, 2), &[panel("A"), panel("B")]).unwrap();
    let svg = figure.svg();
    for text in ["broken", "whole", "above", "below"] {
        assert_eq!(texts(&svg, text), 2, "{text}");
    }
    // Two parts and one, with their sample in the legend, in both panels.
    let color = "#C83E1E";
    assert_eq!(svg.matches(color).count(), 2 * (2 + 1 + 2), "{svg}");
    let error =
        chart::panels("curves", "", "", 300, (1, 1), &[panel("A"), panel("B")]).unwrap_err().to_string();
    assert!(error.contains("2 panels do not fit into 1 rows of 1"), "{error}");
}
