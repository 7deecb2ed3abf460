//! Networks as ONNX graphs, for programs that know nothing of Burn.
//!
//! A [`Graph`] is built operation by operation; each function here adds one and gives the name of its result. A file an
//! operation (or a few that belong together): to add one, a file and its line below.

mod activation;
mod arithmetic;
mod batch_norm;
mod convolution;
mod linear;
mod pooling;
pub mod proto;
mod shape;

use burn::tensor::Tensor;
use prost::Message;

use proto::{
    Attribute, Dimension, GraphProto, ModelProto, NodeProto, OperatorSetId, StringEntry, TensorProto,
    TensorShape, TensorType, TypeProto, ValueInfo,
};

/// Version of ONNX's set of operations that graphs are written in.
pub const OPSET: i64 = 17;

/// Version of the file format that goes with it.
const IR_VERSION: i64 = 8;

/// A name of what an operation gives.
pub type Value = String;

/// A graph that grows by its operations.
#[derive(Debug, Default)]
pub struct Graph {
    graph: GraphProto,
}

impl Graph {
    /// An empty graph of this name.
    pub fn new(name: &str) -> Self {
        Self { graph: GraphProto { name: name.to_owned(), ..GraphProto::default() } }
    }

    /// What goes in: 32-bit floats of this shape below the batch, which may have any size.
    pub fn input(&mut self, name: &str, shape: &[usize]) -> Value {
        self.graph.input.push(info(name, shape));
        name.to_owned()
    }

    /// Gives a value a name under which it comes out, with its shape below the batch.
    pub fn output(&mut self, value: &Value, name: &str, shape: &[usize]) {
        self.push("Identity", &[value], name.to_owned(), Vec::new());
        self.graph.output.push(info(name, shape));
    }

    /// Numbers that belong to the graph.
    ///
    /// # Panics
    ///
    /// If they are not as many as the shape asks for.
    pub fn constant(&mut self, shape: &[usize], values: &[f32]) -> Value {
        assert_eq!(shape.iter().product::<usize>(), values.len(), "numbers of the shape {shape:?}");
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.initializer(shape, 1, bytes)
    }

    /// The numbers of a tensor, such as the weights of a layer.
    fn tensor<const D: usize>(&mut self, tensor: Tensor<D>) -> Value {
        self.constant(&tensor.dims(), &values(tensor))
    }

    /// One number.
    pub fn scalar(&mut self, value: f64) -> Value {
        self.constant(&[], &[value as f32])
    }

    /// Whole numbers that belong to the graph, such as a shape.
    fn integers(&mut self, values: &[i64]) -> Value {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.initializer(&[values.len()], 7, bytes)
    }

    fn initializer(&mut self, shape: &[usize], data_type: i32, raw_data: Vec<u8>) -> Value {
        let name = format!("constant_{}", self.graph.initializer.len());
        let dims = shape.iter().map(|&side| side as i64).collect();
        let tensor = TensorProto { dims, data_type: Some(data_type), name: name.clone(), raw_data };
        self.graph.initializer.push(tensor);
        name
    }

    /// Adds an operation with one result.
    fn node(&mut self, operation: &str, inputs: &[&Value], attributes: Vec<Attribute>) -> Value {
        let name = format!("{}_{}", operation.to_lowercase(), self.graph.node.len());
        self.push(operation, inputs, name.clone(), attributes);
        name
    }

    fn push(&mut self, operation: &str, inputs: &[&Value], output: Value, attribute: Vec<Attribute>) {
        self.graph.node.push(NodeProto {
            input: inputs.iter().map(|&input| input.clone()).collect(),
            output: vec![output],
            name: format!("{operation} {}", self.graph.node.len()),
            op_type: operation.to_owned(),
            attribute,
        });
    }

    /// The bytes of the file, with texts by their names.
    pub fn into_bytes(self, version: &str, metadata: &[(&str, String)]) -> Vec<u8> {
        let entry =
            |(key, value): &(&str, String)| StringEntry { key: (*key).to_owned(), value: value.clone() };
        ModelProto {
            ir_version: Some(IR_VERSION),
            producer_name: "cm-loss".to_owned(),
            producer_version: version.to_owned(),
            graph: Some(self.graph),
            opset_import: vec![OperatorSetId { domain: String::new(), version: Some(OPSET) }],
            metadata_props: metadata.iter().map(entry).collect(),
        }
        .encode_to_vec()
    }
}

fn info(name: &str, shape: &[usize]) -> ValueInfo {
    let batch = Dimension { dim_value: None, dim_param: Some("batch".to_owned()) };
    let side = |&side: &usize| Dimension { dim_value: Some(side as i64), dim_param: None };
    let shape = TensorShape { dim: [batch].into_iter().chain(shape.iter().map(side)).collect() };
    let tensor_type = Some(TensorType { elem_type: Some(1), shape: Some(shape) });
    ValueInfo { name: name.to_owned(), r#type: Some(TypeProto { tensor_type }) }
}

fn float(name: &str, value: f64) -> Attribute {
    Attribute { name: name.to_owned(), f: Some(value as f32), kind: Some(1), ..Attribute::default() }
}

fn integer(name: &str, value: i64) -> Attribute {
    Attribute { name: name.to_owned(), i: Some(value), kind: Some(2), ..Attribute::default() }
}

fn integers(name: &str, values: &[usize]) -> Attribute {
    let ints = values.iter().map(|&value| value as i64).collect();
    Attribute { name: name.to_owned(), ints, kind: Some(7), ..Attribute::default() }
}

/// The numbers of a tensor.
fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}
