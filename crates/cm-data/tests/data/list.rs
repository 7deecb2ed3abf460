//! Lists: tables whose rows name a file.

use std::{fs, path::Path};

use cm_data::{Collection, ColumnNames, DataError, ListProblem, OpenOptions, Split};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::helper::{image_bytes, message, open, summary, write_images, zip_of_images};

/// A folder with images `1.png` to `4.png` in `images`, and a list.
fn with_list(name: &str, text: impl AsRef<[u8]>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_images(folder.path(), &["images/1.png", "images/2.png", "images/3.png", "images/4.png"]);
    fs::write(folder.path().join(name), text).unwrap();
    folder
}

fn opened(text: impl AsRef<[u8]>) -> Result<Collection, DataError> {
    let folder = with_list("list.csv", text);
    open(&folder.path().join("list.csv"))
}

fn problem(text: impl AsRef<[u8]>) -> ListProblem {
    match opened(text).unwrap_err() {
        DataError::List { problem, .. } => problem,
        other => panic!("{other}"),
    }
}

#[test]
fn a_list_gives_each_file_its_class_group_split_weight_and_numbers() {
    let folder = with_list(
        "list.csv",
        "path,label,group,split,weight,width,camera,sharpness\n\
         images/1.png,10,b,train,0.5,30,front,1e-3\n\
         ./images//2.png,2,,Test,,31,rear,\n\
         images/../images/3.png, 10 ,a,,2,NaN,front,-4.5\n",
    );
    let collection = open(&folder.path().join("list.csv")).unwrap();
    assert_eq!(collection.name, "list");
    assert_eq!(collection.classes, ["2", "10"]);
    assert_eq!(collection.groups, ["a", "b"]);
    assert_eq!(collection.columns, ["width", "sharpness"]);
    assert_eq!(collection.ignored_columns, ["camera"]);
    let expected = [
        ("images/1.png", "10", Some("train")),
        ("images/2.png", "2", Some("test")),
        ("images/3.png", "10", None),
    ];
    assert_eq!(summary(&collection), expected);
    let items = &collection.items;
    assert_eq!(items.iter().map(|item| item.group).collect::<Vec<_>>(), [Some(1), None, Some(0)]);
    assert_eq!(items.iter().map(|item| item.weight).collect::<Vec<_>>(), [0.5, 1.0, 2.0]);
    assert_eq!(items[0].columns, [30.0, 0.001]);
    assert!(items[1].columns[1].is_nan() && items[2].columns[0].is_nan());
    assert_eq!(collection.read(2).unwrap(), image_bytes("images/3.png"));
}

#[test]
fn separators_marks_line_ends_quotes_and_backslashes_are_understood() {
    let texts = [
        "path,label\nimages/1.png,a\nimages/2.png,\"b, c\"\n".to_owned(),
        "\u{feff}file;class\r\nimages/1.png;a\r\nimages\\2.png;\"b, c\"\r\n;\r\n".to_owned(),
        "Filename\tLABEL\nimages/1.png\ta\n\nimages/2.png\tb, c".to_owned(),
        "label,image\na,images/1.png\n\"b, c\",\"images/2.png\"\n".to_owned(),
    ];
    for text in texts {
        let collection = opened(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let expected = [("images/1.png", "a", None), ("images/2.png", "b, c", None)];
        assert_eq!(summary(&collection), expected, "{text}");
    }
}

#[test]
fn accents_may_be_written_in_another_way_than_in_the_names_of_the_files() {
    let folder = with_list("list.csv", "path,label\nimages/caf\u{e9},caf\u{e9}\nimages/1.png,cafe\u{301}s\n");
    write_images(folder.path(), &["images/cafe\u{301}"]);
    let collection = open(&folder.path().join("list.csv")).unwrap();
    assert_eq!(collection.read(0).unwrap(), image_bytes("images/cafe\u{301}"));
    assert_eq!(collection.classes, ["caf\u{e9}", "caf\u{e9}s"]);
}

#[test]
fn columns_may_have_names_of_their_own_and_an_absolute_path_is_allowed() {
    let folder = with_list("list.tsv", "");
    let path = folder.path().join("images/1.png");
    let text = format!("bild\tart\ttrack\tpath\n{}\ta\tt1\t-\nimages/2.png\tb\tt2\t-\n", path.display());
    fs::write(folder.path().join("list.tsv"), text).unwrap();
    let name = |name: &str| Some(name.to_owned());
    let columns = ColumnNames {
        path: name("Bild"),
        label: name("art"),
        group: name("track"),
        ..ColumnNames::default()
    };
    let options = OpenOptions { columns, ..OpenOptions::default() };
    let collection = Collection::open(&folder.path().join("list.tsv"), &options).unwrap();
    assert_eq!(collection.groups, ["t1", "t2"]);
    assert_eq!(collection.read(0).unwrap(), image_bytes("images/1.png"));
    assert_eq!(collection.ignored_columns, ["path"]);
}

#[test]
fn each_mistake_is_named_with_its_line() {
    let cases = [
        ("", "it is empty"),
        ("path,label\n", "it has a header but no rows"),
        ("name,label\nx,a\n", "no column for the paths (path, file, filename, image); there are name, label"),
        ("path,kind\nx,a\n", "no column for the labels (label, class); there are path, kind"),
        ("path,label,Label\nx,a,b\n", "two columns are named \"Label\""),
        ("path,label\nimages/1.png\n", "line 2 has 1 cells, but the header has 2"),
        ("path,label\nimages/1.png,a\n,b\n", "line 3 has no path"),
        ("path,label\nimages/1.png,a\nimages/2.png,\n", "line 3 has no label"),
        ("path,label,split\nimages/1.png,a,dev\n", "line 2: the split is \"dev\""),
        ("path,label,weight\nimages/1.png,a,-1\n", "line 2: the weight is \"-1\""),
        ("path,label,weight\nimages/1.png,a,inf\n", "line 2: the weight is \"inf\""),
        ("path,label,weight\nimages/1.png,a,1e40\n", "line 2: the weight is 1e40, which is out of range"),
        (
            "path,label,size\nimages/1.png,a,1\nimages/2.png,b,1e999\n",
            "line 3: the size is 1e999, which is out of",
        ),
        (
            "path,label\nimages/1.png,a\n\nimages\\1.png,b\n",
            "line 2 and line 4 give images/1.png a different label",
        ),
        ("path,label,split\nimages/1.png,a,train\nimages/1.png,a,test\n", "images/1.png a different split"),
        ("path,label,x\nimages/1.png,a,1\nimages/1.png,a,2\n", "images/1.png a different x"),
        ("path,label\nimages/1.png,a\nimages/2.png,a\n", "every image is of the class \"a\""),
    ];
    for (text, expected) in cases {
        let message = opened(text).unwrap_err().to_string();
        assert!(message.contains("list.csv") && message.contains(expected), "{text}: {message}");
    }
    assert_eq!(problem(b"path,label\nimages/1.png,\xff\n"), ListProblem::NotUtf8 { line: 2 });
    assert_eq!(problem(b"\xff\xfep\0a\0"), ListProblem::Utf16);
    // NaN is no weight, but an empty cell of a table that was exported with it.
    assert!(problem("path,label,weight\nimages/1.png,a,nan\n").to_string().contains("the weight is \"nan\""));
}

#[test]
fn repeated_rows_count_once() {
    let text = "path,label\nimages/1.png,a\nimages/2.png,b\nimages/./1.png,a\n";
    let collection = opened(text).unwrap();
    assert_eq!((collection.len(), collection.skipped.repeated), (2, 1));
}

#[test]
fn twenty_files_that_are_not_there_are_named_and_the_others_counted() {
    let rows: String = (1..=30).map(|i| format!("images/{i}.png,{}\n", i % 2)).collect();
    let message = opened(format!("path,label\n{rows}")).unwrap_err().to_string();
    assert!(message.contains("26 of its 30 files are not in"), "{message}");
    assert!(message.contains("images/5.png\n") && message.contains("images/24.png\n"), "{message}");
    assert!(
        message.contains("and 6 more\nPut them there") && !message.contains("images/25.png"),
        "{message}"
    );
}

#[test]
fn labels_may_be_missing_where_none_are_required() {
    let options = OpenOptions { labels_required: false, ..OpenOptions::default() };
    let folder = with_list("list.txt", "path\nimages/1.png\nimages/2.png\n");
    let collection = Collection::open(&folder.path().join("list.txt"), &options).unwrap();
    assert_eq!(summary(&collection), [("images/1.png", "-", None), ("images/2.png", "-", None)]);
}

#[test]
fn a_label_that_a_model_does_not_know_is_named_with_its_line() {
    let folder = with_list("list.csv", "path,label\nimages/1.png,b\nimages/2.png,c\n");
    let path = folder.path().join("list.csv");
    let classes = |classes: &[&str]| OpenOptions {
        classes: Some(classes.iter().map(|class| (*class).to_owned()).collect()),
        ..OpenOptions::default()
    };
    let message = message(Collection::open(&path, &classes(&["a", "b"])), &path);
    assert!(
        message.contains("list.csv, line 3: \"c\" is none of the 2 classes asked for (a, b)"),
        "{message}"
    );
    let collection = Collection::open(&path, &classes(&["c", "a", "b"])).unwrap();
    assert_eq!(collection.items[0].label, 2);
}

#[test]
fn the_files_of_a_list_may_lie_elsewhere_and_in_an_archive() {
    let elsewhere = tempfile::tempdir().unwrap();
    let zip = elsewhere.path().join("images.zip");
    fs::write(&zip, zip_of_images(&["all/train/1.png", "all/train/2.png", "all/test/3.png"])).unwrap();
    write_images(elsewhere.path(), &["train/1.png", "train/2.png"]);
    let folder = with_list("list.csv", "path,label,split\ntrain/1.png,a,train\nall/train/2.png,b,test\n");
    let path = folder.path().join("list.csv");
    let at = |root: &Path| OpenOptions { root: Some(root.to_owned()), ..OpenOptions::default() };
    // Above or below the folder that everything in the archive lies in.
    let collection = Collection::open(&path, &at(&zip)).unwrap();
    assert_eq!(collection.read(0).unwrap(), image_bytes("all/train/1.png"));
    assert_eq!(collection.items[1].split, Some(Split::Test));
    let missing = Collection::open(&path, &at(elsewhere.path())).unwrap_err().to_string();
    assert!(
        missing.contains("1 of its 2 files are not in") && missing.contains("all/train/2.png"),
        "{missing}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_text_is_a_list_or_an_error_but_never_a_panic(
        start in prop::sample::select(vec!["", "path,label\n", "path;label;group;split;weight;x\n", "\u{feff}file\tclass\n"]),
        body in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..100),
            "(images/[1-5].png|[ab\"]|[,;\t\n\r]|-?[0-9]{1,3}(e[0-9]{1,3})?|train|nan){0,20}".prop_map(String::into_bytes),
        ],
    ) {
        let _ = opened([start.as_bytes(), &body].concat());
    }
}

#[test]
fn files_that_are_missing_are_found_out_when_they_are_read_where_that_is_asked_for() {
    let folder = with_list("list.csv", "path\nimages/1.png\nimages/gone.png\nimages/2.png\n");
    let options = OpenOptions { labels_required: false, files_required: false, ..OpenOptions::default() };
    let collection = Collection::open(&folder.path().join("list.csv"), &options).unwrap();
    assert_eq!(collection.len(), 3);
    assert!(collection.image(0).is_ok() && collection.image(2).is_ok());
    let gone = collection.image(1).unwrap_err().to_string();
    assert!(gone.contains("gone.png") && gone.contains("cannot open"), "{gone}");
}

#[test]
fn files_by_name_are_a_set_without_classes() {
    let folder = with_list("list.csv", "path\n");
    let file = |name: &str| (name.to_owned(), folder.path().join("images").join(name));
    let collection = Collection::from_files(
        "some",
        vec![file("2.png"), file("no.png"), file("1.png")],
        &OpenOptions::default(),
    );
    assert_eq!((collection.len(), collection.classes.len()), (3, 0));
    assert!(collection.image(0).is_ok() && collection.image(1).is_err() && collection.image(2).is_ok());
    assert_eq!(collection.items[2].class(), None);
}
