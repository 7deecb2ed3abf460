//! How many weights and multiply-adds the networks have, as `docs/networks.md` says.

use std::{collections::HashMap, path::Path};

use burn::tensor::Device;
use cm_models::{
    BackboneConfig,
    onnx::{
        Graph,
        proto::{ModelProto, NodeProto},
    },
};
use prost::Message;

/// Multiplications, each with an addition, of the convolutions and linear layers of a graph for one image.
fn multiply_adds(model: &ModelProto, input: [usize; 3]) -> u64 {
    let graph = model.graph.as_ref().unwrap();
    let numbers: HashMap<&str, Vec<usize>> = graph
        .initializer
        .iter()
        .map(|tensor| (&*tensor.name, tensor.dims.iter().map(|&side| side as usize).collect()))
        .collect();
    // Shapes below the batch.
    let mut shapes: HashMap<&str, Vec<usize>> = HashMap::new();
    shapes.insert(&graph.input[0].name, input.to_vec());
    let mut total = 0;
    for node in &graph.node {
        let input = shapes[&*node.input[0]].clone();
        let output = match &*node.op_type {
            "Conv" => {
                let weight = &numbers[&*node.input[1]];
                let places = windows(node, &input[1..], &weight[2..]);
                let each: usize = weight[1..].iter().product();
                total += (weight[0] * each * places.iter().product::<usize>()) as u64;
                [&weight[..1], &places].concat()
            }
            "MaxPool" => [&input[..1], &windows(node, &input[1..], &integers(node, "kernel_shape"))].concat(),
            "GlobalAveragePool" => [&input[..1], &vec![1; input.len() - 1]].concat(),
            "Flatten" => vec![input.iter().product()],
            "Reshape" if input.len() == 3 => [&[1], &input[..]].concat(),
            "Reshape" => vec![input.iter().product()],
            "Gemm" => {
                let weight = &numbers[&*node.input[1]];
                total += (weight[0] * weight[1]) as u64;
                vec![weight[1]]
            }
            "Add" | "BatchNormalization" | "Identity" | "PRelu" | "Relu" => input,
            other => panic!("{other} has no shape here"),
        };
        shapes.insert(&node.output[0], output);
    }
    total
}

fn integers(node: &NodeProto, name: &str) -> Vec<usize> {
    let found = node.attribute.iter().find(|attribute| attribute.name == name);
    found.map_or(Vec::new(), |attribute| attribute.ints.iter().map(|&value| value as usize).collect())
}

/// Places of a window along each axis.
fn windows(node: &NodeProto, image: &[usize], kernel: &[usize]) -> Vec<usize> {
    let (strides, pads) = (integers(node, "strides"), integers(node, "pads"));
    let axes = image.len();
    let along = |axis: usize| {
        let padding = pads.get(axis).unwrap_or(&0) + pads.get(axis + axes).unwrap_or(&0);
        (image[axis] + padding - kernel[axis]) / strides[axis] + 1
    };
    (0..axes).map(along).collect()
}

/// Images that a network is made for in its paper, and the dimensions of their features.
fn usual(config: &BackboneConfig) -> ([usize; 3], usize) {
    match config {
        BackboneConfig::LeNetPp(_) => ([1, 28, 28], 2),
        BackboneConfig::CifarResNet(_) => ([3, 32, 32], 64),
        BackboneConfig::ResNet3d(_) => ([28, 28, 28], 64),
        BackboneConfig::ResNet18(_) | BackboneConfig::ResNet50(_) => ([3, 224, 224], 512),
        BackboneConfig::SphereFace20(_) => ([3, 112, 96], 512),
        _ => ([3, 112, 112], 512),
    }
}

#[test]
fn networks_have_the_weights_and_multiply_adds_that_are_told() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/networks.md");
    let Ok(told) = std::fs::read_to_string(&file) else {
        println!("skipped: {} is not a part of the package alone", file.display());
        return;
    };
    let mut missing = Vec::new();
    for config in BackboneConfig::all() {
        let config = match config {
            BackboneConfig::ResNet18(of) => {
                BackboneConfig::ResNet18(cm_models::ResNet18Config { stem: cm_models::Stem::Imagenet, ..of })
            }
            BackboneConfig::ResNet50(of) => {
                BackboneConfig::ResNet50(cm_models::ResNet50Config { stem: cm_models::Stem::Imagenet, ..of })
            }
            other => other,
        };
        let (input, feature_dim) = usual(&config);
        let network = config.init(input, feature_dim, &Device::flex()).unwrap();
        let mut graph = Graph::new("test");
        let images = graph.input("pixels", &input);
        let features = network.export(&mut graph, &images);
        graph.output(&features, "features", &[feature_dim]);
        let model = ModelProto::decode(&graph.into_bytes("", &[])[..]).unwrap();
        let weights = trained(&model);
        let row = format!(
            "| `{}` | {} | {} | {:.2} M | {:.3} G |",
            config.name(),
            input.map(|side| side.to_string()).join(" x "),
            feature_dim,
            weights as f64 / 1e6,
            multiply_adds(&model, input) as f64 / 1e9
        );
        if !told.contains(&row) {
            missing.push(row);
        }
    }
    assert!(missing.is_empty(), "{} does not have\n{}", file.display(), missing.join("\n"));
}

/// Numbers that are not running statistics: in a graph the inputs of its operations from the second on, but for those.
fn trained(model: &ModelProto) -> usize {
    let graph = model.graph.as_ref().unwrap();
    let numbers: HashMap<&str, usize> = graph
        .initializer
        .iter()
        .map(|tensor| (&*tensor.name, tensor.dims.iter().map(|&side| side as usize).product()))
        .collect();
    let of_node = |node: &NodeProto| -> usize {
        let count = match &*node.op_type {
            // Scale and bias; mean and variance are measured.
            "BatchNormalization" => 3,
            "Reshape" | "Identity" => 1,
            _ => node.input.len(),
        };
        node.input[1..count].iter().filter_map(|name| numbers.get(&**name)).sum()
    };
    graph.node.iter().map(of_node).sum()
}
