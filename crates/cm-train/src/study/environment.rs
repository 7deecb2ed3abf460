//! The machine and the versions, as far as a result depends on them.

use cm_record::Environment;

use crate::device::Devices;

/// Version of Burn in `Cargo.lock`.
pub const BURN_VERSION: &str = "0.22.1";

/// The program that trains, as it is recorded.
#[derive(Debug, Clone)]
pub struct Program {
    /// Its version.
    pub version: String,
    /// The commit that it was built from, with `-dirty` if the source had changes; empty outside a checkout.
    pub commit: String,
}

impl Program {
    /// The machine and the versions of this process.
    pub fn environment(&self, devices: &Devices) -> Environment {
        Environment {
            backend: devices.to_string(),
            threads: rayon::current_num_threads(),
            platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
            version: self.version.clone(),
            burn: BURN_VERSION.to_owned(),
            commit: self.commit.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::BURN_VERSION;

    #[test]
    fn the_recorded_version_of_burn_is_the_locked_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock");
        let Ok(lock) = std::fs::read_to_string(path) else {
            println!("skipped: outside of the workspace there is no Cargo.lock of it");
            return;
        };
        let entry = format!("name = \"burn\"\nversion = \"{BURN_VERSION}\"\n");
        assert!(lock.contains(&entry), "Cargo.lock has another version of Burn than {BURN_VERSION}");
    }
}
