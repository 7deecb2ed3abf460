//! An image inside a picture.

use base64::{Engine, engine::general_purpose::STANDARD};
use resvg::tiny_skia::{IntSize, Pixmap};

use super::canvas::at;

/// Pixels of an image for each pixel that it is shown on; more would not be seen.
const FINEST: f64 = 2.0;

/// Where an image is shown, in pixels of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// An image as an element of an SVG. `pixels` are rows of gray values or of red, green and blue,
/// as their number tells.
pub(crate) fn element(
    pixels: &[u8],
    (width, height): (usize, usize),
    place: Place,
) -> Result<String, String> {
    let channels = channels(pixels, width, height)?;
    let (rgba, (width, height), coarse) = rgba(pixels, (width, height), channels, place);
    let png = u32::try_from(width)
        .ok()
        .zip(u32::try_from(height).ok())
        .and_then(|(width, height)| Pixmap::from_vec(rgba, IntSize::from_wh(width, height)?))
        .ok_or_else(|| format!("no image of {width} × {height} pixels"))?
        .encode_png()
        .map_err(|error| error.to_string())?;
    // Single pixels of a small image are to be seen, not guessed between.
    let rendering = if coarse { " style=\"image-rendering:pixelated\"" } else { "" };
    Ok(format!(
        "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\"{rendering} \
         href=\"data:image/png;base64,{}\"/>\n",
        at(place.x),
        at(place.y),
        at(place.width),
        at(place.height),
        STANDARD.encode(png)
    ))
}

fn channels(pixels: &[u8], width: usize, height: usize) -> Result<usize, String> {
    let area = width.saturating_mul(height);
    match [1, 3].into_iter().find(|channels| area > 0 && area.checked_mul(*channels) == Some(pixels.len())) {
        Some(channels) => Ok(channels),
        None => Err(format!(
            "an image of {width} × {height} pixels has {} bytes: it needs one for each pixel if it is gray, three if \
             it has colors",
            pixels.len()
        )),
    }
}

/// The image with four bytes a pixel, made smaller by whole factors where it is much finer than
/// its place; and whether it is coarser than that.
fn rgba(
    pixels: &[u8],
    (width, height): (usize, usize),
    channels: usize,
    place: Place,
) -> (Vec<u8>, (usize, usize), bool) {
    let finer = (width as f64 / place.width).min(height as f64 / place.height) / FINEST;
    let factor = (finer.floor() as usize).max(1);
    let (out_width, out_height) = (width / factor, height / factor);
    let mut rgba = Vec::with_capacity(4 * out_width * out_height);
    for y in 0..out_height {
        for x in 0..out_width {
            let mean = |channel: usize| {
                let row = |dy: usize| ((y * factor + dy) * width + x * factor) * channels + channel;
                let sum: usize = (0..factor)
                    .flat_map(|dy| (0..factor).map(move |dx| row(dy) + dx * channels))
                    .map(|at| usize::from(pixels[at]))
                    .sum();
                ((sum + factor * factor / 2) / (factor * factor)) as u8
            };
            let color = if channels == 1 { [mean(0); 3] } else { [mean(0), mean(1), mean(2)] };
            rgba.extend([color[0], color[1], color[2], u8::MAX]);
        }
    }
    (rgba, (out_width, out_height), finer < 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Place = Place { x: 0.0, y: 0.0, width: 1.0, height: 1.0 };

    #[test]
    fn gray_and_color_are_told_by_the_number_of_bytes() {
        let (gray, ..) = rgba(&[7, 9], (2, 1), 1, SMALL);
        assert_eq!(gray, [7, 7, 7, 255, 9, 9, 9, 255]);
        let (color, ..) = rgba(&[1, 2, 3, 4, 5, 6], (2, 1), 3, SMALL);
        assert_eq!(color, [1, 2, 3, 255, 4, 5, 6, 255]);
        assert_eq!((channels(&[0; 6], 2, 1), channels(&[0; 2], 2, 1)), (Ok(3), Ok(1)));
        for (bytes, width, height) in [(4, 2, 1), (0, 0, 0), (1, usize::MAX, 3)] {
            let message = channels(&vec![0; bytes], width, height).expect_err("no such image");
            assert!(message.contains(&format!("has {bytes} bytes")), "{message}");
        }
    }

    #[test]
    fn an_image_much_finer_than_its_place_is_averaged() {
        let checks: Vec<u8> = (0..64).map(|i| if (i % 8 + i / 8) % 2 == 0 { 255 } else { 0 }).collect();
        // Eight pixels on one shown are four times as fine as can be seen.
        let (found, size, coarse) = rgba(&checks, (8, 8), 1, SMALL);
        assert_eq!((size, coarse), ((2, 2), false));
        assert_eq!(found[..4], [128, 128, 128, 255]);
        let (_, size, coarse) = rgba(&checks, (8, 8), 1, Place { width: 80.0, height: 80.0, ..SMALL });
        assert_eq!((size, coarse), ((8, 8), true));
    }
}
