//! `cm data example`: images to try everything with, where there are none at hand.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use cm_data::Image;
use cm_record::files::UnfinishedFolder;
use cm_train::Error;
use image::{ExtendedColorType, ImageFormat};
use serde_json::json;

use crate::{
    applications::signs::{FRAMES, Quality, Signs, signs_with_quality},
    commands::rows::Rows,
    error::CliError,
    session::ComputeOptions,
};

/// Options of `cm data example`.
#[derive(Debug, Args)]
#[command(
    after_help = "The signs are drawn by the program, 32 x 32 pixels, in classes of their own. A car drives towards each: the ten \
    frames of a track go from far to near, and every image has its resolution (pixels that the sign had) and its contrast in \
    images.csv, so that its quality is known. The same seed draws the same signs.\n\n\
    Examples:\n  cm data example signs\n  cm train signs --group-by-name _ --out runs/signs\n  \
    cm calibrate runs/signs/model.safetensors signs/images.csv --column resolution"
)]
pub struct Options {
    /// Folder for the images, which must not be there yet
    folder: PathBuf,
    /// Tracks to learn from, ten images each; there are half as many test images as images of tracks
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    tracks: u32,
    /// Seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    compute: ComputeOptions,
}

/// Draws and writes them.
pub fn run(options: &Options) -> Result<(), CliError> {
    let session = options.compute.open()?;
    let folder = &options.folder;
    if folder.exists() {
        return Err(CliError::Said(format!(
            "{} is there already; name a folder that is not, so that nothing in it is replaced",
            folder.display()
        )));
    }
    let (signs, train_quality) = signs_with_quality(options.tracks as usize, options.seed);
    let unfinished = UnfinishedFolder::beside(folder).map_err(Error::io("write to", folder))?;
    let going_on = || !session.interrupter.should_stop();
    write(&signs, &train_quality, unfinished.path(), &going_on)?;
    unfinished.persist(folder).map_err(Error::io("write", folder))?;
    println!(
        "{} images of {} classes to learn from and {} to test on, with their quality in {}",
        signs.train.images.len(),
        signs.classes.len(),
        signs.test.images.len(),
        folder.join(LIST).display()
    );
    Ok(())
}

/// The list of all images.
const LIST: &str = "images.csv";

fn write(
    signs: &Signs,
    train_quality: &[Quality],
    folder: &Path,
    going_on: &dyn Fn() -> bool,
) -> Result<(), CliError> {
    let columns = ["path", "label", "group", "split", "resolution", "contrast"];
    let mut rows = Rows::new(&columns, false, Some(&folder.join(LIST)))?;
    for (split, set, qualities) in
        [("train", &signs.train, train_quality), ("test", &signs.test, &signs.test_quality[..])]
    {
        for (index, image) in set.images.iter().enumerate() {
            if !going_on() {
                return Err(CliError::Stopped);
            }
            // Test images are single, each a track of its own.
            let (track, frame) = match split {
                "train" => (signs.train_groups[index] as usize, index % FRAMES),
                _ => (index, 0),
            };
            let class = &signs.classes[set.labels[index] as usize];
            let file = format!("{split}/{class}/{track:04}_{frame}.png");
            write_image(image, &folder.join(&file))?;
            let quality = qualities[index];
            rows.push(vec![
                json!(file),
                json!(class),
                json!(format!("{split} {track}")),
                json!(split),
                json!((quality.resolution * 10.0).round() / 10.0),
                json!((quality.contrast * 10.0).round() / 10.0),
            ])?;
        }
    }
    rows.finish()
}

fn write_image(image: &Image, path: &Path) -> Result<(), CliError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
    }
    let (width, height) = (image.width as u32, image.height as u32);
    let written = image::save_buffer_with_format(
        path,
        &image.pixels,
        width,
        height,
        ExtendedColorType::Rgb8,
        ImageFormat::Png,
    );
    written.map_err(|error| CliError::Said(format!("cannot write {}: {error}", path.display())))
}
