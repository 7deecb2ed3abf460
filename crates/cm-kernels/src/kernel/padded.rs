//! Images with their padding, and where the taps of a kernel lie in them.

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

    /// Fills `padded` from an image.
    pub fn fill(&self, image: &[f32], padded: &mut [f32]) {
        let [height, width] = self.image;
        for (channel, padded) in padded[..self.len()].chunks_exact_mut(self.channel()).enumerate() {
            let pixels = &image[channel * height * width..][..height * width];
            for (row, padded) in padded.chunks_exact_mut(self.row()).enumerate() {
                let y = row as isize - self.before[0];
                if !(0..height as isize).contains(&y) {
                    padded.fill(0.0);
                    continue;
                }
                let pixels = &pixels[y as usize * width..][..width];
                for (phase, padded) in padded.chunks_exact_mut(self.columns).enumerate() {
                    self.fill_phase(phase, pixels, padded);
                }
            }
        }
    }

    fn fill_phase(&self, phase: usize, pixels: &[f32], padded: &mut [f32]) {
        // Column q of the phase is pixel q · phases + first.
        let (stride, first) = (self.phases as isize, phase as isize - self.before[1]);
        let ceil = |value: isize| value.max(0).div_euclid(stride) + isize::from(value.max(0) % stride > 0);
        let end = (ceil(pixels.len() as isize - first) as usize).min(padded.len());
        let start = (ceil(-first) as usize).min(end);
        padded[..start].fill(0.0);
        padded[end..].fill(0.0);
        if start == end {
            return;
        }
        let pixels = &pixels[(start as isize * stride + first) as usize..];
        match self.phases {
            1 => padded[start..end].copy_from_slice(&pixels[..end - start]),
            stride => {
                let inside = padded[start..end].iter_mut().zip(pixels.iter().step_by(stride));
                inside.for_each(|(padded, pixel)| *padded = *pixel);
            }
        }
    }
}
