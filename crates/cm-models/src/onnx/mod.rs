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
mod proto;
mod shape;

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
fn values<const D: usize>(tensor: burn::tensor::Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use burn::tensor::Device;

    use super::*;
    use crate::{BackboneConfig, ResNet18Config, Stem};

    /// What a runtime asks of a graph before it computes: `tools/onnx_check.py` has one compute.
    #[test]
    fn the_graph_of_every_backbone_is_whole_and_in_order_with_all_of_its_numbers() {
        let stem = |stem| BackboneConfig::ResNet18(ResNet18Config { stem, width: 2 });
        let configs = [
            (BackboneConfig::lenet_pp(2), "PRelu"),
            (stem(Stem::Cifar), "BatchNormalization"),
            (stem(Stem::Small), "GlobalAveragePool"),
            (stem(Stem::Imagenet), "MaxPool"),
            (BackboneConfig::sphereface20(2), "Add"),
        ];
        for (config, operation) in configs {
            let network = config.init([3, 32, 40], 5, &Device::flex()).expect("the sizes are good");
            let mut graph = Graph::new("test");
            let input = graph.input("pixels", &[3, 32, 40]);
            let features = network.export(&mut graph, &input);
            graph.output(&features, "features", &[5]);
            let bytes = graph.into_bytes("1.2.3", &[("classes", "[\"a\"]".to_owned())]);
            let model = ModelProto::decode(&bytes[..]).expect("it was encoded so");
            assert_eq!((model.ir_version, model.opset_import[0].version), (Some(8), Some(17)));
            assert_eq!(model.metadata_props[0].value, "[\"a\"]");
            let graph = model.graph.expect("a graph");
            let mut known: HashSet<&str> = graph.input.iter().map(|input| input.name.as_str()).collect();
            for tensor in &graph.initializer {
                let count: i64 = tensor.dims.iter().product();
                let size = if tensor.data_type == Some(1) { 4 } else { 8 };
                assert_eq!(tensor.raw_data.len() as i64, size * count, "{}", tensor.name);
                assert!(known.insert(&tensor.name), "{} is there twice", tensor.name);
            }
            for node in &graph.node {
                for input in &node.input {
                    assert!(known.contains(input.as_str()), "{}: {input} comes later or never", node.name);
                }
                assert!(node.output.iter().all(|output| known.insert(output)), "{}", node.name);
            }
            assert!(graph.node.iter().any(|node| node.op_type == operation), "{config:?}: no {operation}");
            let output = &graph.output[0];
            let shape = output.r#type.as_ref().and_then(|found| found.tensor_type.as_ref()?.shape.as_ref());
            let sides = &shape.expect("a shape").dim;
            assert_eq!((sides[0].dim_param.as_deref(), sides[1].dim_value), (Some("batch"), Some(5)));
            assert!(known.contains(output.name.as_str()));
        }
    }
}
