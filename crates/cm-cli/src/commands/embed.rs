//! `cm embed`: the features of images.

use std::path::PathBuf;

use clap::Args;
use cm_train::evaluation::Asked;
use npyz::WriterBuilder;
use serde_json::Value;

use super::{
    look::{Look, LookOptions},
    rows::{self, Rows, number},
};
use crate::error::CliError;

/// Options of `cm embed`.
#[derive(Debug, Args)]
#[command(
    after_help = "Prints the list of the rows as CSV: row of the array (none for a file that cannot be read), file, norm, quality.\n\n\
    Example:\n  cm embed model.safetensors photos --npy features.npy --out features.csv\n\n\
    In Python: numpy.load(\"features.npy\") has a row for each image that was read."
)]
pub struct Options {
    #[command(flatten)]
    look: LookOptions,
    /// File for the features: a NumPy array of 32-bit floats, a row an image
    #[arg(long, value_name = "FILE")]
    npy: PathBuf,
    /// Divide each feature by its length
    #[arg(long)]
    unit: bool,
    /// Print a JSON object for each image in place of CSV
    #[arg(long)]
    json: bool,
}

/// Writes the features of images.
pub fn run(options: Options) -> Result<(), CliError> {
    let look = Look::open(&options.look)?;
    let mut rows = Rows::new(&["row", "file", "norm", "quality"], options.json, options.look.out.as_deref())?;
    let (mut features, mut count) = (Vec::new(), 0u64);
    look.each(Asked { features: true, ..Asked::default() }, |row| {
        let file = Value::from(row.file);
        let cells = match row.seen {
            Ok(seen) => {
                let divisor = if options.unit && seen.norm > 0.0 { seen.norm } else { 1.0 };
                features.extend(seen.feature.iter().map(|value| value / divisor));
                count += 1;
                let quality = Value::from(seen.quality.map_or(-1, i32::from));
                vec![Value::from(count - 1), file, number(seen.norm), quality]
            }
            Err(_) => vec![Value::Null, file, Value::Null, Value::from(-1)],
        };
        rows.push(cells)
    })?;
    let array = npy(&features, [count, look.model.card.feature_dim as u64]).map_err(|error| {
        CliError::Said(format!("the features cannot be written as a NumPy array: {error}"))
    })?;
    rows::write(&options.npy, &array)?;
    rows.finish()
}

/// A NumPy file of rows.
fn npy(values: &[f32], shape: [u64; 2]) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut bytes).begin_nd()?;
    writer.extend(values.iter().copied())?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_array_is_what_numpy_writes() {
        let bytes = npy(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2, 3]).expect("it is memory");
        let read = npyz::NpyFile::new(&bytes[..]).expect("an array");
        assert_eq!((read.shape(), read.order()), (&[2u64, 3][..], npyz::Order::C));
        assert_eq!(read.into_vec::<f32>().expect("floats"), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        // numpy.save of the same array begins so.
        assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
        assert_eq!(bytes.len() % 64, 24);
    }
}
