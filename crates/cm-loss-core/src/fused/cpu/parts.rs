//! Who works on which classes, and where the cosines that are kept lie.

use std::ops::Range;

use super::{Samples, batch::LANES};
use crate::fused::extension::Plan;

/// Cosines or center numbers of a block: gradients and centers of so many stay in the second-level cache.
const BLOCK: usize = 48 * 1024;

/// Fewest classes of a thread's part.
const LEAST_CLASSES: usize = 32;

/// Classes of a block.
pub fn block_classes(samples: &Samples<'_>, each: usize) -> usize {
    let rows = BLOCK / samples.padded.max(samples.dim);
    (rows / each).max(1)
}

/// The classes in so many parts, or fewer.
fn parts(classes: usize, most: usize) -> Vec<Range<usize>> {
    let count = classes.min(most).max(1);
    (0..count).map(|i| i * classes / count..(i + 1) * classes / count).collect()
}

/// The parts of both passes.
pub fn both_parts(plan: &Plan) -> Vec<Range<usize>> {
    let now = rayon::current_num_threads;
    let threads = plan.kept.as_ref().map_or_else(now, |kept| kept.parts(now));
    parts(plan.classes, threads.min(plan.classes.div_ceil(LEAST_CLASSES)))
}

/// A part in blocks of at most `size` classes, none of which reaches from the first `kept` classes into the others.
pub fn blocks(part: &Range<usize>, kept: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    let middle = part.start + kept;
    let of = move |range: Range<usize>| {
        let end = range.end;
        range.step_by(size).map(move |start| start..end.min(start + size))
    };
    of(part.start..middle).chain(of(middle..part.end))
}

/// The classes of the parts whose cosines are kept, each at the beginning of its part. They lie one part after another.
pub struct Layout {
    /// Numbers of a class.
    row: usize,
    /// How many classes of each part.
    of_parts: Vec<usize>,
}

impl Layout {
    pub fn new(parts: &[Range<usize>], samples: &Samples<'_>, each: usize, plan: &Plan) -> Self {
        let bytes = plan.kept.as_ref().map_or(0, |kept| kept.bytes());
        let row = each * samples.padded;
        let total: usize = parts.iter().map(Range::len).sum();
        let room = (bytes / size_of::<f32>() / row.max(1)).min(total);
        let share = |part: &Range<usize>| part.len() * room / total.max(1);
        Self { row, of_parts: parts.iter().map(share).collect() }
    }

    pub fn numbers(&self) -> usize {
        self.of_parts.iter().sum::<usize>() * self.row
    }

    /// The numbers of each part, by classes.
    pub fn shares<'a>(&self, mut numbers: &'a mut [f32]) -> Vec<KeptPart<'a>> {
        let mut shares = Vec::with_capacity(self.of_parts.len());
        for &classes in &self.of_parts {
            let (share, rest) = numbers.split_at_mut(classes * self.row);
            shares.push(KeptPart { classes, numbers: share });
            numbers = rest;
        }
        shares
    }
}

/// The cosines of the first classes of a part.
pub struct KeptPart<'a> {
    pub classes: usize,
    numbers: &'a mut [f32],
}

impl<'a> KeptPart<'a> {
    /// Those of the next block, which has so many centers; `None` beyond the last.
    pub fn next(&mut self, centers: usize, samples: &Samples<'_>) -> Option<&'a mut [f32]> {
        self.numbers.split_off_mut(..centers * samples.padded)
    }
}

/// Where a block has the cosines with the samples of a chunk, `[rows, LANES]`.
pub fn chunk_of(chunk: usize, rows: usize) -> Range<usize> {
    chunk * rows * LANES..(chunk + 1) * rows * LANES
}
