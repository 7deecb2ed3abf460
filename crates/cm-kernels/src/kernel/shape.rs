//! Sizes of a convolution.

/// A convolution of images in the order batch, channel, row, column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Convolution {
    pub batch: usize,
    pub channels_in: usize,
    pub channels_out: usize,
    /// Parts that the channels are divided into; an output channel sees the input channels of its own.
    pub groups: usize,
    /// Rows, then columns, here and below.
    pub image: [usize; 2],
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    /// What the image is extended by on each side; negative where it is cut.
    pub padding: [isize; 2],
    pub dilation: [usize; 2],
}

impl Convolution {
    /// Size of the output images; `None` where the kernel does not fit into the padded image.
    pub fn output(&self) -> Option<[usize; 2]> {
        let along = |axis: usize| {
            let padded = self.image[axis] as isize + 2 * self.padding[axis];
            let span = (self.dilation[axis] * (self.kernel[axis] - 1)) as isize;
            (padded > span).then(|| (padded - span - 1) as usize / self.stride[axis] + 1)
        };
        Some([along(0)?, along(1)?])
    }

    /// Numbers in an input image.
    pub fn input_len(&self) -> usize {
        self.channels_in * self.image[0] * self.image[1]
    }

    /// Numbers in the kernels.
    pub fn weight_len(&self) -> usize {
        self.channels_out * self.channels_in / self.groups * self.kernel[0] * self.kernel[1]
    }

    /// What one group is by itself.
    pub fn of_group(&self) -> Self {
        let (channels_in, channels_out) = (self.channels_in / self.groups, self.channels_out / self.groups);
        Self { channels_in, channels_out, groups: 1, ..*self }
    }
}
