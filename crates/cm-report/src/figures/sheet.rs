//! Images beside each other with what is known of each: a contact sheet.

use std::io::Cursor;

use base64::{Engine, engine::general_purpose::STANDARD};
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

use super::canvas::{CENTER, HEADING_HEIGHT, LEFT, at, bold, picture, plain, size};
use super::style::{INK, MUTED};
use crate::{Figure, Kind, ReportError};

/// Images in a row.
const COLUMNS: usize = 12;
const CELL: f64 = 84.0;
const SHOWN: f64 = 72.0;
/// A title, an image, and a line below it.
const TITLE: f64 = 34.0;
const ROW: f64 = SHOWN + 26.0;

/// Images with a title above them.
pub struct ContactRow {
    /// The title.
    pub title: String,
    /// The images; they go on in the next line where they do not fit.
    pub images: Vec<ContactImage>,
}

/// An image with a line below it.
pub struct ContactImage {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// 1 (gray) or 3 (red, green, blue).
    pub channels: usize,
    /// Its pixels in rows.
    pub pixels: Vec<u8>,
    /// The line.
    pub caption: String,
}

/// A picture of images in rows.
///
/// # Errors
///
/// [`ReportError::Drawing`] if it cannot be drawn.
pub fn contact_sheet(
    name: &str,
    title: &str,
    subtitle: &str,
    rows: &[ContactRow],
) -> Result<Figure, ReportError> {
    let lines = |row: &ContactRow| row.images.len().div_ceil(COLUMNS);
    let height: f64 = rows.iter().map(|row| TITLE + ROW * lines(row) as f64).sum();
    let (width, height) = ((CELL * COLUMNS as f64 + 36.0) as u32, HEADING_HEIGHT + height as u32 + 10);
    let failed = |reason: String| ReportError::Drawing { figure: name.to_owned(), reason };
    let mut images = String::new();
    let svg = picture(name, (width, height), title, subtitle, |sheet| {
        let mut top = 0.0;
        for row in rows {
            sheet.draw_text(&row.title, &bold(13.5, INK, LEFT), (at(18.0), at(top + 18.0)))?;
            top += TITLE;
            for (i, image) in row.images.iter().enumerate() {
                let x = 18.0 + CELL * (i % COLUMNS) as f64;
                let y = top + ROW * (i / COLUMNS) as f64;
                let middle = (at(x + SHOWN / 2.0), at(y + SHOWN + 10.0));
                sheet.draw_text(&image.caption, &plain(9.5, MUTED, CENTER), middle)?;
            }
            top += ROW * lines(row) as f64;
        }
        Ok(())
    })?;
    // Plotters has no images in SVG: they are put in by hand, in its units.
    let mut top = f64::from(HEADING_HEIGHT);
    for row in rows {
        top += TITLE;
        for (i, image) in row.images.iter().enumerate() {
            let (x, y) = (18.0 + CELL * (i % COLUMNS) as f64, top + ROW * (i / COLUMNS) as f64);
            let longer = image.width.max(image.height).max(1) as f64;
            let (w, h) = (SHOWN * image.width as f64 / longer, SHOWN * image.height as f64 / longer);
            let data = STANDARD.encode(png(image).map_err(failed)?);
            images += &format!(
                "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" \
                 href=\"data:image/png;base64,{data}\"/>\n",
                at(x),
                at(y),
                (w * f64::from(size(1))).round(),
                (h * f64::from(size(1))).round(),
            );
        }
        top += ROW * lines(row) as f64;
    }
    let svg = svg.replacen("</svg>", &format!("{images}</svg>"), 1);
    let caption = format!("{title}. {subtitle}.");
    Ok(Figure { kind: Kind::Other, name: name.to_owned(), caption, svg })
}

fn png(image: &ContactImage) -> Result<Vec<u8>, String> {
    let mut bytes = Cursor::new(Vec::new());
    let color = if image.channels == 1 { ExtendedColorType::L8 } else { ExtendedColorType::Rgb8 };
    PngEncoder::new(&mut bytes)
        .write_image(&image.pixels, image.width as u32, image.height as u32, color)
        .map_err(|error| error.to_string())?;
    Ok(bytes.into_inner())
}
