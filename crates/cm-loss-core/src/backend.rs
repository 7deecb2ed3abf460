//! Which backend a device computes with, of those that this crate was built for.

use burn::tensor::Device;

/// A backend that this crate knows, by a Cargo feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "each is made where its feature is on")]
pub(crate) enum Backend {
    /// Burn's CPU backend.
    Flex,
    /// The older one.
    NdArray,
    /// All that compute with CubeCL: wgpu, Vulkan, Metal, CUDA, ROCm.
    Cube,
}

impl Backend {
    /// The backend of a device, with or without automatic differentiation. `None` for one that this crate was not built for:
    /// what is done then works on every backend.
    pub fn of(device: &Device) -> Option<Self> {
        #[allow(unused_imports, reason = "without any feature no backend is known")]
        use burn::backend::DispatchDevice;

        match device.clone().without_autodiff().as_dispatch() {
            #[cfg(feature = "flex")]
            DispatchDevice::Flex(_) => Some(Self::Flex),
            #[cfg(feature = "ndarray")]
            DispatchDevice::NdArray(_) => Some(Self::NdArray),
            #[cfg(feature = "__cube")]
            DispatchDevice::Cube(_) => Some(Self::Cube),
            // Which others there are depends on features of Burn.
            #[allow(unreachable_patterns)]
            _ => None,
        }
    }

    /// Whether its memory is the host's.
    pub fn is_cpu(self) -> bool {
        matches!(self, Self::Flex | Self::NdArray)
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;

    #[test]
    fn flex_is_known_as_such_with_and_without_gradients() {
        let device = Device::flex();
        assert_eq!(Backend::of(&device), Some(Backend::Flex));
        assert_eq!(Backend::of(&device.clone().autodiff()), Some(Backend::Flex));
        assert_eq!(Backend::of(&device.autodiff().gradient_checkpointing()), Some(Backend::Flex));
    }
}
