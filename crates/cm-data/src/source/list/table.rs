//! The lines and cells of a table in text.

use super::ListProblem;

/// Lines of the table with their numbers, all cells trimmed.
pub(super) fn records(text: &[u8]) -> Result<Vec<(u64, Vec<String>)>, ListProblem> {
    if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
        return Err(ListProblem::Utf16);
    }
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator(text))
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text);
    let mut records = Vec::new();
    let mut record = csv::ByteRecord::new();
    let (mut line, mut counted) = (1, 0);
    // Reading from memory, and with rows of any length, nothing can fail but the end.
    while reader.read_byte_record(&mut record).unwrap_or(false) {
        // A record is said to begin at the empty lines before it.
        let before = record.position().map_or(0, |position| position.byte() as usize);
        let is_end = |byte: &&u8| matches!(byte, b'\n' | b'\r');
        let start = before + text[before..].iter().take_while(is_end).count();
        line += text[counted..start].iter().filter(|&&byte| byte == b'\n').count() as u64;
        counted = start;
        let cells = record.iter().map(|cell| std::str::from_utf8(cell).map(str::to_owned));
        records.push((line, cells.collect::<Result<_, _>>().map_err(|_| ListProblem::NotUtf8 { line })?));
    }
    Ok(records)
}

/// Comma, semicolon or tab: whichever the header has most of outside of quotes.
fn separator(text: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    for &byte in text.iter().take_while(|&&byte| byte != b'\n' && byte != b'\r') {
        quoted ^= byte == b'"';
        counts
            .iter_mut()
            .filter(|(separator, _)| !quoted && *separator == byte)
            .for_each(|(_, count)| *count += 1);
    }
    // The last of equals is taken, so that commas win.
    counts.into_iter().rev().max_by_key(|&(_, count)| count).map_or(b',', |(separator, _)| separator)
}
