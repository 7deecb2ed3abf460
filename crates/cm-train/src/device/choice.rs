//! Which devices of a backend compute.

use std::{fmt, str::FromStr};

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::Backend;
use crate::Error;

/// Devices of one backend: its default one, or those with these numbers, which `cm list devices` shows.
///
/// Written `cuda`, `cuda:1` or `cuda:0,1`. A number may come twice: two workers then share that device, which is slower than
/// one and gives what two devices would give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Devices {
    backend: Backend,
    numbers: Vec<usize>,
}

impl Devices {
    /// Devices by their numbers; the default one where there are none.
    pub fn new(backend: Backend, numbers: Vec<usize>) -> Self {
        Self { backend, numbers }
    }

    /// What computes.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The numbers; none for the default device.
    pub fn numbers(&self) -> &[usize] {
        &self.numbers
    }

    /// The devices, each after it has added two numbers.
    ///
    /// # Errors
    ///
    /// As [`Backend::device`], and [`Error::NoSuchDevice`] for a number that no device has.
    pub fn open(&self) -> Result<Vec<Device>, Error> {
        let backend = self.backend;
        if self.numbers.is_empty() {
            return Ok(vec![backend.device()?]);
        }
        let found = backend.found()?;
        let devices = self.numbers.iter().map(|&number| {
            let Some(device) = found.get(number) else {
                return Err(Error::NoSuchDevice { backend, number, found: found.len() });
            };
            backend.try_out(|| device.clone())
        });
        devices.collect()
    }

    /// The device that a model is used on: the first.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn first(&self) -> Result<Device, Error> {
        let first = Self { numbers: self.numbers.iter().take(1).copied().collect(), ..*self };
        first.open().map(|mut devices| devices.remove(0))
    }
}

impl From<Backend> for Devices {
    fn from(backend: Backend) -> Self {
        Self::new(backend, Vec::new())
    }
}

impl fmt::Display for Devices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.backend)?;
        for (i, number) in self.numbers.iter().enumerate() {
            write!(f, "{}{number}", if i == 0 { ":" } else { "," })?;
        }
        Ok(())
    }
}

impl From<Devices> for String {
    fn from(devices: Devices) -> Self {
        devices.to_string()
    }
}

impl FromStr for Devices {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (backend, numbers) = text.split_once(':').map_or((text, None), |(name, rest)| (name, Some(rest)));
        let number = |text: &str| text.parse().map_err(|_| Error::DeviceNumber { value: text.to_owned() });
        let numbers = numbers.map_or(Ok(Vec::new()), |numbers| numbers.split(',').map(number).collect());
        Ok(Self { backend: backend.parse()?, numbers: numbers? })
    }
}

impl TryFrom<String> for Devices {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_read_as_they_are_written() {
        for text in ["flex", "cuda:1", "wgpu:0,1,1"] {
            assert_eq!(
                text.parse::<Devices>().map(|devices| devices.to_string()).ok().as_deref(),
                Some(text)
            );
        }
        for (text, told) in
            [("cuda:", "\"\""), ("cuda:one", "one"), ("cuda:0,", "\"\""), ("gpu:0", "gpu"), ("cuda:-1", "-1")]
        {
            let error = text.parse::<Devices>().expect_err("no devices").to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }

    #[test]
    fn a_device_that_is_not_there_is_refused_with_those_that_are() {
        let two = Devices::new(Backend::Flex, vec![0, 0]).open().expect("the CPU, twice");
        assert_eq!(two.len(), 2);
        let error =
            Devices::new(Backend::Flex, vec![0, 3]).open().expect_err("a CPU is one device").to_string();
        assert!(error.contains("flex:3") && error.contains("flex:0"), "{error}");
    }
}
