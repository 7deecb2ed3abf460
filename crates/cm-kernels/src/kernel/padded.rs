//! Images with their padding, and where the taps of a kernel lie in them.

use std::ops::Range;

/// A padded image: `[channels, rows, phases, columns]`. Columns whose number has the same remainder by the stride (phases)
/// follow one another, so that the pixels under one tap of a kernel do.
#[derive(Clone, Copy)]
pub struct Padded {
    pub channels: usize,
    /// Rows and columns of the image.
    pub image: [usize; 2],
    /// What lies above and to the left of it; negative where it is cut.
    pub before: [isize; 2],
    /// Rows of the padded image.
    pub rows: usize,
    /// Columns of each phase.
    pub columns: usize,
    /// The stride along a row.
    pub phases: usize,
}

impl Padded {
    /// Numbers between two rows.
    pub fn row(&self) -> usize {
        self.phases * self.columns
    }

    /// Numbers of a channel.
    pub fn channel(&self) -> usize {
        self.rows * self.row()
    }

    pub fn len(&self) -> usize {
        self.channels * self.channel()
    }

    /// Place of a row and column of the padded image in its first channel.
    pub fn place(&self, row: usize, column: usize) -> usize {
        row * self.row() + column % self.phases * self.columns + column / self.phases
    }

    /// What fills padded images.
    pub fn filler(&self) -> Filler {
        let (above, rows) = (self.before[0], self.rows as isize);
        let top = above.clamp(0, rows);
        let bottom = (self.image[0] as isize + above).clamp(top, rows);
        Filler {
            padded: *self,
            rows: top as usize..bottom as usize,
            first: (top - above).max(0) as usize,
            spans: (0..self.phases).map(|phase| self.span(phase)).collect(),
        }
    }

    /// Where the pixels of a row are in a phase.
    fn span(&self, phase: usize) -> Span {
        // Column q of the phase is pixel q · phases + first.
        let (stride, first) = (self.phases as isize, phase as isize - self.before[1]);
        let ceil = |value: isize| value.max(0).div_euclid(stride) + isize::from(value.max(0) % stride > 0);
        let end = (ceil(self.image[1] as isize - first) as usize).min(self.columns);
        let start = (ceil(-first) as usize).min(end);
        let pixel = if start == end { 0 } else { start as isize * stride + first };
        Span { columns: start..end, pixel: pixel as usize }
    }
}

/// Columns of a phase that have pixels, and the first of these.
struct Span {
    columns: Range<usize>,
    pixel: usize,
}

/// Copies images into padded ones. It knows beforehand where the pixels go: of a small image that takes longer than the copy.
pub struct Filler {
    padded: Padded,
    /// Rows that have pixels, and the first row of these.
    rows: Range<usize>,
    first: usize,
    spans: Vec<Span>,
}

impl Filler {
    /// Fills `padded` from an image.
    pub fn fill(&self, image: &[f32], padded: &mut [f32]) {
        let of = &self.padded;
        let [height, width] = of.image;
        let channels = padded[..of.len()].chunks_exact_mut(of.channel());
        for (pixels, padded) in image.chunks_exact(height * width).zip(channels) {
            padded.fill(0.0);
            let rows =
                padded[self.rows.start * of.row()..self.rows.end * of.row()].chunks_exact_mut(of.row());
            for (row, pixels) in rows.zip(pixels.chunks_exact(width).skip(self.first)) {
                for (phase, span) in row.chunks_exact_mut(of.columns).zip(&self.spans) {
                    let phase = &mut phase[span.columns.clone()];
                    match of.phases {
                        1 => phase.copy_from_slice(&pixels[span.pixel..][..phase.len()]),
                        stride => {
                            let pixels = pixels[span.pixel..].iter().step_by(stride);
                            phase.iter_mut().zip(pixels).for_each(|(to, from)| *to = *from);
                        }
                    }
                }
            }
        }
    }
}
