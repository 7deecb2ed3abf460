//! Pairs of images, each of one person or of two: what verification is measured on.

mod bin;
mod lfw;
mod problem;
mod table;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

pub use lfw::folders_of_people;
pub use problem::PairsProblem;

use crate::{Collection, DataError, OpenOptions, source::read_file};

/// Largest file of pairs, which is read whole.
const LARGEST: u64 = 4 << 30;

/// Two images, and whether they are of the same person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Positions of the images.
    pub images: [usize; 2],
    /// Whether they show the same.
    pub same: bool,
    /// The part of the set that the pair belongs to, from 0. Thresholds are chosen on the other parts.
    pub fold: usize,
}

/// Images, and which of them are compared.
#[derive(Debug, Clone)]
pub struct PairSet {
    /// The images, without classes. An image that several pairs have is there once, if its file tells that it is the same.
    pub images: Collection,
    /// The pairs, in the order of the file.
    pub pairs: Vec<Pair>,
    /// Positions of images whose files are not there.
    pub missing: Vec<usize>,
}

/// Folds where a file has none of its own.
const FOLDS: usize = 10;

impl PairSet {
    /// Reads pairs.
    ///
    /// | file | what it is |
    /// |---|---|
    /// | `.bin` | a verification set of insightface: encoded images and truth values, pickled by Python 2 or 3 |
    /// | a table whose header names `first`, `second` and `same` (or `path1`, `path2`, `label`), and maybe `fold` | paths of two files, and 1 or 0 |
    /// | another text file | LFW's `pairs.txt` (folds) and `pairsDevTrain.txt`, `pairsDevTest.txt` (without) |
    ///
    /// Where a file has no folds, its pairs are dealt out to ten.
    ///
    /// Paths begin at `root`. Without one they begin where the file of pairs lies, or, in LFW's form, in the one folder there
    /// that holds the people.
    ///
    /// # Errors
    ///
    /// [`DataError::Pairs`]; with [`OpenOptions::files_required`] also for files that are missing.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Self, DataError> {
        let problem = |problem| DataError::Pairs { path: path.to_owned(), problem };
        let bytes = read_file(path, &path.display().to_string(), LARGEST)?;
        if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("bin")) {
            let (encoded, same) = bin::read(&bytes).map_err(problem)?;
            let images = Collection::from_encoded(crate::source::name_of(path), encoded, options);
            let folds = folds(same.len());
            let pair = |(i, (same, fold))| Pair { images: [2 * i, 2 * i + 1], same, fold };
            let pairs = same.into_iter().zip(folds).enumerate().map(pair).collect();
            return Ok(Self { images, pairs, missing: Vec::new() });
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let text = text_of(&bytes).map_err(problem)?;
        let (named, root) = match table::is_table(text) {
            true => {
                let root = options.root.clone().unwrap_or_else(|| folder.to_owned());
                (table::read(text).map_err(problem)?, root)
            }
            false => {
                let people = lfw::read(text).map_err(problem)?;
                let root = match options.root.clone() {
                    Some(root) => root,
                    None => lfw::root(folder, &people).map_err(problem)?,
                };
                let mut named = lfw::files(&people, &root);
                if named.iter().all(|pair| pair.fold == 0) {
                    deal(&mut named);
                }
                (named, root)
            }
        };
        Self::of_files(path, named, &root, options)
    }

    fn of_files(
        path: &Path,
        named: Vec<Named>,
        root: &Path,
        options: &OpenOptions,
    ) -> Result<Self, DataError> {
        if named.is_empty() {
            return Err(DataError::Pairs { path: path.to_owned(), problem: PairsProblem::Empty });
        }
        let mut positions: HashMap<String, usize> = HashMap::new();
        let mut files: Vec<(String, PathBuf)> = Vec::new();
        let mut place = |file: String| {
            *positions.entry(file).or_insert_with_key(|file| {
                files.push((file.clone(), root.join(file)));
                files.len() - 1
            })
        };
        let pair = |Named { files, same, fold }: Named| Pair { images: files.map(&mut place), same, fold };
        let pairs: Vec<Pair> = named.into_iter().map(pair).collect();
        let missing: Vec<usize> = (0..files.len()).filter(|&at| !files[at].1.is_file()).collect();
        if options.files_required && !missing.is_empty() {
            let names = missing.iter().map(|&at| files[at].0.clone()).collect();
            let (images, root) = (files.len(), root.to_owned());
            let problem = PairsProblem::MissingFiles { files: names, images, root };
            return Err(DataError::Pairs { path: path.to_owned(), problem });
        }
        let images = Collection::from_files(crate::source::name_of(path), files, options);
        Ok(Self { images, pairs, missing })
    }

    /// How many folds the pairs are in.
    pub fn folds(&self) -> usize {
        self.pairs.iter().map(|pair| pair.fold + 1).max().unwrap_or(0)
    }
}

/// A pair as a file of text has it.
struct Named {
    /// Paths below the folder of images.
    files: [String; 2],
    same: bool,
    fold: usize,
}

/// The folds of pairs that come without: those of one person (`true`) and those of two are dealt out to ten apart, since a list may well
/// be sorted by them.
pub fn dealt_folds(same: impl IntoIterator<Item = bool>) -> Vec<usize> {
    let mut dealt = [0; 2];
    let fold = |same: bool| {
        let dealt = &mut dealt[usize::from(same)];
        *dealt += 1;
        (*dealt - 1) % FOLDS
    };
    same.into_iter().map(fold).collect()
}

fn deal(pairs: &mut [Named]) {
    let folds = dealt_folds(pairs.iter().map(|pair| pair.same));
    pairs.iter_mut().zip(folds).for_each(|(pair, fold)| pair.fold = fold);
}

/// Folds of nearly equal size one after another, the first ones the larger by one, as insightface divides its sets.
fn folds(pairs: usize) -> impl Iterator<Item = usize> {
    let folds = FOLDS.min(pairs).max(1);
    let (size, larger) = (pairs / folds, pairs % folds);
    (0..folds).flat_map(move |fold| std::iter::repeat_n(fold, size + usize::from(fold < larger)))
}

fn text_of(bytes: &[u8]) -> Result<&str, PairsProblem> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        PairsProblem::NotUtf8 { line: 1 + before.iter().filter(|&&byte| byte == b'\n').count() }
    })
}

/// The beginning of a text, fit for a message.
fn shown(text: &str) -> String {
    text.chars().take(60).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_have_pairs_of_both_kinds_wherever_they_stand() {
        let same = |pair: usize| pair < 20;
        let folds = dealt_folds((0..40).map(same));
        for fold in 0..FOLDS {
            let of = |kind: bool| (0..40).filter(|&pair| same(pair) == kind && folds[pair] == fold).count();
            assert_eq!((of(true), of(false)), (2, 2));
        }
    }
}
