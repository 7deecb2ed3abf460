//! Does PyTorch get the same features from our files? Two commands answer it:
//!
//! ```text
//! cargo run -p cm-models --example torch_check -- resnet18 runs/check
//! python tools/torch_weights.py check runs/check/{model.safetensors,images.npy,features.npy}
//! ```
//!
//! The first writes a model with random numbers, images and their features. In place of a name, the
//! config of a backbone may stand: `'{"backbone":"resnet18","stem":"imagenet","width":16}'`.

use std::{collections::BTreeMap, env, error::Error, fs, path::Path};

use burn::{
    module::{Module, ModuleMapper, Param},
    tensor::{Device, Distribution, Tensor},
};
use cm_models::{BackboneConfig, weights};

/// Gives every number another value than it starts with, and features about the size of the images.
/// Running variances stay positive.
struct Shake;

impl ModuleMapper for Shake {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let noise = Distribution::Uniform(-1.0, 1.0);
        // A layer that starts with `U(−1/√n, 1/√n)` leaves a third of the variance.
        let gain = if D > 1 { 3.0_f64.sqrt() } else { 1.0 };
        param.map(|tensor| {
            let factor = tensor.random_like(noise) * 0.3 + gain;
            let shift = tensor.random_like(noise) * 0.02;
            tensor * factor + shift
        })
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [backbone, folder] = &arguments[..] else {
        return Err("give a backbone and a folder".into());
    };
    let config: BackboneConfig = match backbone.starts_with('{') {
        true => serde_json::from_str(backbone)?,
        false => backbone.parse()?,
    };
    let input = match config {
        BackboneConfig::LeNetPp(_) => [1, 28, 28],
        BackboneConfig::CifarResNet(_) => [3, 32, 32],
        BackboneConfig::ResNet3d(_) => [28, 28, 28],
        BackboneConfig::ResNet18(_) | BackboneConfig::ResNet50(_) => [3, 64, 64],
        BackboneConfig::SphereFace20(_) => [3, 112, 96],
        _ => [3, 112, 112],
    };
    let device = Device::flex();
    device.seed(1);
    let network = config.init(input, 16, &device)?.map(&mut Shake);
    let [channels, height, width] = input;
    let noise = Distribution::Uniform(-1.0, 1.0);
    let images = Tensor::<4>::random([8, channels, height, width], noise, &device);
    let features = network.forward(images.clone());

    let folder = Path::new(folder);
    fs::create_dir_all(folder)?;
    let metadata = BTreeMap::from([("backbone".to_owned(), serde_json::to_string(&config)?)]);
    fs::write(folder.join("model.safetensors"), weights::save(&network, &metadata)?)?;
    fs::write(folder.join("images.npy"), npy(images))?;
    fs::write(folder.join("features.npy"), npy(features))?;
    Ok(())
}

/// A tensor as a file of NumPy,
/// <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.
fn npy<const D: usize>(tensor: Tensor<D>) -> Vec<u8> {
    let shape = tensor.dims().map(|size| size.to_string()).join(", ");
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}");
    // Magic, version and length take ten bytes; numbers begin at a multiple of 64, after a newline.
    let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
    let header = format!("{header:width$}\n", width = length - 1);
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(tensor.into_data().iter::<f32>().flat_map(f32::to_le_bytes));
    bytes
}
