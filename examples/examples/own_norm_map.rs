//! A norm map of your own in a head of this library, and in its configuration as a file.

use std::{error::Error, sync::Arc};

use burn::tensor::{Device, Int, Tensor};
use cm_loss_core::{Custom, CustomNormMap, Margin, MarginHeadConfig, NormMap, Parameters, register_norm_map};

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

fn main() -> Result<(), Box<dyn Error>> {
    let map = NormMap::Custom(Custom(Arc::new(Exponential { scale: 30.0, length: 10.0 })));
    let written = serde_json::to_string(&MarginHeadConfig::new(map, Margin::Cosine(Default::default())))?;
    // Who reads it says what the name means.
    register_norm_map("exponential", |numbers| {
        let number = |name: &str| numbers.get(name).copied().ok_or(format!("{name} is missing"));
        Ok(Arc::new(Exponential { scale: number("scale")?, length: number("length")? }))
    });
    let config: MarginHeadConfig = serde_json::from_str(&written)?;

    // A short and a long feature, each along the center of its class: its logit is the radius.
    let device = Device::flex().autodiff();
    let head = config.init(2, 3, &device)?;
    let units = head.unit_centers().detach().narrow(0, 0, 2);
    let features = units * Tensor::from_data([[1.0], [20.0]], &device);
    let output = head.forward(features, Tensor::<1, Int>::from_data([0, 1], &device));
    let radii = output.logits().max_dim(1).into_data();
    println!("{written}\nnorms {}\nradii {radii}", output.norms.into_data());
    // 30 (1 − exp(−0.1) / 2) and 30 (1 − exp(−2) / 2)
    assert!(
        radii.iter::<f64>().zip([16.427, 27.970]).all(|(found, expected)| (found - expected).abs() < 1e-2)
    );
    Ok(())
}

#[test]
fn runs() {
    main().expect("the example runs");
}
