//! The arithmetic on a CPU: blocks of classes, each thread with a part of the classes of its own.
//!
//! The forward pass computes the cosines of a block and adds what they give to the sums of each sample. Of as many classes as
//! the plan has memory for it keeps them; the others are computed again by the backward pass. For those it takes four products
//! of batch x dim x classes instead of three, in return for which nothing leaves the second-level cache but the centers and
//! their gradient.

mod batch;
mod block;
mod centers;
mod exponential;
mod products;

use std::ops::Range;

use cm_tiles::{Aligned, panel_width, panel_width_here};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::extension::Plan;
pub use batch::Samples;
pub use block::{Sums, Upstream};
pub use centers::Centers;
use products::{by_columns, by_rows};

/// Numbers of a block: with its gradients and its centers it stays in the second-level cache.
const BLOCK: usize = 48 * 1024;

/// Fewest classes of a thread's part in the backward pass.
const LEAST_CLASSES: usize = 32;

/// Classes of a block.
fn block_classes(samples: &Samples<'_>, each: usize) -> usize {
    let rows = BLOCK / samples.padded.max(samples.dim);
    (rows / each).max(1)
}

/// The classes in so many parts, or fewer.
fn parts(classes: usize, most: usize) -> Vec<Range<usize>> {
    let count = classes.min(most).max(1);
    (0..count).map(|i| i * classes / count..(i + 1) * classes / count).collect()
}

/// The classes of the parts whose cosines are kept, each at the beginning of its part. They lie one part after another.
struct Layout {
    /// Numbers of a class.
    row: usize,
    /// How many classes of each part.
    of_parts: Vec<usize>,
}

impl Layout {
    fn new(parts: &[Range<usize>], samples: &Samples<'_>, each: usize, plan: &Plan) -> Self {
        let bytes = plan.kept.as_ref().map_or(0, |kept| kept.bytes());
        let row = each * samples.padded;
        let total: usize = parts.iter().map(Range::len).sum();
        let room = (bytes / size_of::<f32>() / row.max(1)).min(total);
        let share = |part: &Range<usize>| part.len() * room / total.max(1);
        Self { row, of_parts: parts.iter().map(share).collect() }
    }

    fn numbers(&self) -> usize {
        self.of_parts.iter().sum::<usize>() * self.row
    }

    /// The numbers of each part.
    fn shares<'a>(&self, mut kept: &'a mut [f32]) -> Vec<&'a mut [f32]> {
        let mut shares = Vec::with_capacity(self.of_parts.len());
        for classes in &self.of_parts {
            let (share, rest) = kept.split_at_mut(classes * self.row);
            shares.push(share);
            kept = rest;
        }
        shares
    }
}

/// The parts of both passes.
fn both_parts(plan: &Plan) -> Vec<Range<usize>> {
    let now = rayon::current_num_threads;
    let threads = plan.kept.as_ref().map_or_else(now, |kept| kept.parts(now));
    parts(plan.classes, threads.min(plan.classes.div_ceil(LEAST_CLASSES)))
}

/// A thread's memory for a block.
struct Work {
    /// Unit centers `[rows, dim]`, and the inverse of their norms.
    units: Aligned,
    inverses: Vec<f32>,
    /// Cosines of the centers `[rows, padded]`, and of the classes, each the largest of its centers.
    cosines: Aligned,
    of_classes: Aligned,
    /// Which center of its class that is.
    nearest: Vec<u32>,
}

impl Work {
    fn new(samples: &Samples<'_>, each: usize) -> Self {
        let classes = block_classes(samples, each);
        let (rows, several) = (classes * each, usize::from(each > 1));
        Self {
            units: Aligned::zeros(rows * samples.dim),
            inverses: vec![0.0; rows],
            cosines: Aligned::zeros(rows * samples.padded),
            of_classes: Aligned::zeros(several * classes * samples.padded),
            nearest: vec![0; several * classes * samples.padded],
        }
    }

    /// Computes the cosines of a block of classes, or takes those of its centers that were kept, `[rows, padded]`.
    #[inline(always)]
    fn fill<S: Simd>(
        &mut self,
        simd: S,
        samples: &Samples<'_>,
        panels: &Aligned,
        centers: &Centers<'_>,
        classes: &Range<usize>,
        kept: Option<&[f32]>,
    ) {
        let (each, dim, padded) = (centers.each, samples.dim, samples.padded);
        let rows = classes.len() * each;
        centers.load(
            classes.start * each..classes.end * each,
            &mut self.units.get_mut()[..rows * dim],
            &mut self.inverses[..rows],
        );
        let cosines = self.cosines.get_mut();
        match kept {
            Some(kept) => cosines[..kept.len()].copy_from_slice(kept),
            None => by_rows(simd, self.units.get(), rows, dim, dim, panels.get(), |row, column, numbers| {
                cosines[row * padded + column..][..numbers.len()].copy_from_slice(numbers);
            }),
        }
        if each == 1 {
            return;
        }
        let of_classes =
            self.of_classes.get_mut().chunks_exact_mut(padded).zip(self.nearest.chunks_exact_mut(padded));
        for (centers, (class, nearest)) in
            cosines[..rows * padded].chunks_exact(each * padded).zip(of_classes)
        {
            class.copy_from_slice(&centers[..padded]);
            nearest.fill(0);
            for (k, center) in centers.chunks_exact(padded).enumerate().skip(1) {
                for ((class, nearest), cosine) in class.iter_mut().zip(&mut *nearest).zip(center) {
                    *nearest = if *cosine > *class { k as u32 } else { *nearest };
                    *class = class.max(*cosine);
                }
            }
        }
    }
}

/// The sums of a batch over all classes; cosines are kept as the plan has it.
pub fn sums(samples: &Samples<'_>, centers: &Centers<'_>, plan: &Plan) -> Sums {
    struct Part<'a> {
        samples: &'a Samples<'a>,
        centers: &'a Centers<'a>,
        panels: &'a Aligned,
        classes: Range<usize>,
        kept: &'a mut [f32],
    }
    impl WithSimd for Part<'_> {
        type Output = Sums;

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Sums {
            let Self { samples, centers, panels, classes: part, kept } = self;
            let (mut work, mut sums) = (Work::new(samples, centers.each), Sums::new(samples.padded));
            let size = block_classes(samples, centers.each);
            let row = centers.each * samples.padded;
            let (of_part, mut kept) = (kept.len() / row.max(1), kept);
            for classes in blocks(&part, of_part, size) {
                work.fill(simd, samples, panels, centers, &classes, None);
                if classes.start < part.start + of_part {
                    let (to, rest) = kept.split_at_mut(classes.len() * row);
                    to.copy_from_slice(&work.cosines.get()[..to.len()]);
                    kept = rest;
                }
                let found = if centers.each == 1 { &mut work.cosines } else { &mut work.of_classes };
                let numbers = classes.len() * samples.padded;
                sums.add(samples, classes, &mut found.get_mut()[..numbers]);
            }
            sums
        }
    }
    let arch = Arch::new();
    let panels = samples.by_sample(panel_width_here());
    let parts = both_parts(plan);
    let layout = Layout::new(&parts, samples, centers.each, plan);
    let run = |kept: &mut [f32]| -> Vec<Sums> {
        let parts = parts.into_par_iter().zip(layout.shares(kept));
        parts
            .map(|(classes, kept)| arch.dispatch(Part { samples, centers, panels: &panels, classes, kept }))
            .collect()
    };
    let mut found = plan.with_kept(layout.numbers(), run).into_iter();
    let Some(mut sums) = found.next() else { unreachable!("there is at least one part") };
    found.for_each(|later| sums.join(&later));
    sums
}

/// A part in blocks of at most `size` classes, none of which reaches from the first `kept` classes into the others.
fn blocks(part: &Range<usize>, kept: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    let middle = part.start + kept;
    let of = move |range: Range<usize>| {
        let end = range.end;
        range.step_by(size).map(move |start| start..end.min(start + size))
    };
    of(part.start..middle).chain(of(middle..part.end))
}

/// Gradients of the unit features `[count, dim]`, of the centers `[rows, dim]` and of the radii `[count]`.
pub struct Gradients {
    pub units: Vec<f32>,
    pub centers: Vec<f32>,
    pub radii: Vec<f32>,
}

/// The gradients from those of the sums.
pub fn gradients(
    samples: &Samples<'_>,
    centers: &Centers<'_>,
    plan: &Plan,
    upstream: &Upstream,
) -> Gradients {
    let arch = Arch::new();
    let by_sample = samples.by_sample(panel_width_here());
    let by_dim = samples.by_dim(panel_width_here());
    let mut by_centers = vec![0.0; centers.numbers.len()];
    // Each part has a gradient of the features of its own. To add it up must be little beside its products.
    let parts = both_parts(plan);
    let layout = Layout::new(&parts, samples, centers.each, plan);
    let shares = split(&mut by_centers, centers, &parts);
    let run = |kept: &mut [f32]| -> Vec<(Vec<f32>, Vec<f32>)> {
        let kept = layout.shares(kept);
        let parts = parts.into_par_iter().zip(shares).zip(kept);
        parts
            .map(|((classes, (first, by_centers)), kept)| {
                arch.dispatch(Backward {
                    kept,
                    samples,
                    centers,
                    upstream,
                    by_sample: &by_sample,
                    by_dim: &by_dim,
                    classes,
                    first,
                    by_centers,
                })
            })
            .collect()
    };
    let found = plan.with_kept(layout.numbers(), run);
    let mut units = vec![0.0; samples.count * samples.dim];
    let mut radii = vec![0.0; samples.count];
    for (of_units, of_radii) in &found {
        units.iter_mut().zip(of_units).for_each(|(sum, part)| *sum += *part);
        radii.iter_mut().zip(of_radii).for_each(|(sum, part)| *sum += *part);
    }
    Gradients { units, centers: by_centers, radii }
}

/// The rows of the gradient that each part of the classes writes to, with the number of the first.
fn split<'a>(
    mut numbers: &'a mut [f32],
    centers: &Centers<'_>,
    parts: &[Range<usize>],
) -> Vec<(usize, &'a mut [f32])> {
    let mut first = 0;
    let mut shares = Vec::with_capacity(parts.len());
    for part in parts {
        let end = match part.is_empty() {
            true => first,
            false => centers.place(part.end * centers.each - 1) + 1,
        };
        let (share, rest) = numbers.split_at_mut((end - first) * centers.dim);
        shares.push((first, share));
        (first, numbers) = (end, rest);
    }
    shares
}

/// The backward pass of a part of the classes: its share of the centers' gradient, and what it adds to the gradients of the
/// samples.
struct Backward<'a> {
    samples: &'a Samples<'a>,
    centers: &'a Centers<'a>,
    upstream: &'a Upstream,
    by_sample: &'a Aligned,
    by_dim: &'a Aligned,
    classes: Range<usize>,
    /// The first row that `by_centers` has.
    first: usize,
    by_centers: &'a mut [f32],
    /// The cosines of its first classes.
    kept: &'a [f32],
}

impl WithSimd for Backward<'_> {
    type Output = (Vec<f32>, Vec<f32>);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Self { samples, centers, .. } = self;
        let (each, dim, padded, width) = (centers.each, samples.dim, samples.padded, panel_width::<S>());
        let size = block_classes(samples, each);
        let mut work = Work::new(samples, each);
        let mut gradients = Aligned::zeros(size * each * padded);
        let mut of_classes = Aligned::zeros(if each > 1 { size * padded } else { 0 });
        let mut columns = Aligned::zeros(size * each * dim.next_multiple_of(width));
        let places: Vec<usize> = (0..size * each).map(|row| row * padded).collect();
        let mut along = vec![0.0; size * each];
        let mut by_units = vec![0.0; samples.count * dim];
        let mut by_radii = vec![0.0; padded];
        let of_part = self.kept.len() / (each * padded);
        let mut kept = self.kept;
        for classes in blocks(&self.classes, of_part, size) {
            let (start, rows) = (classes.start, classes.len() * each);
            let of_block = match start < self.classes.start + of_part {
                true => kept.split_off(..rows * padded),
                false => None,
            };
            work.fill(simd, samples, self.by_sample, centers, &classes, of_block);
            let gradients = &mut gradients.get_mut()[..rows * padded];
            self.of_block(&mut work, classes.clone(), gradients, of_classes.get_mut(), &mut by_radii);
            let units = &work.units.get()[..rows * dim];

            // A change of a center along itself changes nothing: that part of its gradient is taken away.
            let by_row = gradients.chunks_exact(padded).zip(work.cosines.get().chunks_exact(padded));
            along.iter_mut().zip(by_row).for_each(|(along, (g, cosines))| *along = dot(g, cosines));
            by_rows(
                simd,
                gradients,
                rows,
                padded,
                samples.count,
                self.by_dim.get(),
                |row, column, numbers| {
                    let place = centers.place(start * each + row) - self.first;
                    let (inverse, along) = (work.inverses[row], along[row]);
                    let count = numbers.len().min(dim - column);
                    let unit = &units[row * dim + column..][..count];
                    let to = &mut self.by_centers[place * dim + column..][..count];
                    to.iter_mut().zip(numbers).zip(unit).for_each(|((to, number), unit)| {
                        *to = (number - along * unit) * inverse;
                    });
                },
            );

            let columns = &mut columns.get_mut()[..rows * dim.next_multiple_of(width)];
            batch::pack_columns(units, dim, width, columns);
            by_columns(
                simd,
                gradients,
                samples.count,
                &places[..rows],
                columns,
                |sample, column, numbers| {
                    let count = numbers.len().min(dim - column);
                    let to = &mut by_units[sample * dim + column..][..count];
                    to.iter_mut().zip(numbers).for_each(|(to, number)| *to += *number);
                },
            );
        }
        (by_units, by_radii)
    }
}

impl Backward<'_> {
    /// The gradient of each cosine of a block, `[rows, padded]`; of several centers a class only the nearest has one. The
    /// cosines that are left have a gradient as they are.
    #[inline(always)]
    fn of_block(
        &self,
        work: &mut Work,
        classes: Range<usize>,
        gradients: &mut [f32],
        of_classes: &mut [f32],
        by_radii: &mut [f32],
    ) {
        let (each, padded) = (self.centers.each, self.samples.padded);
        let numbers = classes.len() * padded;
        let targets = self.samples.with_targets_in(&classes);
        let first = classes.start;
        if each == 1 {
            let cosines = &mut work.cosines.get_mut()[..numbers];
            let own: Vec<f32> =
                targets.iter().map(|(class, i)| cosines[(class - first) * padded + i]).collect();
            self.upstream.gradients(self.samples, classes, cosines, gradients, by_radii);
            for (&(class, i), own) in targets.iter().zip(own) {
                cosines[(class - first) * padded + i] = own;
            }
            return;
        }
        let cosines = &mut work.of_classes.get_mut()[..numbers];
        self.upstream.gradients(self.samples, classes, cosines, &mut of_classes[..numbers], by_radii);
        let of_classes = of_classes[..numbers].chunks_exact(padded).zip(work.nearest.chunks_exact(padded));
        for (centers, (class, nearest)) in gradients.chunks_exact_mut(each * padded).zip(of_classes) {
            for (k, center) in centers.chunks_exact_mut(padded).enumerate() {
                for ((center, class), nearest) in center.iter_mut().zip(class).zip(nearest) {
                    *center = if *nearest == k as u32 { *class } else { 0.0 };
                }
            }
        }
    }
}

/// `Σ a b`
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = exponential::LANES;
    let mut lanes = [0.0f32; LANES];
    for (a, b) in a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0) {
        for i in 0..LANES {
            lanes[i] += a[i] * b[i];
        }
    }
    lanes.iter().sum()
}
