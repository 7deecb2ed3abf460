use burn::{
    module::{Module, Param},
    optim::GradientsParams,
    tensor::{Device, Tensor},
};
use cm_train::gradients::clip_global_norm;

#[derive(Module, Debug)]
struct Weights {
    a: Param<Tensor<1>>,
    b: Param<Tensor<2>>,
}

/// Gradients (3, 4) and ((12, 0), (0, 0)), whose norms are 5 and 12, and 13 together.
fn gradients(device: &Device) -> (Weights, GradientsParams) {
    let weights = Weights {
        a: Param::from_tensor(Tensor::from_data([1.0, 1.0], device)),
        b: Param::from_tensor(Tensor::from_data([[1.0, 1.0], [1.0, 1.0]], device)),
    };
    let a = weights.a.val() * Tensor::from_data([3.0, 4.0], device);
    let b = weights.b.val() * Tensor::from_data([[12.0, 0.0], [0.0, 0.0]], device);
    let gradients = (a.sum() + b.sum()).backward();
    let gradients = GradientsParams::from_grads(gradients, &weights);
    (weights, gradients)
}

fn clipped(limit: f64) -> Vec<f32> {
    let (weights, gradients) = gradients(&Device::flex().autodiff());
    let clipped = clip_global_norm(&weights, gradients, limit);
    let a = clipped.get::<1>(weights.a.id).unwrap().into_data();
    let b = clipped.get::<2>(weights.b.id).unwrap().into_data();
    a.iter::<f32>().chain(b.iter::<f32>()).collect()
}

#[test]
fn all_gradients_are_scaled_by_one_factor_when_their_common_norm_is_too_large() {
    // torch.nn.utils.clip_grad_norm_ on the same gradients: times 6.5 / (13 + 1e-6)
    let expected = [1.5, 2.0, 6.0, 0.0, 0.0, 0.0];
    assert!(clipped(6.5).iter().zip(expected).all(|(a, e)| (a - e).abs() < 1e-5), "{:?}", clipped(6.5));
}

#[test]
fn gradients_within_the_limit_are_left_as_they_are() {
    assert_eq!(clipped(13.1), [3.0, 4.0, 12.0, 0.0, 0.0, 0.0]);
}
