//! The typeface of the pictures: what is measured with, and what stands in every page and picture.

use std::sync::{LazyLock, OnceLock};

use ab_glyph::{Font, FontRef};
use base64::{Engine, engine::general_purpose::STANDARD};
use plotters::style::{FontStyle, register_font};

/// Ordinary letters.
pub(crate) const REGULAR: &[u8] = include_bytes!("../assets/Roboto-Regular-subset.ttf");
/// Bold ones.
pub(crate) const BOLD: &[u8] = include_bytes!("../assets/Roboto-Bold-subset.ttf");

/// What an SVG asks for; the typeface itself is in its style sheet.
pub(crate) const FAMILY: &str = "Roboto, Helvetica, Arial, sans-serif";

/// Gives the typeface to the drawing library.
pub(crate) fn register() -> Result<(), &'static str> {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    let registered = *REGISTERED.get_or_init(|| {
        register_font(FAMILY, FontStyle::Normal, REGULAR).is_ok()
            && register_font(FAMILY, FontStyle::Bold, BOLD).is_ok()
    });
    registered.then_some(()).ok_or("the embedded typeface cannot be read")
}

/// Whether the typeface has every letter of a text.
pub(crate) fn covers(text: &str) -> bool {
    text.chars()
        .all(|letter| letter == '\n' || FONT.as_ref().is_some_and(|font| font.glyph_id(letter).0 != 0))
}

/// Width of a text whose letters have a size in pixels. Letters that are drawn closer to each
/// other than others are not looked at: a text is at most a little narrower.
pub(crate) fn width(text: &str, pixels: f64) -> f64 {
    let Some(font) = FONT.as_ref() else { return 0.0 };
    let units = font.units_per_em().unwrap_or(2048.0);
    let advance: f32 = text.chars().map(|letter| font.h_advance_unscaled(font.glyph_id(letter))).sum();
    f64::from(advance / units) * pixels
}

/// The text, or as much of its beginning as is not wider, with an ellipsis.
pub(crate) fn fitted(text: &str, pixels: f64, widest: f64) -> String {
    if width(text, pixels) <= widest {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().collect();
    while kept.pop().is_some() {
        let shorter: String = kept.iter().collect::<String>().trim_end().to_owned() + "…";
        if width(&shorter, pixels) <= widest {
            return shorter;
        }
    }
    String::new()
}

/// The text in lines that are not wider, broken between words.
pub(crate) fn wrapped(text: &str, pixels: f64, widest: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.lines() {
        lines.push(String::new());
        for word in paragraph.split(' ') {
            let Some(line) = lines.last_mut() else { continue };
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            match line.is_empty() || width(&longer, pixels) <= widest {
                true => *line = longer,
                false => lines.push(word.to_owned()),
            }
        }
    }
    lines.iter().map(|line| fitted(line, pixels, widest)).collect()
}

static FONT: LazyLock<Option<FontRef<'static>>> = LazyLock::new(|| FontRef::try_from_slice(REGULAR).ok());

/// Style sheet with the typeface itself, so that texts have the width they were laid out for on
/// every machine.
pub(crate) fn style() -> String {
    let face = |weight, font| {
        format!(
            "@font-face{{font-family:Roboto;font-weight:{weight};src:url(data:font/ttf;base64,{}) format(\"truetype\")}}\n",
            STANDARD.encode(font)
        )
    };
    face(400, REGULAR) + &face(700, BOLD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_other_scripts_are_not_in_the_typeface() {
        assert!(covers("Vorfahrt gewähren – 25 °"));
        assert!(!covers("停车让行") && !covers("стоп"));
    }

    #[test]
    fn a_text_is_as_wide_as_the_letters_of_the_typeface() {
        // fontTools: the advance of "0" in Roboto-Regular is 1151 of 2048 units.
        assert!((width("000", 20.48) - 3.0 * 11.51).abs() < 1e-3, "{}", width("000", 20.48));
    }

    #[test]
    fn a_long_text_is_cut_where_it_becomes_too_wide() {
        assert_eq!(fitted("short", 12.0, 100.0), "short");
        let cut = fitted("a very long name of a class", 12.0, 60.0);
        assert!(cut.ends_with('…') && width(&cut, 12.0) <= 60.0, "{cut}");
        assert!(width(&format!("{cut}nn"), 12.0) > 60.0, "{cut} is cut too early");
    }

    #[test]
    fn a_caption_is_broken_between_words_and_none_is_lost() {
        let text = "one two three four five six";
        let lines = wrapped(text, 12.0, 60.0);
        assert!(lines.len() > 1 && lines.iter().all(|line| width(line, 12.0) <= 60.0), "{lines:?}");
        assert_eq!(lines.join(" "), text);
    }
}
