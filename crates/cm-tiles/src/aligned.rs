//! Memory that begins at a cache line.

/// Numbers in a cache line.
pub const LINE: usize = 16;

/// Numbers that begin at a cache line: a vector that crosses one is loaded twice.
pub struct Aligned {
    numbers: Vec<f32>,
    start: usize,
    len: usize,
}

impl Aligned {
    /// So many zeros.
    pub fn zeros(len: usize) -> Self {
        let numbers = vec![0.0; len + LINE];
        Self { start: start(&numbers), numbers, len }
    }

    /// The numbers.
    pub fn get(&self) -> &[f32] {
        &self.numbers[self.start..self.start + self.len]
    }

    /// The numbers, to change them.
    pub fn get_mut(&mut self) -> &mut [f32] {
        &mut self.numbers[self.start..self.start + self.len]
    }
}

/// The first place that is at a cache line, of [`LINE`] numbers more than are wanted.
pub fn start(numbers: &[f32]) -> usize {
    numbers.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE)
}
