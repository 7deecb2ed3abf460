//! The operations on the graph.

use burn::backend::{AutodiffBackend, Backend, tensor::FloatTensor};
use burn_autodiff::{
    Autodiff,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};

use crate::{
    extension::Kernels,
    kernel::{pooling::Pooling, shape::Convolution},
};

impl<B: Backend + Kernels, C: CheckpointStrategy> Kernels for Autodiff<B, C> {
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        convolution: Convolution,
    ) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct Convolve;

        impl<B: Backend + Kernels> Backward<B, 3> for Convolve {
            type State = (FloatTensor<B>, FloatTensor<B>, Convolution);

            fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
                let [x_node, weight_node, bias_node] = ops.parents;
                let (x, weight, convolution) = ops.state;
                let dy = grads.consume::<B>(&ops.node);
                if let Some(node) = x_node {
                    grads.register::<B>(node.id, B::convolve_by_input(dy.clone(), weight, convolution));
                }
                if weight_node.is_none() && bias_node.is_none() {
                    return;
                }
                let (dw, db) = B::convolve_by_parameters(x, dy, convolution);
                for (node, gradient) in [(weight_node, dw), (bias_node, db)] {
                    if let Some(node) = node {
                        grads.register::<B>(node.id, gradient);
                    }
                }
            }
        }

        let nodes = [x.node(), weight.node(), bias.node()];
        let (x, weight, bias) = (x.into_primitive(), weight.into_primitive(), bias.into_primitive());
        let y = B::convolve(x.clone(), weight.clone(), bias, convolution);
        match Convolve.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((x, weight, convolution), y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }

    fn convolve_rectify(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        slopes: FloatTensor<Self>,
        convolution: Convolution,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        #[derive(Debug)]
        struct ConvolveRectify;

        impl<B: Backend + Kernels> Backward<B, 4> for ConvolveRectify {
            type State = ([FloatTensor<B>; 4], Convolution);

            fn backward(self, ops: Ops<Self::State, 4>, grads: &mut Gradients, _: &mut Checkpointer) {
                let ([x, weight, slopes, kept], convolution) = ops.state;
                let [x_node, parameters @ ..] = ops.parents;
                let dy = grads.consume::<B>(&ops.node);
                if let Some(node) = x_node {
                    let (kept, dy, slopes) = (kept.clone(), dy.clone(), slopes.clone());
                    let dx = B::convolve_rectify_by_input(kept, dy, weight, slopes, convolution);
                    grads.register::<B>(node.id, dx);
                }
                if parameters.iter().all(Option::is_none) {
                    return;
                }
                let (dw, db, by_slope) = B::convolve_rectify_by_parameters(x, kept, dy, slopes, convolution);
                for (node, gradient) in parameters.into_iter().zip([dw, db, by_slope]) {
                    if let Some(node) = node {
                        grads.register::<B>(node.id, gradient);
                    }
                }
            }
        }

        let nodes = [x.node(), weight.node(), bias.node(), slopes.node()];
        let [x, weight, bias, slopes] = [x, weight, bias, slopes].map(|tensor| tensor.into_primitive());
        let (y, kept) = B::convolve_rectify(x.clone(), weight.clone(), bias, slopes.clone(), convolution);
        let y = match ConvolveRectify.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                prepared.finish(([x, weight, slopes, kept.clone()], convolution), y)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        };
        (y, Self::from_inner(kept))
    }

    fn rectify(x: FloatTensor<Self>, slopes: FloatTensor<Self>) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct Prelu;

        impl<B: Backend + Kernels> Backward<B, 2> for Prelu {
            type State = (FloatTensor<B>, FloatTensor<B>);

            fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
                let [x_node, slopes_node] = ops.parents;
                let (x, slopes) = ops.state;
                let dy = grads.consume::<B>(&ops.node);
                let (dx, by_slope) = B::rectify_gradients(x, slopes, dy);
                if let Some(node) = x_node {
                    grads.register::<B>(node.id, dx);
                }
                if let Some(node) = slopes_node {
                    grads.register::<B>(node.id, by_slope);
                }
            }
        }

        let nodes = [x.node(), slopes.node()];
        let (x, slopes) = (x.into_primitive(), slopes.into_primitive());
        let y = B::rectify(x.clone(), slopes.clone());
        match Prelu.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((x, slopes), y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }

    fn normalize(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        #[derive(Debug)]
        struct Normalize;

        impl<B: Backend + Kernels> Backward<B, 3> for Normalize {
            type State = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>, FloatTensor<B>, f64);

            fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
                let (x, gamma, mean, variance, epsilon) = ops.state;
                let dy = grads.consume::<B>(&ops.node);
                let (dx, by_gamma, by_beta) = B::normalize_gradients(x, dy, gamma, mean, variance, epsilon);
                for (node, gradient) in ops.parents.into_iter().zip([dx, by_gamma, by_beta]) {
                    if let Some(node) = node {
                        grads.register::<B>(node.id, gradient);
                    }
                }
            }
        }

        let nodes = [x.node(), gamma.node(), beta.node()];
        let (x, gamma, beta) = (x.into_primitive(), gamma.into_primitive(), beta.into_primitive());
        let (y, mean, variance) = B::normalize(x.clone(), gamma.clone(), beta, epsilon);
        let state = (x, gamma, mean.clone(), variance.clone(), epsilon);
        let y = match Normalize.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(state, y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        };
        (y, Self::from_inner(mean), Self::from_inner(variance))
    }

    fn max_pool(x: FloatTensor<Self>, pooling: Pooling) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct MaxPool;

        impl<B: Backend + Kernels> Backward<B, 1> for MaxPool {
            type State = (FloatTensor<B>, Pooling);

            fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
                let [x_node] = ops.parents;
                let (x, pooling) = ops.state;
                let dy = grads.consume::<B>(&ops.node);
                if let Some(node) = x_node {
                    grads.register::<B>(node.id, B::max_pool_gradient(x, dy, pooling));
                }
            }
        }

        let node = x.node();
        let x = x.into_primitive();
        let y = B::max_pool(x.clone(), pooling);
        match MaxPool.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((x, pooling), y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }
}
