//! A picture with its caption, and its files.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use cm_record::{RecordError, files::write_atomically};

use crate::{ReportError, figures::png, typeface};

/// In the SVG of a picture that no record can be drawn from: a report that is made anew takes it
/// over.
const KEPT: &str = " data-cm-loss=\"kept\"";

/// What a picture shows, which is also where the report places it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Accuracy of the losses.
    Accuracy,
    /// Features in two dimensions.
    Features,
    /// The norm of the features.
    Norm,
    /// What happened while training.
    LearningCurves,
    /// Anything else: what an application adds to the report.
    Other,
}

/// A picture with its caption.
#[derive(Debug, Clone)]
pub struct Figure {
    /// What it shows.
    pub kind: Kind,
    /// Name of its files, without extension.
    pub name: String,
    /// What stands below it.
    pub caption: String,
    pub(crate) svg: String,
}

impl Figure {
    /// The picture as an SVG file that carries its typeface and its caption.
    pub fn svg(&self) -> String {
        let Some(end) = self.svg.find('>') else { return self.svg.clone() };
        let (head, rest) = (&self.svg[..end], &self.svg[end + 1..]);
        let mark = if self.kind == Kind::Other { KEPT } else { "" };
        let caption = escaped(&self.caption);
        format!("{head}{mark}>\n<desc>{caption}</desc>\n<style>{}</style>{rest}", typeface::style())
    }

    /// The picture as a PNG file, two pixels for each of the SVG.
    ///
    /// # Errors
    ///
    /// [`ReportError::Rendering`] if it cannot be turned into pixels.
    pub fn png(&self) -> Result<Vec<u8>, ReportError> {
        let failed = |reason| ReportError::Rendering { figure: self.name.clone(), reason };
        png::render(&self.svg).map_err(failed)
    }
}

/// Writes pictures into a folder, each as SVG and PNG. Returns the files written.
///
/// # Errors
///
/// When a name is no name of a file or stands for two pictures, a picture cannot be turned into
/// pixels, or a file cannot be written. Each file is written whole or not at all.
pub fn write_figures(folder: &Path, figures: &[Figure]) -> Result<Vec<PathBuf>, ReportError> {
    let mut names = BTreeSet::new();
    for Figure { name, .. } in figures {
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\']) {
            return Err(ReportError::drawing(name, "its name must be that of a file, without a folder"));
        }
        if !names.insert(name) {
            return Err(ReportError::drawing(name, "there are two pictures of this name"));
        }
    }
    let mut written = Vec::new();
    for figure in figures {
        for (extension, content) in [("svg", figure.svg().into_bytes()), ("png", figure.png()?)] {
            let path = folder.join(format!("{}.{extension}", figure.name));
            write(&path, &content)?;
            written.push(path);
        }
    }
    Ok(written)
}

/// Writes a file whole or not at all.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<(), ReportError> {
    Ok(write_atomically(path, content).map_err(RecordError::io("write", path))?)
}

/// A picture in the folder of a report that was not drawn from its record.
pub(crate) struct Kept {
    pub name: String,
    pub caption: String,
    /// The whole file.
    pub svg: String,
}

/// The pictures in a folder that an application added to its report earlier, in the order of their
/// names.
///
/// # Errors
///
/// When the folder or one of its pictures cannot be read.
pub(crate) fn kept(folder: &Path) -> Result<Vec<Kept>, RecordError> {
    let mut kept = Vec::new();
    for entry in fs::read_dir(folder).map_err(RecordError::io("read", folder))? {
        let path = entry.map_err(RecordError::io("read", folder))?.path();
        let Some(name) = path.file_stem().and_then(|name| name.to_str()) else { continue };
        if path.extension().is_none_or(|extension| extension != "svg") || !path.is_file() {
            continue;
        }
        let bytes = fs::read(&path).map_err(RecordError::io("read", &path))?;
        let Ok(svg) = String::from_utf8(bytes) else { continue };
        let head = svg.split_once('>').map_or("", |(head, _)| head);
        if head.ends_with(KEPT) {
            let caption = svg.split_once("<desc>").and_then(|(_, rest)| rest.split_once("</desc>"));
            let caption = unescaped(caption.map_or("", |(caption, _)| caption));
            kept.push(Kept { name: name.to_owned(), caption, svg });
        }
    }
    kept.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(kept)
}

const ESCAPES: [(&str, &str); 3] = [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")];

fn escaped(text: &str) -> String {
    ESCAPES.iter().fold(text.to_owned(), |text, (letter, escape)| text.replace(letter, escape))
}

fn unescaped(text: &str) -> String {
    ESCAPES.iter().rev().fold(text.to_owned(), |text, (letter, escape)| text.replace(escape, letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caption_comes_back_as_it_was() {
        for caption in ["a < b && c > d", "&lt;script&gt;", "plain"] {
            assert_eq!(unescaped(&escaped(caption)), caption);
        }
        assert_eq!(escaped("<b>&"), "&lt;b&gt;&amp;");
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        let folder = tempfile::tempdir().expect("temporary folder");
        for name in ["../escaped", "a/b", "", ".hidden"] {
            let figure = Figure {
                kind: Kind::Other,
                name: name.to_owned(),
                caption: String::new(),
                svg: "<svg/>".to_owned(),
            };
            let error = write_figures(folder.path(), &[figure]).expect_err("no name of a file");
            assert!(error.to_string().contains("without a folder"), "{error}");
        }
    }
}
