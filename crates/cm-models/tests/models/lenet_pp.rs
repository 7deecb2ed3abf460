use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::{Device, Distribution, Tensor},
};
use cm_models::{LeNetPp, LeNetPpConfig};

fn digits(width: usize, feature_dim: usize, device: &Device) -> LeNetPp {
    LeNetPpConfig { width }.init([1, 28, 28], feature_dim, device).unwrap()
}

/// Shape, smallest and largest value of every parameter, in order.
#[derive(Default)]
struct Parameters(Vec<(Vec<usize>, f32, f32)>);

impl ModuleVisitor for Parameters {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let values: Vec<f32> = param.val().to_data().iter::<f32>().collect();
        let smallest = values.iter().copied().fold(f32::INFINITY, f32::min);
        let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        self.0.push((param.val().dims().to_vec(), smallest, largest));
    }
}

#[test]
fn the_default_has_797_161_parameters_in_the_shapes_of_the_paper() {
    let network = digits(32, 2, &Device::flex());
    let mut parameters = Parameters::default();
    network.visit(&mut parameters);
    let convolutions: Vec<&[usize]> =
        parameters.0.iter().map(|p| p.0.as_slice()).filter(|shape| shape.len() == 4).collect();
    let expected = [[32, 1], [32, 32], [64, 32], [64, 64], [128, 64], [128, 128]];
    let expected: Vec<[usize; 4]> = expected.map(|[o, i]| [o, i, 5, 5]).to_vec();
    assert_eq!(convolutions, expected);
    assert!(parameters.0.iter().any(|p| p.0 == [1152, 2]));
    // Convolutions, the linear layer, and seven scalar PReLUs: sum(o*i*25 + o for o, i in
    // [(32,1),(32,32),(64,32),(64,64),(128,64),(128,128)]) + 1152*2 + 2 + 7
    assert_eq!(network.num_params(), 797_161);
}

#[test]
fn color_images_of_another_size_have_other_first_and_last_layers_alone() {
    let network = LeNetPpConfig::default().init([3, 64, 40], 2, &Device::flex()).unwrap();
    // Two more channels in the first convolution, and 8 x 5 pixels in place of 3 x 3 before the
    // linear layer.
    assert_eq!(network.num_params(), 797_161 + 2 * 32 * 25 + 128 * (8 * 5 - 3 * 3) * 2);
}

#[test]
fn weights_and_biases_start_uniform_within_one_over_the_root_of_the_inputs() {
    let network = digits(32, 2, &Device::flex());
    let mut parameters = Parameters::default();
    network.visit(&mut parameters);
    let mut inputs = 0;
    for (shape, smallest, largest) in &parameters.0 {
        inputs = match shape[..] {
            [1] => {
                assert_eq!((*smallest, *largest), (0.25, 0.25), "PReLU starts at 0.25");
                continue;
            }
            [_, channels, height, width] => channels * height * width,
            [inputs, _] => inputs,
            _ => inputs,
        };
        let bound = 1.0 / (inputs as f32).sqrt();
        assert!(*largest <= bound && *smallest >= -bound, "{shape:?} lies in {smallest}..{largest}");
        if shape.iter().product::<usize>() > 500 {
            assert!(*largest > 0.97 * bound && *smallest < -0.97 * bound, "{shape:?} fills its range");
        }
    }
}

#[test]
fn features_have_the_dimension_asked_for_at_every_width_and_batch() {
    let device = Device::flex();
    for (width, feature_dim, batch) in [(1, 1, 1), (4, 2, 3), (8, 64, 2)] {
        let network = digits(width, feature_dim, &device);
        let images = Tensor::<4>::random([batch, 1, 28, 28], Distribution::Default, &device);
        assert_eq!(network.forward(images).dims(), [batch, feature_dim]);
    }
}

#[cfg(feature = "test-ndarray")]
#[test]
fn flex_and_ndarray_give_the_same_features_and_gradients() {
    #[allow(deprecated, reason = "ndarray is a second, independent implementation of every operation")]
    let ndarray = Device::ndarray().autodiff();
    let flex = Device::flex().autodiff();
    let network = digits(3, 2, &flex);
    let other = digits(3, 2, &ndarray).load_record(network.clone().into_record());
    let pixels = Tensor::<4>::random([2, 1, 28, 28], Distribution::Default, &flex).into_data();
    let run = |network: &LeNetPp, device: &Device| -> (Vec<f32>, Vec<f32>) {
        let images = Tensor::<4>::from_data(pixels.clone(), device).require_grad();
        let features = network.forward(images.clone());
        let gradients = features.clone().square().sum().backward();
        let gradient = images.grad(&gradients).unwrap();
        (features.into_data().iter::<f32>().collect(), gradient.into_data().iter::<f32>().collect())
    };
    let (ours, theirs) = (run(&network, &flex), run(&other, &ndarray));
    let close = |a: &[f32], b: &[f32]| {
        let largest = a.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-5 * largest)
    };
    assert!(close(&ours.0, &theirs.0) && close(&ours.1, &theirs.1));
}

#[test]
fn images_of_another_size_are_refused_with_the_size_expected() {
    let panic = std::panic::catch_unwind(|| {
        let network = digits(1, 2, &Device::flex());
        network.forward(Tensor::<4>::zeros([1, 1, 32, 32], &Device::flex()));
    });
    let message = *panic.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("[1, 32, 32]") && message.contains("[1, 28, 28]"), "{message}");
}
