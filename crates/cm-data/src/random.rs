//! Random numbers that belong to one image, whatever was drawn for the others.

use rand::SeedableRng;
use rand_chacha::{ChaCha8Rng, ChaCha12Rng};

/// Random numbers for changing one image in one epoch.
///
/// The key of ChaCha with 8 rounds is made of the three numbers, each in 8 bytes, little-endian,
/// and of 8 zero bytes. So no two images share their numbers, nor two epochs of the same image,
/// and no thread has to wait for another.
pub fn generator(seed: u64, epoch: u64, index: u64) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(key([seed, epoch, index]))
}

/// Random numbers for making or degrading one image once for all epochs.
///
/// From ChaCha with 12 rounds, which is the same on every machine and with every version.
pub fn image_generator(seed: u64, index: u64) -> ChaCha12Rng {
    ChaCha12Rng::from_seed(key([seed, index, 0]))
}

fn key(numbers: [u64; 3]) -> [u8; 32] {
    let mut key = [0; 32];
    for (bytes, number) in key.as_chunks_mut::<8>().0.iter_mut().zip(numbers) {
        *bytes = number.to_le_bytes();
    }
    key
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn the_random_numbers_of_an_image_are_these_for_ever() {
        let found = [generator(1, 2, 3).next_u64(), image_generator(1, 2).next_u64()];
        assert_eq!(found, [14_783_065_802_544_476_936, 3_595_214_418_131_085_131]);
    }
}
