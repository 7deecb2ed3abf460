//! The operations as an extension of Burn's backends.

use burn::backend::{Backend, backend_extension, tensor::FloatTensor};

use crate::kernel::{descent::Descent, pooling::Pooling, shape::Convolution};

/// What only a tensor off the graph can do.
const NO_SECOND_DERIVATIVE: &str = "the fast layers have no second derivative";

/// Operations on tensors of 32-bit floats whose shapes were checked.
#[backend_extension(Flex, Autodiff)]
pub trait Kernels: Backend {
    /// `w * x + b`
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        convolution: Convolution,
    ) -> FloatTensor<Self>;

    /// Gradient of `x`.
    fn convolve_by_input(
        dy: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        convolution: Convolution,
    ) -> FloatTensor<Self> {
        let _ = (dy, weight, convolution);
        unimplemented!("{NO_SECOND_DERIVATIVE}")
    }

    /// Gradients of `w` and `b`.
    fn convolve_by_parameters(
        x: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        convolution: Convolution,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let _ = (x, dy, convolution);
        unimplemented!("{NO_SECOND_DERIVATIVE}")
    }

    /// PReLU of `w * x + b`, and what its gradients need of it.
    fn convolve_rectify(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        slopes: FloatTensor<Self>,
        convolution: Convolution,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// Gradient of `x`.
    fn convolve_rectify_by_input(
        kept: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        slopes: FloatTensor<Self>,
        convolution: Convolution,
    ) -> FloatTensor<Self> {
        let _ = (kept, dy, weight, slopes, convolution);
        unimplemented!("{NO_SECOND_DERIVATIVE}")
    }

    /// Gradients of `w`, `b` and the slopes.
    fn convolve_rectify_by_parameters(
        x: FloatTensor<Self>,
        kept: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        slopes: FloatTensor<Self>,
        convolution: Convolution,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let _ = (x, kept, dy, slopes, convolution);
        unimplemented!("{NO_SECOND_DERIVATIVE}")
    }

    /// PReLU with a slope for each channel, or one for all.
    fn rectify(x: FloatTensor<Self>, slopes: FloatTensor<Self>) -> FloatTensor<Self>;

    /// Gradients of `x` and of the slopes.
    fn rectify_gradients(
        x: FloatTensor<Self>,
        slopes: FloatTensor<Self>,
        dy: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let _ = (x, slopes, dy);
        unimplemented!("{NO_SECOND_DERIVATIVE}")
    }

    /// Batch normalization with the statistics of the batch: output, means and biased variances of the channels, of which
    /// the output alone has a gradient.
    fn normalize(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// Gradients of `x`, `γ` and `β`.
    fn normalize_gradients(
        x: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let _ = (x, dy, gamma, mean, variance, epsilon);
        unimplemented!("{NO_SECOND_DERIVATIVE}")
    }

    /// A step of gradient descent: `v ← momentum · v + (g + weight_decay · w)`, `w ← w − rate · v`. Gives `w` and `v`.
    fn descend(
        w: FloatTensor<Self>,
        v: FloatTensor<Self>,
        g: FloatTensor<Self>,
        step: Descent,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let _ = (w, v, g, step);
        unimplemented!("weights are changed off the graph")
    }

    /// Maximum over windows.
    fn max_pool(x: FloatTensor<Self>, pooling: Pooling) -> FloatTensor<Self>;

    /// Gradient of `x`.
    fn max_pool_gradient(x: FloatTensor<Self>, dy: FloatTensor<Self>, pooling: Pooling) -> FloatTensor<Self> {
        let _ = (x, dy, pooling);
        unimplemented!("{NO_SECOND_DERIVATIVE}")
    }
}
