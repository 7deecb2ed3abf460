//! Center loss.

use burn::{
    module::Module,
    tensor::{Device, IndexingUpdateOp, Tensor},
};
use serde::{Deserialize, Serialize};

use crate::{Error, state::State, targets::Targets};

/// `(λ / 2) ‖x − k_y‖²`: pulls features towards a center `k` of their class, which follows them.
///
/// These centers are not the head's class centers, of which only the directions matter. They begin at 0 and are state of
/// the head; after each training step
///
/// ```text
/// k_j ← k_j − α Σ_{i: y_i = j} (k_j − x_i) / (1 + n_j)
/// ```
///
/// with the number `n_j` of the batch's samples of class `j`. No gradient flows through them.
///
/// From Y. Wen et al., "A Discriminative Feature Learning Approach for Deep Face Recognition", ECCV 2016.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CenterLoss {
    /// Weight `λ`, without unit, above 0; 0.003 in the paper.
    pub weight: f64,
    /// `α`, above 0 and up to 1; 0.5 in the paper.
    pub rate: f64,
}

impl Default for CenterLoss {
    /// As the paper.
    fn default() -> Self {
        Self { weight: 0.003, rate: 0.5 }
    }
}

impl CenterLoss {
    pub(crate) fn validate(&self) -> Result<(), Error> {
        Error::check_positive("weight of the center loss", self.weight)?;
        Error::check_rate("rate of the center loss", self.rate)
    }
}

/// The centers of a [`CenterLoss`].
#[derive(Module, Debug)]
pub(crate) struct FeatureCenters {
    /// `[classes, feature_dim]`
    pub centers: State<2>,
    #[module(skip)]
    config: CenterLoss,
}

impl FeatureCenters {
    pub fn new(config: &CenterLoss, classes: usize, feature_dim: usize, device: &Device) -> Self {
        let centers = State::new(vec![0.0; classes * feature_dim], [classes, feature_dim], device);
        Self { centers, config: config.clone() }
    }

    /// The penalty of each sample, `[batch, 1]`, for features `[batch, feature_dim]`.
    pub fn penalty(&self, features: &Tensor<2>, targets: &Targets) -> Tensor<2> {
        let own = self.centers.value(features).select(0, targets.classes());
        (features.clone() - own).square().sum_dim(1).mul_scalar(self.config.weight / 2.0)
    }

    /// Moves the centers after a step.
    pub fn follow(&self, features: &Tensor<2>, targets: &Targets) {
        let features = features.clone().detach();
        let [batch, _] = features.dims();
        if batch == 0 {
            return;
        }
        let features = match &targets.ignored {
            Some(ignored) => features.clone().mask_fill(ignored.clone().expand(features.dims()), 0.0),
            None => features,
        };
        let device = features.device();
        self.centers.replace(&device, |centers| {
            let features = features.cast(centers.dtype());
            let [classes, _] = centers.dims();
            let counted = targets.counting(Tensor::ones([batch, 1], (&device, centers.dtype())));
            let counts = Tensor::<2>::zeros([classes, 1], (&device, centers.dtype())).select_assign(
                0,
                targets.classes(),
                counted.clone(),
                IndexingUpdateOp::Add,
            );
            let own = |of: &Tensor<2>| of.clone().select(0, targets.classes());
            let towards = (features - own(&centers)) * counted / own(&counts).add_scalar(1.0);
            let towards = towards.mul_scalar(self.config.rate);
            centers.select_assign(0, targets.classes(), towards, IndexingUpdateOp::Add)
        });
    }
}
