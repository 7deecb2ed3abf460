//! The safetensors format: eight bytes with the length of a header, the header in JSON, and the
//! tensors one after another. Its description is at <https://huggingface.co/docs/safetensors>.

use std::{cmp::Reverse, collections::BTreeMap};

use safetensors::{
    Dtype,
    tensor::{Metadata, TensorInfo},
};
use serde::Serialize;

use super::WeightsError;

/// Bytes of the number that tells the length of the header.
const PREFIX: usize = 8;

/// A tensor as it stands in a file.
#[derive(Debug, Clone)]
pub(super) struct Stored<B> {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub bytes: B,
}

/// The tensors of a file, by name.
pub(super) fn tensors(bytes: &[u8]) -> Result<BTreeMap<String, Stored<&[u8]>>, WeightsError> {
    let (header, data) = header(bytes)?;
    let told = header.data_len();
    if told != data.len() {
        let found = data.len();
        return Err(damaged(format!("it tells of {told} bytes of tensors and has {found}")));
    }
    let mut tensors = BTreeMap::new();
    for (name, info) in header.tensors() {
        let (start, end) = info.data_offsets;
        let bytes = data.get(start..end);
        let bytes = bytes.ok_or_else(|| damaged(format!("the tensor {name} lies outside of it")))?;
        tensors.insert(name, Stored { dtype: info.dtype, shape: info.shape.clone(), bytes });
    }
    Ok(tensors)
}

/// The header of a file, and what comes after it.
pub(super) fn header(bytes: &[u8]) -> Result<(Metadata, &[u8]), WeightsError> {
    let (prefix, rest) = bytes
        .split_first_chunk::<PREFIX>()
        .ok_or_else(|| damaged(format!("it has {} bytes, and even an empty one has more", bytes.len())))?;
    let length = u64::from_le_bytes(*prefix);
    let split = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length));
    let Some((header, data)) = split else {
        let found = rest.len();
        return Err(damaged(format!("it tells of a header of {length} bytes, and {found} bytes follow")));
    };
    let header = serde_json::from_slice(header).map_err(|error| damaged(format!("its header: {error}")))?;
    Ok((header, data))
}

/// The metadata in a header.
pub(super) fn metadata(header: &Metadata) -> BTreeMap<String, String> {
    header.metadata().iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
}

// The implementation by the authors of the format keeps metadata in the order of a hash map, which
// is another one each time.
#[derive(Serialize)]
struct Header<'a> {
    #[serde(rename = "__metadata__", skip_serializing_if = "BTreeMap::is_empty")]
    metadata: &'a BTreeMap<String, String>,
    #[serde(flatten)]
    tensors: BTreeMap<&'a str, TensorInfo>,
}

/// A file of these tensors.
pub(super) fn write(
    metadata: &BTreeMap<String, String>,
    tensors: BTreeMap<String, Stored<Vec<u8>>>,
) -> Vec<u8> {
    // The widest numbers come first, so that all lie at multiples of their width.
    let mut ordered: Vec<_> = tensors.iter().collect();
    ordered.sort_by_key(|(name, tensor)| (Reverse(tensor.dtype), *name));
    let mut end = 0;
    let infos = ordered.iter().map(|(name, tensor)| {
        let start = end;
        end += tensor.bytes.len();
        let (dtype, shape) = (tensor.dtype, tensor.shape.clone());
        (name.as_str(), TensorInfo { dtype, shape, data_offsets: (start, end) })
    });
    let header = Header { metadata, tensors: infos.collect() };
    let Ok(mut header) = serde_json::to_vec(&header) else {
        unreachable!("texts and numbers can always be written as JSON")
    };
    header.resize(header.len().next_multiple_of(PREFIX), b' ');
    let mut bytes = Vec::with_capacity(PREFIX + header.len() + end);
    bytes.extend((header.len() as u64).to_le_bytes());
    bytes.extend(header);
    ordered.iter().for_each(|(_, tensor)| bytes.extend(&tensor.bytes));
    bytes
}

fn damaged(reason: String) -> WeightsError {
    WeightsError::Damaged { reason }
}
