//! The typeface of the pictures, for pages and pictures that stand alone.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::figures;

/// Style sheet with the typeface itself, so that texts have the width they were laid out for on every machine.
pub(crate) fn style() -> String {
    let face = |weight, font| {
        format!(
            "@font-face{{font-family:Roboto;font-weight:{weight};src:url(data:font/ttf;base64,{}) format(\"truetype\")}}\n",
            STANDARD.encode(font)
        )
    };
    face(400, figures::REGULAR) + &face(700, figures::BOLD)
}

/// A picture that carries its typeface.
pub(crate) fn embedded(svg: &str) -> String {
    let Some(end) = svg.find('>') else { return svg.to_owned() };
    format!("{}\n<style>{}</style>{}", &svg[..=end], style(), &svg[end + 1..])
}
