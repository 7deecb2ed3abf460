//! The page of a check, and the sentences that it shares with the terminal.

use std::{borrow::Cow, collections::BTreeSet, path::Path};

use cm_data::{ImageSet, Split};
use cm_eval::Summary;
use cm_report::{ContactImage, ContactRow, Page, PageSection, PageTable, contact_sheet};

use super::findings::{Conflict, Findings, Remark};
use crate::{commands::quality_page::shrunk, error::CliError};

/// Images of a row of a contact sheet.
const OF_A_ROW: usize = 12;
/// Groups of copies that are shown.
const GROUPS: usize = 12;
/// Files that are named in a table.
const NAMED: usize = 200;

/// Writes the page.
pub fn write(findings: &Findings<'_>, path: &Path) -> Result<(), CliError> {
    let mut sections = vec![PageSection {
        title: "Images".to_owned(),
        paragraphs: vec![sizes(findings)],
        ..PageSection::default()
    }];
    let bad: Vec<Vec<String>> = findings
        .bad()
        .take(NAMED)
        .map(|(index, reason)| vec![findings.file(index).to_owned(), reason.to_owned()])
        .collect();
    if !bad.is_empty() {
        sections.push(PageSection {
            title: "Files that cannot be used".to_owned(),
            table: Some(PageTable { columns: vec!["file".to_owned(), "reason".to_owned()], rows: bad }),
            ..PageSection::default()
        });
    }
    let groups: [(&str, Vec<Conflict<'_>>); 2] = [
        ("Copies in several parts", findings.leaks()),
        ("Copies with several classes", findings.contradictions()),
    ];
    for (title, found) in groups {
        let rows: Vec<ContactRow<'static>> = found
            .iter()
            .take(GROUPS)
            .map(|found| row(findings, &found.places.join(" and "), &found.copies.images))
            .collect();
        section(&mut sections, title, found.len(), &rows)?;
    }
    let rows: Vec<ContactRow<'static>> = findings
        .copies
        .iter()
        .take(GROUPS)
        .map(|copies| row(findings, &format!("{} images", copies.images.len()), &copies.images))
        .collect();
    section(&mut sections, "Copies", findings.copies.len(), &rows)?;
    let mut rows = Vec::new();
    for remark in Remark::ALL {
        let images = findings.with(remark);
        if !images.is_empty() {
            let title = format!("{}: {} images ({})", remark.name(), images.len(), remark.meaning());
            rows.push(row(findings, &title, &worst(findings, remark, images)));
        }
    }
    section(&mut sections, "To look at", findings.remarks.len(), &rows)?;
    sections.push(PageSection {
        title: "By class".to_owned(),
        table: Some(by_class(findings)),
        ..PageSection::default()
    });
    let page = Page {
        title: format!("Check of {}", findings.collection.name),
        lead: format!("{} {}", overview(findings), verdict(findings)),
        sections,
    };
    Ok(page.write(path)?)
}

fn verdict(findings: &Findings<'_>) -> &'static str {
    match findings.is_wrong() {
        true => "Something is wrong with them.",
        false => "Nothing is wrong with them.",
    }
}

fn section(
    sections: &mut Vec<PageSection>,
    title: &str,
    count: usize,
    rows: &[ContactRow<'static>],
) -> Result<(), CliError> {
    if rows.is_empty() {
        return Ok(());
    }
    let caption = format!("{count} in all; up to {OF_A_ROW} images a row.");
    let name = format!("sheet-{}", sections.len());
    let figures = vec![contact_sheet(&name, title, &caption, rows)?];
    sections.push(PageSection { title: title.to_owned(), figures, ..PageSection::default() });
    Ok(())
}

/// The images that a remark fits best come first.
fn worst(findings: &Findings<'_>, remark: Remark, mut images: Vec<usize>) -> Vec<usize> {
    let key = |index: usize| match (&findings.looks[index], remark) {
        (Ok(look), Remark::Dark) => look.light,
        (Ok(look), Remark::Bright) => -look.light,
        (Ok(look), Remark::LowContrast) => look.contrast,
        (Ok(look), _) => look.sharpness,
        (Err(_), _) => 0.0,
    };
    images.sort_by(|&a, &b| key(a).total_cmp(&key(b)));
    images
}

fn row(findings: &Findings<'_>, title: &str, images: &[usize]) -> ContactRow<'static> {
    let small = |&index: &usize| {
        let image = shrunk(&findings.collection.image(index).ok()?)?;
        let caption = findings.file(index).to_owned();
        Some(ContactImage {
            width: image.width,
            height: image.height,
            pixels: Cow::Owned(image.pixels),
            caption,
        })
    };
    ContactRow { title: title.to_owned(), images: images.iter().take(OF_A_ROW).filter_map(small).collect() }
}

/// How many images of how many classes, in a sentence.
pub fn overview(findings: &Findings<'_>) -> String {
    let collection = findings.collection;
    let classes = match collection.classes.len() {
        0 => String::new(),
        1 => " of one class".to_owned(),
        count => format!(" of {count} classes"),
    };
    let groups = match collection.groups.len() {
        0 => String::new(),
        count => format!(" in {count} groups"),
    };
    let mut parts: Vec<String> = Vec::new();
    for split in [Split::Train, Split::Val, Split::Test] {
        let count = collection.items.iter().filter(|item| item.split == Some(split)).count();
        if count > 0 {
            parts.push(format!("{count} {split}"));
        }
    }
    let parts = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
    format!("{} images{classes}{groups}{parts}.", ImageSet::len(collection))
}

/// Sizes and channels, in a sentence.
pub fn sizes(findings: &Findings<'_>) -> String {
    let looks = || findings.looks.iter().flatten();
    let sides = |side: fn(&cm_data::Look) -> usize| {
        Summary::of(&looks().map(|look| side(look) as f64).collect::<Vec<f64>>())
    };
    let (Some(width), Some(height)) = (sides(|look| look.width), sides(|look| look.height)) else {
        return "Not one of them can be used.".to_owned();
    };
    let range = |summary: &Summary| {
        let [least, median, largest] = [0.0, 0.5, 1.0].map(|share| summary.quantile(share));
        match least == largest {
            true => format!("{least:.0}"),
            false => format!("{least:.0} to {largest:.0} (median {median:.0})"),
        }
    };
    let channels: BTreeSet<&str> = looks()
        .map(|look| match look.channels {
            1 => "gray",
            3 => "color",
            _ => "volumes",
        })
        .collect();
    let channels: Vec<&str> = channels.into_iter().rev().collect();
    format!("Width {}, height {} pixels; {}.", range(&width), range(&height), channels.join(" and "))
}

fn by_class(findings: &Findings<'_>) -> PageTable {
    let counts = findings.counts();
    let parts: BTreeSet<Option<Split>> = counts.values().flat_map(|parts| parts.keys().copied()).collect();
    let mut columns = vec!["class".to_owned()];
    columns.extend(parts.iter().map(|part| part.map_or("images", Split::name).to_owned()));
    let row = |(class, found): (&Option<usize>, &std::collections::BTreeMap<Option<Split>, usize>)| {
        let name = class.map_or("none", |class| &findings.collection.classes[class]).to_owned();
        let cells = parts.iter().map(|part| found.get(part).copied().unwrap_or(0).to_string());
        [name].into_iter().chain(cells).collect()
    };
    PageTable { columns, rows: counts.iter().map(row).collect() }
}

/// Copies, and where they are.
pub fn conflict(findings: &Findings<'_>, conflict: &Conflict<'_>) -> String {
    format!("{}: {}", conflict.places.join(" and "), files(findings, &conflict.copies.images))
}

/// Some files of many.
pub fn files(findings: &Findings<'_>, images: &[usize]) -> String {
    const SOME: usize = 4;
    let mut names: Vec<&str> = images.iter().take(SOME).map(|&index| findings.file(index)).collect();
    let more = images.len().saturating_sub(SOME);
    let rest = format!("and {more} more");
    if more > 0 {
        names.push(&rest);
    }
    names.join(", ")
}
