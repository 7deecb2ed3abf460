//! Convolutions, activations and pooling.

use burn::{
    module::{Module, Param},
    nn::{
        PRelu, PReluConfig, PaddingConfig2d, Relu,
        conv::{Conv2d, Conv2dConfig},
        pool::{MaxPool2d, MaxPool2dConfig},
    },
    tensor::{DType, Device, Tensor},
};
use cm_kernels::Fast;
use proptest::prelude::*;

use super::{error, list, results, tensor, with_values};

fn compare_convolution(layer: &Conv2d, x: &Tensor<4>) -> Vec<f64> {
    let of_parameters = |gradients: &burn::tensor::Gradients| {
        let mut found = vec![list(layer.weight.val().grad(gradients).unwrap())];
        found.extend(layer.bias.as_ref().map(|bias| list(bias.val().grad(gradients).unwrap())));
        found
    };
    let fast = results(x, |x| layer.fast(x), of_parameters);
    let plain = results(x, |x| layer.forward(x), of_parameters);
    fast.iter().zip(&plain).map(|(fast, plain)| error(fast, plain)).collect()
}

#[derive(Debug, Clone)]
struct Shape {
    batch: usize,
    /// Of each group.
    channels: [usize; 2],
    groups: usize,
    image: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
    bias: bool,
}

impl Shape {
    fn layer(&self, device: &Device) -> Conv2d {
        let [rows, columns] = self.padding;
        let config = Conv2dConfig::new(self.channels.map(|channels| self.groups * channels), self.kernel)
            .with_groups(self.groups)
            .with_stride(self.stride)
            .with_padding(PaddingConfig2d::Explicit(rows, columns, rows, columns))
            .with_dilation(self.dilation)
            .with_bias(self.bias);
        with_values(config.init(device), device)
    }

    fn fits(&self) -> bool {
        (0..2).all(|a| self.image[a] + 2 * self.padding[a] > self.dilation[a] * (self.kernel[a] - 1))
    }
}

fn shapes() -> impl Strategy<Value = Shape> {
    let channels = prop_oneof![1usize..5, Just(16), Just(29), Just(33), Just(130)];
    let kernel =
        prop_oneof![Just([1, 1]), Just([3, 3]), Just([5, 5]), Just([7, 7]), Just([1, 3]), Just([5, 2])];
    let pair = |range: std::ops::Range<usize>| [range.clone(), range];
    let sizes = (1usize..4, [channels.clone(), channels], pair(1..16), kernel);
    (sizes, pair(1..4), pair(0..4), pair(1..3), any::<bool>()).prop_map(
        |((batch, channels, image, kernel), stride, padding, dilation, bias)| Shape {
            batch,
            channels,
            groups: 1,
            image,
            kernel,
            stride,
            padding,
            dilation,
            bias,
        },
    )
}

/// The same with one to three channels in each of some groups.
fn grouped() -> impl Strategy<Value = Shape> {
    let channels = [1usize..4, 1..4];
    let groups = prop_oneof![2usize..4, Just(16), Just(33)];
    (shapes(), channels, groups).prop_map(|(shape, channels, groups)| Shape { channels, groups, ..shape })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn convolutions_of_every_shape_agree_with_burns(shape in prop_oneof![shapes(), grouped()]) {
        prop_assume!(shape.fits());
        let device = Device::flex().autodiff();
        let layer = shape.layer(&device);
        let channels = shape.groups * shape.channels[0];
        let x = tensor([shape.batch, channels, shape.image[0], shape.image[1]], 7, &device);
        for (i, error) in compare_convolution(&layer, &x).into_iter().enumerate() {
            prop_assert!(error < 1e-5, "{}: {error:e}", ["output", "input", "weight", "bias"][i]);
        }
    }

    /// Against the two layers after each other, whose signs before the activation are the same to the last bit.
    #[test]
    fn a_convolution_and_its_activation_in_one_pass_agree_with_one_after_the_other(
        shape in shapes(),
        one in any::<bool>(),
        slope in prop_oneof![Just(0.0), Just(1e-4), Just(0.25), -1.0f64..2.0],
    ) {
        prop_assume!(shape.fits());
        let device = Device::flex().autodiff();
        let layer = shape.layer(&device);
        let count = if one { 1 } else { shape.channels[1] };
        let activation = PReluConfig::new().with_num_parameters(count).with_alpha(slope).init(&device);
        let x = tensor([shape.batch, shape.channels[0], shape.image[0], shape.image[1]], 7, &device);
        let of_parameters = |gradients: &burn::tensor::Gradients| {
            let mut found = vec![list(activation.alpha.val().grad(gradients).unwrap())];
            found.push(list(layer.weight.val().grad(gradients).unwrap()));
            found.extend(layer.bias.as_ref().map(|bias| list(bias.val().grad(gradients).unwrap())));
            found
        };
        let together = results(&x, |x| (&layer, &activation).fast(x), of_parameters);
        let apart = results(&x, |x| activation.fast(layer.fast(x)), of_parameters);
        for (i, (together, apart)) in together.iter().zip(&apart).enumerate().filter(|(i, _)| *i != 2) {
            let error = error(together, apart);
            prop_assert!(error < 1e-5, "{}: {error:e}", ["output", "input", "slopes", "weight", "bias"][i]);
        }
        // A sum of as many terms of either sign, which may all but cancel.
        let terms: f64 = list(layer.fast(x).abs().sum())[0];
        for (together, apart) in together[2].iter().zip(&apart[2]) {
            prop_assert!((together - apart).abs() <= 1e-6 * terms, "{together}, not {apart}");
        }
    }

    #[test]
    fn prelu_agrees_with_burns_with_one_slope_and_with_one_a_channel(
        shape in [1usize..4, 1usize..9, 1usize..20, 1usize..20],
        one in any::<bool>(),
        slope in -1.0f64..1.0,
    ) {
        let device = Device::flex().autodiff();
        let count = if one { 1 } else { shape[1] };
        let layer = PReluConfig::new().with_num_parameters(count).with_alpha(slope).init(&device);
        let x = tensor(shape, 3, &device);
        let of_slopes = |gradients: &burn::tensor::Gradients| vec![list(layer.alpha.val().grad(gradients).unwrap())];
        let fast = results(&x, |x| layer.fast(x), of_slopes);
        let plain = results(&x, |x| layer.forward(x), of_slopes);
        prop_assert!(error(&fast[0], &plain[0]) < 1e-5 && error(&fast[1], &plain[1]) < 1e-5);
        // A sum of as many terms of either sign, which may all but cancel.
        let terms: f64 = list(x.abs().sum())[0];
        for (fast, plain) in fast[2].iter().zip(&plain[2]) {
            prop_assert!((fast - plain).abs() < 1e-6 * terms, "{fast}, not {plain}");
        }
    }

    #[test]
    fn relu_is_burns_bit_for_bit(shape in [1usize..4, 1usize..9, 1usize..20, 1usize..20]) {
        let x = tensor(shape, 3, &Device::flex().autodiff());
        let fast = results(&x, |x| Relu::new().fast(x), |_| Vec::new());
        let plain = results(&x, |x| Relu::new().forward(x), |_| Vec::new());
        prop_assert_eq!(fast, plain);
    }

    #[test]
    fn maximum_pooling_is_burns_bit_for_bit(
        shape in [1usize..4, 1usize..5, 1usize..14, 1usize..14],
        window in [1usize..4, 1usize..4],
        stride in [1usize..4, 1usize..4],
    ) {
        prop_assume!(shape[2] >= window[0] && shape[3] >= window[1]);
        let device = Device::flex().autodiff();
        let layer = MaxPool2dConfig::new(window).with_strides(stride).init();
        // Few values, so that windows have ties.
        let x = tensor(shape, 3, &device).mul_scalar(3.0).round();
        let fast = results(&x, |x| layer.fast(x), |_| Vec::new());
        let plain = results(&x, |x| layer.forward(x), |_| Vec::new());
        prop_assert_eq!(fast, plain);
    }
}

#[test]
fn halving_images_of_even_and_odd_sizes_is_burns_bit_for_bit() {
    let device = Device::flex().autodiff();
    let layer = MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init();
    for (height, width) in [(2, 2), (2, 3), (3, 2), (7, 7), (8, 13), (28, 28), (5, 40)] {
        // Few values, so that windows have ties.
        let x = tensor([3, 5, height, width], 3, &device).mul_scalar(2.0).round();
        let fast = results(&x, |x| layer.fast(x), |_| Vec::new());
        let plain = results(&x, |x| layer.forward(x), |_| Vec::new());
        assert_eq!(fast, plain, "{height} x {width}");
    }
}

#[test]
fn large_images_agree_with_burns() {
    let device = Device::flex().autodiff();
    for (channels, size, kernel, stride) in [([20, 6], 70, 5, 1), ([24, 8], 90, 3, 2), ([3, 8], 112, 7, 2)] {
        let shape = Shape {
            batch: 2,
            channels,
            groups: 1,
            image: [size, size + 3],
            kernel: [kernel, kernel],
            stride: [stride, stride],
            padding: [kernel / 2, kernel / 2],
            dilation: [1, 1],
            bias: true,
        };
        let x = tensor([2, channels[0], size, size + 3], 7, &device);
        for error in compare_convolution(&shape.layer(&device), &x) {
            assert!(error < 1e-5, "{shape:?}: {error:e}");
        }
    }
}

#[test]
fn what_the_kernels_do_not_cover_is_burns_operation() {
    let flex = Device::flex().autodiff();
    let config = Conv2dConfig::new([4, 6], [3, 3]);
    let uneven = PaddingConfig2d::Explicit(1, 0, 2, 1);
    let cases = [
        (config.clone().with_padding(uneven).init(&flex), tensor([2, 4, 7, 7], 1, &flex)),
        #[cfg(feature = "test-ndarray")]
        (config.init(&crate::ndarray()), tensor([2, 4, 7, 7], 1, &crate::ndarray())),
    ];
    for (layer, x) in cases {
        let layer = with_values(layer, &x.device());
        assert_eq!(list(layer.fast(x.clone())), list(layer.forward(x)));
    }
    let plain = Device::flex();
    let double = tensor([2, 4, 7, 7], 1, &plain).cast(DType::F64);
    let prelu = PReluConfig::new().init(&plain);
    let prelu = PRelu { alpha: Param::from_tensor(prelu.alpha.val().cast(DType::F64)), ..prelu };
    assert_eq!(list(prelu.fast(double.clone())), list(prelu.forward(double.clone())));
    let pools: [MaxPool2d; 3] = [
        MaxPool2dConfig::new([2, 2]).with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1)).init(),
        MaxPool2dConfig::new([2, 2]).with_dilation([2, 2]).init(),
        MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).with_ceil_mode(true).init(),
    ];
    for pool in pools {
        assert_eq!(list(pool.fast(double.clone())), list(pool.forward(double.clone())));
    }
}

#[test]
fn a_result_is_the_same_every_time() {
    let device = Device::flex().autodiff();
    let layer = with_values(Conv2dConfig::new([16, 32], [5, 5]).init(&device), &device);
    let run = || {
        let x = tensor([9, 16, 14, 14], 2, &device).require_grad();
        let gradients = layer.fast(x.clone()).square().sum().backward();
        [list(x.grad(&gradients).unwrap()), list(layer.weight.val().grad(&gradients).unwrap())]
    };
    let first = run();
    assert!((0..5).all(|_| run() == first));
}

#[test]
fn images_smaller_than_the_kernel_and_batches_of_one_are_right() {
    let device = Device::flex().autodiff();
    let shape = Shape {
        batch: 1,
        channels: [3, 5],
        groups: 1,
        image: [1, 2],
        kernel: [5, 5],
        stride: [1, 1],
        padding: [2, 2],
        dilation: [1, 1],
        bias: true,
    };
    for error in compare_convolution(&shape.layer(&device), &tensor([1, 3, 1, 2], 7, &device)) {
        assert!(error < 1e-5, "{error:e}");
    }
}

#[test]
fn weights_are_those_of_burns_layer() {
    let device = Device::flex();
    let layer = Conv2dConfig::new([2, 3], [3, 3]).init(&device);
    let other = Conv2dConfig::new([2, 3], [3, 3]).init(&device).load_record(layer.clone().into_record());
    let x = tensor([1, 2, 5, 5], 1, &device);
    assert_eq!(list(layer.fast(x.clone())), list(other.fast(x)));
}
