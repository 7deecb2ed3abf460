//! Lists without a header, as MXNet's im2rec and insightface have them: `.lst`.

use super::{List, ListProblem, Row};
use crate::source::names::tidy;

/// Lines of a number, a label (or several, of which the first counts) and a path, with tabs between them; or, as insightface has
/// it, of a number, a path and a label, and maybe more numbers.
pub(super) fn parse(text: &[u8]) -> Result<List, ListProblem> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut rows = Vec::new();
    for (line, text) in (1..).zip(text.split(|&byte| byte == b'\n')) {
        let text = std::str::from_utf8(text).map_err(|_| ListProblem::NotUtf8 { line })?;
        let cells: Vec<&str> = text.trim_end_matches('\r').split('\t').map(str::trim).collect();
        if cells == [""] {
            continue;
        }
        let &[_, second, .., last] = &cells[..] else {
            return Err(ListProblem::WrongCells { line, found: cells.len(), expected: 3 });
        };
        if cells.len() < 3 {
            return Err(ListProblem::WrongCells { line, found: cells.len(), expected: 3 });
        }
        let is_number = |cell: &str| cell.parse::<f64>().is_ok();
        let (label, path) = if is_number(second) { (second, last) } else { (cells[2], second) };
        for (what, cell) in [("path", path), ("label", label)] {
            if cell.is_empty() {
                return Err(ListProblem::EmptyCell { line, what });
            }
        }
        rows.push(Row {
            line,
            path: path.to_owned(),
            file: tidy(path),
            label: Some(whole(label)),
            group: None,
            split: None,
            weight: 1.0,
            values: Vec::new(),
        });
    }
    if rows.is_empty() {
        return Err(ListProblem::Empty);
    }
    List { rows, columns: Vec::new(), ignored: Vec::new(), repeated: 0 }.without_repetition()
}

/// `3` for `3.000000`, as im2rec writes it.
fn whole(label: &str) -> String {
    match label.parse::<f64>() {
        Ok(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
        _ => label.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(String, String)> {
        let list = parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        list.rows.into_iter().map(|row| (row.file, row.label.unwrap_or_default())).collect()
    }

    #[test]
    fn labels_and_paths_are_told_apart_in_either_order() {
        let expected = [("a/1.jpg".to_owned(), "3".to_owned()), ("b/2.jpg".to_owned(), "11".to_owned())];
        assert_eq!(rows("0\t3.000000\ta/1.jpg\n1\t11.000000\tb/2.jpg\n"), expected);
        assert_eq!(rows("0\t3\t0.5\t0.25\ta/1.jpg\r\n\n1\t11\t0\t0\tb/2.jpg"), expected);
        assert_eq!(rows("1\ta/1.jpg\t3\n1\t./b\\2.jpg\t11\t10\t20\t30\t40\n"), expected);
    }

    #[test]
    fn what_is_no_line_of_such_a_list_is_named() {
        let refused = |text: &str| parse(text.as_bytes()).expect_err("it is wrong");
        assert_eq!(refused("0\t1"), ListProblem::WrongCells { line: 1, found: 2, expected: 3 });
        assert_eq!(refused("0\t1\ta.jpg\npath"), ListProblem::WrongCells { line: 2, found: 1, expected: 3 });
        assert_eq!(refused("0\t1\t\n"), ListProblem::EmptyCell { line: 1, what: "path" });
        assert_eq!(refused("\n"), ListProblem::Empty);
        let conflict = refused("0\t1\ta.jpg\n1\t2\ta.jpg");
        assert!(matches!(conflict, ListProblem::Conflict { first: 1, second: 2, .. }), "{conflict}");
    }
}
