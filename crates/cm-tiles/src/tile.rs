//! A tile of sums in registers.
//!
//! A tile is a few numbers that are broadcast by a few vectors that are loaded, `tile[i][j] += a_i b_j`, over and over. The
//! vectors lie one after another, in panels that are `V` wide; the numbers are read from an image where they are.

use pulp::{Arch, Simd, WithSimd};

/// Vectors beside each other in a tile; one is enough where there are no numbers for more.
pub const VECTORS: usize = 2;

/// Most rows of a tile: with its sums, the vectors and a number it must fit into the registers.
pub fn most_rows<S: Simd>() -> usize {
    if S::REGISTER_COUNT >= 32 { 14 } else { 6 }
}

/// Numbers beside each other in a panel.
pub fn panel_width<S: Simd>() -> usize {
    VECTORS * S::F32_LANES
}

/// [`panel_width`] of this machine.
pub fn panel_width_here() -> usize {
    struct Width;

    impl WithSimd for Width {
        type Output = usize;

        fn with_simd<S: Simd>(self, _: S) -> usize {
            panel_width::<S>()
        }
    }
    Arch::new().dispatch(Width)
}

/// The sums of a tile, `[rows][panel width]`, added up to those given.
pub type Sums<S, const ROWS: usize, const V: usize> = [[<S as Simd>::f32s; V]; ROWS];

/// Sums over the taps of a kernel for `ROWS` pixels that follow one another from `pixel` on: tap `k` of pixel `i` is
/// `image[pixel + taps[k] + i]`, and its vectors are the `k`-th of the panel.
#[inline(always)]
pub fn over_taps<S: Simd, const ROWS: usize, const V: usize>(
    simd: S,
    image: &[f32],
    pixel: usize,
    taps: &[usize],
    panel: &[S::f32s],
    out: &mut Sums<S, ROWS, V>,
) {
    // Only this copy stays in registers: of one whose address is known, every panic could show the memory.
    let mut sums = [[simd.splat_f32s(0.0); V]; ROWS];
    let (vectors, _) = panel.as_chunks::<V>();
    for (tap, vectors) in taps.iter().zip(vectors) {
        let Some(pixels) = image[pixel + tap..].first_chunk::<ROWS>() else {
            unreachable!("a tap outside the image")
        };
        for i in 0..ROWS {
            let number = simd.splat_f32s(pixels[i]);
            for j in 0..V {
                sums[i][j] = simd.mul_add_f32s(number, vectors[j], sums[i][j]);
            }
        }
    }
    for i in 0..ROWS {
        for j in 0..V {
            out[i][j] = sums[i][j];
        }
    }
}

/// Adds the sums over the pixels of an image for `ROWS` taps: pixel `(y, x)` of tap `i` is
/// `image[taps[i] + y · row_step + x]`, and its vectors are those of the same pixel in the panel.
#[inline(always)]
pub fn over_pixels<S: Simd, const ROWS: usize, const V: usize>(
    simd: S,
    image: &[f32],
    [height, width]: [usize; 2],
    row_step: usize,
    taps: &[usize],
    panel: &[S::f32s],
    out: &mut Sums<S, ROWS, V>,
) {
    let mut sums = *out;
    let (vectors, _) = panel.as_chunks::<V>();
    // All of the same length, so that one comparison holds for each.
    let span = (height - 1) * row_step + width;
    let rows: [&[f32]; ROWS] = std::array::from_fn(|i| &image[taps[i]..][..span]);
    for (y, vectors) in vectors.chunks_exact(width).enumerate() {
        for (x, vectors) in vectors.iter().enumerate() {
            let pixel = y * row_step + x;
            for i in 0..ROWS {
                let number = simd.splat_f32s(rows[i][pixel]);
                for j in 0..V {
                    sums[i][j] = simd.mul_add_f32s(number, vectors[j], sums[i][j]);
                }
            }
        }
    }
    for i in 0..ROWS {
        for j in 0..V {
            out[i][j] = sums[i][j];
        }
    }
}

/// Calls `$call` with the constant `ROWS` for a number of rows from 1 to 14.
#[doc(hidden)]
#[macro_export]
macro_rules! with_rows {
    ($rows:expr, $ROWS:ident => $call:expr) => {
        $crate::with_rows!(@ $rows, $ROWS => $call; 1 2 3 4 5 6 7 8 9 10 11 12 13 14)
    };
    (@ $rows:expr, $ROWS:ident => $call:expr; $($count:literal)*) => {
        match $rows {
            $($count => { const $ROWS: usize = $count; $call })*
            rows => unreachable!("a tile of {rows} rows"),
        }
    };
}
