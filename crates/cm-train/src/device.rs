//! Which backend computes: chosen by Cargo feature, asked for by name; and which of its devices.

mod choice;
mod remote;

use std::{
    fmt,
    panic::{self, AssertUnwindSafe},
    str::FromStr,
};

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

pub use choice::{Devices, Place};
pub use remote::{TOKEN, connect, serve, token};

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
            Self::Wgpu => cfg!(feature = "__wgpu"),
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

    /// The default device of this backend, after it has added two numbers.
    ///
    /// # Errors
    ///
    /// [`Error::BackendMissing`] if the backend was not compiled in, [`Error::DeviceUnavailable`] if the machine
    /// has no such device or its driver fails.
    pub fn device(self) -> Result<Device, Error> {
        if !self.is_compiled_in() {
            return Err(Error::BackendMissing { backend: self });
        }
        self.try_out(|| self.open())
    }

    /// Every device of this backend, in the order of their numbers.
    ///
    /// # Errors
    ///
    /// As [`device`](Self::device).
    pub fn found(self) -> Result<Vec<Device>, Error> {
        if !self.is_compiled_in() {
            return Err(Error::BackendMissing { backend: self });
        }
        caught(|| self.enumerate()).map_err(|reason| Error::DeviceUnavailable { backend: self, reason })
    }

    /// A device, after it has added two numbers.
    fn try_out(self, open: impl FnOnce() -> Device) -> Result<Device, Error> {
        tried(|| Ok(open())).map_err(|reason| Error::DeviceUnavailable { backend: self, reason })
    }

    #[allow(unreachable_code, reason = "one arm a feature")]
    fn enumerate(self) -> Vec<Device> {
        #[cfg(any(
            feature = "__wgpu",
            feature = "vulkan",
            feature = "metal",
            feature = "cuda",
            feature = "rocm"
        ))]
        use burn::tensor::DeviceType;
        match self {
            #[cfg(feature = "__wgpu")]
            Self::Wgpu => Device::enumerate(DeviceType::Wgpu).to_vec(),
            #[cfg(feature = "vulkan")]
            Self::Vulkan => Device::enumerate(DeviceType::Vulkan).to_vec(),
            #[cfg(feature = "metal")]
            Self::Metal => Device::enumerate(DeviceType::Metal).to_vec(),
            #[cfg(feature = "cuda")]
            Self::Cuda => Device::enumerate(DeviceType::Cuda).to_vec(),
            #[cfg(feature = "rocm")]
            Self::Rocm => Device::enumerate(DeviceType::Rocm).to_vec(),
            // A CPU is one device.
            _ => vec![self.open()],
        }
    }

    #[allow(unreachable_code, deprecated, reason = "one arm a feature; ndarray is deprecated in Burn 0.22")]
    fn open(self) -> Device {
        match self {
            #[cfg(feature = "flex")]
            Self::Flex => Device::flex(),
            #[cfg(feature = "ndarray")]
            Self::Ndarray => Device::ndarray(),
            #[cfg(feature = "__wgpu")]
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

/// A device that can be had and has added two numbers; otherwise why not.
fn tried(open: impl FnOnce() -> Result<Device, String>) -> Result<Device, String> {
    let (device, sum) = caught(|| {
        let device = open()?;
        let sum = (Tensor::<1>::ones([2], &device) + 1.0).sum().try_into_scalar::<f32>();
        Ok::<_, String>((device, sum))
    })??;
    match sum {
        Ok(4.0) => Ok(device),
        Ok(sum) => Err(format!("2 + 2 gave {sum}")),
        Err(error) => Err(format!("{error:?}")),
    }
}

/// Burn panics where a driver or a device is missing; the message becomes an error and nothing else prints.
fn caught<T>(action: impl FnOnce() -> T) -> Result<T, String> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| ()));
    let result = panic::catch_unwind(AssertUnwindSafe(action));
    panic::set_hook(hook);
    result.map_err(|panic| panic_message(panic.as_ref()))
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
        let found = Self::ALL.into_iter().find(|backend| backend.name().eq_ignore_ascii_case(name));
        found.ok_or_else(|| Error::UnknownBackend { name: name.to_owned() })
    }
}
