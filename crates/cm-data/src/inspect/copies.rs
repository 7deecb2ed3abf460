//! Images that are copies of each other.

use std::collections::HashMap;

use super::{Look, look::SMALL};
use crate::ContentHash;

/// How alike copies are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CopyKind {
    /// The files are the same, byte for byte.
    Exact,
    /// The pictures are nearly the same: stored or scaled in another way, a little lighter or darker.
    Near,
}

/// Images that are copies of each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copies {
    /// How alike they are, the least alike of them.
    pub kind: CopyKind,
    /// Their positions, in ascending order; at least two.
    pub images: Vec<usize>,
}

/// Bits of the hash: whether each pixel of the small image is lighter than the next in its row.
const WORDS: usize = 4;
type Hash = [u64; WORDS];

/// Bits in which the hashes of near copies may differ.
const BITS: u32 = 12;
/// Least correlation of the small images of near copies.
const CORRELATION: f64 = 0.995;
/// Least deviation of the small image, in levels of gray: in what is nearly of one color, rounding decides the hash.
const CONTRAST: f64 = 4.0;
/// Most images in which a part of the hash is looked up: what so many have in common tells nothing.
const CROWD: usize = 64;

impl Copies {
    /// The groups of copies among images, exact ones and with them near ones; `None` stands for an image that cannot be used.
    ///
    /// Near copies agree in all but 12 of 256 bits of a hash (whether a pixel of the image, brought to 17 x 16, is lighter than its
    /// neighbor), and their small images have a correlation of at least 0.995. Images of hardly any contrast have none. A copy of
    /// a copy belongs to the same group.
    pub fn among(looks: &[Option<&Look>]) -> Vec<Self> {
        let mut groups = Groups::new(looks.len());
        let mut first: HashMap<ContentHash, usize> = HashMap::new();
        for (index, look) in looks.iter().enumerate() {
            let Some(look) = look else { continue };
            match first.get(&look.content) {
                Some(&other) => groups.join(index, other),
                None => {
                    first.insert(look.content, index);
                }
            }
        }
        // Of exact copies one stands for all.
        let mut distinct: Vec<usize> = first.into_values().collect();
        distinct.sort_unstable();
        let mut near = vec![false; looks.len()];
        let prints: Vec<(usize, Print)> =
            distinct.into_iter().filter_map(|index| Some((index, Print::of(looks[index]?)?))).collect();
        for (a, b) in candidates(&prints) {
            let ((first, a), (second, b)) = (&prints[a], &prints[b]);
            if groups.root(*first) != groups.root(*second) && a.is_like(b) {
                groups.join(*first, *second);
                (near[*first], near[*second]) = (true, true);
            }
        }
        groups.into_copies(looks.len(), &near)
    }
}

/// What near copies have in common.
struct Print {
    hash: Hash,
    /// The small image, moved and scaled so that its mean is 0 and its length 1.
    values: Box<[f32; SMALL]>,
}

impl Print {
    fn of(look: &Look) -> Option<Self> {
        let count = SMALL as f64;
        let mean = look.small.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
        let length = look.small.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>().sqrt();
        if length < CONTRAST * count.sqrt() {
            return None;
        }
        let mut values = Box::new([0.0; SMALL]);
        for (value, &pixel) in values.iter_mut().zip(look.small.iter()) {
            *value = ((f64::from(pixel) - mean) / length) as f32;
        }
        let mut hash = [0; WORDS];
        let pairs = look.small.chunks_exact(17).flat_map(|row| row.windows(2));
        for (bit, pair) in pairs.enumerate() {
            hash[bit / 64] |= u64::from(pair[0] < pair[1]) << (bit % 64);
        }
        Some(Self { hash, values })
    }

    fn is_like(&self, other: &Self) -> bool {
        let differ: u32 = self.hash.iter().zip(other.hash).map(|(a, b)| (a ^ b).count_ones()).sum();
        let product =
            || -> f64 { self.values.iter().zip(other.values.iter()).map(|(a, b)| f64::from(a * b)).sum() };
        differ <= BITS && product() >= CORRELATION
    }
}

/// Pairs that may be copies: of 16 parts of 16 bits, hashes that differ in 12 bits agree in at least four.
fn candidates(prints: &[(usize, Print)]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for part in 0..16 {
        let bits = |print: &Print| (print.hash[part / 4] >> (16 * (part % 4))) as u16;
        let mut with: HashMap<u16, Vec<usize>> = HashMap::new();
        for (at, (_, print)) in prints.iter().enumerate() {
            with.entry(bits(print)).or_default().push(at);
        }
        for members in with.into_values().filter(|members| (2..=CROWD).contains(&members.len())) {
            for (i, &a) in members.iter().enumerate() {
                pairs.extend(members[i + 1..].iter().map(|&b| (a, b)));
            }
        }
    }
    // The order of a hash map is another each time.
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// Sets that are joined.
struct Groups(Vec<usize>);

impl Groups {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn root(&mut self, mut index: usize) -> usize {
        while self.0[index] != index {
            self.0[index] = self.0[self.0[index]];
            index = self.0[index];
        }
        index
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        // The first image stands for the group.
        let (first, second) = (a.min(b), a.max(b));
        self.0[second] = first;
    }

    fn into_copies(mut self, count: usize, near: &[bool]) -> Vec<Copies> {
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); count];
        for index in 0..count {
            let root = self.root(index);
            members[root].push(index);
        }
        let several = members.into_iter().filter(|images| images.len() > 1);
        let kind = |images: &[usize]| match images.iter().any(|&index| near[index]) {
            true => CopyKind::Near,
            false => CopyKind::Exact,
        };
        several.map(|images| Copies { kind: kind(&images), images }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Image;

    /// A picture of soft shapes, another for each number.
    fn picture(number: usize, side: usize) -> Image {
        let value = |x: usize, y: usize| {
            let (x, y) = (x as f64 / side as f64, y as f64 / side as f64);
            let wave = |k: usize| ((3.0 + (number * 7 + k * 5) as f64 % 9.0) * (x + k as f64 * y)).sin();
            (128.0 + 40.0 * wave(0) + 30.0 * wave(1) + 30.0 * wave(2)).clamp(0.0, 255.0) as u8
        };
        let pixels = (0..side * side).map(|i| value(i % side, i / side)).collect();
        Image { width: side, height: side, channels: 1, pixels }
    }

    fn look(image: &Image, content: u8) -> Look {
        Look::of(image, ContentHash([content; 32]))
    }

    #[test]
    fn the_same_file_a_scaled_and_a_lighter_picture_are_copies_and_other_pictures_are_not() {
        let mut lighter = picture(3, 64);
        lighter.pixels.iter_mut().for_each(|value| *value = value.saturating_add(9));
        let looks = [
            look(&picture(1, 64), 1),
            look(&picture(2, 64), 2),
            look(&picture(1, 64), 1),
            look(&picture(3, 64), 3),
            look(&picture(1, 48), 4),
            look(&lighter, 5),
            look(&picture(4, 64), 6),
            look(&picture(2, 64), 2),
        ];
        let known: Vec<Option<&Look>> = looks.iter().map(Some).collect();
        let found = Copies::among(&known);
        let expected =
            [(CopyKind::Near, vec![0, 2, 4]), (CopyKind::Exact, vec![1, 7]), (CopyKind::Near, vec![3, 5])];
        let expected = expected.map(|(kind, images)| Copies { kind, images });
        assert_eq!(found, expected);
        // What cannot be used is nobody's copy.
        let mut without = known.clone();
        without[2] = None;
        assert_eq!(Copies::among(&without)[0].images, [0, 4]);
        assert_eq!(Copies::among(&[]), []);
    }

    #[test]
    fn images_of_one_color_are_no_near_copies() {
        let flat = |value: u8, content: u8| {
            look(&Image { width: 8, height: 8, channels: 1, pixels: vec![value; 64] }, content)
        };
        let looks = [flat(10, 1), flat(11, 2), flat(10, 1)];
        let known: Vec<Option<&Look>> = looks.iter().map(Some).collect();
        assert_eq!(Copies::among(&known), [Copies { kind: CopyKind::Exact, images: vec![0, 2] }]);
    }
}
