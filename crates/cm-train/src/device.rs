//! Which backend computes: chosen by Cargo feature, asked for by name.

use std::{fmt, panic, str::FromStr};

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::Error;

/// A backend of Burn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// Pure Rust on the CPU, with SIMD and threads; the default.
    Flex,
    /// The ndarray crate on the CPU; slow at convolutions.
    Ndarray,
    /// WebGPU shaders.
    Wgpu,
    /// Vulkan (SPIR-V).
    Vulkan,
    /// Metal.
    Metal,
    /// NVIDIA CUDA.
    Cuda,
    /// AMD ROCm.
    Rocm,
}

impl Backend {
    /// Every backend, the preferred first: the one that is used when none is asked for is the first compiled in.
    pub const ALL: [Self; 7] =
        [Self::Cuda, Self::Rocm, Self::Metal, Self::Vulkan, Self::Wgpu, Self::Flex, Self::Ndarray];

    /// Name of the backend, of its Cargo feature, and of its value for `--backend`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flex => "flex",
            Self::Ndarray => "ndarray",
            Self::Wgpu => "wgpu",
            Self::Vulkan => "vulkan",
            Self::Metal => "metal",
            Self::Cuda => "cuda",
            Self::Rocm => "rocm",
        }
    }

    /// Whether the program was built with this backend.
    pub fn is_compiled_in(self) -> bool {
        match self {
            Self::Flex => cfg!(feature = "flex"),
            Self::Ndarray => cfg!(feature = "ndarray"),
            Self::Wgpu => cfg!(feature = "wgpu"),
            Self::Vulkan => cfg!(feature = "vulkan"),
            Self::Metal => cfg!(feature = "metal"),
            Self::Cuda => cfg!(feature = "cuda"),
            Self::Rocm => cfg!(feature = "rocm"),
        }
    }

    /// The backend asked for, or the preferred one of those compiled in.
    ///
    /// # Errors
    ///
    /// [`Error::BackendMissing`] if it was not compiled in.
    pub fn choose(asked: Option<Self>) -> Result<Self, Error> {
        let chosen = asked.or_else(|| Self::ALL.into_iter().find(|backend| backend.is_compiled_in()));
        let chosen = chosen.unwrap_or(Self::Flex);
        if chosen.is_compiled_in() { Ok(chosen) } else { Err(Error::BackendMissing { backend: chosen }) }
    }

    /// The first device of this backend, after it has added two numbers.
    ///
    /// # Errors
    ///
    /// [`Error::BackendMissing`] if the backend was not compiled in, [`Error::DeviceUnavailable`] if the machine
    /// has no such device or its driver fails.
    pub fn device(self) -> Result<Device, Error> {
        if !self.is_compiled_in() {
            return Err(Error::BackendMissing { backend: self });
        }
        // Burn panics where a driver or a device is missing; the message becomes an error and nothing else prints.
        let hook = panic::take_hook();
        panic::set_hook(Box::new(|_| ()));
        let probe = panic::catch_unwind(|| {
            let device = self.open();
            let sum = (Tensor::<1>::ones([2], &device) + 1.0).sum().try_into_scalar::<f32>();
            (device, sum)
        });
        panic::set_hook(hook);
        let unavailable = |reason| Error::DeviceUnavailable { backend: self, reason };
        match probe {
            Ok((device, Ok(4.0))) => Ok(device),
            Ok((_, Ok(sum))) => Err(unavailable(format!("2 + 2 gave {sum}"))),
            Ok((_, Err(error))) => Err(unavailable(format!("{error:?}"))),
            Err(panic) => Err(unavailable(panic_message(panic.as_ref()))),
        }
    }

    #[allow(unreachable_code, deprecated, reason = "one arm a feature; ndarray is deprecated in Burn 0.22")]
    fn open(self) -> Device {
        match self {
            #[cfg(feature = "flex")]
            Self::Flex => Device::flex(),
            #[cfg(feature = "ndarray")]
            Self::Ndarray => Device::ndarray(),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
            #[cfg(feature = "vulkan")]
            Self::Vulkan => Device::vulkan(burn::tensor::DeviceKind::DefaultDevice),
            #[cfg(feature = "metal")]
            Self::Metal => Device::metal(burn::tensor::DeviceKind::DefaultDevice),
            #[cfg(feature = "cuda")]
            Self::Cuda => Device::cuda(0),
            #[cfg(feature = "rocm")]
            Self::Rocm => Device::rocm(0),
            #[allow(unreachable_patterns, reason = "every backend may be compiled in")]
            _ => unreachable!("{self} was checked to be compiled in"),
        }
    }
}

/// The text of a panic.
pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Backend {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|backend| backend.name() == name);
        found.ok_or_else(|| Error::UnknownBackend { name: name.to_owned() })
    }
}
