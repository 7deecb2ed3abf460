//! The three products of a block of class centers with a batch.

use cm_tiles::{VECTORS, most_rows, over_pixels, over_taps, panel_width, with_rows};
use pulp::{Simd, bytemuck::cast_slice};

/// `rows` in tiles of nearly equal height.
#[inline(always)]
fn tiles<S: Simd>(rows: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = rows.div_ceil(most_rows::<S>());
    (0..count).map(move |i| (i * rows / count, (i + 1) * rows / count))
}

/// The rows of a matrix, each in pieces of the same length but for the last.
pub struct Rows<'a> {
    pub numbers: &'a [f32],
    pub count: usize,
    /// From a row to the next.
    pub step: usize,
    /// Numbers of a row, and of each piece of it.
    pub inner: usize,
    pub piece: usize,
    /// From a piece to the next.
    pub piece_step: usize,
}

impl<'a> Rows<'a> {
    /// Rows that lie in one piece, one after another.
    pub fn whole(numbers: &'a [f32], count: usize, inner: usize) -> Self {
        Self { numbers, count, step: inner, inner, piece: inner, piece_step: 0 }
    }
}

/// Calls `take` with the row, the column and a panel width of numbers of `A B`, for `B` in panels
/// `[panels, inner, panel width]`.
#[inline(always)]
pub fn by_rows<S: Simd>(simd: S, a: Rows<'_>, b: &[f32], mut take: impl FnMut(usize, usize, &[f32])) {
    let width = panel_width::<S>();
    let panels = b.len() / (a.inner * width);
    let (pieces, rest) = (a.inner / a.piece, a.inner % a.piece);
    for (from, to) in tiles::<S>(a.count) {
        let mut places = [0; 16];
        (from..to).zip(&mut places).for_each(|(row, place)| *place = row * a.step);
        for panel in 0..panels {
            let (vectors, _) = S::as_simd_f32s(&b[panel * a.inner * width..][..a.inner * width]);
            let (of_pieces, of_rest) = vectors.split_at(pieces * a.piece * VECTORS);
            with_rows!(to - from, ROWS => {
                let mut tile = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
                let places = &places[..ROWS];
                if pieces > 0 {
                    let shape = [pieces, a.piece];
                    over_pixels::<S, ROWS, VECTORS>(simd, a.numbers, shape, a.piece_step, places, of_pieces, &mut tile);
                }
                if rest > 0 {
                    let last = &a.numbers[pieces * a.piece_step..];
                    over_pixels::<S, ROWS, VECTORS>(simd, last, [1, rest], 0, places, of_rest, &mut tile);
                }
                let tile: &[f32] = cast_slice(tile.as_flattened());
                for (i, numbers) in tile.chunks_exact(width).enumerate() {
                    take(from + i, panel * width, numbers);
                }
            });
        }
    }
}

/// Calls `take` with the row, the column and a panel width of numbers of `Aᵀ B`, for `A` `[inner, columns]`, of which
/// the first `rows` columns count, and `B` in panels `[panels, inner, panel width]`.
#[inline(always)]
pub fn by_columns<S: Simd>(
    simd: S,
    a: &[f32],
    rows: usize,
    places: &[usize],
    b: &[f32],
    mut take: impl FnMut(usize, usize, &[f32]),
) {
    let (width, inner) = (panel_width::<S>(), places.len());
    for panel in 0..b.len() / (inner * width) {
        let (vectors, _) = S::as_simd_f32s(&b[panel * inner * width..][..inner * width]);
        for (from, to) in tiles::<S>(rows) {
            with_rows!(to - from, ROWS => {
                let mut tile = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
                over_taps::<S, ROWS, VECTORS>(simd, a, from, places, vectors, &mut tile);
                let tile: &[f32] = cast_slice(tile.as_flattened());
                for (i, numbers) in tile.chunks_exact(width).enumerate() {
                    take(from + i, panel * width, numbers);
                }
            });
        }
    }
}
