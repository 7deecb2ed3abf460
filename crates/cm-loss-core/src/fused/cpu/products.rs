//! The three products of a block of class centers with a batch.

use cm_tiles::{VECTORS, most_rows, over_pixels, over_taps, panel_width, with_rows};
use pulp::{Simd, bytemuck::cast_slice};

/// `rows` in tiles of nearly equal height.
#[inline(always)]
fn tiles<S: Simd>(rows: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = rows.div_ceil(most_rows::<S>());
    (0..count).map(move |i| (i * rows / count, (i + 1) * rows / count))
}

/// Calls `take` with the row, the column and a panel width of numbers of `A B`, for `A` `[rows, inner]` with rows `step`
/// apart and `B` in panels `[panels, inner, panel width]`.
#[inline(always)]
pub fn by_rows<S: Simd>(
    simd: S,
    a: &[f32],
    rows: usize,
    step: usize,
    inner: usize,
    b: &[f32],
    mut take: impl FnMut(usize, usize, &[f32]),
) {
    let width = panel_width::<S>();
    let panels = b.len() / (inner * width);
    for (from, to) in tiles::<S>(rows) {
        let mut places = [0; 16];
        (from..to).zip(&mut places).for_each(|(row, place)| *place = row * step);
        for panel in 0..panels {
            let (vectors, _) = S::as_simd_f32s(&b[panel * inner * width..][..inner * width]);
            with_rows!(to - from, ROWS => {
                let mut tile = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
                over_pixels::<S, ROWS>(simd, a, [1, inner], 0, &places[..ROWS], vectors, &mut tile);
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
                over_taps::<S, ROWS>(simd, a, from, places, vectors, &mut tile);
                let tile: &[f32] = cast_slice(tile.as_flattened());
                for (i, numbers) in tile.chunks_exact(width).enumerate() {
                    take(from + i, panel * width, numbers);
                }
            });
        }
    }
}
