//! The results as text for a terminal.

use cm_record::Results;
use comfy_table::{Cell as TerminalCell, CellAlignment, ContentArrangement, Table as TerminalTable, presets};

use crate::{
    PageTable,
    comparisons::{self, Family},
    narrative, pooled,
    table::{self, Cell, Heading, NOTE, Row, Table},
    text::capitalized,
};

/// Columns of a terminal that are used.
const WIDTH: usize = 110;

/// The tables of a study for a terminal of 110 columns: the figures of every loss, the differences
/// between them, and what diverged.
pub fn summary_table(results: &Results) -> String {
    let mut text = narrative::heading(results) + "\n";
    if !results.complete {
        text += "Not complete: runs are missing.\n";
    }
    for table in table::tables(results) {
        text += &format!("\n{}\n", capitalized(&table.title));
        for block in blocks(&table) {
            text += &format!("{block}\n");
        }
    }
    text += "\n";
    for note in results.layout.notes.iter().map(String::as_str).chain([NOTE]) {
        text += &wrapped(&note.replace("is marked", "has a *"));
    }
    if let Some(pooled) = &results.pooled {
        text += &format!("\n{}\n", pooled::title(results));
        for titled in
            pooled::figures(pooled).iter().chain(&pooled::tests(pooled)).filter(|titled| titled.is_of_all)
        {
            text += &format!("\n{}\n{}\n", titled.title, plain(&titled.table));
        }
        pooled::notes(results).iter().for_each(|note| text += &wrapped(note));
    }
    let divergences = narrative::divergences(results);
    if !divergences.is_empty() {
        text += "\nDiverged runs\n";
        divergences.iter().for_each(|sentence| text += &wrapped(sentence));
    }
    text += "\nDifferences over the seeds\n\n";
    match comparisons::families(results) {
        Ok(families) => {
            families.iter().for_each(|family| text += &differences(family));
            text + &wrapped(&comparisons::note(results).replace("is marked", "has a *"))
        }
        Err(reason) => text + &wrapped(&reason),
    }
}

/// A table without marks, broken where its columns need more than there is.
fn plain(table: &PageTable) -> TerminalTable {
    let mut terminal = TerminalTable::new();
    terminal.load_style(presets::NOTHING).set_header(&table.columns).add_rows(&table.rows);
    terminal.set_width(WIDTH as u16).set_content_arrangement(ContentArrangement::Dynamic);
    terminal
}

/// A sentence in lines that fit, broken between words.
fn wrapped(sentence: &str) -> String {
    let mut text = String::new();
    let mut used = 0;
    for word in sentence.split_whitespace() {
        let length = word.chars().count();
        match used {
            0 => {}
            _ if used + 1 + length > WIDTH => {
                text.push('\n');
                used = 0;
            }
            _ => {
                text.push(' ');
                used += 1;
            }
        }
        text += word;
        used += length;
    }
    text + "\n"
}

/// The table in as many parts as its columns need to fit beside each other.
fn blocks(table: &Table) -> Vec<TerminalTable> {
    let mut blocks = Vec::new();
    let mut start = 0;
    while start < table.columns.len() {
        let mut end = table.columns.len();
        let mut block = part(table, start..end);
        while end > start + 1 && width(&block) > WIDTH {
            // The two times at the end stay together.
            let times = table.columns.len() - 2;
            end = if end > times && start < times { times } else { end - 1 };
            block = part(table, start..end);
        }
        blocks.push(block);
        start = end;
    }
    blocks
}

fn width(table: &TerminalTable) -> usize {
    table.lines().map(|line| line.chars().count()).max().unwrap_or(0)
}

/// The loss and some of the columns.
fn part(table: &Table, columns: std::ops::Range<usize>) -> TerminalTable {
    let mut shown = TerminalTable::new();
    shown.load_style(if table.has_spread { presets::UTF8_FULL } else { presets::UTF8_FULL_CONDENSED });
    let headings = &table.columns[columns.clone()];
    let two_lines = headings.iter().any(|heading| heading.short.contains('\n'));
    let header = |heading: &Heading| right(&shifted(&heading.short, two_lines));
    let loss = if two_lines { "\nLoss" } else { "Loss" };
    shown.set_header(std::iter::once(TerminalCell::new(loss)).chain(headings.iter().map(header)));
    for row in &table.rows {
        let cells = row.cells[columns.clone()].iter().map(|cell| right(&cell_text(cell)));
        shown.add_row(std::iter::once(TerminalCell::new(name(row))).chain(cells));
    }
    // The mark stands in the room at the right.
    for column in shown.column_iter_mut().skip(1) {
        column.set_padding((1, 0));
    }
    shown
}

fn right(text: &str) -> TerminalCell {
    TerminalCell::new(text).set_alignment(CellAlignment::Right)
}

fn name(row: &Row) -> String {
    match &row.missing {
        Some(missing) => format!("{}\n({})", row.loss, missing.replace(", ", ",\n")),
        None => row.loss.clone(),
    }
}

/// At the bottom of the header, and with room for the mark, so that figures and headings stand in
/// a line.
fn shifted(heading: &str, two_lines: bool) -> String {
    let above = if two_lines && !heading.contains('\n') { "\n" } else { "" };
    above.to_owned() + &heading.lines().map(|line| format!("{line}\u{a0}")).collect::<Vec<_>>().join("\n")
}

fn cell_text(cell: &Cell) -> String {
    let mark = if cell.best { '*' } else { '\u{a0}' };
    match &cell.spread {
        Some(spread) => format!("{}{mark}\n{spread}\u{a0}", cell.mean),
        None => format!("{}{mark}", cell.mean),
    }
}

fn differences(family: &Family) -> String {
    let mut shown = TerminalTable::new();
    shown.load_style(presets::UTF8_FULL_CONDENSED);
    let heading = |(i, text): (usize, &String)| if i == 0 { TerminalCell::new(text) } else { right(text) };
    shown.set_header(family.headings.iter().enumerate().map(heading));
    for row in &family.rows {
        let mark = if row.significant { '*' } else { '\u{a0}' };
        let mean = format!("{}{mark}", row.mean);
        let figures = [&mean, &row.interval, &row.p, &row.pairs].map(|figure| right(figure));
        shown.add_row(std::iter::once(TerminalCell::new(&row.pair)).chain(figures));
    }
    format!("{}\n{shown}\n\n", family.title)
}
