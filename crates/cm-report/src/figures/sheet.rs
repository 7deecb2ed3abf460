//! Images beside each other with what is known of each: a contact sheet.

use std::borrow::Cow;

use plotters::{element::Rectangle, style::Color};

use super::{
    canvas::{Area, CENTER, Draw, EDGE, LEFT, WIDTH, at, bold, heading_height, picture, plain, size},
    image::{Place, element},
    style::{GRID, INK, MUTED},
};
use crate::{Figure, Kind, ReportError, typeface};

/// Images beside each other: as many as the longest row has, within these limits.
const COLUMNS: (usize, usize) = (6, 12);
/// Pixels between two images.
const GAP: f64 = 12.0;
/// Pixels for the title of a row.
const TITLE: f64 = 34.0;
/// Size of the letters below an image, and pixels from a line of them to the next.
const LETTERS: f64 = 10.0;
const LINE: f64 = 13.0;
/// Pixels below the last line.
const BELOW: f64 = 10.0;

/// Images with a title above them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactRow<'a> {
    /// The title.
    pub title: String,
    /// The images; they go on in the next line where they do not fit.
    pub images: Vec<ContactImage<'a>>,
}

/// An image with a caption below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactImage<'a> {
    /// Its pixels, row by row: one byte for each if it is gray, red, green and blue if it has
    /// colors.
    pub pixels: Cow<'a, [u8]>,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// The caption; a line that is wider than the image is shortened.
    pub caption: String,
}

impl ContactImage<'_> {
    /// Width and height when its longer side is as long as this.
    fn fitted(&self, side: f64) -> (f64, f64) {
        let longer = self.width.max(self.height).max(1) as f64;
        (side * self.width as f64 / longer, side * self.height as f64 / longer)
    }
}

/// An image, and where it and its caption stand below the heading.
struct Placed<'a> {
    image: &'a ContactImage<'a>,
    place: Place,
    /// Middle of the cell, and top of the caption.
    caption: (f64, f64),
    cell: f64,
}

/// A title, and where it stands below the heading.
struct Title<'a> {
    text: &'a str,
    y: f64,
}

/// A picture of images in rows, for example of those with the shortest and the longest features.
///
/// The caption stands below the title as well, since the picture must explain itself where it
/// stands alone: it should name the data.
///
/// # Errors
///
/// [`ReportError::Drawing`] if an image has another number of bytes than its size asks for, or the
/// picture cannot be drawn.
pub fn contact_sheet(
    name: &str,
    title: &str,
    caption: &str,
    rows: &[ContactRow<'_>],
) -> Result<Figure, ReportError> {
    let (titles, images, height) = placed(rows);
    let svg = picture(name, (WIDTH, height.ceil() as u32), title, caption, |sheet| {
        for title in &titles {
            sheet.draw_text(title.text, &bold(13.5, INK, LEFT), (at(EDGE), at(title.y)))?;
        }
        images.iter().try_for_each(|placed| placed.draw(sheet))
    })?;
    // Plotters has no images in SVG: they are put in by hand.
    let top = f64::from(heading_height(WIDTH, caption));
    let mut elements = String::new();
    for Placed { image, place, .. } in &images {
        let place = Place { y: top + place.y, ..*place };
        elements += &element(&image.pixels, (image.width, image.height), place)
            .map_err(|reason| ReportError::drawing(name, reason))?;
    }
    let svg = match svg.rfind("</svg>") {
        Some(end) => format!("{}{elements}{}", &svg[..end], &svg[end..]),
        None => svg,
    };
    Ok(Figure { kind: Kind::Other, name: name.to_owned(), caption: caption.to_owned(), svg })
}

/// Where everything stands, and the height of it all.
fn placed<'a>(rows: &'a [ContactRow<'a>]) -> (Vec<Title<'a>>, Vec<Placed<'a>>, f64) {
    let most = rows.iter().map(|row| row.images.len()).max().unwrap_or(0);
    let columns = most.clamp(COLUMNS.0, COLUMNS.1);
    let cell = (f64::from(WIDTH) - 2.0 * EDGE + GAP) / columns as f64;
    let side = cell - GAP;
    let (mut titles, mut images, mut top) = (Vec::new(), Vec::new(), 0.0);
    for row in rows {
        titles.push(Title { text: &row.title, y: top + 18.0 });
        top += TITLE;
        for line in row.images.chunks(columns) {
            let lines = line.iter().map(|image| image.caption.lines().count()).max().unwrap_or(0);
            let sizes: Vec<(f64, f64)> = line.iter().map(|image| image.fitted(side)).collect();
            let height = sizes.iter().map(|size| size.1).fold(0.0, f64::max);
            for (i, (image, size)) in line.iter().zip(&sizes).enumerate() {
                let left = EDGE + cell * i as f64;
                let place = Place {
                    x: left + (side - size.0) / 2.0,
                    y: top + (height - size.1) / 2.0,
                    width: size.0,
                    height: size.1,
                };
                let caption = (left + side / 2.0, top + height + LINE);
                images.push(Placed { image, place, caption, cell });
            }
            top += height + LINE * (lines as f64 + 0.5) + BELOW;
        }
    }
    (titles, images, top + BELOW)
}

impl Placed<'_> {
    /// Everything but the image itself.
    fn draw(&self, sheet: &Area<'_>) -> Draw<()> {
        let Place { x, y, width, height } = self.place;
        // White images on white paper have an end as well.
        let frame = [(at(x - 1.0), at(y - 1.0)), (at(x + width + 1.0), at(y + height + 1.0))];
        sheet.draw(&Rectangle::new(frame, GRID.stroke_width(size(1))))?;
        let (middle, top) = self.caption;
        for (i, line) in self.image.caption.lines().enumerate() {
            let line = typeface::fitted(line, LETTERS, self.cell - 4.0);
            let position = (at(middle), at(top + LINE * i as f64));
            sheet.draw_text(&line, &plain(LETTERS, MUTED, CENTER), position)?;
        }
        Ok(())
    }
}
