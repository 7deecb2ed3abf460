//! The report as one web page that needs nothing else: styles, typeface and pictures are inside.

mod provenance;
mod tables;

use base64::{Engine, engine::general_purpose::STANDARD};
use cm_record::{FeatureTable, Results};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::{
    Figure, Kind, figure::Kept, narrative, rebuild::missing, summary, table, table::NOTE, text::count,
    typeface,
};

const STYLE: &str = include_str!("../report.css");

/// In every page of ours: a page without it is somebody else's, and not overwritten.
pub(crate) const GENERATOR: &str = "<meta name=\"generator\" content=\"cm-loss\">";

/// It is within so many bytes from the beginning of a page.
pub(crate) const HEAD_BYTES: u64 = 1024;

/// A section: what its address is, what stands above it, and what is in it.
struct Section {
    id: &'static str,
    title: &'static str,
    content: Markup,
}

/// The whole page.
pub(crate) fn page(
    results: &Results,
    features: &[Option<FeatureTable>],
    figures: &[Figure],
    kept: &[Kept],
) -> String {
    let section = |id, title, content| Section { id, title, content };
    let mut sections = vec![
        section("summary", "Summary", summary(results)),
        section("accuracy", "Accuracy", accuracy(results, figures)),
        section("differences", "Differences over the seeds", tables::comparisons(results)),
    ];
    let divergences = narrative::divergences(results);
    if !divergences.is_empty() {
        sections.push(section("diverged", "Diverged runs", list(&divergences)));
    }
    sections.extend([
        section("features", "Two-dimensional features", scatter(results, features, figures)),
        section("norm", "Feature norm and image quality", norm(figures)),
    ]);
    let others = pictures(figures, Kind::Other);
    if others.is_some() || !kept.is_empty() {
        let content = html! { (others.unwrap_or_default()) @for picture in kept { (kept_picture(picture)) } };
        sections.push(section("more", "More pictures", content));
    }
    sections.extend([
        section("curves", "Learning curves", curves(figures)),
        section("made", "How it was made", provenance::provenance(results)),
    ]);
    document(results, &sections).into_string()
}

fn document(results: &Results, sections: &[Section]) -> Markup {
    let title = match summary::losses(results).len() {
        0 | 1 => results.data.name.clone(),
        _ => format!("{}: losses compared", results.data.name),
    };
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
                        p.lead { (narrative::heading(results)) }
                        @if !results.complete {
                            p.warning role="note" {
                                "This study is not complete: runs are missing. Means are over the runs that exist, and \
                                 losses with different numbers of seeds should not be compared yet."
                            }
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

fn summary(results: &Results) -> Markup {
    let warnings = narrative::warnings(results);
    html! {
        @for paragraph in narrative::paragraphs(results) { p { (paragraph) } }
        @if !warnings.is_empty() {
            h3 { "Warnings" }
            (list(&warnings))
        }
    }
}

fn accuracy(results: &Results, figures: &[Figure]) -> Markup {
    html! {
        @for table in table::tables(results) { (tables::figures(results, &table)) }
        ul.notes {
            @for note in results.layout.notes.iter().map(String::as_str).chain([NOTE]) {
                li { (note.replace("is marked", "is bold")) }
            }
        }
        (pictures(figures, Kind::Accuracy).unwrap_or_default())
    }
}

fn scatter(results: &Results, features: &[Option<FeatureTable>], figures: &[Figure]) -> Markup {
    let missing: Vec<&str> = missing(results, features).collect();
    let picture = pictures(figures, Kind::Features);
    let there_is_one = picture.is_some();
    html! {
        (picture.unwrap_or_default())
        @if !missing.is_empty() {
            p {
                (count(missing.len(), "features file"))
                @if missing.len() == 1 { " is" } @else { " are" }
                " missing"
                @if there_is_one { ", and not in the picture: " } @else { ", so there is no picture of the features: " }
                (missing.join(", ")) "."
            }
        } @else if !there_is_one {
            p { "No loss was trained with feature dimension 2, so there is no picture of the features." }
        }
    }
}

fn norm(figures: &[Figure]) -> Markup {
    pictures(figures, Kind::Norm).unwrap_or_else(
        || html! { p { "No norms are recorded by quality, so there is no picture of them." } },
    )
}

fn curves(figures: &[Figure]) -> Markup {
    pictures(figures, Kind::LearningCurves)
        .unwrap_or_else(|| html! { p { "No epochs are recorded, so there are no learning curves." } })
}

fn list(sentences: &[String]) -> Markup {
    html! { ul { @for sentence in sentences { li { (sentence) } } } }
}

/// The pictures of one kind, if there is one.
fn pictures(figures: &[Figure], kind: Kind) -> Option<Markup> {
    let of_kind: Vec<&Figure> = figures.iter().filter(|figure| figure.kind == kind).collect();
    (!of_kind.is_empty()).then(|| html! { @for figure in of_kind { (picture(figure)) } })
}

fn picture(figure: &Figure) -> Markup {
    let caption = html! { (figure.caption) }.into_string();
    // A picture without a name would be read out as its thousands of points. None is made larger
    // than it was drawn.
    let width = figure.svg.split("width=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("1080");
    let attributes = format!("role=\"img\" style=\"--width:{width}px\" aria-label=\"{caption}\"");
    let svg = figure.svg.replacen("<svg ", &format!("<svg {attributes} "), 1);
    with_caption(PreEscaped(svg), &figure.name, &figure.caption)
}

/// A picture from a file. It is shown as an image, which cannot run anything: the file may be
/// anybody's.
fn kept_picture(kept: &Kept) -> Markup {
    let address = format!("data:image/svg+xml;base64,{}", STANDARD.encode(&kept.svg));
    with_caption(html! { img alt=(kept.caption) src=(address); }, &kept.name, &kept.caption)
}

fn with_caption(picture: Markup, name: &str, caption: &str) -> Markup {
    html! {
        figure {
            div.picture { (picture) }
            figcaption { (caption) " " span.file { (name) ".svg, .png" } }
        }
    }
}
