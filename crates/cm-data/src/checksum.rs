//! Checksums of things with several parts.

use sha2::{Digest, Sha256};

/// SHA-256 over parts, each with its length before it, so that no two sequences of parts are the
/// same bytes.
#[derive(Default)]
pub(crate) struct Checksum(Sha256);

impl Checksum {
    pub fn add(&mut self, part: &[u8]) {
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
    }

    pub fn bytes(self) -> [u8; 32] {
        self.0.finalize().into()
    }

    /// `sha256:` and the sum in hexadecimal.
    pub fn finish(self) -> String {
        self.bytes().iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
    }
}
