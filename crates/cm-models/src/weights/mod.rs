//! Weights in files: safetensors, under the names and in the layouts of PyTorch.
//!
//! [`save`] and [`load`] take any module of Burn. Every tensor of it is kept bit for bit: weights,
//! running statistics, counters. A tensor is named by its path, `backbone.layer1.0.conv1.weight`,
//! with these differences:
//!
//! - A variant of an enum is no part of a name.
//! - Normalizations have a `weight` and a `bias` in place of `gamma` and `beta`, and a PReLU has a
//!   `weight` in place of `alpha`.
//! - The weight of a linear layer is `[output, input]`.
//!
//! So a definition in PyTorch with fields of the same names reads the file as its state dict. The
//! fields of [`ResNet`](crate::ResNet) are named as in torchvision, those of
//! [`IResNet`](crate::IResNet) and [`MobileFaceNet`](crate::MobileFaceNet) as in insightface;
//! [`load_foreign`] reads weights that come from there, and [`class_centers`] the heads of other
//! programs.
//!
//! [`save`] and [`load`] give and take bytes, so that files are written in one place, whole or not
//! at all. No error here names the file: whoever knows it puts it before the message.

mod centers;
mod container;
mod error;
mod foreign;
mod names;
mod pickle;
mod read;
mod write;

use std::collections::BTreeMap;

use burn::module::Module;

use read::{Filler, differences, prepared, wanted};

pub use centers::class_centers;
pub use error::WeightsError;
pub use foreign::{ChannelOrder, ForeignReport, load_foreign};

/// The tensors of a module as a safetensors file. The same module and metadata give the same bytes.
///
/// What running statistics have gathered since they were last read is counted in.
///
/// # Errors
///
/// [`WeightsError::Unreadable`] if the device does not give a tensor back;
/// [`WeightsError::Unsupported`] for quantized tensors.
pub fn save<M: Module>(module: &M, metadata: &BTreeMap<String, String>) -> Result<Vec<u8>, WeightsError> {
    // A running statistic keeps its last update aside, and this collects it.
    let tensors = write::tensors(&module.valid())?;
    Ok(container::write(metadata, tensors))
}

/// The module with the tensors of a file that [`save`] wrote of the same kind of module. Devices
/// and whether tensors require gradients stay as they are in `module`; running statistics are
/// shared with its clones, which change as well. Random weights that Burn has not drawn yet are
/// drawn before they are replaced.
///
/// # Errors
///
/// [`WeightsError::Damaged`] if the file is cut short or altered; [`WeightsError::DoesNotFit`] if a
/// tensor is missing, unexpected, or of another shape or kind. Nothing is put in its place before
/// all of this is known.
pub fn load<M: Module>(module: M, bytes: &[u8]) -> Result<M, WeightsError> {
    let found = container::tensors(bytes)?;
    let wanted = wanted(&module);
    let differences = differences(&wanted, &found);
    if !differences.is_empty() {
        return Err(WeightsError::DoesNotFit { differences });
    }
    let tensors = prepared(&wanted, found)?;
    Ok(Filler::fill(module, tensors))
}

/// The metadata of a safetensors file. The beginning of the file is enough, as far as its header
/// goes.
///
/// # Errors
///
/// [`WeightsError::Damaged`] if the header is cut short or altered.
pub fn metadata(bytes: &[u8]) -> Result<BTreeMap<String, String>, WeightsError> {
    container::header(bytes).map(|(header, _)| container::metadata(&header))
}
