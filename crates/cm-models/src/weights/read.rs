//! From tensors of a file to a module.

use std::collections::BTreeMap;

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param, Parameter},
    tensor::{Bool, DType, Int, Tensor, TensorData, kind::Basic},
};
use safetensors::Dtype;

use super::{
    WeightsError,
    container::Stored,
    names::{Place, transposed},
};

/// What a tensor of a module holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Float,
    Int,
    Bool,
}

impl Kind {
    pub fn of(dtype: Dtype) -> Option<Self> {
        Some(match dtype {
            Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::BF16 => Self::Float,
            Dtype::I64 | Dtype::I32 | Dtype::I16 | Dtype::I8 => Self::Int,
            Dtype::U64 | Dtype::U32 | Dtype::U16 | Dtype::U8 => Self::Int,
            Dtype::BOOL => Self::Bool,
            _ => return None,
        })
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Float => "floating-point numbers",
            Self::Int => "whole numbers",
            Self::Bool => "truth values",
        }
    }
}

/// A tensor that a module has room for.
#[derive(Debug)]
pub(super) struct Wanted {
    /// In PyTorch's layout.
    pub shape: Vec<usize>,
    kind: Kind,
    is_transposed: bool,
}

impl Wanted {
    /// Why this tensor of a file cannot be taken, in words that follow its name.
    pub fn refusal<B>(&self, found: &Stored<B>) -> Option<String> {
        if Kind::of(found.dtype) != Some(self.kind) {
            let (found, wanted) = (found.dtype, self.kind.in_words());
            return Some(format!("is {found} in the file and {wanted} in the network"));
        }
        let shapes = (&found.shape, &self.shape);
        (found.shape != self.shape)
            .then(|| format!("is {:?} in the file and {:?} in the network", shapes.0, shapes.1))
    }
}

/// The tensors of a module, by name.
pub(super) fn wanted<M: Module>(module: &M) -> BTreeMap<String, Wanted> {
    let mut survey = Survey { place: Place::default(), wanted: BTreeMap::new() };
    module.visit(&mut survey);
    survey.wanted
}

/// One sentence for each tensor that is not the same in a file and in a module.
pub(super) fn differences<B>(
    wanted: &BTreeMap<String, Wanted>,
    found: &BTreeMap<String, Stored<B>>,
) -> Vec<String> {
    let missing = wanted.iter().filter(|(name, _)| !found.contains_key(*name));
    let missing = missing.map(|(name, wanted)| format!("{name} {:?} is not in the file", wanted.shape));
    let unexpected = found.iter().filter(|(name, _)| !wanted.contains_key(*name));
    let unexpected =
        unexpected.map(|(name, found)| format!("{name} {:?} is not in the network", found.shape));
    let unlike = wanted.iter().filter_map(|(name, wanted)| {
        let refusal = wanted.refusal(found.get(name)?)?;
        Some(format!("{name} {refusal}"))
    });
    missing.chain(unexpected).chain(unlike).collect()
}

/// Tensors of a file as Burn has them. All of them must be wanted as they are.
pub(super) fn prepared<B: AsRef<[u8]>>(
    wanted: &BTreeMap<String, Wanted>,
    found: BTreeMap<String, Stored<B>>,
) -> Result<BTreeMap<String, TensorData>, WeightsError> {
    let data = |(name, stored): (String, Stored<B>)| {
        let is_transposed = wanted.get(&name).is_some_and(|wanted| wanted.is_transposed);
        let data = data(&stored, is_transposed)
            .map_err(|reason| WeightsError::Damaged { reason: format!("the tensor {name}: {reason}") })?;
        Ok((name, data))
    };
    found.into_iter().map(data).collect()
}

/// One tensor as Burn has it, with its two dimensions exchanged if asked for.
pub(super) fn data<B: AsRef<[u8]>>(stored: &Stored<B>, is_transposed: bool) -> Result<TensorData, String> {
    let dtype = stored.dtype;
    let mut bytes = stored.bytes.as_ref().to_vec();
    let mut shape = stored.shape.clone();
    if let (true, &[rows, columns]) = (is_transposed, &shape[..]) {
        bytes = transposed(&bytes, [rows, columns], dtype.bitsize() / 8);
        shape.reverse();
    }
    let dtype = match dtype {
        Dtype::F64 => DType::F64,
        Dtype::F32 => DType::F32,
        Dtype::F16 => DType::F16,
        Dtype::BF16 => DType::BF16,
        Dtype::I64 => DType::I64,
        Dtype::I32 => DType::I32,
        Dtype::I16 => DType::I16,
        Dtype::I8 => DType::I8,
        Dtype::U64 => DType::U64,
        Dtype::U32 => DType::U32,
        Dtype::U16 => DType::U16,
        Dtype::U8 => DType::U8,
        Dtype::BOOL => {
            let values: Vec<bool> = bytes.iter().map(|&byte| byte != 0).collect();
            return Ok(TensorData::new(values, shape));
        }
        other => return Err(format!("{other} cannot be read")),
    };
    TensorData::try_from_bytes_vec(bytes, shape, dtype).map_err(|error| error.to_string())
}

struct Survey {
    place: Place,
    wanted: BTreeMap<String, Wanted>,
}

impl Survey {
    fn note<const D: usize, K: Basic>(&mut self, param: &Param<Tensor<D, K>>, kind: Kind)
    where
        Tensor<D, K>: Parameter,
    {
        let mut shape = param.lazy_shape().to_vec();
        let is_transposed = self.place.is_transposed();
        if is_transposed {
            shape.reverse();
        }
        self.wanted.insert(self.place.name(), Wanted { shape, kind, is_transposed });
    }
}

impl ModuleVisitor for Survey {
    fn enter_module(&mut self, name: &str, owner: &str) {
        self.place.enter(name, owner);
    }

    fn exit_module(&mut self, _: &str, owner: &str) {
        self.place.exit(owner);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.note(param, Kind::Float);
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        self.note(param, Kind::Int);
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        self.note(param, Kind::Bool);
    }
}

/// Puts tensors in their places, and leaves the others as they are.
pub(super) struct Filler {
    place: Place,
    tensors: BTreeMap<String, TensorData>,
}

impl Filler {
    /// The module with these tensors, which have the shapes and kinds of its own.
    pub fn fill<M: Module>(module: M, tensors: BTreeMap<String, TensorData>) -> M {
        // A running statistic that keeps an update aside would replace what is put in its place.
        drop(module.valid());
        module.map(&mut Self { place: Place::default(), tensors })
    }

    fn put<const D: usize, K: Basic>(&mut self, param: Param<Tensor<D, K>>) -> Param<Tensor<D, K>>
    where
        Tensor<D, K>: Parameter,
    {
        let Some(data) = self.tensors.remove(&self.place.name()) else { return param };
        let (id, device, dtype) = (param.id, param.lazy_device(), param.val().dtype());
        param.transform_for_load(Tensor::from_data(data, (&device, dtype)), id)
    }
}

impl ModuleMapper for Filler {
    fn enter_module(&mut self, name: &str, owner: &str) {
        self.place.enter(name, owner);
    }

    fn exit_module(&mut self, _: &str, owner: &str) {
        self.place.exit(owner);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.put(param)
    }

    fn map_int<const D: usize>(&mut self, param: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        self.put(param)
    }

    fn map_bool<const D: usize>(&mut self, param: Param<Tensor<D, Bool>>) -> Param<Tensor<D, Bool>> {
        self.put(param)
    }
}
