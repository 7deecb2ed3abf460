//! What every page of ours is set in.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::GENERATOR;
use crate::typeface;

const STYLE: &str = include_str!("../report.css");

/// A section: what its address is, what stands above it, and what is in it.
pub(super) struct Section {
    pub id: String,
    pub title: String,
    pub content: Markup,
}

/// A whole page: styles and typeface inside, a heading, and the sections with their addresses above them.
pub(super) fn frame(title: &str, lead: &str, warning: Option<&str>, sections: &[Section]) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                (PreEscaped(GENERATOR))
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(typeface::style())) (PreEscaped(STYLE)) }
            }
            body {
                main {
                    header {
                        h1 { (title) }
                        p.lead { (lead) }
                        @if let Some(warning) = warning {
                            p.warning role="note" { (warning) }
                        }
                        nav { @for section in sections { a href={ "#" (section.id) } { (section.title) } " " } }
                    }
                    @for Section { id, title, content } in sections {
                        section id=(id) {
                            h2 { (title) }
                            (content)
                        }
                    }
                }
            }
        }
    }
}
