//! The gradients: of the features, of the centers and of the radii.

use std::ops::Range;

use cm_tiles::{Aligned, VECTORS, panel_width, panel_width_here};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::{
    Centers, Samples, Upstream,
    batch::{self, LANES},
    parts::{KeptPart, Layout, block_classes, blocks, both_parts, chunk_of},
    products::{Rows, by_columns, by_rows},
    work::Work,
};
use crate::fused::extension::Plan;

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
    kept: KeptPart<'a>,
}

impl WithSimd for Backward<'_> {
    type Output = (Vec<f32>, Vec<f32>);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Self {
            samples,
            centers,
            upstream,
            by_sample,
            by_dim,
            classes: part,
            first,
            by_centers,
            mut kept,
        } = self;
        const { assert!(LANES.is_multiple_of(VECTORS * S::F32_LANES), "a chunk is whole panels") };
        let (each, dim, width) = (centers.each, samples.dim, panel_width::<S>());
        let size = block_classes(samples, each);
        let mut work = Work::new(samples, each);
        let mut gradients = Aligned::zeros(size * each * samples.padded);
        let mut of_classes = Aligned::zeros(if each > 1 { size * LANES } else { 0 });
        let mut columns = Aligned::zeros(size * each * dim.next_multiple_of(width));
        let places: Vec<usize> = (0..size * each).map(|row| row * LANES).collect();
        let mut along = vec![0.0; size * each * PARTIAL];
        let mut by_units = vec![0.0; samples.count * dim];
        let mut by_radii = vec![0.0; samples.padded];
        for classes in blocks(&part, kept.classes, size) {
            work.load(centers, &classes);
            let rows = classes.len() * each;
            let mut of_block = kept.next(rows, samples);
            along.fill(0.0);
            let gradients = &mut gradients.get_mut()[..rows * samples.padded];
            for chunk in 0..samples.chunks() {
                let (cosines, of_centers) = match &mut of_block {
                    Some(kept) => (&mut kept[chunk_of(chunk, rows)], work.of_classes()),
                    None => work.cosines(simd, samples, by_sample, chunk, None),
                };
                let gradients = &mut gradients[chunk_of(chunk, rows)];
                if each == 1 {
                    upstream.gradients(simd, samples, &classes, chunk, cosines, gradients, &mut by_radii);
                } else {
                    let of_classes = &mut of_classes.get_mut()[..classes.len() * LANES];
                    let nearest = of_centers.nearest_centers(cosines, each);
                    upstream.gradients(simd, samples, &classes, chunk, nearest, of_classes, &mut by_radii);
                    of_centers.spread_gradients(of_classes, gradients, each);
                }
                add_products(simd, &mut along, gradients, cosines);
            }
            let (units, inverses) = work.centers(dim);

            let of_samples = Rows {
                numbers: gradients,
                count: rows,
                step: LANES,
                inner: samples.count,
                piece: LANES,
                piece_step: rows * LANES,
            };
            let from = classes.start * each;
            by_rows(simd, of_samples, by_dim.get(), |row, column, numbers| {
                let place = centers.place(from + row) - first;
                // A change of a center along itself changes nothing: that part of its gradient is taken away.
                let along: f32 = along[row * PARTIAL..][..PARTIAL].iter().sum();
                let inverse = inverses[row];
                let count = numbers.len().min(dim - column);
                let unit = &units[row * dim + column..][..count];
                let to = &mut by_centers[place * dim + column..][..count];
                to.iter_mut().zip(numbers).zip(unit).for_each(|((to, number), unit)| {
                    *to = (number - along * unit) * inverse;
                });
            });

            let columns = &mut columns.get_mut()[..rows * dim.next_multiple_of(width)];
            batch::pack_columns(units, dim, width, columns);
            for chunk in 0..samples.chunks() {
                let (gradients, sample) = (&gradients[chunk_of(chunk, rows)], chunk * LANES);
                let count = LANES.min(samples.count - sample);
                by_columns(simd, gradients, count, &places[..rows], columns, |i, column, numbers| {
                    let count = numbers.len().min(dim - column);
                    let to = &mut by_units[(sample + i) * dim + column..][..count];
                    to.iter_mut().zip(numbers).for_each(|(to, number)| *to += *number);
                });
            }
        }
        (by_units, by_radii)
    }
}

/// Numbers that are added up to a sum in the end.
const PARTIAL: usize = LANES / 2;

/// Adds to the partial sums of each row, `[rows, PARTIAL]`, the products of the numbers of two rows, `[rows, LANES]`.
#[inline(always)]
fn add_products<S: Simd>(simd: S, sums: &mut [f32], a: &[f32], b: &[f32]) {
    let rows = a.chunks_exact(LANES).zip(b.chunks_exact(LANES));
    for (sums, (a, b)) in sums.chunks_exact_mut(PARTIAL).zip(rows) {
        let (sums, _) = S::as_mut_simd_f32s(sums);
        for half in [0, PARTIAL] {
            let (a, _) = S::as_simd_f32s(&a[half..half + PARTIAL]);
            let (b, _) = S::as_simd_f32s(&b[half..half + PARTIAL]);
            for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
                *sum = simd.mul_add_f32s(*a, *b, *sum);
            }
        }
    }
}
