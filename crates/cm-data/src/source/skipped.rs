//! What lies among images and is none of them.

use std::fmt;

/// Files that were passed over, counted by kind. A folder that was passed over counts as one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Names that begin with a dot, such as `.git` or `.DS_Store`.
    pub hidden: usize,
    /// What systems leave behind: `__MACOSX`, `Thumbs.db`, `desktop.ini`, `@eaDir`.
    pub system: usize,
    /// `.ipynb_checkpoints`, copies that Jupyter makes.
    pub checkpoints: usize,
    /// Notes and tables, told by their endings, and files beside the class folders that are no
    /// images.
    pub other: usize,
    /// Rows of a list that say of a file what another row has said.
    pub repeated: usize,
}

/// Why a file is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Hidden,
    System,
    Checkpoints,
    Other,
}

/// Endings of files that people lay beside their images.
const NOTES: [&str; 16] = [
    "csv", "db", "doc", "docx", "htm", "html", "ini", "json", "log", "lst", "md", "pdf", "tsv", "txt", "xml",
    "yaml",
];

/// Whether a name is one to pass over, and why. Whether a file is an image is told by its
/// content, never here.
pub(super) fn kind(name: &str, folder: bool) -> Option<Kind> {
    let lower = name.to_lowercase();
    let note = || lower.rsplit_once('.').is_some_and(|(_, ending)| NOTES.contains(&ending));
    match lower.as_str() {
        "__macosx" | "thumbs.db" | "desktop.ini" | "@eadir" => Some(Kind::System),
        ".ipynb_checkpoints" => Some(Kind::Checkpoints),
        _ if name.starts_with('.') => Some(Kind::Hidden),
        _ if !folder && note() => Some(Kind::Other),
        _ => None,
    }
}

impl Skipped {
    pub(super) fn count(&mut self, kind: Kind) {
        match kind {
            Kind::Hidden => self.hidden += 1,
            Kind::System => self.system += 1,
            Kind::Checkpoints => self.checkpoints += 1,
            Kind::Other => self.other += 1,
        }
    }

    /// Everything that was passed over.
    pub fn total(&self) -> usize {
        self.hidden + self.system + self.checkpoints + self.other + self.repeated
    }
}

impl fmt::Display for Skipped {
    /// For people: `3 hidden files, 1 repeated row`, or `nothing`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [
            (self.hidden, "hidden file"),
            (self.system, "file of the system"),
            (self.checkpoints, "checkpoint of Jupyter"),
            (self.other, "other file"),
            (self.repeated, "repeated row"),
        ];
        let mut first = true;
        for (count, what) in kinds.into_iter().filter(|(count, _)| *count > 0) {
            let what = if count == 1 { what.to_owned() } else { plural(what) };
            write!(f, "{}{count} {what}", if first { "" } else { ", " })?;
            first = false;
        }
        if first { f.write_str("nothing") } else { Ok(()) }
    }
}

fn plural(what: &str) -> String {
    match what.split_once(' ') {
        Some((noun, rest)) if rest.starts_with("of ") => format!("{noun}s {rest}"),
        _ => format!("{what}s"),
    }
}
