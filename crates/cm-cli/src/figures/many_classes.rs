//! Time and memory of the loss of many classes, from what `bench head --json` measured.

use std::{fs, path::Path};

use cm_report::{
    Figure,
    chart::{self, Axis, Color, Corner, Curve, Line, Panel, padded},
};
use serde::Deserialize;

use crate::error::CliError;

const HEIGHT: u32 = 360;

/// A line of the measurements.
#[derive(Debug, Deserialize)]
struct Row {
    n: usize,
    d: usize,
    c: usize,
    head: String,
    path: String,
    sampled: Option<f64>,
    seconds: f64,
    peak_mb: f64,
    base_mb: f64,
}

/// The curves: a name, and the rows that it is of.
const CURVES_OF: [(&str, &str, bool); 5] = [
    ("block by block", "fused", false),
    ("matrix of logits", "plain", false),
    ("PyTorch eager", "torch_eager", false),
    ("block by block, a tenth of the classes", "fused", true),
    ("matrix of logits, a tenth of the classes", "plain", true),
];

/// The picture of the rows of a file, for the batch and the dimension that most of them have.
pub fn draw(file: &Path) -> Result<Figure, CliError> {
    let damaged = |reason: String| CliError::Settings {
        path: file.to_owned(),
        reason: format!("{reason}; it must hold the lines that `cargo xtask bench head --json` prints"),
    };
    let text = fs::read_to_string(file).map_err(cm_train::Error::io("read", file))?;
    let parse = |(number, line): (usize, &str)| {
        serde_json::from_str::<Row>(line).map_err(|error| damaged(format!("line {}: {error}", number + 1)))
    };
    let rows: Vec<Row> =
        text.lines().enumerate().filter(|(_, line)| !line.is_empty()).map(parse).collect::<Result<_, _>>()?;
    let count = |row: &Row| rows.iter().filter(|other| (other.n, other.d) == (row.n, row.d)).count();
    let Some(common) = rows.iter().max_by_key(|row| count(row)) else {
        return Err(damaged("it has no line".to_owned()));
    };
    let rows: Vec<&Row> = rows.iter().filter(|row| (row.n, row.d) == (common.n, common.d)).collect();
    let panels = [
        panel("Time of a loss and its gradients", "seconds, power of ten", &rows, |row| row.seconds),
        panel("Memory beside features, centers and their gradient", "MB, power of ten", &rows, |row| {
            let gradient = (row.c * row.d * size_of::<f32>()) as f64 / f64::from(1 << 20);
            (row.peak_mb - row.base_mb - gradient).max(1.0)
        }),
    ];
    let subtitle = format!("{}, {} samples of {} dimensions", common.head, common.n, common.d);
    let title = "Many classes";
    Ok(chart::panels("many-classes", title, &subtitle, HEIGHT, (1, 2), &panels)?)
}

fn panel(title: &'static str, description: &str, rows: &[&Row], value: impl Fn(&Row) -> f64) -> Panel {
    let curves: Vec<Curve> = CURVES_OF
        .iter()
        .zip(Color::CURVES)
        .map(|(&(name, path, sampled), color)| {
            let of = rows.iter().filter(|row| row.path == path && row.sampled.is_some() == sampled);
            let mut points: Vec<(f64, f64)> =
                of.map(|row| ((row.c as f64).log10(), value(row).log10())).collect();
            // Of several measurements of the same the first.
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            points.dedup_by_key(|point| point.0);
            Curve::new(name, color, points).drawn(if sampled { Line::Dashed } else { Line::Solid })
        })
        .filter(|curve| !curve.points.is_empty())
        .collect();
    let along = |axis: fn(&(f64, f64)) -> f64| {
        padded(curves.iter().flat_map(|curve| curve.points.iter().map(axis))).unwrap_or(0.0..1.0)
    };
    let (x, y) = (along(|point| point.0), along(|point| point.1));
    // Room for the legend.
    let room = 0.35 * (y.end - y.start);
    Panel {
        title: title.to_owned(),
        x: Axis::new(x, "classes, power of ten", 5, true),
        y: Axis::new(y.start..y.end + room, description, 6, true),
        legend: Corner::TopLeft,
        curves,
        about_zero: None,
    }
}
