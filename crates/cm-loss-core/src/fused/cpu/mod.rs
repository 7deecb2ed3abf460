//! The arithmetic on a CPU: blocks of classes, each thread with a part of the classes of its own.
//!
//! The forward pass computes the cosines of a block and adds what they give to the sums of each sample. Of as many classes as
//! the plan has memory for it keeps them; the others are computed again by the backward pass. For those it takes four products
//! of batch x dim x classes instead of three, in return for which nothing leaves the second-level cache but the centers and
//! their gradient.

mod backward;
mod batch;
mod block;
mod centers;
mod exponential;
mod parts;
mod products;
mod work;

use std::ops::Range;

use cm_tiles::{Aligned, VECTORS, panel_width_here};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::extension::Plan;
pub use backward::gradients;
use batch::LANES;
pub use batch::Samples;
pub use block::{Sums, Upstream};
pub use centers::Centers;
use parts::{KeptPart, Layout, block_classes, blocks, both_parts, chunk_of};
use work::Work;

/// The forward pass of a part of the classes.
struct Forward<'a> {
    samples: &'a Samples<'a>,
    centers: &'a Centers<'a>,
    by_sample: &'a Aligned,
    classes: Range<usize>,
    /// Where the cosines of its first classes are kept.
    kept: KeptPart<'a>,
}

impl WithSimd for Forward<'_> {
    type Output = Sums;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Sums {
        let Self { samples, centers, by_sample, classes: part, mut kept } = self;
        const { assert!(LANES.is_multiple_of(VECTORS * S::F32_LANES), "a chunk is whole panels") };
        let (mut work, mut sums) = (Work::new(samples, centers.each), Sums::new(samples.padded));
        for classes in blocks(&part, kept.classes, block_classes(samples, centers.each)) {
            work.load(centers, &classes);
            let rows = classes.len() * centers.each;
            let mut of_block = kept.next(rows, samples);
            for chunk in 0..samples.chunks() {
                let kept = of_block.as_deref_mut().map(|kept| &mut kept[chunk_of(chunk, rows)]);
                let (cosines, of_classes) = work.cosines(simd, samples, by_sample, chunk, kept);
                let cosines = if centers.each == 1 {
                    cosines
                } else {
                    of_classes.nearest_centers(cosines, centers.each)
                };
                sums.add(simd, samples, &classes, chunk, cosines);
            }
        }
        sums
    }
}

/// The sums of a batch over all classes; cosines are kept as the plan has it.
pub fn sums(samples: &Samples<'_>, centers: &Centers<'_>, plan: &Plan) -> Sums {
    let arch = Arch::new();
    let by_sample = samples.by_sample(panel_width_here());
    let parts = both_parts(plan);
    let layout = Layout::new(&parts, samples, centers.each, plan);
    let run = |kept: &mut [f32]| -> Vec<Sums> {
        let parts = parts.into_par_iter().zip(layout.shares(kept));
        let forward = |(classes, kept)| {
            arch.dispatch(Forward { samples, centers, by_sample: &by_sample, classes, kept })
        };
        parts.map(forward).collect()
    };
    let mut found = plan.with_kept(layout.numbers(), run).into_iter();
    let Some(mut sums) = found.next() else { unreachable!("there is at least one part") };
    found.for_each(|later| sums.join(&later));
    sums
}
