//! `cm reproduce nodules`.

use std::{fmt::Write, fs, path::Path};

use npyz::WriterBuilder;

use crate::shared::{refused, study};

const SMALL: &str = "reproduce nodules --width 2 --epochs 1 --feature-dim 4 --size 16 --folds 2 --out";

#[test]
fn without_data_the_study_is_done_on_nodules_that_nothing_calls_lidc() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let options = "--data synthetic --synthetic-patients 40 --losses Softmax,CM-Softmax --seeds 0,1";
    let (success, stdout, stderr) = study(SMALL, &out, options);
    assert!(success, "{stderr}");
    for word in [
        "by subtlety",
        "All folds together",
        "CM-Softmax − Softmax",
        "DeLong",
        "McNemar",
        "Softmax + diameter",
    ] {
        assert!(stdout.contains(word), "{word} is not in\n{stdout}");
    }
    assert!(!stdout.contains("LIDC") && !stderr.contains("LIDC"), "{stdout}{stderr}");
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("synthetic nodules") && !page.contains("LIDC"));
    let pictures = [
        "roc-4d",
        "reliability-4d",
        "left-out-4d",
        "shortest-and-longest-4d",
        "accuracy-by-subtlety-4d",
        "norm-by-severity-4d",
    ];
    for picture in pictures {
        assert!(out.join(format!("{picture}.png")).is_file() && page.contains(picture), "{picture}");
    }
    let csv = fs::read_to_string(out.join("results.csv")).unwrap();
    for metric in ["spearman_norm_agreement_within_low", "balanced_accuracy", "valid_auc", "severity=4"] {
        assert!(csv.contains(metric), "{metric}");
    }
    // Every run has its fold.
    assert_eq!(csv.lines().filter(|line| line.contains(",valid_auc,")).count(), 8);
}

/// A folder like that of LIDC: patches with a bright disk, and a table.
fn lidc(folder: &Path, change: impl Fn(usize, &mut Vec<String>)) {
    const SIDE: usize = 24;
    let mut header =
        "nodule_id,patient,pixel_spacing_mm,equiv_diameter_px,rescale_intercept_guess".to_owned();
    for rater in 1..=4 {
        write!(header, ",Malignancy_{rater},Subtlety_{rater}").unwrap();
    }
    let mut table = header + "\n";
    let mut values: Vec<i16> = Vec::new();
    for i in 0..40usize {
        let malignant = i % 2 == 1;
        let radius = if malignant { 6.0 } else { 3.0 } + (i % 5) as f64 * 0.3;
        let mut cells =
            vec![i.to_string(), format!("P{}", i / 3), "0.7".to_owned(), (2.0 * radius).to_string()];
        cells.push("-1024".to_owned());
        for rater in 0..4 {
            let marked = (i + rater) % 4 != 0;
            cells.push(if marked { if malignant { "4" } else { "2" } } else { "0" }.to_owned());
            cells.push(if marked { (1 + (i + rater) % 5).to_string() } else { "0".to_owned() });
        }
        change(i, &mut cells);
        table += &(cells.join(",") + "\n");
        for at in 0..SIDE * SIDE {
            let [x, y] = [at % SIDE, at / SIDE].map(|at| at as f64 - 12.0);
            values.push(if x.hypot(y) < radius { 1060 } else { 170 } + ((at * 7 + i * 13) % 40) as i16);
        }
    }
    let data = folder.join("lidc_nodules");
    fs::create_dir_all(&data).unwrap();
    fs::write(data.join("labels.csv"), table).unwrap();
    let mut bytes = Vec::new();
    let shape = [40, SIDE as u64, SIDE as u64];
    let mut writer =
        npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut bytes).begin_nd().unwrap();
    writer.extend(values).unwrap();
    writer.finish().unwrap();
    fs::write(data.join("patches.npy"), bytes).unwrap();
}

fn study_of(data: &Path, options: &str) -> (bool, String, String) {
    study(SMALL, &data.join("out"), &format!("--data-dir {} {options}", data.display()))
}

#[test]
fn patches_beside_a_table_are_read_and_patients_stay_together() {
    let folder = tempfile::tempdir().unwrap();
    // One nodule that some call benign and some malignant, one with a single radiologist, and numbers with a point.
    lidc(folder.path(), |i, cells| match i {
        2 => cells[5] = "4".to_owned(),
        3 => [5, 6, 9, 10].into_iter().for_each(|cell| cells[cell] = "0".to_owned()),
        4 => cells[7] += ".0",
        _ => {}
    });
    let (success, _, stderr) =
        study_of(folder.path(), "--losses Softmax --field-of-view stored --standardize");
    // Patients of another name are not those of LIDC-IDRI.
    assert!(success && stderr.contains("nodules of lidc_nodules: "), "{stderr}");
    assert!(stderr.contains("20 benign, 20 malignant, 14 patients, 0 left out as undecided"), "{stderr}");
    assert!(stderr.contains("40 with a guessed intercept"), "{stderr}");
    let results = fs::read_to_string(folder.path().join("out/results.json")).unwrap();
    assert!(results.contains("train pixels") && !results.contains("LIDC-IDRI nodules"));

    // Raters decide what is left.
    fs::remove_dir_all(folder.path().join("out")).unwrap();
    lidc(folder.path(), |i, cells| {
        cells[1] = format!("LIDC-IDRI-{}", cells[1]);
        match i {
            2 => cells[5] = "4".to_owned(),
            3 => [5, 6, 9, 10].into_iter().for_each(|cell| cells[cell] = "0".to_owned()),
            _ => {}
        }
    });
    let (success, _, stderr) = study_of(
        folder.path(),
        "--losses Softmax --min-raters 3 --undecided 2.5,3.5 --window-level -500 --window-width 1200",
    );
    assert!(success && stderr.contains("LIDC-IDRI nodules: "), "{stderr}");
    let told = "19 benign, 19 malignant, 14 patients, 1 left out as undecided, 1 left out as marked by few radiologists";
    assert!(stderr.contains(told), "{stderr}");
    // The rows of the features files by the names of the table, of which the third and the fourth are left out; a patient in one fold.
    let list = fs::read_to_string(folder.path().join("out/nodules.csv")).unwrap();
    let rows: Vec<Vec<&str>> = list.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0], ["index", "nodule_id", "patient", "fold", "class"]);
    assert_eq!((rows[2][..2].to_vec(), rows[3][..2].to_vec()), (vec!["1", "1"], vec!["2", "4"]));
    assert_eq!(rows.len(), 1 + 38);
    let mut folds = std::collections::HashMap::new();
    for row in &rows[1..] {
        assert_eq!(*folds.entry(row[2]).or_insert(row[3]), row[3], "{row:?}");
    }
    assert_eq!(folds.len(), 14);
}

#[test]
fn what_is_wrong_with_patches_or_their_table_is_named() {
    let refused_for = |change: &dyn Fn(usize, &mut Vec<String>), after: &dyn Fn(&Path)| {
        let folder = tempfile::tempdir().unwrap();
        lidc(folder.path(), change);
        after(&folder.path().join("lidc_nodules"));
        let (success, _, stderr) = study_of(folder.path(), "--losses Softmax");
        assert!(!success && !folder.path().join("out").exists(), "{stderr}");
        stderr
    };
    let nothing = |_: usize, _: &mut Vec<String>| ();
    let rating = |i: usize, cells: &mut Vec<String>| {
        if i == 7 {
            cells[7] = "6".to_owned();
        }
    };
    let message = refused_for(&rating, &|_| ());
    assert!(
        message.contains("labels.csv, line 9: Malignancy_2 is \"6\", but ratings go from 1 to 5"),
        "{message}"
    );
    let unrated = |i: usize, cells: &mut Vec<String>| {
        if i == 0 {
            cells[5..].iter_mut().for_each(|cell| *cell = "0".to_owned());
        }
    };
    assert!(refused_for(&unrated, &|_| ()).contains("line 2: no radiologist has rated this nodule"));
    let spacing = |i: usize, cells: &mut Vec<String>| {
        if i == 1 {
            cells[2] = "none".to_owned();
        }
    };
    assert!(refused_for(&spacing, &|_| ()).contains("line 3: pixel_spacing_mm is \"none\""));
    let cell = |at: usize, value: &'static str| {
        let change = move |i: usize, cells: &mut Vec<String>| {
            if i == 1 {
                cells[at] = value.to_owned();
            }
        };
        refused_for(&change, &|_| ())
    };
    // In meters, and where a radiologist has rated one thing and not the other.
    let message = cell(2, "0.0007");
    assert!(message.contains("has to be a number of millimeters from 0.1 to 5"), "{message}");
    let message = cell(4, "nan");
    assert!(
        message.contains("line 3: rescale_intercept_guess is \"nan\", but has to be a number"),
        "{message}"
    );
    let message = cell(5, "0");
    assert!(message.contains("line 3: Malignancy_1 is \"0\" and Subtlety_1 is \"2\""), "{message}");
    assert!(cell(5, "3.5").contains("line 3: Malignancy_1 is \"3.5\", but ratings go from 1 to 5"));

    let table = |change: fn(String) -> String| {
        move |data: &Path| {
            let text = fs::read_to_string(data.join("labels.csv")).unwrap();
            fs::write(data.join("labels.csv"), change(text)).unwrap();
        }
    };
    let message = refused_for(&nothing, &table(|text| text.replace("equiv_diameter_px", "size")));
    assert!(
        message.contains("there is no column equiv_diameter_px; there are nodule_id, patient"),
        "{message}"
    );
    let message = refused_for(&nothing, &table(|text| text.replace("Malignancy_3", "Malignancy_three")));
    assert!(message.contains("there is no column Malignancy_3"), "{message}");
    // Numbered from 0 a radiologist would be lost.
    let message = refused_for(&nothing, &table(|text| text.replace("y_4", "y_0")));
    assert!(message.contains("a column Malignancy_0") && message.contains("number them from 1"), "{message}");
    // Hounsfield units that something is added to once more.
    let twice = |text: String| text.replace("_guess", "_known").replace(",-1024,", ",-3000,");
    let message = refused_for(&nothing, &table(twice));
    assert!(message.contains("darker than air") && message.contains("rescale_intercept_known"), "{message}");
    let message = refused_for(&nothing, &|data| fs::remove_file(data.join("patches.npy")).unwrap());
    assert!(message.contains("no .npy array of patches beside it"), "{message}");
    let twice = |data: &Path| {
        fs::copy(data.join("patches.npy"), data.join("volumes.npy")).unwrap();
    };
    let message = refused_for(&nothing, &twice);
    assert!(message.contains("several arrays in") && message.contains("volumes.npy"), "{message}");
    let message = refused_for(&nothing, &|data| fs::remove_file(data.join("labels.csv")).unwrap());
    assert!(message.contains("no labels.csv with a row for each of its patches"), "{message}");
    let fewer = |text: String| text.lines().take(31).map(|line| format!("{line}\n")).collect();
    let message = refused_for(&nothing, &table(fewer));
    assert!(message.contains("has 30 rows, but") && message.contains("has 40 patches"), "{message}");

    let array = |change: fn(&mut Vec<u8>)| {
        move |data: &Path| {
            let mut bytes = fs::read(data.join("patches.npy")).unwrap();
            change(&mut bytes);
            fs::write(data.join("patches.npy"), bytes).unwrap();
        }
    };
    let message = refused_for(&nothing, &array(|bytes| bytes.truncate(bytes.len() - 100)));
    assert!(message.contains("patches.npy: it holds 45980 bytes of numbers"), "{message}");
    let message = refused_for(&nothing, &array(|bytes| bytes[0] = b'x'));
    assert!(message.contains("patches.npy: it does not begin as a .npy file does"), "{message}");
    // Small values, each patch with one of its own, which are neither as a scanner stores them nor Hounsfield units.
    let small = |bytes: &mut Vec<u8>| {
        let header = bytes.len() - 40 * 24 * 24 * 2;
        for (number, patch) in bytes[header..].chunks_exact_mut(24 * 24 * 2).enumerate() {
            for value in patch.chunks_exact_mut(2) {
                value.copy_from_slice(&[value[0] & 7, 0]);
            }
            patch[0] = number as u8;
        }
    };
    let message = refused_for(&nothing, &array(small));
    assert!(message.contains("nothing but air") && message.contains("rescale_intercept_known"), "{message}");
    let zero = |_: usize, cells: &mut Vec<String>| cells[4] = "0".to_owned();
    let message = refused_for(&zero, &array(small));
    assert!(
        message.contains("have hardly more than one gray level") && message.contains("--standardize"),
        "{message}"
    );
    let flat = |bytes: &mut Vec<u8>| {
        let find = |text: &[u8]| bytes.windows(text.len()).position(|found| found == text).unwrap();
        let (from, to) = (find(b"(40"), find(b")"));
        let shape = format!("{:<width$}", "(40, 576", width = to - from);
        bytes.splice(from..to, shape.into_bytes());
    };
    let message = refused_for(&nothing, &array(flat));
    assert!(message.contains("the array of patches has the shape (40, 576), but has to be"), "{message}");

    let one_patient = |i: usize, cells: &mut Vec<String>| {
        if i % 2 == 1 {
            cells[1] = "P1".to_owned();
        }
    };
    let message = refused_for(&one_patient, &|_| ());
    assert!(message.contains("2 folds cannot be made") && message.contains("\"malignant\""), "{message}");
}

#[test]
fn lidc_that_is_insisted_on_says_where_it_is_had() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    let arguments: Vec<&str> = SMALL.split_whitespace().chain([out.as_str(), "--data", "lidc"]).collect();
    let message = refused(&arguments);
    assert!(
        message.contains("cancerimagingarchive.net")
            && message.contains("labels.csv")
            && message.contains("--data-dir"),
        "{message}"
    );
    // Where a folder is named that has none as well.
    let empty = folder.path().display().to_string();
    let message = refused(&[&arguments[..], &["--data-dir", &empty]].concat());
    assert!(
        message.contains("cancerimagingarchive.net") && message.contains("its folder lidc_nodules"),
        "{message}"
    );
}
