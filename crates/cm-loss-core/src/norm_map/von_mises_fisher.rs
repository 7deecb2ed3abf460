//! A norm map that knows the dimension of the feature.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{Error, exact};

/// `phi(r) = s · r / (ν + √(ν² + r²))` with `ν = (D − 1)/2` for features of `D` dimensions.
///
/// It is (up to the scale) a bound on the mean resultant length of a von Mises-Fisher distribution with concentration `r`: how
/// much a direction of that concentration is worth. Strictly increasing from 0 at `r = 0` towards `s`; Lipschitz constant
/// `s / (2ν)`: the more dimensions, the longer a feature must be to count. The bound is from D. Amos, "Computation of
/// modified Bessel functions and their ratios", Mathematics of Computation 1974. **Ours** as a norm map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VonMisesFisher {
    /// The limit `s` of the radius, without unit, above 0.
    pub scale: f64,
    /// `D`, at least 2. `None`: that of the head's features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimension: Option<usize>,
}

impl Default for VonMisesFisher {
    fn default() -> Self {
        Self { scale: 30.0, dimension: None }
    }
}

impl VonMisesFisher {
    /// The same for a head with features of so many dimensions.
    pub(super) fn for_features(&self, feature_dim: usize) -> Self {
        Self { dimension: Some(self.dimension.unwrap_or(feature_dim)), ..self.clone() }
    }

    fn nu(&self) -> f64 {
        let Some(dimension) = self.dimension else {
            panic!("this norm map needs the dimension of the features: set it, or call NormMap::for_features")
        };
        (dimension.max(2) - 1) as f64 / 2.0
    }

    /// `r / ν`, which may be squared, and the root of 1 plus its square.
    fn ratio(&self, norms: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let ratio = norms.div_scalar(self.nu()).clamp_max(1e18);
        (ratio.clone(), ratio.square().add_scalar(1.0).sqrt())
    }

    pub(super) fn forward(&self, norms: Tensor<2>) -> Tensor<2> {
        let (ratio, root) = self.ratio(norms.clone().detach());
        let value = (ratio / root.clone().add_scalar(1.0)).mul_scalar(self.scale);
        let slope = (root.clone() * root.add_scalar(1.0)).recip().mul_scalar(self.scale / self.nu());
        exact::with_slope(value, slope, norms)
    }

    /// Derivative as a share of its largest value, `s / (2ν)`.
    pub(super) fn relative_slope(&self, norms: Tensor<2>) -> Tensor<2> {
        let (_, root) = self.ratio(norms);
        (root.clone() * root.add_scalar(1.0)).recip().mul_scalar(2.0)
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        Error::check_positive("scale of the von Mises-Fisher map", self.scale)?;
        let dimension = self.dimension.unwrap_or(2);
        Error::check("dimension of the von Mises-Fisher map", "at least 2", dimension as f64, dimension >= 2)
    }
}
