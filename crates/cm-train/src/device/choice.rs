//! Which devices compute.

use std::{fmt, str::FromStr};

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::{Backend, remote};
use crate::Error;

/// Devices of one backend or of one server: the default one, or those with these numbers, which `cm list devices` shows.
///
/// Written `cuda`, `cuda:1`, `cuda:0,1`, `ws://gpu:3000` or `ws://gpu:3000/0,1`. A number may come twice: two workers then share
/// that device, which is slower than one and gives what two devices would give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Devices {
    place: Place,
    numbers: Vec<usize>,
}

/// Where devices are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In this machine.
    Here(Backend),
    /// At a server ([`serve`](super::serve)), `ws://HOST:PORT`.
    Server(String),
}

impl Devices {
    /// Devices by their numbers; the default one where there are none.
    pub fn new(place: Place, numbers: Vec<usize>) -> Self {
        Self { place, numbers }
    }

    /// Where they are.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The numbers; none for the default device.
    pub fn numbers(&self) -> &[usize] {
        &self.numbers
    }

    /// The devices, each after it has added two numbers.
    ///
    /// # Errors
    ///
    /// As [`Backend::device`]; [`Error::NoSuchDevice`] for a number that no device has; [`Error::Server`] for a server that
    /// cannot be reached.
    pub fn open(&self) -> Result<Vec<Device>, Error> {
        match &self.place {
            Place::Here(backend) if self.numbers.is_empty() => Ok(vec![backend.device()?]),
            Place::Here(backend) => {
                let found = backend.found()?;
                let device = |&number: &usize| match found.get(number) {
                    Some(device) => backend.try_out(|| device.clone()),
                    None => Err(Error::NoSuchDevice { backend: *backend, number, found: found.len() }),
                };
                self.numbers.iter().map(device).collect()
            }
            Place::Server(url) if self.numbers.is_empty() => {
                remote::connect(url, &[0], remote::token().as_deref())
            }
            Place::Server(url) => remote::connect(url, &self.numbers, remote::token().as_deref()),
        }
    }

    /// The device that a model is used on: the first.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn first(&self) -> Result<Device, Error> {
        let numbers = self.numbers.iter().take(1).copied().collect();
        Self::new(self.place.clone(), numbers).open().map(|mut devices| devices.remove(0))
    }
}

impl From<Backend> for Devices {
    fn from(backend: Backend) -> Self {
        Self::new(Place::Here(backend), Vec::new())
    }
}

impl fmt::Display for Devices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let between = match &self.place {
            Place::Here(backend) => {
                write!(f, "{backend}")?;
                ":"
            }
            Place::Server(url) => {
                write!(f, "{url}")?;
                "/"
            }
        };
        for (i, number) in self.numbers.iter().enumerate() {
            write!(f, "{}{number}", if i == 0 { between } else { "," })?;
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
        let (place, numbers) = match text.split_once("://") {
            Some((scheme, host)) => {
                let (host, numbers) = host.split_once('/').unwrap_or((host, ""));
                if scheme != "ws" || !host.contains(':') || host.starts_with(':') {
                    return Err(Error::ServerAddress { value: text.to_owned() });
                }
                (Place::Server(format!("ws://{host}")), Some(numbers).filter(|numbers| !numbers.is_empty()))
            }
            None => {
                let (name, numbers) =
                    text.split_once(':').map_or((text, None), |(name, rest)| (name, Some(rest)));
                (Place::Here(name.parse()?), numbers)
            }
        };
        let number = |text: &str| text.parse().map_err(|_| Error::DeviceNumber { value: text.to_owned() });
        let numbers = numbers.map_or(Ok(Vec::new()), |numbers| numbers.split(',').map(number).collect());
        Ok(Self { place, numbers: numbers? })
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
        for text in ["flex", "cuda:1", "wgpu:0,1,1", "ws://gpu:3000", "ws://[::1]:3000/0,1"] {
            assert_eq!(
                text.parse::<Devices>().map(|devices| devices.to_string()).ok().as_deref(),
                Some(text)
            );
        }
        for (text, told) in [
            ("cuda:", "\"\""),
            ("cuda:one", "one"),
            ("cuda:0,", "\"\""),
            ("gpu:0", "gpu"),
            ("cuda:-1", "-1"),
            ("ws://gpu:3000/x", "\"x\""),
            ("wss://gpu:3000", "ws://HOST:PORT"),
            ("ws://gpu", "ws://HOST:PORT"),
            ("ws://:3000", "ws://HOST:PORT"),
        ] {
            let error = text.parse::<Devices>().expect_err("no devices").to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }

    #[test]
    fn a_device_that_is_not_there_is_refused_with_those_that_are() {
        let flex = |numbers| Devices::new(Place::Here(Backend::Flex), numbers);
        assert_eq!(flex(vec![0, 0]).open().expect("the CPU, twice").len(), 2);
        let error = flex(vec![0, 3]).open().expect_err("a CPU is one device").to_string();
        assert!(error.contains("flex:3") && error.contains("flex:0"), "{error}");
    }
}
