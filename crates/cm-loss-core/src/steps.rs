//! Steps trained, and random numbers that depend on them alone.

use burn::{
    module::{Module, RunningState},
    tensor::{Device, Tensor},
};
use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;

use crate::running::replace;

/// Counts the steps that a head was trained; saved and restored with it.
///
/// What is random in a head is drawn on the host from a seed and this count, so that it is the same on every backend,
/// whatever else draws random numbers, and a resumed training goes on with the numbers it would have had.
#[derive(Module, Debug)]
pub(crate) struct Steps {
    count: RunningState<Tensor<1>>,
}

impl Steps {
    pub fn new(device: &Device) -> Self {
        Self { count: RunningState::new(Tensor::zeros([1], device)) }
    }

    /// Steps trained, `[1, 1]`.
    pub fn count(&self) -> Tensor<2> {
        self.count.value_sync().unsqueeze()
    }

    /// Random numbers for the coming step, others for each purpose. From ChaCha with 12 rounds, which is the same on every
    /// machine and with every version.
    pub fn random(&self, seed: u64, purpose: &str) -> ChaCha12Rng {
        let step = f64::from(self.count.value_sync().into_scalar::<f32>()) as u64;
        // Steps of different seeds and purposes must not meet: these are spread over all bits first.
        let spread =
            |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31);
        let seed = purpose.bytes().chain(seed.to_le_bytes()).fold(0, spread);
        ChaCha12Rng::seed_from_u64(seed.wrapping_add(step))
    }

    pub fn advance(&self) {
        replace(&self.count, self.count.value_sync().add_scalar(1.0));
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn the_random_numbers_of_a_seed_purpose_and_step_are_these_for_ever() {
        let steps = Steps::new(&Device::flex());
        let first = [steps.random(5, "margins").next_u64(), steps.random(5, "classes").next_u64()];
        steps.advance();
        let second = steps.random(5, "margins").next_u64();
        let expected = [11_998_191_479_556_809_396, 9_405_676_491_853_973_881, 13_668_545_854_975_989_913];
        assert_eq!([first[0], first[1], second], expected);
    }
}
