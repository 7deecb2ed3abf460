//! Files that PyTorch writes.

use std::{collections::BTreeMap, path::Path};

use pytorch_reader::{DType, PytorchReader, Tensor};
use safetensors::Dtype;

use super::{WeightsError, container::Stored};

/// The tensors of a file that `torch.save` wrote: of a state dict, or of one inside a checkpoint,
/// whose names then begin with its place there. They are not read before [`read`] is called.
pub(super) fn tensors(path: &Path) -> Result<BTreeMap<String, Stored<Tensor>>, WeightsError> {
    let reader = PytorchReader::new(path).map_err(|error| foreign(error.to_string()))?;
    let stored = |(name, tensor): (String, Tensor)| {
        (name, Stored { dtype: named(tensor.dtype()), shape: tensor.shape().to_vec(), bytes: tensor })
    };
    Ok(reader.into_tensors().into_iter().map(stored).collect())
}

/// The numbers of a tensor.
pub(super) fn read(tensor: &Tensor) -> Result<Vec<u8>, WeightsError> {
    tensor.read().map_err(|error| foreign(error.to_string()))
}

fn foreign(reason: String) -> WeightsError {
    WeightsError::Foreign { reason }
}

fn named(dtype: DType) -> Dtype {
    match dtype {
        DType::F64 => Dtype::F64,
        DType::F32 => Dtype::F32,
        DType::F16 => Dtype::F16,
        DType::BF16 => Dtype::BF16,
        DType::I64 => Dtype::I64,
        DType::I32 => Dtype::I32,
        DType::I16 => Dtype::I16,
        DType::I8 => Dtype::I8,
        DType::U64 => Dtype::U64,
        DType::U32 => Dtype::U32,
        DType::U16 => Dtype::U16,
        DType::U8 => Dtype::U8,
        DType::Bool => Dtype::BOOL,
    }
}
