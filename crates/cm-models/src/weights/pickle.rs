//! Files that PyTorch writes.

use std::{collections::BTreeMap, fs, path::Path};

use pytorch_reader::{DType, PytorchReader, Tensor};
use safetensors::Dtype;

use super::{WeightsError, container::Stored};

/// As many times as large as its file may a tensor be: what Deflate makes of a byte at most. A view that repeats a number, as
/// PyTorch's `expand` gives it, may be of any size.
const LARGEST: usize = 1032;

/// A tensor of a file, not read yet.
#[derive(Debug, Clone)]
pub(super) struct Unread {
    tensor: Tensor,
    /// Bytes of the file.
    file: usize,
}

/// The tensors of a file that `torch.save` wrote: of a state dict, or of one inside a checkpoint,
/// whose names then begin with its place there. They are not read before [`read`] is called.
pub(super) fn tensors(path: &Path) -> Result<BTreeMap<String, Stored<Unread>>, WeightsError> {
    let reader = PytorchReader::new(path).map_err(|error| foreign(error.to_string()))?;
    let file = usize::try_from(fs::metadata(path)?.len()).unwrap_or(usize::MAX);
    let stored = |(name, tensor): (String, Tensor)| {
        let (dtype, shape) = (named(tensor.dtype()), tensor.shape().to_vec());
        (name, Stored { dtype, shape, bytes: Unread { tensor, file } })
    };
    Ok(reader.into_tensors().into_iter().map(stored).collect())
}

/// The numbers of a tensor.
pub(super) fn read(Unread { tensor, file }: &Unread) -> Result<Vec<u8>, WeightsError> {
    if tensor.byte_len() > file.saturating_mul(LARGEST) {
        let (name, bytes) = (&tensor.name, tensor.byte_len());
        return Err(foreign(format!("the tensor {name} has {bytes} bytes and its file {file}")));
    }
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
