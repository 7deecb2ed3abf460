//! `cm predict`: the classes of images.

use clap::Args;
use cm_train::evaluation::Asked;
use serde_json::Value;

use super::{
    look::{Look, LookOptions},
    rows::{Rows, number},
};
use crate::error::CliError;

/// Options of `cm predict`.
#[derive(Debug, Args)]
#[command(
    after_help = "Prints CSV: file, class, probability, norm of the feature, quality (-1 where it is not known). A file that cannot be \
    read has a row without class.\n\n\
    Examples:\n  cm predict model.safetensors photo.jpg\n  cm predict model.safetensors photos --top 3 --out classes.csv"
)]
pub struct Options {
    #[command(flatten)]
    look: LookOptions,
    /// Print a JSON object for each image in place of CSV
    #[arg(long)]
    json: bool,
    /// Classes of each image, the most probable first
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    top: u32,
}

/// Predicts images.
pub fn run(options: Options) -> Result<(), CliError> {
    let look = Look::open(&options.look)?;
    let classes = &look.model.card.classes;
    let top = (options.top as usize).min(classes.len());
    let mut columns = vec!["file".to_owned(), "class".to_owned(), "probability".to_owned()];
    columns.extend((2..=top).flat_map(|k| [format!("class_{k}"), format!("probability_{k}")]));
    columns.extend(["norm".to_owned(), "quality".to_owned()]);
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut rows = Rows::new(&columns, options.json, options.look.out.as_deref())?;
    let asked = Asked { probabilities: true, ..Asked::default() };
    look.each(asked, |row| {
        let mut cells = vec![Value::from(row.file)];
        match row.seen {
            Ok(seen) => {
                for class in most_probable(seen.probabilities, top) {
                    cells.extend([Value::from(classes[class].clone()), number(seen.probabilities[class])]);
                }
                cells.extend([number(seen.norm), Value::from(seen.quality.map_or(-1, i32::from))]);
            }
            Err(_) => {
                cells.resize(2 * top + 2, Value::Null);
                cells.push(Value::from(-1));
            }
        }
        rows.push(cells)
    })?;
    rows.finish()
}

/// The classes with the largest probabilities, the largest first; of equal ones the first.
fn most_probable(probabilities: &[f32], count: usize) -> Vec<usize> {
    let mut classes: Vec<usize> = (0..probabilities.len()).collect();
    let by_probability =
        |a: &usize, b: &usize| probabilities[*b].total_cmp(&probabilities[*a]).then(a.cmp(b));
    if count < classes.len() {
        classes.select_nth_unstable_by(count, by_probability);
        classes.truncate(count);
    }
    classes.sort_unstable_by(by_probability);
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_probable_come_first_and_of_equals_the_first() {
        let probabilities = [0.1, 0.3, 0.05, 0.3, 0.25];
        assert_eq!(most_probable(&probabilities, 3), [1, 3, 4]);
        assert_eq!(most_probable(&probabilities, 5), [1, 3, 4, 0, 2]);
        assert_eq!(most_probable(&probabilities, 1), [1]);
    }
}
