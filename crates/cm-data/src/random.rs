//! Random numbers that belong to one image, whatever was drawn for the others.

use rand::{SeedableRng, rngs::StdRng};
use rand_chacha::ChaCha8Rng;

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
/// These come from rand's standard generator: the studies that were made with it get the same
/// images again.
pub fn image_generator(seed: u64, index: u64) -> StdRng {
    StdRng::from_seed(key([seed, index, 0]))
}

fn key(numbers: [u64; 3]) -> [u8; 32] {
    let mut key = [0; 32];
    for (bytes, number) in key.as_chunks_mut::<8>().0.iter_mut().zip(numbers) {
        *bytes = number.to_le_bytes();
    }
    key
}
