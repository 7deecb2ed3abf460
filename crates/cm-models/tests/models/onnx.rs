//! Networks as ONNX graphs.

use std::collections::HashSet;

use burn::tensor::Device;
use cm_models::{
    BackboneConfig, ResNet3dConfig, ResNet18Config, Stem,
    onnx::{Graph, proto::ModelProto},
};
use prost::Message;

use crate::shared::{flat, iresnet18, mobilefacenet, resnet50};

/// What a runtime asks of a graph before it computes: `tools/onnx_check.py` has one compute.
#[test]
fn the_graph_of_every_backbone_is_whole_and_in_order_with_all_of_its_numbers() {
    let stem = |stem| BackboneConfig::ResNet18(ResNet18Config { stem, width: 2 });
    let configs = [
        (BackboneConfig::lenet_pp(2), "PRelu"),
        (BackboneConfig::cifar_resnet(2, 2), "Relu"),
        (flat(), "Flatten"),
        (BackboneConfig::ResNet3d(ResNet3dConfig { width: 2, blocks: 1 }), "Reshape"),
        (stem(Stem::Cifar), "BatchNormalization"),
        (stem(Stem::Small), "GlobalAveragePool"),
        (stem(Stem::Imagenet), "MaxPool"),
        (BackboneConfig::sphereface20(2), "Add"),
        (resnet50(), "MaxPool"),
        (iresnet18(), "BatchNormalization"),
        (mobilefacenet(), "Gemm"),
    ];
    for (config, operation) in configs {
        let sides = if operation == "Reshape" { [8, 12, 10] } else { [3, 32, 40] };
        let network = config.init(sides, 5, &Device::flex()).expect("the sizes are good");
        let mut graph = Graph::new("test");
        let input = graph.input("pixels", &sides);
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
