//! The operations on flex.

use burn::{
    backend::{Flex, TensorMetadata, tensor::FloatTensor},
    tensor::TensorData,
};
use burn_flex::FlexTensor;

use crate::{
    extension::Kernels,
    kernel::{
        activation::{self, Kept, Slopes},
        batch_norm::{self, Images},
        convolution,
        descent::{self, Descent},
        grouped,
        parameters::{self, Gradients},
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

fn weight_shape(c: &Convolution) -> [usize; 4] {
    [c.channels_out, c.channels_in / c.groups, c.kernel[0], c.kernel[1]]
}

/// The slopes of a PReLU that follows a convolution.
fn channel_slopes<'a>(c: &Convolution, values: &'a [f32]) -> Slopes<'a> {
    Slopes { values, channels: c.channels_out, area: output(c.output()).into_iter().product() }
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
        let y = match c.groups {
            1 => convolution::forward(&c, size, x.slice(), weight.slice(), bias.slice(), None),
            _ => grouped::forward(&c, size, x.slice(), weight.slice(), bias.slice()),
        };
        tensor(y, [c.batch, c.channels_out, size[0], size[1]])
    }

    fn convolve_by_input(
        dy: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        c: Convolution,
    ) -> FloatTensor<Self> {
        let (dy, weight) = (Numbers::of(dy), Numbers::of(weight));
        let size = output(c.output());
        let dx = match c.groups {
            1 => {
                let dy = convolution::Images { numbers: dy.slice(), kept: None };
                convolution::input_gradient(&c, size, dy, weight.slice())
            }
            _ => grouped::input_gradient(&c, size, dy.slice(), weight.slice()),
        };
        tensor(dx, [c.batch, c.channels_in, c.image[0], c.image[1]])
    }

    fn convolve_by_parameters(
        x: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        c: Convolution,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (x, dy) = (Numbers::of(x), Numbers::of(dy));
        let size = output(c.output());
        let [weight, bias] = match c.groups {
            1 => {
                let dy = convolution::Images { numbers: dy.slice(), kept: None };
                let Gradients { weight, bias, .. } = parameters::gradients(&c, size, x.slice(), dy);
                [weight, bias]
            }
            _ => grouped::gradients(&c, size, x.slice(), dy.slice()),
        };
        (tensor(weight, weight_shape(&c)), tensor(bias, [c.channels_out]))
    }

    fn convolve_rectify(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        slopes: FloatTensor<Self>,
        c: Convolution,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        if !Kept::is_output(Numbers::of(slopes.clone()).slice()) {
            let z = Self::convolve(x, weight, bias, c);
            return (Self::rectify(z.clone(), slopes), z);
        }
        let (x, weight, bias, slopes) =
            (Numbers::of(x), Numbers::of(weight), Numbers::of(bias), Numbers::of(slopes));
        let size = output(c.output());
        let slopes = channel_slopes(&c, slopes.slice());
        let y = convolution::forward(&c, size, x.slice(), weight.slice(), bias.slice(), Some(slopes));
        let y = tensor(y, [c.batch, c.channels_out, size[0], size[1]]);
        (y.clone(), y)
    }

    fn convolve_rectify_by_input(
        kept: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        slopes: FloatTensor<Self>,
        c: Convolution,
    ) -> FloatTensor<Self> {
        let (kept, dy, weight, slopes) =
            (Numbers::of(kept), Numbers::of(dy), Numbers::of(weight), Numbers::of(slopes));
        let kept = Kept { numbers: kept.slice(), slopes: channel_slopes(&c, slopes.slice()) };
        let dy = convolution::Images { numbers: dy.slice(), kept: Some(kept) };
        let dx = convolution::input_gradient(&c, output(c.output()), dy, weight.slice());
        tensor(dx, [c.batch, c.channels_in, c.image[0], c.image[1]])
    }

    fn convolve_rectify_by_parameters(
        x: FloatTensor<Self>,
        kept: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        slopes: FloatTensor<Self>,
        c: Convolution,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (x, kept, dy, slopes) = (Numbers::of(x), Numbers::of(kept), Numbers::of(dy), Numbers::of(slopes));
        let kept = Kept { numbers: kept.slice(), slopes: channel_slopes(&c, slopes.slice()) };
        let dy = convolution::Images { numbers: dy.slice(), kept: Some(kept) };
        let found = parameters::gradients(&c, output(c.output()), x.slice(), dy);
        let count = found.slopes.len();
        (
            tensor(found.weight, weight_shape(&c)),
            tensor(found.bias, [c.channels_out]),
            tensor(found.slopes, [count]),
        )
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

    fn normalize(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (shape, x, gamma, beta) = (x.shape(), Numbers::of(x), Numbers::of(gamma), Numbers::of(beta));
        let images = images(&x.0);
        let found = batch_norm::normalize(images, x.slice(), gamma.slice(), beta.slice(), epsilon);
        let y = FlexTensor::from_data(TensorData::new(found.y, shape));
        (y, tensor(found.mean, [images.channels]), tensor(found.variance, [images.channels]))
    }

    fn normalize_gradients(
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

    fn descend(
        mut w: FloatTensor<Self>,
        mut v: FloatTensor<Self>,
        g: FloatTensor<Self>,
        step: Descent,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let g = Numbers::of(g);
        for tensor in [&mut w, &mut v] {
            // A second handle, which there is for a moment, would make every step copy.
            if !tensor.is_contiguous() || tensor.layout().start_offset() > 0 {
                *tensor = tensor.to_contiguous();
            }
        }
        let count = g.slice().len();
        descent::step(step, &mut w.storage_mut()[..count], &mut v.storage_mut()[..count], g.slice());
        (w, v)
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
