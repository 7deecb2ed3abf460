//! Steps trained, and random numbers that depend on them alone.

use burn::{
    module::Module,
    tensor::{Device, Tensor},
};
use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;

use crate::{
    norm::indicator,
    state::{State, beside},
};

/// Counts the steps that a head was trained; saved and restored with it. Clones share it: the batches of several workers are
/// numbered in the order of their arrival.
///
/// What is random in a head is drawn on the host from a seed and this count, so that it is the same on every backend,
/// whatever else draws random numbers, and a resumed training goes on with the numbers it would have had.
#[derive(Module, Debug)]
pub(crate) struct Steps {
    /// Two digits to the base of 2^20, for a 32-bit float counts to 2^24 only.
    digits: State<1>,
}

const BASE: f32 = (1 << 20) as f32;

/// The number of a step, from 0, on a device.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    digits: Tensor<1>,
    /// Whether its batch goes through the head a second time.
    again: bool,
    /// Which part of its batch it is for; 0 also for a whole one.
    part: u32,
}

impl Steps {
    pub fn new(device: &Device) -> Self {
        Self { digits: State::new(vec![0.0, 0.0], [2], device) }
    }

    /// The number of the coming step.
    pub fn coming<const D: usize>(&self, like: &Tensor<D>) -> Step {
        Step { digits: self.digits.value(like), again: false, part: 0 }
    }

    /// The number of the coming step, which is taken.
    pub fn take(&self, device: &Device) -> Step {
        let digits = self.digits.replace(device, |before| {
            let [low, high] = [0, 1].map(|k| before.clone().narrow(0, k, 1));
            let low = low.add_scalar(1.0);
            let carry = indicator(low.clone().greater_equal_scalar(BASE), low.dtype());
            Tensor::cat(vec![low - carry.clone().mul_scalar(BASE), high + carry], 0)
        });
        Step { digits, again: false, part: 0 }
    }

    /// Steps trained.
    pub fn count(&self) -> u64 {
        number(&self.digits.read())
    }

    pub fn set(&self, count: u64) {
        let base = BASE as u64;
        self.digits.set(vec![(count % base) as f32, (count / base) as f32]);
    }
}

fn number(digits: &[f32]) -> u64 {
    digits[0] as u64 + BASE as u64 * digits[1] as u64
}

impl Step {
    /// The same step for another pass of its batch: as a number the same, with random numbers of its own.
    pub fn again(self) -> Self {
        Self { again: true, ..self }
    }

    /// The same step for a part of its batch: the same number, with random numbers of its own but for the first part.
    pub fn part(self, part: u32) -> Self {
        Self { part, ..self }
    }

    /// On the host, which waits for the device.
    pub fn number(&self) -> u64 {
        number(&self.digits.to_data().iter::<f32>().collect::<Vec<_>>())
    }

    /// As a number for formulas, `[1, 1]`.
    pub fn column(&self, like: &Tensor<2>) -> Tensor<2> {
        let [low, high] = [0, 1].map(|k| self.digits.clone().narrow(0, k, 1));
        beside((low + high.mul_scalar(BASE)).unsqueeze(), like)
    }

    /// Random numbers for this step, others for each purpose. From ChaCha with 12 rounds, which is the same on every
    /// machine and with every version.
    pub fn random(&self, seed: u64, purpose: &str) -> ChaCha12Rng {
        // Steps of different seeds and purposes must not meet: these are spread over all bits first.
        let spread =
            |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31);
        let again = if self.again { " again" } else { "" };
        let part = if self.part > 0 { format!(" part {}", self.part) } else { String::new() };
        let seed = purpose
            .bytes()
            .chain(again.bytes())
            .chain(part.bytes())
            .chain(seed.to_le_bytes())
            .fold(0, spread);
        ChaCha12Rng::seed_from_u64(seed.wrapping_add(self.number()))
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn the_random_numbers_of_a_seed_purpose_and_step_are_these_for_ever() {
        let device = Device::flex();
        let steps = Steps::new(&device);
        let step = steps.take(&device);
        let first = [step.random(5, "margins").next_u64(), step.random(5, "classes").next_u64()];
        let second = steps.take(&device).random(5, "margins").next_u64();
        let expected = [11_998_191_479_556_809_396, 9_405_676_491_853_973_881, 13_668_545_854_975_989_913];
        assert_eq!([first[0], first[1], second], expected);
        let of = |part: u32| {
            steps.coming(&Tensor::<1>::zeros([1], &device)).part(part).random(5, "margins").next_u64()
        };
        assert!(of(0) != of(1) && of(1) != of(2) && of(1) == of(1));
    }

    #[test]
    fn steps_are_counted_exactly_far_beyond_what_a_float_counts() {
        let device = Device::flex();
        let steps = Steps::new(&device);
        for count in [(1 << 20) - 1, 1 << 24, (1 << 24) + 1, (1 << 40) - 1, (1 << 42) + 5] {
            steps.set(count);
            assert_eq!(
                number(&steps.take(&device).digits.into_data().iter::<f32>().collect::<Vec<_>>()),
                count
            );
            assert_eq!(steps.count(), count + 1);
        }
    }
}
