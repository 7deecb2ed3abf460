//! A known quality from a column of a list.

use cm_data::Collection;

use crate::error::CliError;

/// The values that are the qualities 0 and 100.
#[derive(Debug, Clone, Copy)]
pub struct Range(f64, f64);

/// Reads `LOW,HIGH`.
pub fn range(text: &str) -> Result<Range, String> {
    let numbers: Option<Vec<f64>> = text.split(',').map(|number| number.trim().parse().ok()).collect();
    match numbers.as_deref() {
        Some(&[low, high]) if low < high && low.is_finite() && high.is_finite() => Ok(Range(low, high)),
        _ => Err("it takes two numbers, that of quality 0 and then a larger one, such as 0,500".to_owned()),
    }
}

/// Qualities from 0 to 1 of a column, NaN where it has none, and what it is in words.
pub fn column_of(
    collection: &Collection,
    name: &str,
    range: Option<Range>,
) -> Result<(Vec<f64>, String), CliError> {
    let Some(at) = collection.columns.iter().position(|column| column == name) else {
        let there = match collection.columns.is_empty() {
            true => "it has no numeric column besides".to_owned(),
            false => format!("those with numbers are {}", collection.columns.join(", ")),
        };
        return Err(CliError::Said(format!(
            "{} has no column of numbers named {name}; {there}",
            collection.name
        )));
    };
    let values: Vec<f64> = collection.items.iter().map(|item| item.columns[at]).collect();
    let known = || values.iter().copied().filter(|value| value.is_finite());
    let (least, largest) = known().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let (low, high) = match range {
        Some(Range(low, high)) => (low, high),
        None if least >= 0.0 && largest <= 1.0 => (0.0, 1.0),
        None if least >= 0.0 && largest <= 100.0 => (0.0, 100.0),
        None => (least, largest),
    };
    let qualities = values.iter().map(|value| ((value - low) / (high - low)).clamp(0.0, 1.0)).collect();
    Ok((qualities, format!("the column {name}, from {low} to {high}")))
}
