//! The typeface of the pictures, for pages and pictures that stand alone.

use super::figures;

/// Style sheet with the typeface itself, so that texts have the width they were laid out for on every machine.
pub(super) fn style() -> String {
    let face = |weight, font| {
        format!(
            "@font-face{{font-family:Roboto;font-weight:{weight};src:url(data:font/ttf;base64,{}) format(\"truetype\")}}\n",
            base64(font)
        )
    };
    face(400, figures::REGULAR) + &face(700, figures::BOLD)
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let sextet = (word >> (18 - 6 * i) & 63) as usize;
            text.push(if i > chunk.len() { '=' } else { char::from(ALPHABET[sextet]) });
        }
    }
    text
}

/// A picture that carries its typeface.
pub(super) fn embedded(svg: &str) -> String {
    let Some(end) = svg.find('>') else { return svg.to_owned() };
    format!("{}\n<style>{}</style>{}", &svg[..=end], style(), &svg[end + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_pads_as_rfc_4648_has_it() {
        let cases = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (bytes, expected) in cases {
            assert_eq!(base64(bytes.as_bytes()), expected);
        }
    }
}
