//! Pairs as a table with a header.

use std::collections::{BTreeMap, BTreeSet};

use csv::{ReaderBuilder, StringRecord, Trim};

use super::{Named, PairsProblem, deal, shown};

/// Names of the columns.
const FIRST: [&str; 4] = ["first", "path1", "image1", "file1"];
const SECOND: [&str; 4] = ["second", "path2", "image2", "file2"];
const SAME: [&str; 3] = ["same", "issame", "label"];

fn separator(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or("");
    [b'\t', b';'].into_iter().find(|&byte| first.as_bytes().contains(&byte)).unwrap_or(b',')
}

fn header(text: &str) -> StringRecord {
    let mut reader = reader(text);
    reader.headers().cloned().unwrap_or_default()
}

fn reader(text: &str) -> csv::Reader<&[u8]> {
    ReaderBuilder::new().delimiter(separator(text)).trim(Trim::All).from_reader(text.as_bytes())
}

fn position(header: &StringRecord, names: &[&str]) -> Option<usize> {
    names.iter().find_map(|name| header.iter().position(|found| found.eq_ignore_ascii_case(name)))
}

/// Whether the first line names a column of pairs.
pub(super) fn is_table(text: &str) -> bool {
    let header = header(text);
    [&FIRST[..], &SECOND, &SAME].into_iter().any(|names| position(&header, names).is_some())
}

pub(super) fn read(text: &str) -> Result<Vec<Named>, PairsProblem> {
    let header = header(text);
    let column = |what, names: &[&str], looked_for| {
        let found = || header.iter().map(str::to_owned).collect();
        position(&header, names).ok_or_else(|| PairsProblem::MissingColumn {
            what,
            looked_for,
            found: found(),
        })
    };
    let first = column("the first image", &FIRST, "first, path1, image1, file1")?;
    let second = column("the second image", &SECOND, "second, path2, image2, file2")?;
    let same = column("whether they show the same", &SAME, "same, issame, label")?;
    let fold = position(&header, &["fold"]);
    let mut pairs = Vec::new();
    for record in reader(text).records() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(1, |position| position.line() as usize);
            PairsProblem::Line { line, text: shown(&error.to_string()) }
        })?;
        let line = record.position().map_or(0, |position| position.line() as usize);
        let cell = |what, at: usize, expected| match record.get(at) {
            Some(value) if !value.is_empty() => Ok(value),
            value => Err(PairsProblem::Cell { line, what, value: value.unwrap_or("").to_owned(), expected }),
        };
        let file = |what, at| cell(what, at, "the path of a file").map(|path| path.replace('\\', "/"));
        let wrong = |what, value: &str, expected| {
            Err(PairsProblem::Cell { line, what, value: shown(value), expected })
        };
        let truth = "1 or 0, or true or false";
        let same = match &*cell("same", same, truth)?.to_lowercase() {
            "1" | "true" | "1.0" => true,
            "0" | "false" | "0.0" | "-1" => false,
            value => return wrong("same", value, truth),
        };
        let number = "a whole number from 0 to 999";
        let fold = match fold.map(|at| cell("fold", at, number)).transpose()? {
            None => 0,
            Some(value) => match value.parse() {
                Ok(fold) if fold < 1000 => fold,
                _ => return wrong("fold", value, number),
            },
        };
        pairs.push(Named { files: [file("first", first)?, file("second", second)?], same, fold });
    }
    match fold {
        None => deal(&mut pairs),
        Some(_) => number_anew(&mut pairs),
    }
    Ok(pairs)
}

/// Folds from 0 on without a gap, in the order of their numbers in the table.
fn number_anew(pairs: &mut [Named]) {
    let numbers: BTreeSet<usize> = pairs.iter().map(|pair| pair.fold).collect();
    let place: BTreeMap<usize, usize> = numbers.into_iter().zip(0..).collect();
    pairs.iter_mut().for_each(|pair| pair.fold = place[&pair.fold]);
}
