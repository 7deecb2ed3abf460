//! Small files of every kind, where fuzzing begins.

use std::{
    fs,
    io::{Cursor, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};
use zip::{ZipWriter, write::SimpleFileOptions};

/// The files for a target, each with a name.
///
/// # Panics
///
/// Outside of the checkout, where the files of the other crates' tests are not there.
pub fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    match target {
        "archive" => archives(),
        "array" => files(&["cm-data/tests/data/arrays"], 512),
        "decode" => files(&["cm-data/tests/data/files"], 2048),
        "entries" => entries().iter().map(|(name, entries)| named(name, joined(entries))).collect(),
        "features" => texts(FEATURES),
        "idx" => idx(),
        "list" => texts(LISTS),
        "pairs" => texts(PAIRS),
        "record" => texts(RECORDS),
        "records" => records(),
        "verification_set" => faces(".bin"),
        #[cfg(feature = "models")]
        _ => models::seeds(target),
        #[cfg(not(feature = "models"))]
        _ => Vec::new(),
    }
}

/// Pairs of every form.
const PAIRS: &[(&str, &str)] = &[
    ("folds", "2\t1\nAnn\t1\t2\nAnn\t1\tCy\t12\nAnn\t2\t1\nBo_Li\t1\tCy\t12\n"),
    ("one", "1\nAnn\t1\t2\nAnn 1 Cy 12\n"),
    ("table", "first,second,same,fold\na/1.jpg,a/2.jpg,1,3\na/1.jpg,\"b/1.jpg\",False,0\n"),
    ("other-names", "path1;path2;label\nx.png;y.png;0\nx.png;z.png;1\n"),
];

/// The files of faces for the tests that end so.
fn faces(ending: &str) -> Vec<(String, Vec<u8>)> {
    let found = files(&["cm-data/tests/data/faces"], 16384);
    found.into_iter().filter(|(name, _)| name.ends_with(ending)).collect()
}

/// Record files alone and with their index.
fn records() -> Vec<(String, Vec<u8>)> {
    let indices = faces(".idx");
    let records = faces(".rec").into_iter();
    let with_index = |(name, bytes): (String, Vec<u8>)| {
        let index = indices.iter().find(|(index, _)| index.split('.').next() == name.split('.').next());
        let joined = index.map(|(index, text)| (index.clone(), [&bytes[..], b"\nINDEX\n", text].concat()));
        [(name, bytes)].into_iter().chain(joined)
    };
    records.flat_map(with_index).collect()
}

fn named(name: &str, bytes: impl Into<Vec<u8>>) -> (String, Vec<u8>) {
    (name.to_owned(), bytes.into())
}

fn texts(texts: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    texts.iter().map(|(name, text)| named(name, *text)).collect()
}

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates")
}

/// The files of the other crates' tests, up to a size.
fn files(folders: &[&str], largest: u64) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for folder in folders.iter().map(|folder| crates().join(folder)) {
        for entry in fs::read_dir(&folder).expect("the folder is there") {
            let entry = entry.expect("the folder is listed");
            let is_small = entry.metadata().is_ok_and(|file| file.is_file() && file.len() <= largest);
            if is_small {
                let bytes = fs::read(entry.path()).expect("the file is there");
                found.push(named(&entry.file_name().to_string_lossy(), bytes));
            }
        }
    }
    found.sort();
    found
}

const IMAGE: &[u8] = b"P5 2 1 255\n\x01\x02";

type Entries = Vec<(&'static str, &'static [u8])>;

fn entries() -> Vec<(&'static str, Entries)> {
    vec![
        ("folders", vec![("a/1", IMAGE), ("b/2", IMAGE)]),
        ("splits", vec![("train/a/1", IMAGE), ("train/b/1", IMAGE), ("val/a/2", IMAGE), ("test/b/3", IMAGE)]),
        ("top", vec![("set/", b""), ("set/a/1", IMAGE), ("set/b/deep/2", IMAGE), ("__MACOSX/z", b"")]),
        ("list", vec![("list.csv", b"path,label\nx/1,a\nx/2,b\n"), ("x/1", IMAGE), ("x/2", IMAGE)]),
        (
            "list-below",
            vec![("set/l.txt", b"file;class\nx\\1;a\n./x/2;b\n"), ("set/x/1", IMAGE), ("set/x/2", IMAGE)],
        ),
        ("loose", vec![("1", IMAGE), ("README.md", b"text"), (".hidden", b""), ("Thumbs.db", b"")]),
        ("accents", vec![("caf\u{e9}/1", IMAGE), ("cafe\u{301}/2", IMAGE), ("猫/3", IMAGE)]),
    ]
}

fn joined(entries: &Entries) -> Vec<u8> {
    let parts: Vec<Vec<u8>> =
        entries.iter().map(|(name, content)| [name.as_bytes(), b"\n", content].concat()).collect();
    parts.join(&b"\n%%\n"[..])
}

fn archives() -> Vec<(String, Vec<u8>)> {
    let made = |entries: &Entries| {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in entries {
            let options = SimpleFileOptions::default();
            let written = match name.ends_with('/') {
                true => writer.add_directory(*name, options),
                false => writer.start_file(*name, options),
            };
            written.expect("the name is good");
            writer.write_all(content).expect("memory can be written");
        }
        writer.finish().expect("memory can be written").into_inner()
    };
    entries().iter().map(|(name, entries)| named(name, made(entries))).collect()
}

fn idx() -> Vec<(String, Vec<u8>)> {
    let file = |numbers: &[u32], bytes: &[u8]| {
        numbers
            .iter()
            .flat_map(|number| number.to_be_bytes())
            .chain(bytes.iter().copied())
            .collect::<Vec<u8>>()
    };
    let packed = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).expect("memory can be written");
        encoder.finish().expect("memory can be written")
    };
    let images = file(&[0x803, 3, 2, 4], &(0..24).collect::<Vec<u8>>());
    let labels = file(&[0x801, 4], &[0, 9, 1, 1]);
    vec![
        named("images", &images[..]),
        named("labels", &labels[..]),
        named("images.gz", packed(&images)),
        named("labels.gz", packed(&labels)),
        named("zeros.gz", packed(&file(&[0x803, 30, 20, 20], &[0; 12_000]))),
        named("two-parts.gz", [packed(&images[..10]), packed(&images[10..])].concat()),
        named("none", file(&[0x803, 0, 28, 28], &[])),
        named("huge", file(&[0x803, u32::MAX, u32::MAX, u32::MAX], &[1])),
        named("page", *b"<!DOCTYPE html><html></html>"),
    ]
}

const LISTS: &[(&str, &str)] = &[
    ("plain", "path,label\na,1\nb,2\n"),
    (
        "all",
        "file;class;group;split;weight;age;note\na;x;p1;train;1;3.5;w\nb;y;p2;val;0.5;;v\na.png;x;p1;test;2;-1e3;u\n",
    ),
    ("tabs", "image\tlabel\na\tx\nb\ty\n"),
    ("quotes", "filename,label\n\"a\",\"x, or \"\"y\"\"\"\n\"b\",z\n"),
    ("mark", "\u{feff}path,label\r\na,1\r\n\r\nb,2\r\n"),
    ("repeated", "path,label\na,1\n./a,1\nx/../a,1\nb,2\n"),
    ("accents", "path,label\na,cafe\u{301}\nb,caf\u{e9}\n"),
    ("unlabeled", "path\na\nb\na.png\n"),
];

const FEATURES: &[(&str, &str)] = &[
    (
        "now",
        "index,label,predicted,confidence,norm,x,y,severity,kind\n0,3,8,0.5,1.25,-0.75,1,2,blur\n1,3,3,NaN,2e3,0,-0,0,\n",
    ),
    ("format-1", "index,label,predicted,severity,norm,x,y\n7,3,8,2,1.25,-0.75,1\n"),
    ("quotes", "y,x,norm,predicted,label,index,\"a,b\"\n1,2,3,4,5,6,\"7 \"\"8\"\"\"\n"),
];

const RECORDS: &[(&str, &str)] = &[
    ("empty", include_str!("seeds/record-empty.json")),
    ("two-losses", include_str!("seeds/record-two-losses.json")),
    ("format-99", r#"{"format": 99, "novel": true}"#),
];

#[cfg(feature = "models")]
mod models {
    use cm_loss_core::Preset;

    use super::{crates, files, named, texts};
    use crate::{foreign, model};

    pub fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
        let card = |loss: &Preset| serde_json::to_string(&model::smallest(*loss)).expect("a card is data");
        match target {
            "card" => {
                let mut cards: Vec<_> =
                    Preset::ALL.iter().map(|loss| named(loss.name(), card(loss))).collect();
                cards.push(named("quality", with_quality(&card(&Preset::CosFace))));
                cards
            }
            "foreign" => {
                let mut found = files(&["cm-models/tests/models/torch"], 4096);
                found.retain(|(name, _)| !name.ends_with(".json"));
                found.push(named("backbone.safetensors", foreign::file()));
                found.push(named("legacy", legacy()));
                found
            }
            "model" => [Preset::Softmax, Preset::CosFace]
                .map(|loss| named(loss.name(), model::file(&model::smallest(loss))))
                .into(),
            "pickle" => {
                let pickle = |name: &str| {
                    foreign::pickle_of(&crates().join(format!("cm-models/tests/models/torch/{name}.pth")))
                };
                let head = pickle("head-insightface");
                let view = with_shape(&head, b"K\x05K\x03\x86", b"J\0\0\0\x08K\x03\x86");
                let view = with_shape(&view, b"K\x03K\x01\x86", b"K\0K\0\x86");
                vec![named("all", pickle("head-adaface")), named("head", head), named("view", view)]
            }
            "settings" => texts(SETTINGS),
            other => panic!("there is no target {other}"),
        }
    }

    /// A file of the kind that PyTorch wrote before zip files: pickles of a magic number, of a version, of the system, of the
    /// tensors and of the names of their numbers, and the numbers.
    fn legacy() -> Vec<u8> {
        let folder = crates().join("cm-models/tests/models/torch");
        let file = std::fs::read(folder.join("state-dict.pth")).expect("the file is there");
        let mut starts = (0..file.len()).filter(|&at| file[at..].starts_with(b"\x80\x02"));
        let head = &file[..starts.nth(3).expect("it begins with three pickles")];
        let tensors =
            with_shape(&foreign::pickle_of(&folder.join("head-insightface.pth")), b"K\x0ft", b"K\x0fNt");
        let names = b"\x80\x02]q\0X\x01\0\0\x000q\x01a.";
        [head, &tensors, names, &15u64.to_le_bytes(), &[0x3c; 30]].concat()
    }

    /// A pickle with other numbers in the place of the first ones like these.
    fn with_shape(pickle: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
        let at = pickle.windows(from.len()).position(|window| window == from).expect("the shape is there");
        [&pickle[..at], to, &pickle[at + from.len()..]].concat()
    }

    fn with_quality(card: &str) -> String {
        let norms: Vec<String> = (0..=100).map(|part| format!("{part}")).collect();
        let quality = format!(
            r#","norms":[{}],"quality":{{"map":{{"kind":"isotonic","corners":[[1.0,0.25],[3.0,0.75]]}},"fitted":{{"data":"d",
            "checksum":"","images":9,"target":"t","correlation":0.8,"interval":[0.5,0.9]}}}}}}"#,
            norms.join(",")
        );
        format!("{}{quality}", card.strip_suffix('}').expect("a card is an object"))
    }

    const SETTINGS: &[(&str, &str)] = &[
        (
            "all",
            r#"[data]
skip-bad = 1
validation = 0.1
[model]
backbone = "resnet18"
stem = "small"
width = 16
size = [32, 24]
region = [1, 1, 5, 4]
resize = "fit"
mean = [0.5]
std = [0.25]
[loss]
name = "CM-CosFace"
scale = 30.0
margin = 0.2
[training]
sampling = "balanced"
seed = 3
[augmentation]
flip = true
shift = 0.1
scale = [0.8, 1.2]
rotation = 10.0
color = 0.2
erasing = 0.5
degrade = { kind = "mixed", fraction = 0.5, severities = [1, 4] }
[run]
backend = "flex"
"#,
        ),
        (
            "head",
            "[loss]\nhead = { head = \"margin\", norm_map = { kind = \"sigmoid\", scale = 30.0 }, \
             margin = { kind = \"cosine\", margin = 0.4 } }\n",
        ),
        (
            "parts",
            r#"backbone = { backbone = "lenet++", width = 4 }
[input]
width = 8
height = 8
channels = 3
resize = "crop"
mean = [0.5, 0.5, 0.5]
std = [0.25, 0.25, 0.25]
[heads]
a = { head = "linear" }
b = { head = "margin", sub_centers = 3, options = { label_smoothing = 0.1, focal_gamma = 2.0 } }
"#,
        ),
    ];
}
