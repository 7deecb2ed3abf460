//! Colors and marks of the pictures.

use plotters::style::RGBColor;

pub(crate) const INK: RGBColor = RGBColor(0x22, 0x26, 0x2b);
pub(crate) const MUTED: RGBColor = RGBColor(0x5b, 0x63, 0x6e);
pub(crate) const GRID: RGBColor = RGBColor(0xe3, 0xe6, 0xea);
pub(crate) const AXIS: RGBColor = RGBColor(0xa5, 0xac, 0xb5);

/// Ten colors that differ in lightness as well as hue, so that they stay apart for color-blind readers.
const CLASS_COLORS: [RGBColor; 10] = [
    RGBColor(0x1f, 0x77, 0xb4),
    RGBColor(0xff, 0x8c, 0x0e),
    RGBColor(0x1e, 0x8a, 0x3a),
    RGBColor(0xd6, 0x27, 0x28),
    RGBColor(0x7b, 0x4f, 0xb5),
    RGBColor(0x7a, 0x4a, 0x3a),
    RGBColor(0xe8, 0x6f, 0xc0),
    RGBColor(0x55, 0x55, 0x55),
    RGBColor(0xb0, 0xa8, 0x10),
    RGBColor(0x12, 0xb5, 0xc9),
];

/// The losses of this workspace keep their color from report to report.
const LOSS_COLORS: [(&str, RGBColor); 5] = [
    ("Softmax", RGBColor(0x5a, 0x5f, 0x66)),
    ("L2-Softmax", RGBColor(0x00, 0x72, 0xb2)),
    ("CM-Softmax", RGBColor(0x00, 0x9e, 0x73)),
    ("CosFace", RGBColor(0xe0, 0x98, 0x00)),
    ("CM-CosFace", RGBColor(0xc8, 0x3e, 0x1e)),
];

/// For losses not named above, by position.
const OTHER_COLORS: [RGBColor; 5] = [
    RGBColor(0x8e, 0x44, 0xad),
    RGBColor(0x2f, 0xb5, 0xd0),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0x6b, 0x8e, 0x23),
    RGBColor(0x7a, 0x4a, 0x3a),
];

/// Curves of one chart, for color-blind readers too.
pub(crate) const CURVES: [RGBColor; 5] = [
    RGBColor(0xc8, 0x3e, 0x1e),
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xe0, 0x98, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0x8e, 0x44, 0xad),
];

/// The color of a class.
pub(crate) fn class_color(class: u32) -> RGBColor {
    CLASS_COLORS[class as usize % CLASS_COLORS.len()]
}

/// The color of a loss; `position` is its place in the order of the experiment.
pub(crate) fn loss_color(loss: &str, position: usize) -> RGBColor {
    LOSS_COLORS
        .iter()
        .find(|(name, _)| *name == loss)
        .map_or(OTHER_COLORS[position % OTHER_COLORS.len()], |(_, color)| *color)
}
