//! The operations on flex.

use burn::{
    backend::{Flex, TensorMetadata, tensor::FloatTensor},
    tensor::TensorData,
};
use burn_flex::FlexTensor;

use crate::{
    extension::Kernels,
    kernel::{
        activation::{self, Slopes},
        batch_norm::{self, Images},
        convolution, parameters,
        pooling::{self, Pooling},
        shape::Convolution,
    },
};

/// The numbers of a tensor, one after another.
struct Numbers(FlexTensor);

impl Numbers {
    fn of(tensor: FlexTensor) -> Self {
        Self(if tensor.is_contiguous() { tensor } else { tensor.to_contiguous() })
    }

    fn slice(&self) -> &[f32] {
        let Some(numbers) = self.0.as_slice::<f32>() else {
            panic!("a contiguous tensor of 32-bit floats has its numbers one after another")
        };
        numbers
    }
}

fn tensor<const D: usize>(numbers: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(numbers, shape))
}

fn output(size: Option<[usize; 2]>) -> [usize; 2] {
    let Some(size) = size else { panic!("the layers checked that the window fits") };
    size
}

fn images(x: &FlexTensor) -> Images {
    let shape = x.shape();
    Images { channels: shape[1], area: (2..shape.num_dims()).map(|axis| shape[axis]).product() }
}

fn slopes<'a>(x: &FlexTensor, values: &'a [f32]) -> Slopes<'a> {
    let Images { channels, area } = images(x);
    Slopes { values, channels, area }
}

impl Kernels for Flex {
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        c: Convolution,
    ) -> FloatTensor<Self> {
        let (x, weight, bias) = (Numbers::of(x), Numbers::of(weight), Numbers::of(bias));
        let size = output(c.output());
        let y = convolution::forward(&c, size, x.slice(), weight.slice(), Some(bias.slice()));
        tensor(y, [c.batch, c.channels_out, size[0], size[1]])
    }

    fn convolve_by_input(
        dy: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        c: Convolution,
    ) -> FloatTensor<Self> {
        let (dy, weight) = (Numbers::of(dy), Numbers::of(weight));
        let dx = convolution::input_gradient(&c, output(c.output()), dy.slice(), weight.slice());
        tensor(dx, [c.batch, c.channels_in, c.image[0], c.image[1]])
    }

    fn convolve_by_parameters(
        x: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        c: Convolution,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (x, dy) = (Numbers::of(x), Numbers::of(dy));
        let (dw, db) = parameters::gradients(&c, output(c.output()), x.slice(), dy.slice());
        (tensor(dw, [c.channels_out, c.channels_in, c.kernel[0], c.kernel[1]]), tensor(db, [c.channels_out]))
    }

    fn rectify(x: FloatTensor<Self>, values: FloatTensor<Self>) -> FloatTensor<Self> {
        let (shape, x, values) = (x.shape(), Numbers::of(x), Numbers::of(values));
        let y = activation::prelu(x.slice(), slopes(&x.0, values.slice()));
        FlexTensor::from_data(TensorData::new(y, shape))
    }

    fn rectify_gradients(
        x: FloatTensor<Self>,
        values: FloatTensor<Self>,
        dy: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (shape, x, values, dy) = (x.shape(), Numbers::of(x), Numbers::of(values), Numbers::of(dy));
        let (dx, by_slope) = activation::prelu_gradients(x.slice(), slopes(&x.0, values.slice()), dy.slice());
        let count = by_slope.len();
        (FlexTensor::from_data(TensorData::new(dx, shape)), tensor(by_slope, [count]))
    }

    fn normalise(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (shape, x, gamma, beta) = (x.shape(), Numbers::of(x), Numbers::of(gamma), Numbers::of(beta));
        let images = images(&x.0);
        let found = batch_norm::normalise(images, x.slice(), gamma.slice(), beta.slice(), epsilon);
        let y = FlexTensor::from_data(TensorData::new(found.y, shape));
        (y, tensor(found.mean, [images.channels]), tensor(found.variance, [images.channels]))
    }

    fn normalise_gradients(
        x: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (shape, x, dy) = (x.shape(), Numbers::of(x), Numbers::of(dy));
        let (gamma, mean, variance) = (Numbers::of(gamma), Numbers::of(mean), Numbers::of(variance));
        let images = images(&x.0);
        let statistics = (mean.slice(), variance.slice());
        let [dx, by_gamma, by_beta] =
            batch_norm::gradients(images, x.slice(), dy.slice(), gamma.slice(), statistics, epsilon);
        let dx = FlexTensor::from_data(TensorData::new(dx, shape));
        (dx, tensor(by_gamma, [images.channels]), tensor(by_beta, [images.channels]))
    }

    fn max_pool(x: FloatTensor<Self>, p: Pooling) -> FloatTensor<Self> {
        let (shape, x, size) = (x.shape(), Numbers::of(x), output(p.output()));
        tensor(pooling::max_pool(&p, size, x.slice()), [shape[0], shape[1], size[0], size[1]])
    }

    fn max_pool_gradient(x: FloatTensor<Self>, dy: FloatTensor<Self>, p: Pooling) -> FloatTensor<Self> {
        let (shape, x, dy) = (x.shape(), Numbers::of(x), Numbers::of(dy));
        let dx = pooling::max_pool_gradient(&p, output(p.output()), x.slice(), dy.slice());
        FlexTensor::from_data(TensorData::new(dx, shape))
    }
}
