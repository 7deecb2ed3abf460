use burn::{
    module::{Module, Param},
    optim::GradientsParams,
    tensor::{Device, Tensor},
};
use cm_train::gradients::{clip_by_norm, global_norm};

#[derive(Module, Debug)]
struct Weights {
    a: Param<Tensor<1>>,
    b: Param<Tensor<2>>,
}

/// These gradients of two weights and of four.
fn gradients(a: [f32; 2], b: [[f32; 2]; 2]) -> (Weights, GradientsParams) {
    let device = &Device::flex().autodiff();
    let weights = Weights {
        a: Param::from_tensor(Tensor::from_data([1.0, 1.0], device)),
        b: Param::from_tensor(Tensor::from_data([[1.0, 1.0], [1.0, 1.0]], device)),
    };
    let sum = (weights.a.val() * Tensor::from_data(a, device)).sum()
        + (weights.b.val() * Tensor::from_data(b, device)).sum();
    let gradients = GradientsParams::from_grads(sum.backward(), &weights);
    (weights, gradients)
}

fn norm(a: [f32; 2], b: [[f32; 2]; 2]) -> f64 {
    let (weights, gradients) = gradients(a, b);
    global_norm(&weights, &gradients)
}

/// Gradients (3, 4) and ((12, 0), (0, 0)), whose norms are 5 and 12, and 13 together, times `factor`.
fn clipped(factor: f32, limit: f64) -> Vec<f32> {
    let (a, b) = ([3.0 * factor, 4.0 * factor], [[12.0 * factor, 0.0], [0.0, 0.0]]);
    let (weights, gradients) = gradients(a, b);
    let norm = global_norm(&weights, &gradients);
    let clipped = clip_by_norm(&weights, gradients, norm, limit);
    let a = clipped.get::<1>(weights.a.id).unwrap().into_data();
    let b = clipped.get::<2>(weights.b.id).unwrap().into_data();
    a.iter::<f32>().chain(b.iter::<f32>()).collect()
}

#[test]
fn all_gradients_are_scaled_by_one_factor_when_their_common_norm_is_too_large() {
    // torch.nn.utils.clip_grad_norm_ on the same gradients: times 6.5 / (13 + 1e-6)
    let expected = [1.5, 2.0, 6.0, 0.0, 0.0, 0.0];
    let clipped = clipped(1.0, 6.5);
    assert!(clipped.iter().zip(expected).all(|(a, e)| (a - e).abs() < 1e-5), "{clipped:?}");
}

#[test]
fn gradients_within_the_limit_are_left_as_they_are() {
    assert_eq!(clipped(1.0, 13.1), [3.0, 4.0, 12.0, 0.0, 0.0, 0.0]);
}

#[test]
fn gradients_whose_squares_leave_the_range_are_clipped_and_not_lost() {
    // Squares of 3e20 are beyond 32 bits.
    let expected = [1.5, 2.0, 6.0, 0.0, 0.0, 0.0];
    for factor in [1e20, 1e36] {
        let clipped = clipped(factor, 6.5);
        assert!(clipped.iter().zip(expected).all(|(a, e)| (a - e).abs() < 1e-4), "{factor}: {clipped:?}");
    }
    let small = norm([3e-25, 4e-25], [[12e-25, 0.0], [0.0, 0.0]]);
    assert!((small / 13e-25 - 1.0).abs() < 1e-5, "{small}");
}

#[test]
fn a_gradient_that_is_not_finite_makes_the_norm_so() {
    for (value, place) in [(f32::NAN, 0), (f32::INFINITY, 1), (f32::NAN, 2)] {
        let (mut a, mut b) = ([3.0, 4.0], [[12.0, 0.0], [0.0, 0.0]]);
        match place {
            2 => b[1][1] = value,
            place => a[place] = value,
        }
        assert!(!norm(a, b).is_finite(), "{value} at {place}");
    }
    assert_eq!(norm([0.0; 2], [[0.0; 2]; 2]), 0.0);
}
