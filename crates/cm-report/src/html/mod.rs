//! The report as one web page that needs nothing else: styles, typeface and pictures are inside.

mod frame;
mod page;
mod provenance;
mod tables;

use base64::{Engine, engine::general_purpose::STANDARD};
use cm_record::{FeatureTable, Pooled, Results};
use frame::{Section, frame};
use maud::{Markup, PreEscaped, html};
pub use page::{Page, PageSection, PageTable};

use crate::{
    Figure, Kind, figure::Kept, narrative, pooled, rebuild::missing, summary, table, table::NOTE, text::count,
};

/// In every page of ours: a page without it is somebody else's, and not overwritten.
pub(crate) const GENERATOR: &str = "<meta name=\"generator\" content=\"cm-loss\">";

/// It is within so many bytes from the beginning of a page.
pub(crate) const HEAD_BYTES: u64 = 1024;

/// The whole page.
pub(crate) fn page(
    results: &Results,
    features: &[Option<FeatureTable>],
    figures: &[Figure],
    kept: &[Kept],
) -> String {
    let section =
        |id: &str, title: &str, content| Section { id: id.to_owned(), title: title.to_owned(), content };
    let mut sections = vec![
        section("summary", "Summary", summary(results)),
        section("accuracy", "Accuracy", accuracy(results, figures)),
        section("differences", "Differences over the seeds", tables::comparisons(results)),
    ];
    if let Some(pooled) = &results.pooled {
        sections.push(section("pooled", &pooled::title(results), all_runs(results, pooled)));
    }
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
    let warning = (!results.complete).then_some(
        "This study is not complete: runs are missing. Means are over the runs that exist, and losses with different \
         numbers of seeds should not be compared yet.",
    );
    frame(&title, &narrative::heading(results), warning, sections)
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

fn all_runs(results: &Results, pooled: &Pooled) -> Markup {
    html! {
        @for titled in pooled::figures(pooled).iter().chain(&pooled::tests(pooled)) {
            h3 { (titled.title) }
            (titled.table.markup())
        }
        (list(&pooled::notes(results)))
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
    with_caption(inline(figure), &figure.caption, Some(&figure.name))
}

/// A picture as a part of the page.
fn inline(figure: &Figure) -> Markup {
    let caption = html! { (figure.caption) }.into_string();
    // A picture without a name would be read out as its thousands of points. None is made larger
    // than it was drawn.
    let width = figure.svg.split("width=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("1080");
    let attributes = format!("role=\"img\" style=\"--width:{width}px\" aria-label=\"{caption}\"");
    PreEscaped(figure.svg.replacen("<svg ", &format!("<svg {attributes} "), 1))
}

/// A picture from a file. It is shown as an image, which cannot run anything: the file may be
/// anybody's.
fn kept_picture(kept: &Kept) -> Markup {
    let address = format!("data:image/svg+xml;base64,{}", STANDARD.encode(&kept.svg));
    with_caption(html! { img alt=(kept.caption) src=(address); }, &kept.caption, Some(&kept.name))
}

/// A picture with what stands below it, and the files that it is in as well.
fn with_caption(picture: Markup, caption: &str, files: Option<&str>) -> Markup {
    html! {
        figure {
            div.picture { (picture) }
            figcaption { (caption) @if let Some(name) = files { " " span.file { (name) ".svg, .png" } } }
        }
    }
}
