//! The web page.

use cm_record::{RunRecord, Status};
use cm_report::{
    ContactImage, ContactRow, Page, PageSection, PageTable, contact_sheet, summary_table, write_report,
};

use crate::fixtures::{all_features, digits, signs, text, written};

#[test]
fn the_page_links_to_nothing_outside() {
    let (dir, _) = written(&digits(&[0]));
    let page = text(&dir, "report.html").replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    assert!(!page.contains("http://") && !page.contains("https://"));
    assert!(!page.contains("<script") && !page.contains("<link") && !page.contains("<img"));
    assert_eq!(page.matches("<svg ").count(), 7);
    for link in page.split("href=\"").skip(1) {
        let target = link.split('"').next().unwrap();
        assert!(target.starts_with('#') && page.contains(&format!("id=\"{}\"", &target[1..])), "{target}");
    }
}

#[test]
fn text_of_the_record_cannot_become_markup() {
    let mut results = digits(&[0, 1]);
    results.data.name = "<script>alert(1)</script>".into();
    results.layout.notes.push("<i>note</i>".into());
    results.layout.headlines[0].phrase = "on <i>images</i>".into();
    results.layout.stratifications[0].title = "\"<i>quality</i>\"".into();
    results.layout.stratifications[0].levels[1].label = "<i>one</i>".into();
    results.config = serde_json::json!({"<i>": "<i>"});
    for run in &mut results.runs {
        run.key.loss = run.key.loss.replace("Softmax", "Soft<b>max");
        run.warnings.push("<i>warned</i>".into());
    }
    results.runs[1].status = Status::Diverged { epoch: 1, step: 1, reason: "<i>reason</i>".into() };
    results.compare();
    let (dir, names) = written(&results);
    for name in names.iter().filter(|name| name.ends_with(".svg") || name.ends_with(".html")) {
        let text = text(&dir, name);
        for markup in ["<script>", "Soft<b>", "<i>", "\"\""] {
            assert!(!text.replace("=\"\"", "").contains(markup), "{markup} in {name}");
        }
        assert!(text.contains("&lt;script&gt;"), "{name}");
    }
    let page = text(&dir, "report.html");
    assert!(page.contains("generated &lt;by&gt; &quot;this&quot; program &amp; nothing else"));
}

#[test]
fn one_seed_is_said_to_prove_nothing_and_several_are_counted() {
    let (dir, _) = written(&digits(&[0]));
    let page = text(&dir, "report.html");
    assert!(page.contains("One seed proves nothing"));
    let sentence = "On untouched images (severity 0) CM-CosFace was best with 97.00 %, 2.00 percentage points above \
                    Softmax (one seed).";
    assert!(page.contains(sentence), "{page}");

    let (dir, _) = written(&digits(&[0, 1, 2]));
    let page = text(&dir, "report.html");
    assert!(!page.contains("One seed proves nothing"));
    assert!(page.contains("2.10 percentage points above Softmax (± 0.10; ahead in 3 of 3 seeds)"));
}

#[test]
fn the_loss_whose_norm_follows_quality_is_named_for_each_stratification() {
    let (dir, _) = written(&signs(&[0]));
    let page = text(&dir, "report.html");
    let sentence = |title: &str, loss: &str, rank: &str| {
        format!(
            "The feature norm followed image quality ({title}) most closely with {loss} (Spearman correlation {rank})."
        )
    };
    assert!(page.contains(&sentence("resolution of the sign", "CosFace", "0.70")), "{page}");
    assert!(page.contains(&sentence("contrast", "Softmax", "0.50")), "{page}");
    let (dir, _) = written(&digits(&[0]));
    assert!(text(&dir, "report.html").contains("(Spearman correlation 0.80, 0.75 within classes)"));
}

#[test]
fn missing_runs_are_said_to_be_missing() {
    let mut results = digits(&[0, 1]);
    results.complete = false;
    let (dir, _) = written(&results);
    assert!(text(&dir, "report.html").contains("This study is not complete"));
    results.complete = true;
    let (dir, _) = written(&results);
    assert!(!text(&dir, "report.html").contains("This study is not complete"));
}

#[test]
fn a_record_without_runs_still_makes_a_report() {
    let mut results = digits(&[0]);
    results.complete = false;
    results.runs.clear();
    results.compare();
    let (dir, names) = written(&results);
    assert_eq!(names, ["results.csv", "report.html"]);
    assert!(text(&dir, "report.html").contains("There are no results yet."));
    assert!(summary_table(&results).contains("There are no results yet."));
}

#[test]
fn a_single_run_that_diverged_still_makes_a_report() {
    let mut results = digits(&[0]);
    results.runs.truncate(1);
    let run = &mut results.runs[0];
    run.key.loss = "Some new loss".into();
    run.measurements.clear();
    run.epochs[0].train_loss = f64::NAN;
    run.status = Status::Diverged { epoch: 3, step: 5, reason: "a weight is infinite".into() };
    results.compare();
    let (dir, names) = written(&results);
    assert_eq!(names, ["results.csv", "report.html"]);
    let page = text(&dir, "report.html");
    assert!(
        page.contains("No norms are recorded by quality") && page.contains("there are no learning curves")
    );
    assert!(page.contains("<h2>Diverged runs</h2>"));
    assert!(page.contains("Some new loss 64-d seed 0: epoch 3, step 5: a weight is infinite"));
    assert!(page.contains("<small>diverged</small>"), "{page}");
}

#[test]
fn without_two_dimensional_features_the_page_says_so() {
    let mut results = digits(&[0]);
    results.runs.retain(|run| run.key.feature_dim == 64);
    let (dir, names) = written(&results);
    assert!(!names.contains(&"features.svg".to_owned()));
    assert!(text(&dir, "report.html").contains("No loss was trained with feature dimension 2"));
}

#[test]
fn features_that_are_not_at_hand_are_named() {
    let results = digits(&[0]);
    let dir = tempfile::tempdir().unwrap();
    let mut features = all_features(&results);
    let page = |features: &[Option<cm_record::FeatureTable>]| {
        write_report(dir.path(), &results, features, &[]).unwrap();
        text(&dir, "report.html")
    };
    features[2] = None;
    let without_one = page(&features);
    assert!(
        without_one
            .contains("1 features file is missing, and not in the picture: features/softmax-d2-s0.csv.")
    );
    assert!(without_one.contains("features.svg"));
    let without_any = page(&vec![None; results.runs.len()]);
    assert!(without_any.contains("2 features files are missing, so there is no picture of the features: "));
    assert!(!without_any.contains("features.svg"));
}

#[test]
fn features_of_other_runs_are_refused() {
    let results = digits(&[0]);
    let dir = tempfile::tempdir().unwrap();
    let error = write_report(dir.path(), &results, &[None], &[]).unwrap_err().to_string();
    assert!(error.contains("4 runs, but tables of features for 1"), "{error}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn files_that_were_left_out_are_listed_with_the_reason() {
    let (dir, _) = written(&signs(&[0]));
    let page = text(&dir, "report.html");
    assert!(page.contains("2 files could not be used"));
    assert!(page.contains("<th scope=\"row\">train/00012.png</th><td>it is &lt;empty&gt;</td>"), "{page}");
    assert!(page.contains("<th scope=\"row\">test/7.png</th><td>it ends early</td>"));
    let (dir, _) = written(&digits(&[0]));
    assert!(!text(&dir, "report.html").contains("Files left out"));
}

#[test]
fn what_the_figures_were_made_with_is_told() {
    let mut results = digits(&[0, 1]);
    results.runs[0].warnings.push("the norm map is flat".into());
    let (dir, _) = written(&results);
    let page = text(&dir, "report.html");
    for expected in [
        "<th scope=\"row\">pixels</th><td>md5:9e107d9d372bb6826bd81d3542a419d6</td>",
        "<th scope=\"row\">took</th><td>1 min 15 s</td>",
        "<th scope=\"row\">commit</th><td>not from a checkout</td>",
        "<th scope=\"row\">training.batch</th><td>64</td>",
        "<th scope=\"row\">losses</th><td>Softmax, CosFace</td>",
        "<li>Softmax 64-d seed 0: the norm map is flat</li>",
    ] {
        assert!(page.contains(expected), "{expected}\n{page}");
    }
    assert_eq!(page.matches("linux-x86_64").count(), 1);

    // A study that went on elsewhere.
    let elsewhere = |run: &mut RunRecord| run.environment.platform = "another machine".into();
    results.runs[5..].iter_mut().for_each(elsewhere);
    let (dir, _) = written(&results);
    let page = text(&dir, "report.html");
    assert!(page.contains("<h4>5 runs</h4>") && page.contains("<h4>3 runs</h4>"), "{page}");
}

#[test]
fn nothing_names_other_data_than_the_record() {
    for results in [digits(&[0]), signs(&[0])] {
        let (dir, names) = written(&results);
        for name in names.iter().filter(|name| !name.ends_with(".png")) {
            assert!(!text(&dir, name).to_lowercase().contains("mnist"), "{name}");
        }
        assert!(!summary_table(&results).to_lowercase().contains("mnist"));
    }
}

#[test]
fn a_page_of_its_own_shows_every_text_as_it_is_and_replaces_none_of_somebody_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.html");
    let hostile = "<script>alert('x')</script>&\"";
    let pixels = vec![100u8; 16];
    let image = ContactImage { pixels: pixels.into(), width: 4, height: 4, caption: hostile.to_owned() };
    let row = ContactRow { title: hostile.to_owned(), images: vec![image] };
    let page = Page {
        title: hostile.to_owned(),
        lead: hostile.to_owned(),
        sections: vec![PageSection {
            title: hostile.to_owned(),
            paragraphs: vec![hostile.to_owned()],
            table: Some(PageTable {
                columns: vec![hostile.to_owned()],
                rows: vec![vec![hostile.to_owned()]],
            }),
            figures: vec![contact_sheet("sheet", hostile, hostile, &[row]).unwrap()],
        }],
    };
    page.write(&path).unwrap();
    let html = std::fs::read_to_string(&path).unwrap();
    assert!(!html.contains("<script") && !html.contains("src=\"http"), "{html}");
    assert!(html.matches("&lt;script&gt;").count() >= 9);
    page.write(&path).unwrap();

    std::fs::write(&path, "<html>mine</html>").unwrap();
    let refused = page.write(&path).unwrap_err().to_string();
    assert!(refused.contains("page.html"), "{refused}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "<html>mine</html>");
}
