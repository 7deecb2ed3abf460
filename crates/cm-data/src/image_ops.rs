//! What images can do by themselves: mirror, change their channels, give a part of themselves.

use crate::{DataError, Image, image::SLICES};

impl Image {
    /// Mirrors left and right.
    pub fn flip_horizontally(&mut self) {
        if self.width == 0 {
            return;
        }
        for row in self.pixels.chunks_exact_mut(self.width * self.channels) {
            match self.channels {
                1 => row.reverse(),
                3 => row.as_chunks_mut::<3>().0.reverse(),
                channels => {
                    row.reverse();
                    row.chunks_exact_mut(channels).for_each(<[u8]>::reverse);
                }
            }
        }
    }

    /// Mirrors top and bottom.
    pub fn flip_vertically(&mut self) {
        let length = self.width * self.channels;
        let (upper, rest) = self.pixels.split_at_mut(self.height / 2 * length);
        let lower = &mut rest[self.height % 2 * length..];
        if length > 0 {
            let mirrored = lower.chunks_exact_mut(length).rev();
            upper.chunks_exact_mut(length).zip(mirrored).for_each(|(a, b)| a.swap_with_slice(b));
        }
    }

    /// Mirrors at the diagonal from the upper left: rows become columns.
    pub fn transpose(&mut self) {
        let &mut Self { width, height, channels, .. } = self;
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for column in 0..width {
            for row in 0..height {
                pixels.extend_from_slice(&self.pixels[(row * width + column) * channels..][..channels]);
            }
        }
        (self.pixels, self.width, self.height) = (pixels, height, width);
    }

    /// The image in one channel: the luma of ITU-R BT.601, (19595 r + 38470 g + 7471 b) / 65536,
    /// rounded. These are the weights 0.299, 0.587 and 0.114 in whole numbers, as Pillow has them. Of a volume the slice in the middle.
    pub fn to_gray(&self) -> Self {
        if self.channels == 1 {
            return self.clone();
        }
        if self.is_volume() {
            return self.slice(self.channels / 2);
        }
        let pixels = self.pixels.as_chunks::<3>().0.iter().map(luma).collect();
        Self { channels: 1, pixels, ..*self }
    }

    /// The image in three channels: a gray one has its value in each. Of a volume the slice in the middle.
    pub fn to_rgb(&self) -> Self {
        if self.channels == 3 {
            return self.clone();
        }
        if self.is_volume() {
            return self.to_gray().to_rgb();
        }
        let pixels: Vec<[u8; 3]> = self.pixels.iter().map(|&value| [value; 3]).collect();
        Self { channels: 3, pixels: pixels.into_flattened(), ..*self }
    }

    /// Whether the channels are slices of a volume.
    pub fn is_volume(&self) -> bool {
        SLICES.contains(&self.channels)
    }

    /// One channel as a gray image.
    ///
    /// # Panics
    ///
    /// If there is no such channel.
    pub fn slice(&self, channel: usize) -> Self {
        assert!(channel < self.channels, "there are {} channels, and not {channel}", self.channels);
        let pixels = self.pixels.iter().skip(channel).step_by(self.channels).copied().collect();
        Self { channels: 1, pixels, ..*self }
    }

    /// The image with something done to each channel alone, as a gray image. The sizes may change, if all change alike.
    pub(crate) fn each_slice<E>(&self, mut change: impl FnMut(Self) -> Result<Self, E>) -> Result<Self, E> {
        let slices = (0..self.channels).map(|channel| change(self.slice(channel)));
        let slices: Vec<Self> = slices.collect::<Result<_, E>>()?;
        let (width, height) = slices.first().map_or((0, 0), |slice| (slice.width, slice.height));
        let mut pixels = Vec::with_capacity(width * height * self.channels);
        for place in 0..width * height {
            pixels.extend(slices.iter().map(|slice| slice.pixels[place]));
        }
        Ok(Self { width, height, channels: self.channels, pixels })
    }

    /// The part with this left edge, upper edge, width and height.
    ///
    /// # Errors
    ///
    /// [`DataError::RegionOutside`] if the image does not hold the whole part.
    pub fn part(&self, region: [usize; 4]) -> Result<Self, DataError> {
        self.check_holds(region)?;
        let [x, y, width, height] = region;
        let mut pixels = Vec::with_capacity(width * height * self.channels);
        for row in y..y + height {
            let start = (row * self.width + x) * self.channels;
            pixels.extend_from_slice(&self.pixels[start..start + width * self.channels]);
        }
        Ok(Self { width, height, channels: self.channels, pixels })
    }

    /// [`DataError::RegionOutside`] unless the image holds the whole part.
    pub(crate) fn check_holds(&self, region: [usize; 4]) -> Result<(), DataError> {
        let [x, y, width, height] = region;
        let inside = |start: usize, length, whole| start.checked_add(length).is_some_and(|end| end <= whole);
        if inside(x, width, self.width) && inside(y, height, self.height) {
            return Ok(());
        }
        Err(DataError::RegionOutside { region, width: self.width, height: self.height })
    }

    /// [`DataError::NotWhole`] unless there is a pixel, the channels are 1, 3 or slices, and the values as
    /// many as the sizes ask for.
    pub(crate) fn check_whole(&self) -> Result<(), DataError> {
        let &Self { width, height, channels, .. } = self;
        let (values, sides) = (self.pixels.len(), [width, height].map(u32::try_from));
        let expected = width.checked_mul(height).and_then(|area| area.checked_mul(channels));
        if (matches!(channels, 1 | 3) || self.is_volume())
            && values > 0
            && expected == Some(values)
            && sides.iter().all(Result::is_ok)
        {
            return Ok(());
        }
        Err(DataError::NotWhole { width, height, channels, values })
    }
}

/// Luma of a pixel, see [`Image::to_gray`].
pub(crate) fn luma(&[red, green, blue]: &[u8; 3]) -> u8 {
    ((19595 * u32::from(red) + 38470 * u32::from(green) + 7471 * u32::from(blue) + 0x8000) >> 16) as u8
}
