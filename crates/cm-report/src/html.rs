//! The report as one web page that needs nothing else: styles, typeface and pictures are inside.

use std::fmt::Write;

use cm_record::Results;
use serde_json::Value;

use crate::{
    Figure, Kind, comparisons, figures, narrative, summary,
    table::{self, Cell, Table},
    typeface,
};

const STYLE: &str = include_str!("report.css");

/// In every page of ours: a page without it is somebody else's, and not overwritten.
pub(crate) const GENERATOR: &str = "<meta name=\"generator\" content=\"cm-loss\">";

/// The whole page.
pub(crate) fn page(results: &Results, figures: &[Figure]) -> String {
    let mut body = String::new();
    header(&mut body, results);
    section(&mut body, "summary", "Summary", |html| {
        for paragraph in narrative::paragraphs(results) {
            element(html, "p", &paragraph);
        }
        let divergences = narrative::divergences(results);
        if !divergences.is_empty() {
            element(html, "h3", "Diverged");
            divergences.iter().for_each(|sentence| element(html, "p", sentence));
        }
    });
    section(&mut body, "figures", "Figures", |html| {
        for table in table::tables(results) {
            figures_table(html, results, &table);
        }
        html.push_str("<ul class=\"notes\">\n");
        for note in results.layout.notes.iter().map(String::as_str).chain([table::NOTE]) {
            element(html, "li", &note.replace("is marked", "is bold"));
        }
        html.push_str("</ul>\n");
        pictures(html, figures, Kind::Accuracy);
    });
    if results.layout.headlines.iter().any(|_| summary::losses(results).len() > 1) {
        section(&mut body, "differences", "Differences over the seeds", |html| differences(html, results));
    }
    for (id, title, kind) in SECTIONS {
        if figures.iter().any(|figure| figure.kind == kind) {
            section(&mut body, id, title, |html| pictures(html, figures, kind));
        }
    }
    section(&mut body, "made", "How it was made", |html| provenance(html, results));

    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n{GENERATOR}\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{} – losses compared</title>\n<style>\n{}{STYLE}</style>\n\
         </head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        escape(&results.data.name),
        typeface::style()
    )
}

/// The sections of pictures.
const SECTIONS: [(&str, &str, Kind); 4] = [
    ("features", "Two-dimensional features", Kind::Features),
    ("norm", "Feature norm and image quality", Kind::Norm),
    ("images", "Images", Kind::Other),
    ("curves", "Learning curves", Kind::LearningCurves),
];

fn header(html: &mut String, results: &Results) {
    html.push_str("<header>\n");
    let title = match summary::losses(results).len() {
        0 | 1 => results.data.name.clone(),
        _ => format!("{}: losses compared", results.data.name),
    };
    element(html, "h1", &title);
    html.push_str("<p class=\"lead\">");
    html.push_str(&escape(&table::heading(results)));
    html.push_str("</p>\n");
    if !results.complete {
        html.push_str("<p class=\"warning\" role=\"note\">");
        html.push_str(
            "This study is not complete: runs are missing. Means are over the runs that exist, and losses with \
             different numbers of seeds should not be compared yet.",
        );
        html.push_str("</p>\n");
    }
    html.push_str("</header>\n");
}

/// What the paired tests say.
fn differences(html: &mut String, results: &Results) {
    let families = comparisons::families(results);
    if families.is_empty() {
        element(html, "p", "Every loss was trained with one seed: no difference can be told from chance.");
        return;
    }
    for family in families {
        html.push_str("<div class=\"scroll\"><table class=\"accuracy\">\n");
        element(html, "caption", &table::capitalized(&family.title));
        html.push_str(
            "<thead><tr><th scope=\"col\">Difference</th><th scope=\"col\">mean</th><th scope=\"col\">95 % interval</th>\
             <th scope=\"col\">p (Holm)</th></tr></thead>\n<tbody>\n",
        );
        for row in &family.rows {
            let mean = escape(&row.mean);
            let mean =
                if row.comparison.is_significant() { format!("<strong>{mean}</strong>") } else { mean };
            let _ = writeln!(
                html,
                "<tr><th scope=\"row\">{}</th><td>{mean}</td><td>{}</td><td>{}</td></tr>",
                escape(&row.pair),
                escape(&row.interval),
                escape(&row.p)
            );
        }
        html.push_str("</tbody></table></div>\n<ul class=\"notes\">\n");
        element(html, "li", &family.note.replace("is marked", "is bold"));
        html.push_str("</ul>\n");
    }
}

fn section(html: &mut String, id: &str, title: &str, content: impl FnOnce(&mut String)) {
    let _ = write!(html, "<section id=\"{id}\">\n<h2>{}</h2>\n", escape(title));
    content(html);
    html.push_str("</section>\n");
}

fn element(html: &mut String, tag: &str, text: &str) {
    let _ = writeln!(html, "<{tag}>{}</{tag}>", escape(text));
}

fn figures_table(html: &mut String, results: &Results, table: &Table) {
    let losses = summary::losses(results);
    html.push_str("<div class=\"scroll\"><table class=\"accuracy\">\n");
    element(html, "caption", &table::capitalized(&table.title));
    html.push_str("<thead><tr><th scope=\"col\">Loss</th>");
    for column in &table.columns {
        let _ = write!(html, "<th scope=\"col\">{}</th>", escape(column).replace('\n', "<br>"));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        let position = losses.iter().position(|loss| *loss == row.loss).unwrap_or(0);
        let color = figures::loss_color(&row.loss, position);
        let _ = write!(
            html,
            "<tr><th scope=\"row\"><span class=\"swatch\" style=\"background:#{:02x}{:02x}{:02x}\"></span>{}",
            color.0,
            color.1,
            color.2,
            escape(&row.loss)
        );
        if let Some(missing) = &row.missing {
            let _ = write!(html, " <small>{}</small>", escape(missing));
        }
        html.push_str("</th>");
        row.cells.iter().for_each(|cell| table_cell(html, cell));
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table></div>\n");
}

fn table_cell(html: &mut String, cell: &Cell) {
    let mean = escape(&cell.mean);
    let mean = if cell.best { format!("<strong>{mean}</strong>") } else { mean };
    let spread = cell.spread.as_deref().map(|s| format!("<small>{}</small>", escape(s))).unwrap_or_default();
    let _ = write!(html, "<td>{mean}{spread}</td>");
}

/// The pictures of one kind.
fn pictures(html: &mut String, figures: &[Figure], kind: Kind) {
    for figure in figures.iter().filter(|figure| figure.kind == kind) {
        let caption = escape(&figure.caption);
        // A picture without a name would be read out as its thousands of points.
        let svg = figure.svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{caption}\" "), 1);
        let _ = write!(
            html,
            "<figure>\n<div class=\"picture\">{svg}</div>\n<figcaption>{caption} <span class=\"file\">{}.svg, .png</span>\
             </figcaption>\n</figure>\n",
            escape(&figure.name)
        );
    }
}

fn provenance(html: &mut String, results: &Results) {
    let data = &results.data;
    let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut rows = vec![text("data", &data.name), text("source", &data.source)];
    for split in &data.splits {
        rows.push((format!("images in {}", split.name), summary::grouped(split.images)));
    }
    rows.extend(data.facts.iter().cloned());
    key_values(html, "Data", rows);
    let left_out = data.left_out.iter().map(|left| (left.file.clone(), left.reason.clone()));
    key_values(html, "Files left out", left_out.collect());
    let of_splits =
        data.splits.iter().filter_map(|split| Some((split.name.clone(), split.checksum.clone()?)));
    key_values(
        html,
        "Checksums",
        data.checksums.iter().map(|(file, sum)| (file.clone(), sum.clone())).chain(of_splits).collect(),
    );
    let mut rows = vec![text("begun", &results.created), text("took", &duration(results.wall_seconds))];
    // Runs of several sessions may have been made by several programs.
    let mut seen = Vec::new();
    for machine in results.runs.iter().map(|run| &run.environment) {
        if seen.contains(&machine) {
            continue;
        }
        seen.push(machine);
        let commit = if machine.commit.is_empty() { "not from a checkout" } else { &machine.commit };
        rows.extend([
            text("backend", &machine.backend),
            text("threads", &machine.threads.to_string()),
            text("platform", &machine.platform),
            text("version", &machine.version),
            text("Burn", &machine.burn),
            text("commit", commit),
        ]);
    }
    key_values(html, "Program and machine", rows);
    let mut settings = Vec::new();
    flatten(&results.config, "", &mut settings);
    key_values(html, "Settings", settings);
}

fn key_values(html: &mut String, title: &str, rows: Vec<(String, String)>) {
    if rows.is_empty() {
        return;
    }
    element(html, "h3", title);
    html.push_str("<div class=\"scroll\"><table class=\"keys\"><tbody>\n");
    for (key, value) in rows {
        let _ = writeln!(html, "<tr><th scope=\"row\">{}</th><td>{}</td></tr>", escape(&key), escape(&value));
    }
    html.push_str("</tbody></table></div>\n");
}

/// Nested settings as `outer.inner` with their values; a list of plain values stays on one line.
fn flatten(value: &Value, key: &str, rows: &mut Vec<(String, String)>) {
    let below = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                flatten(value, &below(name), rows);
            }
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            for (i, item) in items.iter().enumerate() {
                flatten(item, &below(&i.to_string()), rows);
            }
        }
        Value::Array(items) => {
            rows.push((key.to_owned(), items.iter().map(plain).collect::<Vec<_>>().join(", ")))
        }
        other => rows.push((key.to_owned(), plain(other))),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "–".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, _) => format!("{seconds:.1} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nested_settings_become_dotted_keys() {
        let mut rows = Vec::new();
        flatten(&json!({"a": {"b": 1, "c": null}, "d": [1, 2], "e": [{"f": "g"}]}), "", &mut rows);
        let rows: Vec<(&str, &str)> =
            rows.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(rows, [("a.b", "1"), ("a.c", "–"), ("d", "1, 2"), ("e.0.f", "g")]);
    }

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(escape("<b a=\"'\">&"), "&lt;b a=&quot;&#39;&quot;&gt;&amp;");
    }

    #[test]
    fn durations_are_said_as_a_person_would() {
        assert_eq!(duration(7.25), "7.2 s");
        assert_eq!(duration(125.0), "2 min 5 s");
        assert_eq!(duration(7260.0), "2 h 1 min");
    }
}
