//! The pairs of Labeled Faces in the Wild: names of people, and numbers of their images.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::{Named, PairsProblem, shown};

/// People who are looked for before it is said that none of them has a folder.
const TRIED: usize = 100;

/// A person's image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shot {
    person: String,
    number: u32,
}

/// Two images of one person or of two.
#[derive(Debug)]
pub(super) struct Line {
    shots: [Shot; 2],
    same: bool,
    fold: usize,
}

/// Reads `pairs.txt`, whose first line is the number of folds and of pairs of one person in each, or a file whose first line is that
/// number alone. In each fold pairs of one person come first, and then as many of two.
pub(super) fn read(text: &str) -> Result<Vec<Line>, PairsProblem> {
    let mut lines = text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty());
    let (_, first) = lines.next().ok_or(PairsProblem::Empty)?;
    let numbers: Option<Vec<usize>> = first.split_whitespace().map(|word| word.parse().ok()).collect();
    let (folds, each) = match numbers.as_deref() {
        Some(&[each]) => (1, each),
        Some(&[folds, each]) => (folds, each),
        _ => return Err(PairsProblem::FirstLine { text: shown(first) }),
    };
    let announced = folds.saturating_mul(each).saturating_mul(2);
    let mut found = Vec::new();
    for (at, text) in lines {
        let line = at + 1;
        let words: Vec<&str> = text.split_whitespace().collect();
        let shot = |person: &str, number: &str| {
            let number = number.parse().map_err(|_| PairsProblem::Line { line, text: shown(text) })?;
            Ok::<_, PairsProblem>(Shot { person: person.to_owned(), number })
        };
        let (shots, same) = match words[..] {
            [person, first, second] => ([shot(person, first)?, shot(person, second)?], true),
            [first, number, second, other] => ([shot(first, number)?, shot(second, other)?], false),
            _ => return Err(PairsProblem::Line { line, text: shown(text) }),
        };
        if found.len() >= announced {
            found.push(Line { shots, same, fold: 0 });
            continue;
        }
        // As many as no file has are announced by a number that is damaged.
        let of_fold = each.saturating_mul(2);
        let (fold, within) = (found.len() / of_fold, found.len() % of_fold);
        let [one, two] = ["one person", "two people"];
        if same != (within < each) {
            let (found, expected) = if same { (one, two) } else { (two, one) };
            return Err(PairsProblem::WrongKind { line, found, expected });
        }
        found.push(Line { shots, same, fold });
    }
    if found.len() != announced {
        return Err(PairsProblem::Fewer { found: found.len(), announced });
    }
    Ok(found)
}

/// The folders that hold a folder for each person, this one among them, and so for `person`: this one and those in it, by name.
pub fn folders_of_people(folder: &Path, person: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> =
        entries.chain([folder.to_owned()]).filter(|path| path.join(person).is_dir()).collect();
    found.sort_unstable();
    found
}

/// The folder that holds a folder for each person.
///
/// # Errors
///
/// [`PairsProblem::SeveralFolders`] if several do.
pub(super) fn root(folder: &Path, lines: &[Line]) -> Result<PathBuf, PairsProblem> {
    // Of the first person whose images are there at all.
    let people: BTreeSet<&str> =
        lines.iter().flat_map(|line| line.shots.iter().map(|shot| &*shot.person)).collect();
    let there = people.into_iter().take(TRIED).map(|person| folders_of_people(folder, person));
    let mut found = there.into_iter().find(|found| !found.is_empty()).unwrap_or_default();
    match found.len() {
        // Which images are missing is said later.
        0 => Ok(folder.to_owned()),
        1 => Ok(found.remove(0)),
        _ => Err(PairsProblem::SeveralFolders { folders: found }),
    }
}

/// The pairs by the paths of their files.
pub(super) fn files(lines: &[Line], root: &Path) -> Vec<Named> {
    let named =
        |Shot { person, number }: &Shot, ending: &str| format!("{person}/{person}_{number:04}.{ending}");
    // The first one that is there tells how all are stored.
    let ending = lines.iter().flat_map(|line| &line.shots).find_map(|shot| {
        ["jpg", "png", "jpeg", "bmp"].into_iter().find(|ending| root.join(named(shot, ending)).is_file())
    });
    let ending = ending.unwrap_or("jpg");
    let pair = |line: &Line| Named {
        files: [0, 1].map(|i| named(&line.shots[i], ending)),
        same: line.same,
        fold: line.fold,
    };
    lines.iter().map(pair).collect()
}
