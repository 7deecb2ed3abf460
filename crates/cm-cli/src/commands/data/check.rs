//! `cm data check`: what is wrong with images before anybody learns from them.

use std::path::PathBuf;

use clap::Args;
use cm_data::{Collection, CopyKind, OpenOptions, inspect_all};
use serde_json::{Value, json};

use super::{
    findings::{Conflict, Findings, Remark},
    page,
};
use crate::{
    commands::{images::told, rows::Rows},
    error::CliError,
    session::ComputeOptions,
};

/// Files and groups of each kind that are named on the terminal.
const NAMED: usize = 5;

/// Options of `cm data check`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit code 3 where something is wrong: files that cannot be used, copies or groups in two parts of the data, copies \
    with two classes. What is very dark, very bright, blurred and so on is told, and is no error.\n\n\
    Examples:\n  cm data check photos --page photos.html\n  cm data check signs.zip --csv images.csv\n  \
    cm data check list.csv --json"
)]
pub struct Options {
    /// Images, with or without classes: a folder, a CSV list, a zip of either, a record file (.rec), IDX files or .npz
    data: PathBuf,
    /// A page with the images to look at
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    /// A row for each image: size, light, contrast, sharpness, what is to be remarked, group of copies
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    compute: ComputeOptions,
}

/// Looks at the data and tells what it found.
pub fn run(options: &Options) -> Result<(), CliError> {
    let session = options.compute.open_for(options.json)?;
    let open = OpenOptions { labels_required: false, files_required: false, ..OpenOptions::default() };
    let collection = opened(options, &open)?;
    let bar = session.display.bar(collection.len(), "looking at every image");
    let looks = inspect_all(&collection, &told(&bar, &session.interrupter))?;
    bar.finish_and_clear();
    let findings = Findings::new(&collection, &looks);
    if let Some(path) = &options.page {
        page::write(&findings, path)?;
    }
    if let Some(path) = &options.csv {
        rows(&findings, path)?;
    }
    match options.json {
        true => println!("{}", object(&findings)),
        false => print!("{}", text(&findings)),
    }
    match findings.is_wrong() {
        true => Err(CliError::Found(format!("something is wrong with {}", options.data.display()))),
        false => Ok(()),
    }
}

/// The classes count where there are some: without required labels a folder of class folders has none.
fn opened(options: &Options, open: &OpenOptions) -> Result<Collection, CliError> {
    let labeled = OpenOptions { labels_required: true, ..open.clone() };
    match Collection::open(&options.data, &labeled) {
        Ok(collection) => Ok(collection),
        Err(_) => Ok(Collection::open(&options.data, open)?),
    }
}

fn rows(findings: &Findings<'_>, path: &std::path::Path) -> Result<(), CliError> {
    let columns = [
        "file",
        "class",
        "split",
        "width",
        "height",
        "channels",
        "light",
        "contrast",
        "sharpness",
        "remarks",
        "copies",
        "problem",
    ];
    let mut copies = vec![Value::Null; findings.looks.len()];
    for (group, found) in findings.copies.iter().enumerate() {
        found.images.iter().for_each(|&index| copies[index] = Value::from(group + 1));
    }
    let mut rows = Rows::new(&columns, false, Some(path))?;
    for (index, (item, look)) in findings.collection.items.iter().zip(findings.looks).enumerate() {
        let class = item.class().map(|class| findings.collection.classes[class].clone());
        let remarks: Vec<&str> =
            findings.remarks.get(&index).into_iter().flatten().map(|remark| remark.name()).collect();
        let mut row = vec![json!(item.file), json!(class), json!(item.split.map(cm_data::Split::name))];
        match look {
            Ok(look) => row.extend([
                json!(look.width),
                json!(look.height),
                json!(look.channels),
                rounded(look.light),
                rounded(look.contrast),
                rounded(look.sharpness),
                json!(remarks.join("; ")),
                copies[index].clone(),
                Value::Null,
            ]),
            Err(reason) => {
                row.resize(columns.len() - 1, Value::Null);
                row.push(json!(reason));
            }
        }
        rows.push(row)?;
    }
    rows.finish()
}

fn rounded(value: f64) -> Value {
    json!((value * 100.0).round() / 100.0)
}

fn object(findings: &Findings<'_>) -> Value {
    let conflict = |conflict: &Conflict<'_>| {
        let files: Vec<&str> = conflict.copies.images.iter().map(|&index| findings.file(index)).collect();
        json!({"files": files, "in": conflict.places, "exact": conflict.copies.kind == CopyKind::Exact})
    };
    let counts: Vec<Value> = findings
        .counts()
        .iter()
        .map(|(class, parts)| {
            let class = class.map(|class| &findings.collection.classes[class]);
            let parts: serde_json::Map<String, Value> = parts
                .iter()
                .map(|(split, count)| (split.map_or("all", cm_data::Split::name).to_owned(), json!(count)))
                .collect();
            json!({"class": class, "images": parts})
        })
        .collect();
    let remarks: serde_json::Map<String, Value> = Remark::ALL
        .iter()
        .map(|&remark| {
            let files: Vec<&str> =
                findings.with(remark).into_iter().map(|index| findings.file(index)).collect();
            (remark.name().to_owned(), json!(files))
        })
        .collect();
    let bad: Vec<Value> = findings
        .bad()
        .map(|(index, reason)| json!({"file": findings.file(index), "reason": reason}))
        .collect();
    let copies: Vec<Value> = findings
        .copies
        .iter()
        .map(|copies| {
            let files: Vec<&str> = copies.images.iter().map(|&index| findings.file(index)).collect();
            json!({"files": files, "exact": copies.kind == CopyKind::Exact})
        })
        .collect();
    json!({
        "name": findings.collection.name,
        "images": findings.looks.len(),
        "wrong": findings.is_wrong(),
        "by_class": counts,
        "bad": bad,
        "copies": copies,
        "leaks": findings.leaks().iter().map(conflict).collect::<Vec<_>>(),
        "contradictions": findings.contradictions().iter().map(conflict).collect::<Vec<_>>(),
        "shared_groups": findings.shared_groups(),
        "remarks": remarks,
    })
}

fn text(findings: &Findings<'_>) -> String {
    let mut lines = vec![page::overview(findings)];
    lines.push(page::sizes(findings));
    let some = |names: Vec<String>| -> String {
        let more = names.len().saturating_sub(NAMED);
        let mut text = names.into_iter().take(NAMED).map(|name| format!("\n  {name}")).collect::<String>();
        if more > 0 {
            text += &format!("\n  … and {more} more (--csv and --json have all)");
        }
        text
    };
    let mut told = |count: usize, what: &str, names: Vec<String>| {
        if count > 0 {
            lines.push(format!("{count} {what}{}", some(names)));
        }
    };
    let bad: Vec<String> =
        findings.bad().map(|(index, reason)| format!("{}: {reason}", findings.file(index))).collect();
    told(bad.len(), "files that cannot be used", bad);
    let conflicts =
        |found: &[Conflict<'_>]| found.iter().map(|conflict| page::conflict(findings, conflict)).collect();
    let leaks = findings.leaks();
    told(
        leaks.len(),
        "groups of copies in several parts: what is learned from one is tested on the other",
        conflicts(&leaks),
    );
    let contradictions = findings.contradictions();
    told(contradictions.len(), "groups of copies with several classes", conflicts(&contradictions));
    let shared = findings.shared_groups();
    told(shared.len(), "groups with images in several parts", shared);
    let [exact, near] = [CopyKind::Exact, CopyKind::Near].map(|kind| {
        let of_kind = findings.copies.iter().filter(|copies| copies.kind == kind);
        of_kind.map(|copies| page::files(findings, &copies.images)).collect::<Vec<String>>()
    });
    told(exact.len(), "groups of exact copies", exact);
    told(near.len(), "groups of near copies", near);
    for remark in Remark::ALL {
        let files: Vec<String> =
            findings.with(remark).into_iter().map(|index| findings.file(index).to_owned()).collect();
        told(files.len(), &format!("images are {} ({})", remark.name(), remark.meaning()), files);
    }
    if !findings.is_wrong() {
        lines.push("nothing is wrong".to_owned());
    }
    lines.join("\n") + "\n"
}
