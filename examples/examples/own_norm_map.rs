//! A norm map of your own in a head of this library.

use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor};
use cm_loss_core::{
    Custom, CustomNormMap, Margin, MarginHeadConfig, NormMap, Parameters, margin::CosineMargin,
};

/// `phi(r) = s (1 − exp(−r / τ) / 2)`: from `s/2` to `s` as the sigmoid contraction, but over as many norms as `τ` says.
#[derive(Debug)]
struct Exponential {
    scale: f64,
    length: f64,
}

impl CustomNormMap for Exponential {
    fn name(&self) -> &str {
        "exponential"
    }

    fn parameters(&self) -> Parameters {
        [("scale".to_owned(), self.scale), ("length".to_owned(), self.length)].into()
    }

    fn forward(&self, norms: Tensor<2>) -> Tensor<2> {
        let missing = norms.div_scalar(-self.length).exp().mul_scalar(0.5);
        missing.neg().add_scalar(1.0).mul_scalar(self.scale)
    }
}

fn main() -> Result<(), cm_loss_core::Error> {
    let device = Device::flex().autodiff();
    let map = NormMap::Custom(Custom(Arc::new(Exponential { scale: 30.0, length: 10.0 })));
    let head =
        MarginHeadConfig::new(map, Margin::Cosine(CosineMargin { margin: 0.4 })).init(2, 3, &device)?;

    // A short and a long feature, each along the center of its class: its logit is the radius.
    let centers = head.class_centers.val().detach().narrow(0, 0, 2);
    let units = centers.clone() / centers.square().sum_dim(1).sqrt();
    let features = (units * Tensor::from_data([[1.0], [20.0]], &device)).detach().require_grad();
    let output = head.forward(features.clone(), Tensor::<1, Int>::from_data([0, 1], &device));
    let gradients = output.mean_loss().backward();
    let radii = output.logits().max_dim(1).into_data();
    println!("norms {}", output.norms.into_data());
    println!("radii {radii}");
    println!("gradients {}", features.grad(&gradients).expect("features require gradients").into_data());

    // 30 (1 − exp(−0.1) / 2) and 30 (1 − exp(−2) / 2)
    for (found, expected) in radii.iter::<f64>().zip([16.427, 27.970]) {
        assert!((found - expected).abs() < 1e-2, "{found}, not {expected}");
    }
    Ok(())
}

#[test]
fn runs() {
    main().expect("the example runs");
}
