//! The class centers of a head from elsewhere.

use std::{collections::BTreeMap, fs, path::Path};

use burn::tensor::TensorData;

use super::{
    WeightsError,
    container::{self, Stored},
    foreign::is_safetensors,
    pickle,
    read::{Kind, data},
};

/// What the last part of a name tells: what the tensor is, and how it lies.
struct Name {
    last: &'static str,
    /// Whether nothing but a head has a tensor of this name.
    is_a_heads: bool,
    has_class_columns: bool,
}

const NAMES: [Name; 6] = [
    Name { last: "class_centers", is_a_heads: true, has_class_columns: false },
    Name { last: "kernel", is_a_heads: true, has_class_columns: true },
    Name { last: "proxies", is_a_heads: true, has_class_columns: false },
    Name { last: "w", is_a_heads: true, has_class_columns: true },
    Name { last: "W", is_a_heads: true, has_class_columns: true },
    Name { last: "weight", is_a_heads: false, has_class_columns: false },
];

/// What insightface's checkpoints have before the tensors of the head.
const OF_INSIGHTFACE: &str = "state_dict_softmax_fc.";

/// The class centers in a file that another program wrote, `[classes · sub_centers, feature_dim]`,
/// as `Head::with_class_centers` takes them.
///
/// The file is one of PyTorch (`.pth`, `.pt`, `.ckpt`: a state dict, or a checkpoint with one in
/// it) or safetensors; its content tells which. Of its tensors of two dimensions, one of which is
/// `feature_dim`, this is the one whose name ends in
///
/// | End of the name | Written by | Its rows are |
/// |---|---|---|
/// | `class_centers` | this project | classes |
/// | `kernel` | AdaFace, CurricularFace, CVLface | features |
/// | `w` | OpenSphere | features |
/// | `W` | pytorch-metric-learning, ArcFace and its kind | features |
/// | `proxies` | pytorch-metric-learning, ProxyAnchor | classes |
/// | `weight` | insightface (classes), MagFace (features), any linear layer (classes) | by the shape |
///
/// A `weight` is taken only where none of the others is there, but for that of
/// `state_dict_softmax_fc` in a whole checkpoint of insightface. Where several remain, as in a
/// checkpoint of a whole network, `name` chooses one: its full name. The shape tells which way
/// round a tensor lies, and the table does where there are as many classes as features.
///
/// # Errors
///
/// [`WeightsError::Io`], [`WeightsError::Damaged`] or [`WeightsError::Foreign`] if the file cannot
/// be read; [`WeightsError::NoCenters`] if no tensor fits, or not the one of this name;
/// [`WeightsError::ManyCenters`] if several do.
pub fn class_centers(
    path: &Path,
    feature_dim: usize,
    name: Option<&str>,
) -> Result<TensorData, WeightsError> {
    if is_safetensors(path)? {
        let bytes = fs::read(path)?;
        chosen(container::tensors(&bytes)?, feature_dim, name, |bytes| Ok(bytes.to_vec()))
    } else {
        chosen(pickle::tensors(path)?, feature_dim, name, pickle::read)
    }
}

fn chosen<B>(
    found: BTreeMap<String, Stored<B>>,
    feature_dim: usize,
    name: Option<&str>,
    read: impl Fn(&B) -> Result<Vec<u8>, WeightsError>,
) -> Result<TensorData, WeightsError> {
    let fits: Vec<_> = found
        .iter()
        .filter(|(full, stored)| match name {
            Some(name) => name == *full,
            None => is_a_heads(full) && holds(stored, feature_dim),
        })
        .collect();
    let fits = match (name, fits.is_empty()) {
        (None, true) => found
            .iter()
            .filter(|(full, stored)| named(full).is_some() && holds(stored, feature_dim))
            .collect(),
        _ => fits,
    };
    let listed = |tensors: &mut dyn Iterator<Item = (&String, &Stored<B>)>| -> Vec<String> {
        tensors.map(|(full, stored)| format!("{full} {:?}", stored.shape)).collect()
    };
    let (full, stored) = match fits[..] {
        [one] if holds(one.1, feature_dim) => one,
        [] | [_] => {
            let tensors = listed(&mut found.iter());
            return Err(WeightsError::NoCenters { feature_dim, tensors });
        }
        _ => return Err(WeightsError::ManyCenters { tensors: listed(&mut fits.into_iter()) }),
    };
    let has_class_columns = match stored.shape[..] {
        [rows, columns] if rows == columns => named(full).is_some_and(|name| name.has_class_columns),
        [_, columns] => columns != feature_dim,
        _ => unreachable!("class centers have two dimensions"),
    };
    let stored = Stored { dtype: stored.dtype, shape: stored.shape.clone(), bytes: read(&stored.bytes)? };
    data(&stored, has_class_columns)
        .map_err(|reason| WeightsError::Damaged { reason: format!("the tensor {full}: {reason}") })
}

fn named(full: &str) -> Option<&'static Name> {
    let last = full.rsplit('.').next();
    NAMES.iter().find(|name| Some(name.last) == last)
}

/// Whether nothing but a head has a tensor of this name.
fn is_a_heads(full: &str) -> bool {
    full.starts_with(OF_INSIGHTFACE) || named(full).is_some_and(|name| name.is_a_heads)
}

fn holds<B>(stored: &Stored<B>, feature_dim: usize) -> bool {
    let is_float = Kind::of(stored.dtype) == Some(Kind::Float);
    is_float && stored.shape.len() == 2 && stored.shape.contains(&feature_dim)
}
