//! Names of classes and files: how they are compared and ordered.

use std::{borrow::Cow, cmp::Ordering, iter::Peekable, str::CharIndices};

use unicode_normalization::{UnicodeNormalization, is_nfc};

/// A name in Unicode's composed form, so that `é` is one name whether a system stores it in one
/// piece or in two.
pub(crate) fn composed(name: &str) -> Cow<'_, str> {
    if is_nfc(name) { Cow::Borrowed(name) } else { Cow::Owned(name.nfc().collect()) }
}

/// The order of classes: numbers inside of names by their value (`2` before `10`), everything
/// else by Unicode's code points (`B` before `a`, `a` before `ä`). Names that only differ in
/// leading zeros come in plain order.
pub fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.char_indices().peekable(), b.char_indices().peekable());
    loop {
        let order = match (left.peek().copied(), right.peek().copied()) {
            (Some((_, x)), Some((_, y))) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (x, y) = (number(a, &mut left), number(b, &mut right));
                x.len().cmp(&y.len()).then_with(|| x.cmp(y))
            }
            (Some((_, x)), Some((_, y))) => {
                left.next();
                right.next();
                x.cmp(&y)
            }
            (None, None) => return a.cmp(b),
            (x, y) => x.is_some().cmp(&y.is_some()),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Takes the digits from here on, without leading zeros.
fn number<'a>(text: &'a str, at: &mut Peekable<CharIndices<'_>>) -> &'a str {
    let start = at.peek().map_or(text.len(), |&(index, _)| index);
    while at.next_if(|(_, letter)| letter.is_ascii_digit()).is_some() {}
    let end = at.peek().map_or(text.len(), |&(index, _)| index);
    text[start..end].trim_start_matches('0')
}

/// The classes of a data set in their one order.
pub(super) fn sorted<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.sort_unstable_by(|a, b| natural_order(a, b));
    names.dedup();
    names
}

/// A path of a list or an archive with `/` between its parts, without `.` and with `a/..` gone.
///
/// What is left of `..` stands at the front.
pub(super) fn tidy(path: &str) -> String {
    let path = path.replace('\\', "/");
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    composed(&format!("{root}{}", parts.join("/"))).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_count_by_their_value_and_letters_by_their_code_points() {
        let ordered = ["", "1", "02", "2", "10", "100", "B", "a", "a2", "a10", "a10b", "ab", "ä", "猫"];
        for (i, a) in ordered.iter().enumerate() {
            for (j, b) in ordered.iter().enumerate() {
                assert_eq!(natural_order(a, b), i.cmp(&j), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn both_forms_of_an_accented_name_are_one() {
        assert_eq!(composed("caf\u{e9}"), composed("cafe\u{301}"));
    }

    #[test]
    fn tidy_paths_are_told_apart_by_where_they_lead() {
        assert_eq!(tidy(r".\a\\b/./c/../d.png"), "a/b/d.png");
        assert_eq!(tidy("a/../../b"), "../b");
        assert_eq!(tidy("/a/./b"), "/a/b");
    }

    proptest! {
        #[test]
        fn the_order_is_one(mut names in proptest::collection::vec("[0-9a-c]{0,6}", 3)) {
            names.sort_by(|a, b| natural_order(a, b));
            let [a, b, c] = &names[..] else { unreachable!("three names") };
            prop_assert!(natural_order(a, c).is_le());
            for (x, y) in [(a, b), (b, c), (a, c)] {
                prop_assert_eq!(natural_order(x, y), natural_order(y, x).reverse());
                prop_assert_eq!(natural_order(x, y).is_eq(), x == y);
            }
        }
    }
}
