//! A page about something else than a study.

use std::path::Path;

use maud::{Markup, html};

use super::{
    frame::{Section, frame},
    inline, with_caption,
};
use crate::{Figure, ReportError, figure::write, may_be_replaced};

/// A page that needs nothing else: what a command has found, for people. Every text is shown as it is, whatever is in it.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// What stands above all.
    pub title: String,
    /// What it is about, in a sentence or two.
    pub lead: String,
    /// Its sections.
    pub sections: Vec<PageSection>,
}

/// A section of a page: what it has of these, in this order.
#[derive(Debug, Clone, Default)]
pub struct PageSection {
    /// What stands above it.
    pub title: String,
    /// Paragraphs.
    pub paragraphs: Vec<String>,
    /// A table.
    pub table: Option<PageTable>,
    /// Pictures.
    pub figures: Vec<Figure>,
}

/// A table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageTable {
    /// What stands above each column.
    pub columns: Vec<String>,
    /// Rows, with a cell for each column; the first is what the row is about.
    pub rows: Vec<Vec<String>>,
}

impl Page {
    /// The page as HTML.
    pub fn html(&self) -> String {
        let section = |(number, section): (usize, &PageSection)| Section {
            id: format!("section-{}", number + 1),
            title: section.title.clone(),
            content: section.content(),
        };
        let sections: Vec<Section> = self.sections.iter().enumerate().map(section).collect();
        frame(&self.title, &self.lead, None, &sections).into_string()
    }

    /// Writes the page, whole or not at all.
    ///
    /// # Errors
    ///
    /// [`ReportError::NotOurs`] if there is a page of this name that is not one of ours; when it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), ReportError> {
        if !may_be_replaced(path) {
            return Err(ReportError::NotOurs { path: path.to_owned() });
        }
        write(path, self.html().as_bytes())
    }
}

impl PageSection {
    fn content(&self) -> Markup {
        html! {
            @for paragraph in &self.paragraphs { p { (paragraph) } }
            @if let Some(table) = &self.table { (table.markup()) }
            @for figure in &self.figures { (with_caption(inline(figure), &figure.caption, None)) }
        }
    }
}

impl PageTable {
    pub(super) fn markup(&self) -> Markup {
        html! {
            div.scroll {
                table.plain {
                    thead { tr { @for column in &self.columns { th scope="col" { (column) } } } }
                    tbody {
                        @for row in &self.rows {
                            tr {
                                @for (i, cell) in row.iter().enumerate() {
                                    @if i == 0 { th scope="row" { (cell) } } @else { td { (cell) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
