//! What a reader needs to check the figures, or to get them again.

use cm_record::{Environment, Results};
use maud::{Markup, html};
use serde_json::Value;

use crate::{
    summary::distinct,
    text::{count, duration, grouped},
};

/// A name and a value.
type Pair = (String, String);

pub(super) fn provenance(results: &Results) -> Markup {
    let mut settings = Vec::new();
    flatten(&results.config, "", &mut settings);
    html! {
        (key_values("Data", &data(results)))
        (key_values("Checksums", &checksums(results)))
        (left_out(results))
        (key_values("Program and machine", &study(results)))
        (environments(results))
        (key_values("Settings", &settings))
    }
}

fn pair(name: &str, value: &str) -> Pair {
    (name.to_owned(), value.to_owned())
}

fn data(results: &Results) -> Vec<Pair> {
    let data = &results.data;
    let mut rows = vec![pair("data", &data.name), pair("source", &data.source)];
    rows.extend(data.splits.iter().map(|split| (format!("images in {}", split.name), grouped(split.images))));
    rows.extend(data.facts.iter().cloned());
    rows
}

fn checksums(results: &Results) -> Vec<Pair> {
    let data = &results.data;
    let of_files = data.checksums.iter().map(|(file, sum)| (file.clone(), sum.clone()));
    let of_splits = data
        .splits
        .iter()
        .filter_map(|split| Some((format!("images in {}", split.name), split.checksum.clone()?)));
    of_files.chain(of_splits).collect()
}

/// The files that could not be used: all of them are named, whatever their number.
fn left_out(results: &Results) -> Markup {
    let files = &results.data.left_out;
    let rows: Vec<Pair> = files.iter().map(|left| (left.file.clone(), left.reason.clone())).collect();
    html! {
        @if !rows.is_empty() {
            h3 { "Files left out" }
            p { (count(rows.len(), "file")) " could not be used, and nothing was trained or tested on them." }
            details open[rows.len() <= 20] {
                summary { "The files, and why" }
                (table(&rows))
            }
        }
    }
}

fn study(results: &Results) -> Vec<Pair> {
    vec![pair("begun", &results.created), ("took".to_owned(), duration(results.wall_seconds))]
}

/// The machines and versions behind the runs: one table where all runs share them.
fn environments(results: &Results) -> Markup {
    let of_runs = || results.runs.iter().map(|run| &run.environment);
    let environments = distinct(of_runs());
    html! {
        @for environment in &environments {
            @if environments.len() > 1 {
                h4 { (count(of_runs().filter(|of_run| of_run == environment).count(), "run")) }
            }
            (table(&machine(environment)))
        }
    }
}

fn machine(environment: &Environment) -> Vec<Pair> {
    let Environment { backend, threads, platform, version, burn, commit } = environment;
    vec![
        pair("backend", backend),
        pair("threads", &threads.to_string()),
        pair("platform", platform),
        pair("version", version),
        pair("Burn", burn),
        pair("commit", if commit.is_empty() { "not from a checkout" } else { commit }),
    ]
}

fn key_values(title: &str, rows: &[Pair]) -> Markup {
    html! {
        @if !rows.is_empty() {
            h3 { (title) }
            (table(rows))
        }
    }
}

fn table(rows: &[Pair]) -> Markup {
    html! {
        div.scroll {
            table.keys {
                tbody { @for (key, value) in rows { tr { th scope="row" { (key) } td { (value) } } } }
            }
        }
    }
}

/// Nested settings as `outer.inner` with their values; a list of plain values stays on one line.
fn flatten(value: &Value, key: &str, rows: &mut Vec<Pair>) {
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
        Value::Null if key.is_empty() => {}
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
    fn a_study_without_settings_has_none_on_its_page() {
        let mut rows = Vec::new();
        flatten(&Value::Null, "", &mut rows);
        assert!(rows.is_empty());
    }
}
