//! `cm score`: the quality of images.

use std::path::{Path, PathBuf};

use clap::Args;
use cm_train::evaluation::Asked;
use serde_json::Value;

use super::{
    look::{Look, LookOptions},
    quality_page::{QualityPage, Scored},
    rows::{self, Rows, number},
};
use crate::error::CliError;

/// Options of `cm score`.
#[derive(Debug, Args)]
#[command(
    after_help = "Prints CSV: file, norm and quality, a whole number from 0 to 100, or -1 for a file that cannot be read.\n\n\
    Examples:\n  cm score model.safetensors photos > quality.csv\n  \
    find photos -name '*.jpg' | cm score model.safetensors - --page quality.html\n  \
    cm score model.safetensors photos --out quality.csv --reject-below 40"
)]
pub struct Options {
    #[command(flatten)]
    look: LookOptions,
    /// Print a JSON object for each image in place of CSV
    #[arg(long)]
    json: bool,
    /// A page with images of every quality, to look at
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    /// Write two lists beside the file of --out: NAME.kept.txt, and NAME.rejected.txt with what is of a lower quality or cannot be
    /// read
    #[arg(long, value_name = "QUALITY", requires = "out", value_parser = clap::value_parser!(u8).range(0..=100))]
    reject_below: Option<u8>,
}

/// Scores images.
pub fn run(options: Options) -> Result<(), CliError> {
    let look = Look::open(&options.look)?;
    let card = &look.model.card;
    match (&card.quality, &card.norms) {
        (Some(_), _) => {}
        (None, Some(_)) => eprintln!(
            "this model is not calibrated: quality is the share of its training images with a shorter feature; `cm calibrate` \
             fits it to a quality that is known"
        ),
        (None, None) => {
            return Err(CliError::Said(format!(
                "{} has no quality: it was written by an older version and is not calibrated; fit one by `cm calibrate`",
                options.look.model.display()
            )));
        }
    }
    let mut rows = Rows::new(&["file", "norm", "quality"], options.json, options.look.out.as_deref())?;
    let mut scored = Vec::new();
    look.each(Asked::default(), |row| {
        let (norm, quality) = match &row.seen {
            Ok(seen) => (Some(seen.norm), seen.quality),
            Err(_) => (None, None),
        };
        let shown = quality.map_or(-1, i32::from);
        rows.push(vec![Value::from(row.file.clone()), norm.map_or(Value::Null, number), Value::from(shown)])?;
        if options.page.is_some() || options.reject_below.is_some() {
            scored.push(Scored { index: row.index, file: row.file, norm, quality });
        }
        Ok(())
    })?;
    if let Some(page) = &options.page {
        let sheet = QualityPage { set: &*look.set, card, model: &options.look.model, scored: &scored };
        sheet.write(page)?;
    }
    if let (Some(least), Some(out)) = (options.reject_below, &options.look.out) {
        divide(&scored, least, out)?;
    }
    rows.finish()
}

/// Writes what is kept and what is rejected as two lists.
fn divide(scored: &[Scored], least: u8, out: &Path) -> Result<(), CliError> {
    let (kept, rejected): (Vec<&Scored>, Vec<&Scored>) =
        scored.iter().partition(|image| image.quality.is_some_and(|quality| quality >= least));
    for (name, part) in [("kept", &kept), ("rejected", &rejected)] {
        let list: String = part.iter().map(|image| format!("{}\n", image.file)).collect();
        rows::write(&out.with_extension(format!("{name}.txt")), list.as_bytes())?;
    }
    eprintln!("{} kept, {} rejected below {least}", kept.len(), rejected.len());
    Ok(())
}
