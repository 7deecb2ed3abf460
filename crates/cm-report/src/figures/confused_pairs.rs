//! The pairs of classes that are confused most often, as a list.

use std::cmp::Reverse;

use plotters::{element::Rectangle, style::Color};

use super::{
    canvas::{Area, Draw, LEFT, RIGHT, at, bold, plain},
    style::{CURVES, INK, MUTED},
};
use crate::{
    text::{grouped, percent},
    typeface,
};

const ROW: f64 = 21.0;
const HEAD: f64 = 44.0;
const LETTERS: f64 = 12.0;
/// Pixels for the number of images and their share.
const NUMBERS: f64 = 106.0;

/// Images of a class that were taken for another one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pair {
    class: String,
    predicted: String,
    images: usize,
    /// Of the images of the class.
    share: f64,
}

/// The pairs with the most images, those with the larger share first where they have the same.
pub(crate) fn most(names: &[String], counts: &[Vec<usize>], most: usize) -> Vec<Pair> {
    let mut pairs: Vec<(usize, usize, usize)> = Vec::new();
    for (class, row) in counts.iter().enumerate() {
        let wrong = row.iter().enumerate().filter(|&(predicted, &images)| predicted != class && images > 0);
        pairs.extend(wrong.map(|(predicted, &images)| (images, class, predicted)));
    }
    let totals: Vec<usize> = counts.iter().map(|row| row.iter().sum()).collect();
    pairs.sort_by_key(|&(images, class, predicted)| (Reverse(images), totals[class], class, predicted));
    pairs
        .into_iter()
        .take(most)
        .map(|(images, class, predicted)| Pair {
            class: names[class].clone(),
            predicted: names[predicted].clone(),
            images,
            share: images as f64 / totals[class] as f64,
        })
        .collect()
}

/// Pixels that the list needs.
pub(crate) fn height(pairs: &[Pair]) -> u32 {
    (HEAD + ROW * pairs.len().max(1) as f64) as u32
}

/// Draws the list at a position and with a width in pixels; nothing without pairs.
pub(crate) fn draw(sheet: &Area<'_>, pairs: &[Pair], left: f64, top: f64, width: f64) -> Draw<()> {
    let Some(largest) = pairs.iter().map(|pair| pair.images).max() else { return Ok(()) };
    let text = |pos| plain(LETTERS, INK, pos);
    let names = width - NUMBERS;
    let (predicted, images, share) = (left + names / 2.0, left + width - 54.0, left + width);
    sheet.draw_text("Confused most often", &bold(13.5, INK, LEFT), (at(left), at(top + 12.0)))?;
    for (name, x, pos) in [
        ("class", left, LEFT),
        ("taken for", predicted, LEFT),
        ("images", images, RIGHT),
        ("share", share, RIGHT),
    ] {
        sheet.draw_text(name, &plain(11.0, MUTED, pos), (at(x), at(top + 34.0)))?;
    }
    for (i, pair) in pairs.iter().enumerate() {
        let y = top + HEAD + ROW * (i as f64 + 0.5);
        // A bar behind the names, as long as the number of images.
        let bar = names * pair.images as f64 / largest as f64;
        let corners = [(at(left - 4.0), at(y - 9.0)), (at(left - 4.0 + bar), at(y + 9.0))];
        sheet.draw(&Rectangle::new(corners, CURVES[0].mix(0.13).filled()))?;
        for (name, x) in [(&pair.class, left), (&pair.predicted, predicted)] {
            let name = typeface::fitted(name, LETTERS, names / 2.0 - 10.0);
            sheet.draw_text(&name, &text(LEFT), (at(x), at(y)))?;
        }
        sheet.draw_text(&grouped(pair.images), &text(RIGHT), (at(images), at(y)))?;
        sheet.draw_text(&percent(pair.share, 1), &text(RIGHT), (at(share), at(y)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_those_with_the_most_images_and_never_a_class_with_itself() {
        let names: Vec<String> = ["a", "b", "c"].map(str::to_owned).into();
        let counts = [vec![90, 4, 0], vec![2, 10, 2], vec![4, 0, 6]];
        let found = most(&names, &counts, 3);
        let shown: Vec<(&str, &str, usize)> =
            found.iter().map(|pair| (pair.class.as_str(), pair.predicted.as_str(), pair.images)).collect();
        // Both first pairs have four images; of the ten of `c` they are the larger share.
        assert_eq!(shown, [("c", "a", 4), ("a", "b", 4), ("b", "a", 2)]);
        assert!((found[0].share - 0.4).abs() < 1e-12);
        assert!(most(&names, &[vec![1, 0, 0], vec![0, 1, 0], vec![0, 0, 0]], 3).is_empty());
    }
}
