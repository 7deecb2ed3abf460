//! Burn's layers with a second way to run.

use burn::{
    nn::{BatchNorm, PRelu, Relu, conv::Conv2d, pool::MaxPool2d},
    tensor::Tensor,
};

/// A layer that may run on the kernels of this crate, or a convolution with the activation that follows it, which then are
/// one pass over the images: `(&convolution, &activation).fast(images)`.
pub trait Fast<const D: usize> {
    /// What `forward` gives, within rounding.
    ///
    /// # Panics
    ///
    /// As `forward`.
    fn fast(&self, input: Tensor<D>) -> Tensor<D>;
}

#[cfg(not(feature = "flex"))]
mod plain {
    use super::{BatchNorm, Conv2d, Fast, MaxPool2d, PRelu, Relu, Tensor};

    impl Fast<4> for Conv2d {
        fn fast(&self, input: Tensor<4>) -> Tensor<4> {
            self.forward(input)
        }
    }

    impl<const D: usize> Fast<D> for PRelu {
        fn fast(&self, input: Tensor<D>) -> Tensor<D> {
            self.forward(input)
        }
    }

    impl Fast<4> for (&Conv2d, &PRelu) {
        fn fast(&self, input: Tensor<4>) -> Tensor<4> {
            self.1.forward(self.0.forward(input))
        }
    }

    impl Fast<4> for MaxPool2d {
        fn fast(&self, input: Tensor<4>) -> Tensor<4> {
            self.forward(input)
        }
    }

    impl<const D: usize> Fast<D> for Relu {
        fn fast(&self, input: Tensor<D>) -> Tensor<D> {
            self.forward(input)
        }
    }

    impl<const D: usize> Fast<D> for BatchNorm {
        fn fast(&self, input: Tensor<D>) -> Tensor<D> {
            self.forward(input)
        }
    }
}

#[cfg(feature = "flex")]
pub(crate) use on_flex::suits;

#[cfg(feature = "flex")]
mod on_flex {
    use burn::{
        backend::{Dispatch, DispatchDevice},
        nn::PaddingConfig2d,
        tensor::{DType, Device},
    };

    use super::{BatchNorm, Conv2d, Fast, MaxPool2d, PRelu, Relu, Tensor};
    use crate::{
        extension::Kernels,
        kernel::{pooling::Pooling, shape::Convolution},
    };

    /// Whether the kernels can take this tensor.
    pub(crate) fn suits<const D: usize>(tensor: &Tensor<D>) -> bool {
        tensor.dtype() == DType::F32 && is_flex(tensor.device())
    }

    fn is_flex(device: Device) -> bool {
        let device = if device.is_autodiff() { device.inner() } else { device };
        matches!(device.as_dispatch(), DispatchDevice::Flex(_))
    }

    /// The same padding on opposite sides, or `None`.
    fn symmetric(
        padding: &PaddingConfig2d,
        image: [usize; 2],
        kernel: [usize; 2],
        stride: [usize; 2],
    ) -> Option<[usize; 2]> {
        match *padding {
            PaddingConfig2d::Valid => Some([0, 0]),
            PaddingConfig2d::Explicit(top, left, bottom, right) => {
                (top == bottom && left == right).then_some([top, left])
            }
            PaddingConfig2d::Same => {
                let along = |axis: usize| {
                    let output = image[axis].div_ceil(stride[axis]);
                    let total =
                        ((output.max(1) - 1) * stride[axis] + kernel[axis]).saturating_sub(image[axis]);
                    total.is_multiple_of(2).then_some(total / 2)
                };
                Some([along(0)?, along(1)?])
            }
        }
    }

    fn convolution(layer: &Conv2d, input: &Tensor<4>) -> Option<Convolution> {
        let [batch, channels, height, width] = input.dims();
        let [channels_out, channels_in, rows, columns] = layer.weight.dims();
        let groups = layer.groups;
        if channels != groups * channels_in || !suits(input) || !suits(&layer.weight.val()) {
            return None;
        }
        let (image, kernel) = ([height, width], [rows, columns]);
        let padding = symmetric(&layer.padding, image, kernel, layer.stride)?;
        let convolution = Convolution {
            batch,
            channels_in: channels,
            channels_out,
            groups,
            image,
            kernel,
            stride: layer.stride,
            padding: padding.map(|padding| padding as isize),
            dilation: layer.dilation,
        };
        let sizes = [batch, channels_in, channels_out, rows, columns];
        (sizes.iter().all(|&size| size > 0) && convolution.output().is_some()).then_some(convolution)
    }

    fn bias(layer: &Conv2d, device: &Device) -> Tensor<1> {
        match &layer.bias {
            Some(bias) => bias.val(),
            None => Tensor::zeros([layer.weight.dims()[0]], device),
        }
    }

    impl Fast<4> for Conv2d {
        fn fast(&self, input: Tensor<4>) -> Tensor<4> {
            let Some(convolution) = convolution(self, &input) else { return self.forward(input) };
            let (weight, bias) = (self.weight.val(), bias(self, &input.device()));
            let (x, weight, bias) = (input.into_dispatch(), weight.into_dispatch(), bias.into_dispatch());
            Tensor::from_dispatch(<Dispatch as Kernels>::convolve(x, weight, bias, convolution))
        }
    }

    impl Fast<4> for (&Conv2d, &PRelu) {
        fn fast(&self, input: Tensor<4>) -> Tensor<4> {
            let (layer, activation) = *self;
            let slopes = activation.alpha.val();
            let [count] = slopes.dims();
            let convolution = convolution(layer, &input)
                .filter(|c| c.groups == 1 && suits(&slopes) && (count == 1 || count == c.channels_out));
            let Some(convolution) = convolution else { return activation.fast(layer.fast(input)) };
            let bias = bias(layer, &input.device());
            let (y, _) = <Dispatch as Kernels>::convolve_rectify(
                input.into_dispatch(),
                layer.weight.val().into_dispatch(),
                bias.into_dispatch(),
                slopes.into_dispatch(),
                convolution,
            );
            Tensor::from_dispatch(y)
        }
    }

    impl<const D: usize> Fast<D> for PRelu {
        fn fast(&self, input: Tensor<D>) -> Tensor<D> {
            let slopes = self.alpha.val();
            let [count] = slopes.dims();
            let fits = count == 1 || (D > 1 && input.dims()[1] == count);
            if D < 2 || !fits || input.shape().num_elements() == 0 || !suits(&input) || !suits(&slopes) {
                return self.forward(input);
            }
            Tensor::from_dispatch(<Dispatch as Kernels>::rectify(
                input.into_dispatch(),
                slopes.into_dispatch(),
            ))
        }
    }

    impl<const D: usize> Fast<D> for Relu {
        fn fast(&self, input: Tensor<D>) -> Tensor<D> {
            if D < 2 || input.shape().num_elements() == 0 || !suits(&input) {
                return self.forward(input);
            }
            let slope = Tensor::<1>::zeros([1], &input.device());
            Tensor::from_dispatch(<Dispatch as Kernels>::rectify(
                input.into_dispatch(),
                slope.into_dispatch(),
            ))
        }
    }

    impl<const D: usize> Fast<D> for BatchNorm {
        fn fast(&self, input: Tensor<D>) -> Tensor<D> {
            let (gamma, beta) = (self.gamma.val(), self.beta.val());
            let trains = input.device().is_autodiff() && self.training.is_enabled();
            let fits = D >= 2 && input.dims()[1] == gamma.dims()[0] && input.shape().num_elements() > 0;
            if !trains || !fits || !suits(&input) || !suits(&gamma) || !suits(&beta) {
                return self.forward(input);
            }
            let (y, mean, variance) = <Dispatch as Kernels>::normalize(
                input.into_dispatch(),
                gamma.into_dispatch(),
                beta.into_dispatch(),
                self.epsilon,
            );
            for (state, of_batch) in [(&self.running_mean, mean), (&self.running_var, variance)] {
                let of_batch = Tensor::<1>::from_dispatch(of_batch).detach();
                let before = state.value_sync().to_device(&of_batch.device());
                let kept = before.mul_scalar(1.0 - self.momentum);
                state.update(kept.add(of_batch.mul_scalar(self.momentum)).detach());
            }
            Tensor::from_dispatch(y)
        }
    }

    fn pooling(layer: &MaxPool2d, input: &Tensor<4>) -> Option<Pooling> {
        let [batch, channels, height, width] = input.dims();
        let (image, window) = ([height, width], layer.kernel_size);
        if layer.ceil_mode || layer.dilation != [1, 1] || !suits(input) {
            return None;
        }
        if symmetric(&layer.padding, image, window, layer.stride)? != [0, 0] {
            return None;
        }
        let pooling = Pooling { images: batch * channels, image, window, stride: layer.stride };
        (pooling.images > 0 && window != [0, 0] && pooling.output().is_some()).then_some(pooling)
    }

    impl Fast<4> for MaxPool2d {
        fn fast(&self, input: Tensor<4>) -> Tensor<4> {
            match pooling(self, &input) {
                Some(pooling) => {
                    Tensor::from_dispatch(<Dispatch as Kernels>::max_pool(input.into_dispatch(), pooling))
                }
                None => self.forward(input),
            }
        }
    }
}
