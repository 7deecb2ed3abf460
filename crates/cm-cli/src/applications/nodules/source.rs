//! Which nodules are used, and where they come from.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    fs,
    path::{Path, PathBuf},
};

use cm_data::{Array, ArrayProblem, DataError};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::{
    config::DataChoice,
    hounsfield::{self, Intercepts},
    nodule::Nodule,
    synthetic, table,
};
use crate::{
    applications::{
        places::{Found, find, shown},
        start::{self, Nowhere, Origin, Search},
    },
    error::CliError,
    files::hex,
};

/// Name of the data set in every table and picture, if it is this one.
const LIDC: &str = "LIDC-IDRI nodules";
/// What the names of its patients begin with.
const PATIENT: &str = "LIDC-IDRI-";

/// Folders that the nodules are looked for in.
const NAMES: [&str; 3] = ["lidc_nodules", "lidc", "nodules"];

/// The table, beside the one array of patches.
const TABLE: &str = "labels.csv";

/// All nodules that were found or drawn.
#[derive(Debug, Clone)]
pub struct Nodules {
    /// Where they came from.
    pub origin: Origin,
    /// Nodules whose patch another nodule of the same patient has as well; they are not among the others.
    pub duplicates: usize,
    /// Nodules whose table says nothing of an intercept, so that it was guessed.
    pub guessed: usize,
    /// The nodules.
    pub nodules: Vec<Nodule>,
}

impl start::Found for Nodules {
    fn origin(&mut self) -> &mut Origin {
        &mut self.origin
    }
}

/// Finds or draws nodules.
///
/// # Errors
///
/// LIDC that is damaged, or that was insisted on and is not there.
pub fn load(
    choice: DataChoice,
    patients: usize,
    seed: u64,
    search: &Search<'_>,
) -> Result<Nodules, CliError> {
    if choice == DataChoice::Synthetic {
        return Ok(synthetic::nodules(patients, seed));
    }
    let remedy = format!(
        "LIDC-IDRI comes from The Cancer Imaging Archive (https://www.cancerimagingarchive.net/collection/lidc-idri/). Put a .npy \
         array of patches (nodules, height, width) and {TABLE} with a row for each patch ({}, Malignancy_1 and so on, Subtlety_1 \
         and so on) into PLACE",
        table::COLUMNS.join(", ")
    );
    let is_there = |folder: &Path| {
        let (table, array) = (folder.join(TABLE).is_file(), !arrays_in(folder).is_empty());
        // In a folder of this name one of the two is enough to know what is meant; the other is then asked for.
        let is_named = folder.file_name().is_some_and(|name| NAMES.iter().any(|of| *of == name));
        (table && array) || (is_named && (table || array))
    };
    let below = [&NAMES[..], &["."]].concat();
    match find(LIDC, search.data_dir, &below, is_there, &remedy)? {
        Found::In(folder) => read(&folder),
        Found::Nowhere(looked) => {
            let what_is = format!("{LIDC} are");
            let nowhere =
                Nowhere { what_is: &what_is, looked, drawn: "nodules", remedy: (&remedy, "lidc_nodules") };
            nowhere.draw(choice == DataChoice::Lidc, search, || synthetic::nodules(patients, seed))
        }
    }
}

/// The arrays of a folder.
fn arrays_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut arrays: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("npy")))
        // What macOS puts beside a file on foreign disks.
        .filter(|path| !path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"._")))
        .collect();
    arrays.sort();
    arrays
}

/// Reads an array of patches and the table beside it.
fn read(folder: &Path) -> Result<Nodules, CliError> {
    let arrays = arrays_in(folder);
    if arrays.is_empty() {
        return Err(CliError::Said(format!(
            "there is {TABLE} in {}, but no .npy array of patches beside it; put it there",
            folder.display()
        )));
    }
    if !folder.join(TABLE).is_file() {
        return Err(CliError::Said(format!(
            "there is {} in {}, but no {TABLE} with a row for each of its patches beside it; put it there",
            shown(&arrays),
            folder.display()
        )));
    }
    let [path] = &arrays[..] else {
        return Err(CliError::Said(format!(
            "there are several arrays in {}: {}; leave the one whose rows are those of {TABLE}",
            folder.display(),
            shown(&arrays)
        )));
    };
    let list = folder.join(TABLE);
    let rows = table::read(&list)?;
    let array = Array::read(path)?;
    let (count, side) = match array.shape[..] {
        [count, height, width] if height == width && height > 0 => (count, height),
        _ => {
            let (what, found) = ("the array of patches".to_owned(), array.shape.clone());
            let expected = "(nodules, side, side): square patches".to_owned();
            let problem = ArrayProblem::Shape { what, found, expected };
            return Err(DataError::Array { path: path.clone(), problem }.into());
        }
    };
    if count != rows.len() {
        return Err(CliError::Said(format!(
            "{} has {} rows, but {} has {count} patches; each row needs its patch, in the same order",
            list.display(),
            rows.len(),
            path.display()
        )));
    }
    let area = side * side;
    let patches: Vec<Vec<f32>> =
        (0..count).map(|index| array.numbers.reals(index * area..(index + 1) * area)).collect();
    let lows: Vec<f32> = patches.par_iter().map(|values| hounsfield::low(values)).collect();
    let intercepts = Intercepts::of(&rows, |patch| lows[patch]);
    if intercepts.are_added_twice(|patch| lows[patch]) {
        return Err(CliError::Said(format!(
            "most patches of {} would be darker than air with the intercepts of {}: they are Hounsfield units already; empty the column \
             rescale_intercept_known, or set it to 0",
            path.display(),
            list.display()
        )));
    }
    let highest = |patch: usize| patches[patch].iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if intercepts.are_air(highest) {
        return Err(CliError::Said(format!(
            "most patches of {} would be nothing but air with the intercepts of {}, so that there is no nodule in them: if its values are \
             Hounsfield units, or no measure at all, write 0 into the column rescale_intercept_known; for the latter take \
             --standardize as well",
            path.display(),
            list.display()
        )));
    }
    // As stored: the same patch may have a known intercept in one row and a guessed one in another.
    let stored: Vec<Vec<u32>> =
        patches.par_iter().map(|values| values.iter().map(|value| value.to_bits()).collect()).collect();
    let is_lidc = rows.iter().all(|row| row.patient.starts_with(PATIENT));
    let name = match folder.file_name() {
        Some(folder) if !is_lidc => format!("nodules of {}", folder.to_string_lossy()),
        None if !is_lidc => "nodules".to_owned(),
        _ => LIDC.to_owned(),
    };
    let mut nodules = Vec::with_capacity(count);
    for (index, (row, mut values)) in rows.into_iter().zip(patches).enumerate() {
        values.iter_mut().for_each(|value| *value += intercepts.values[index] as f32);
        if let Some(value) = values.iter().find(|value| !value.is_finite()) {
            return Err(CliError::Said(format!(
                "{}: patch {index} holds the value {value}, but Hounsfield units are finite; replace the patch or leave it out",
                path.display()
            )));
        }
        nodules.push(Nodule {
            name: format!("nodule {} of {}", row.id, row.patient),
            id: row.id,
            patient: row.patient,
            spacing: row.spacing,
            diameter: row.diameter * row.spacing,
            malignancy: row.malignancy,
            subtlety: row.subtlety,
            side,
            values,
        });
    }
    let checksums = checksums(&nodules);
    let all = nodules.len();
    let nodules = without_duplicates(nodules, stored).map_err(|[first, second]| {
        CliError::Said(format!(
            "{}: {first} and {second} have the same patch, but folds keep patients apart; give both the same patient, or leave one out",
            list.display()
        ))
    })?;
    Ok(Nodules {
        origin: Origin {
            name: name.into(),
            source: format!("computed tomography, {side} x {side} pixels around each nodule"),
            place: folder.display().to_string(),
            notice: None,
            checksums,
        },
        duplicates: all - nodules.len(),
        guessed: intercepts.guessed,
        nodules,
    })
}

/// Checksums of pixels, and of everything that is known of the nodules.
pub fn checksums(nodules: &[Nodule]) -> BTreeMap<String, String> {
    let (mut pixels, mut ratings) = (Sha256::new(), Sha256::new());
    for nodule in nodules {
        nodule.values.iter().for_each(|value| pixels.update(value.to_le_bytes()));
        ratings.update(nodule.patient.as_bytes());
        ratings.update(nodule.spacing.to_le_bytes());
        ratings.update(nodule.diameter.to_le_bytes());
        for of_kind in [&nodule.malignancy, &nodule.subtlety] {
            ratings.update([of_kind.len() as u8]);
            ratings.update(of_kind);
        }
    }
    let shown = |sum: Sha256| format!("sha256:{}", hex(&sum.finalize()));
    [("train pixels".to_owned(), shown(pixels)), ("train ratings".to_owned(), shown(ratings))].into()
}

/// Keeps one of the nodules of a patient that share a patch as stored: that with the most ratings, the first among equals.
///
/// # Errors
///
/// The names of two nodules of different patients that share a patch.
fn without_duplicates(nodules: Vec<Nodule>, stored: Vec<Vec<u32>>) -> Result<Vec<Nodule>, [String; 2]> {
    let mut kept: Vec<Nodule> = Vec::with_capacity(nodules.len());
    let mut seen: HashMap<Vec<u32>, usize> = HashMap::new();
    for (nodule, stored) in nodules.into_iter().zip(stored) {
        match seen.entry(stored) {
            Entry::Occupied(at) if nodule.patient != kept[*at.get()].patient => {
                return Err([kept[*at.get()].name.clone(), nodule.name]);
            }
            Entry::Occupied(at) if nodule.malignancy.len() > kept[*at.get()].malignancy.len() => {
                kept[*at.get()] = nodule;
            }
            Entry::Occupied(_) => {}
            Entry::Vacant(place) => {
                place.insert(kept.len());
                kept.push(nodule);
            }
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_nodules_that_share_a_patch_the_one_with_more_ratings_is_kept() {
        let nodule = |name: &str, patient: &str, ratings: &[u8], value: f32| Nodule {
            name: name.to_owned(),
            patient: patient.to_owned(),
            values: vec![value],
            ..Nodule::rated(ratings, &[3])
        };
        let all = vec![
            nodule("a", "p", &[2], -50.0),
            nodule("b", "p", &[2, 3], -50.0),
            nodule("c", "q", &[2], 8.0),
            nodule("d", "p", &[2], 7.0),
        ];
        let stored = |nodules: &[Nodule]| -> Vec<Vec<u32>> {
            nodules.iter().map(|nodule| vec![nodule.values[0].to_bits()]).collect()
        };
        let kept = without_duplicates(all.clone(), stored(&all)).expect("one patient");
        assert_eq!(kept.into_iter().map(|nodule| nodule.name).collect::<Vec<_>>(), ["b", "c", "d"]);
        // Two patients cannot have the same patch: one of them would be on both sides of a fold.
        let two = [all, vec![nodule("e", "q", &[2], 7.0)]].concat();
        let patches = stored(&two);
        assert_eq!(without_duplicates(two, patches), Err(["d".to_owned(), "e".to_owned()]));
    }
}
