//! Which faces are used, and where they come from.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use cm_data::{Collection, ImageSet, OpenOptions, Pair, PairSet, folders_of_people};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::{config::DataChoice, synthetic};
use crate::{
    applications::{
        places::{Found, find, shown},
        start::{self, Nowhere, Origin, Search},
    },
    error::CliError,
    files::hex,
};

/// Name of the data set in every table and picture.
pub const LFW: &str = "LFW";

/// The protocol of View 1: people to train on, people to test on, and pairs of the latter.
const TRAIN: &str = "peopleDevTrain.txt";
const TEST: &str = "peopleDevTest.txt";
const PAIRS: &str = "pairsDevTest.txt";
/// What is known of the images beside their names.
const INDEX: &str = "index.csv";
/// What is cut out of an image of 250 x 250: the face fills it.
const REGION: [usize; 4] = [61, 61, 128, 128];

/// Images of people.
pub struct Faces {
    /// Where they came from.
    pub origin: Origin,
    /// All images, as they are stored.
    pub images: Arc<dyn ImageSet>,
    /// The person on each.
    pub people: Vec<u32>,
    /// Their names.
    pub names: Vec<String>,
    /// A figure of the sharpness of each, where it is known; more is sharper.
    pub sharpness: Vec<f64>,
    /// Images to learn from.
    pub train: Vec<usize>,
    /// Images of other people, to test on.
    pub test: Vec<usize>,
    /// Pairs of the latter.
    pub pairs: Vec<Pair>,
    /// What is cut out of each image first.
    pub region: Option<[usize; 4]>,
}

impl start::Found for Faces {
    fn origin(&mut self) -> &mut Origin {
        &mut self.origin
    }
}

/// Finds or draws faces.
///
/// # Errors
///
/// LFW that is damaged, or that was insisted on and is not there.
pub fn load(
    choice: DataChoice,
    people: usize,
    size: usize,
    seed: u64,
    search: &Search<'_>,
) -> Result<Faces, CliError> {
    let drawn = || synthetic::faces(people, size, seed);
    if choice == DataChoice::Synthetic {
        return Ok(drawn());
    }
    let is_there = |folder: &Path| [TRAIN, TEST, PAIRS].iter().any(|name| folder.join(name).is_file());
    let remedy = format!(
        "Labeled Faces in the Wild comes from its authors (http://vis-www.cs.umass.edu/lfw/). Put {TRAIN}, {TEST} and {PAIRS} \
         and the folder of its images (a folder for each person) into PLACE"
    );
    match find(LFW, search.data_dir, &["lfw", "LFW", "."], is_there, &remedy)? {
        Found::In(folder) => read(&folder),
        Found::Nowhere(looked) => {
            let nowhere = Nowhere { what_is: "LFW is", looked, drawn: "faces", remedy: (&remedy, "lfw") };
            nowhere.draw(choice == DataChoice::Lfw, search, drawn)
        }
    }
}

/// People and the number of their images, as a file of LFW lists them.
fn listed(path: &Path) -> Result<Vec<(String, usize)>, CliError> {
    let wrong = |line: usize, text: &str, expected: &str| {
        CliError::Said(format!("{}: line {line} is \"{text}\", but has to be {expected}", path.display()))
    };
    let text = fs::read_to_string(path)
        .map_err(|error| CliError::Said(format!("cannot read {}: {error}", path.display())))?;
    let mut lines = text.lines().zip(1..).filter(|(text, _)| !text.trim().is_empty());
    let first = "the number of people";
    let (text, line) = lines.next().ok_or_else(|| wrong(1, "", first))?;
    let announced: usize = text.trim().parse().map_err(|_| wrong(line, text, first))?;
    let person = |(text, line): (&str, usize)| {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words[..] {
            [name, count] => count.parse().ok().map(|count| (name.to_owned(), count)),
            _ => None,
        }
        .ok_or_else(|| wrong(line, text, "a name and the number of images"))
    };
    let people = lines.map(person).collect::<Result<Vec<_>, _>>()?;
    match people.len() == announced {
        true => Ok(people),
        false => Err(CliError::Said(format!(
            "{} lists {} people and announces {announced}; it was not copied whole, replace it by the original",
            path.display(),
            people.len()
        ))),
    }
}

/// The folder of images: the one in which the people have theirs.
fn root(folder: &Path, person: &str) -> Result<PathBuf, CliError> {
    match &folders_of_people(folder, person)[..] {
        [one] => Ok(one.clone()),
        [] => Err(CliError::Said(format!(
            "there is no folder of images in {}: none has a folder {person}; put LFW's images there",
            folder.display()
        ))),
        several => Err(CliError::Said(format!(
            "there are several folders of images in {}: {}; leave one",
            folder.display(),
            shown(several)
        ))),
    }
}

fn read(folder: &Path) -> Result<Faces, CliError> {
    let missing: Vec<&str> =
        [TRAIN, TEST, PAIRS].into_iter().filter(|name| !folder.join(name).is_file()).collect();
    if !missing.is_empty() {
        return Err(CliError::Said(format!(
            "{} has not all of LFW's protocol: {} is not there; put it there as well",
            folder.display(),
            missing.join(", ")
        )));
    }
    let sides = [listed(&folder.join(TRAIN))?, listed(&folder.join(TEST))?];
    let learned: BTreeSet<&str> = sides[0].iter().map(|(name, _)| &**name).collect();
    if let Some((both, _)) = sides[1].iter().find(|(name, _)| learned.contains(&**name)) {
        return Err(CliError::Said(format!(
            "{both} is in both {TRAIN} and {TEST} of {}; nobody may be learned and tested on",
            folder.display()
        )));
    }
    let first = sides[0].first().map_or("", |(name, _)| name);
    let root = root(folder, first)?;
    let mut files = Vec::new();
    let (mut people, mut names) = (Vec::new(), Vec::new());
    let mut parts = [Vec::new(), Vec::new()];
    for (side, part) in sides.iter().zip(&mut parts) {
        for (name, count) in side {
            for number in 1..=*count {
                part.push(files.len());
                people.push(names.len() as u32);
                files.push(format!("{name}/{name}_{number:04}.jpg"));
            }
            names.push(name.clone());
        }
    }
    let absent: Vec<&str> =
        files.par_iter().filter(|file| !root.join(file).is_file()).map(String::as_str).collect();
    if let Some(example) = absent.first() {
        return Err(CliError::Said(format!(
            "{} of the {} images that {TRAIN} and {TEST} name are not in {}, for example {example}; put LFW's images there",
            absent.len(),
            files.len(),
            root.display()
        )));
    }
    let positions: HashMap<&str, usize> = files.iter().map(String::as_str).zip(0..).collect();
    let options = OpenOptions { root: Some(root.clone()), ..OpenOptions::default() };
    let set = PairSet::open(&folder.join(PAIRS), &options)?;
    let tested: BTreeSet<usize> = parts[1].iter().copied().collect();
    let place = |image: usize| -> Result<usize, CliError> {
        let file = &set.images.items[image].file;
        positions.get(&**file).copied().filter(|image| tested.contains(image)).ok_or_else(|| {
            CliError::Said(format!(
                "{PAIRS} of {} names {file}, which is none of the people in {TEST}",
                folder.display()
            ))
        })
    };
    let pairs = set
        .pairs
        .iter()
        .map(|pair| Ok(Pair { images: [place(pair.images[0])?, place(pair.images[1])?], ..*pair }))
        .collect::<Result<Vec<Pair>, CliError>>()?;
    let sharpness = sharpness(&folder.join(INDEX), &files)?;
    let checksums = checksums(folder, &root, &files)?;
    let shown = files.iter().map(|file| (file.clone(), root.join(file))).collect();
    let [train, test] = parts;
    Ok(Faces {
        origin: Origin {
            name: LFW.into(),
            source: "photographs of faces, the 128 x 128 pixels in their middle".to_owned(),
            place: folder.display().to_string(),
            notice: None,
            checksums,
        },
        images: Arc::new(Collection::from_files(LFW, shown, &options)),
        people,
        names,
        sharpness,
        train,
        test,
        pairs,
        region: Some(REGION),
    })
}

/// The sharpness of each file as the index has it; NaN of all without an index.
fn sharpness(path: &Path, files: &[String]) -> Result<Vec<f64>, CliError> {
    if !path.is_file() {
        return Ok(vec![f64::NAN; files.len()]);
    }
    let failed = |error: csv::Error| CliError::Said(format!("{}: {error}", path.display()));
    let mut reader = csv::Reader::from_path(path).map_err(failed)?;
    let header = reader.headers().map_err(failed)?.clone();
    let column = |name: &str| {
        let found = header.iter().position(|column| column == name);
        found.ok_or_else(|| CliError::Said(format!("{} has no column {name}", path.display())))
    };
    let (file, sharp) = (column("file")?, column("lapvar128")?);
    let mut known: HashMap<String, f64> = HashMap::new();
    for (row, line) in reader.records().zip(2u64..) {
        let row = row.map_err(failed)?;
        let (name, value) = (row.get(file).unwrap_or(""), row.get(sharp).unwrap_or(""));
        let value = value.parse().map_err(|_| {
            CliError::Said(format!(
                "{}: line {line}: lapvar128 is \"{value}\", and no number",
                path.display()
            ))
        })?;
        known.insert(name.to_owned(), value);
    }
    let of = |file: &String| {
        let name = file.rsplit('/').next().unwrap_or(file);
        known.get(file).or_else(|| known.get(name)).copied().unwrap_or(f64::NAN)
    };
    let found: Vec<f64> = files.iter().map(of).collect();
    if found.iter().all(|sharpness| sharpness.is_nan()) {
        let (file, example) = (path.display(), files.first().map_or("", |file| file));
        return Err(CliError::Said(format!(
            "{file} names none of the images: its column file has to have names such as {example}; correct it, or take it away"
        )));
    }
    Ok(found)
}

fn checksums(folder: &Path, root: &Path, files: &[String]) -> Result<BTreeMap<String, String>, CliError> {
    let read = |path: &Path| {
        fs::read(path).map_err(|error| CliError::Said(format!("cannot read {}: {error}", path.display())))
    };
    let contents: Vec<[u8; 32]> = files
        .par_iter()
        .map(|file| read(&root.join(file)).map(|bytes| Sha256::digest(bytes).into()))
        .collect::<Result<_, CliError>>()?;
    let mut all = Sha256::new();
    for (file, content) in files.iter().zip(contents) {
        all.update(file.as_bytes());
        all.update(content);
    }
    let mut checksums =
        BTreeMap::from([("images by name".to_owned(), format!("sha256:{}", hex(&all.finalize())))]);
    for name in [TRAIN, TEST, PAIRS] {
        let sum = Sha256::digest(read(&folder.join(name))?);
        checksums.insert(name.to_owned(), format!("sha256:{}", hex(&sum)));
    }
    Ok(checksums)
}
