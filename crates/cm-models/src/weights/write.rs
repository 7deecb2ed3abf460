//! From a module to tensors of a file.

use std::collections::BTreeMap;

use burn::{
    module::{Module, ModuleVisitor, Param, Parameter},
    tensor::{Bool, DType, Int, Tensor, kind::Basic},
};
use safetensors::Dtype;

use super::{
    WeightsError,
    container::Stored,
    names::{Place, transposed},
};

/// Every tensor of a module, by name.
pub(super) fn tensors<M: Module>(module: &M) -> Result<BTreeMap<String, Stored<Vec<u8>>>, WeightsError> {
    let mut collector = Collector { place: Place::default(), tensors: Ok(BTreeMap::new()) };
    module.visit(&mut collector);
    collector.tensors
}

struct Collector {
    place: Place,
    /// What was collected, or the first failure.
    tensors: Result<BTreeMap<String, Stored<Vec<u8>>>, WeightsError>,
}

impl Collector {
    fn take<const D: usize, K: Basic>(&mut self, param: &Param<Tensor<D, K>>)
    where
        Tensor<D, K>: Parameter,
    {
        let Ok(tensors) = &mut self.tensors else { return };
        let name = self.place.name();
        match stored(param, &name, self.place.is_transposed()) {
            Ok(tensor) => {
                tensors.insert(name, tensor);
            }
            Err(error) => self.tensors = Err(error),
        }
    }
}

fn stored<const D: usize, K: Basic>(
    param: &Param<Tensor<D, K>>,
    name: &str,
    is_transposed: bool,
) -> Result<Stored<Vec<u8>>, WeightsError>
where
    Tensor<D, K>: Parameter,
{
    let name = || name.to_owned();
    let data = param.transform_for_save().val().try_into_data();
    let data = data.map_err(|error| WeightsError::Unreadable { name: name(), reason: error.to_string() })?;
    let dtype = named(data.dtype());
    let dtype = dtype
        .ok_or_else(|| WeightsError::Unsupported { name: name(), dtype: format!("{:?}", data.dtype()) })?;
    let mut shape = data.shape().to_vec();
    let mut bytes = match dtype {
        // Backends differ in how wide a truth value is.
        Dtype::BOOL => data.iter::<bool>().map(u8::from).collect(),
        _ => data.into_bytes().to_vec(),
    };
    if let (true, &[rows, columns]) = (is_transposed, &shape[..]) {
        bytes = transposed(&bytes, [rows, columns], dtype.bitsize() / 8);
        shape.reverse();
    }
    Ok(Stored { dtype, shape, bytes })
}

/// The name of a type in the format.
fn named(dtype: DType) -> Option<Dtype> {
    Some(match dtype {
        DType::F64 => Dtype::F64,
        DType::F32 | DType::Flex32 => Dtype::F32,
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
        DType::Bool(_) => Dtype::BOOL,
        _ => return None,
    })
}

impl ModuleVisitor for Collector {
    fn enter_module(&mut self, name: &str, owner: &str) {
        self.place.enter(name, owner);
    }

    fn exit_module(&mut self, _: &str, owner: &str) {
        self.place.exit(owner);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.take(param);
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        self.take(param);
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        self.take(param);
    }
}
