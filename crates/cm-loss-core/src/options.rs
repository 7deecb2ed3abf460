//! What is done with the loss of each sample, whatever the head.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::{Error, exact, state::beside, targets::Targets};

/// Options of the loss. Every softmax loss has all of them; one-vs-all losses and those with proxies refuse what is defined on
/// softmax.
///
/// With `p = softmax(z)` of the training logits, the smoothing `ε`, the focal exponent `γ` and the class weight `ω`:
///
/// ```text
/// CE_i = −(1 − ε) log p_iy − (ε / C) Σ_j log p_ij        L_i = ω_y ((1 − p_iy)^γ CE_i + penalties)
/// ```
///
/// Where classes are sampled, `C` and the sums are over those of the step. The mean over a batch is `Σ L_i / Σ ω_y`: a sample
/// of weight 2 counts as two. (PyTorch's `CrossEntropyLoss` with weights *and* smoothing weighs the smoothed part by all
/// classes' weights instead.)
///
/// Focal modulation is from T.-Y. Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, arXiv 1708.02002;
/// label smoothing from C. Szegedy et al., CVPR 2016, arXiv 1512.00567.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(default)]
pub struct LossOptions {
    /// `ω`: how often a sample of each class counts, a number of at least 0 for every class. `None`: once.
    pub class_weights: Option<Vec<f64>>,
    /// `ε`, from 0 up to (not including) 1.
    pub label_smoothing: f64,
    /// `γ`, at least 0; 0 switches the modulation off, 2 is usual.
    pub focal_gamma: f64,
    /// A target that marks samples to leave out: they cost nothing, receive no gradient, and no statistic sees them.
    pub ignore_index: Option<i64>,
}

impl LossOptions {
    /// Whether nothing is asked for.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Checks the numbers.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] for a number outside what is allowed.
    pub fn validate(&self) -> Result<(), Error> {
        let smoothing = self.label_smoothing;
        let valid = (0.0..1.0).contains(&smoothing);
        Error::check("label smoothing", "at least 0 and below 1", smoothing, valid)?;
        let focal_gamma = self.focal_gamma;
        Error::check(
            "focal_gamma",
            "finite and at least 0",
            focal_gamma,
            focal_gamma >= 0.0 && focal_gamma.is_finite(),
        )?;
        for &weight in self.class_weights.iter().flatten() {
            let valid = weight >= 0.0 && (weight as f32).is_finite();
            Error::check("class weight", "finite and at least 0", weight, valid)?;
        }
        Ok(())
    }

    /// `Ok` for a loss that is no softmax, if there is nothing that is defined on one.
    pub(crate) fn without_softmax(&self, loss: &'static str) -> Result<(), Error> {
        Error::exclude(
            self.label_smoothing > 0.0 || self.focal_gamma > 0.0,
            loss,
            "label smoothing or focal modulation",
            "they are defined on softmax, which it does not use",
        )
    }

    /// The class weights on a device, `[classes]`.
    ///
    /// # Errors
    ///
    /// [`Error::ClassWeights`] if there is not one for each class.
    pub(crate) fn weights(&self, classes: usize, device: &Device) -> Result<Option<Tensor<1>>, Error> {
        let Some(weights) = &self.class_weights else { return Ok(None) };
        if weights.len() != classes {
            return Err(Error::ClassWeights { weights: weights.len(), classes });
        }
        let weights: Vec<f32> = weights.iter().map(|&weight| weight as f32).collect();
        Ok(Some(Tensor::from_data(TensorData::new(weights, [classes]), (device, DType::F32))))
    }

    /// Cross entropy of each sample, smoothed and modulated, `[batch, 1]`: from the target's logit `z_y`,
    /// `l = ln Σ_{j ≠ y} exp(z_j)` and, for label smoothing, `Σ_{j ≠ y} z_j` of so many classes, all `[batch, 1]`.
    pub(crate) fn cross_entropy(
        &self,
        target: Tensor<2>,
        log_sum: Tensor<2>,
        sum: Option<Tensor<2>>,
        classes: usize,
    ) -> Tensor<2> {
        // −log p_y = ln(1 + exp(l − z_y)), where the difference may leave the range of the format downwards.
        let loss = exact::softplus((log_sum - target.clone()).clamp_min(-3e38));
        self.modulated(loss.clone(), || {
            let Some(sum) = sum else { panic!("label smoothing takes the sum of the logits") };
            let mean = (sum + target.clone()).div_scalar(classes as f64);
            target + loss - mean
        })
    }

    /// Smoothed and modulated, from `−log p_y` and the mean of `−log p_j` over all classes, both `[batch, 1]`.
    fn modulated(&self, target: Tensor<2>, mean: impl FnOnce() -> Tensor<2>) -> Tensor<2> {
        let loss = match self.label_smoothing {
            0.0 => target.clone(),
            smoothing => target.clone().mul_scalar(1.0 - smoothing) + mean().mul_scalar(smoothing),
        };
        if self.focal_gamma == 0.0 {
            return loss;
        }
        // 1 − p = 1 − exp(−L) = 2 t / (1 + t) with t = tanh(L / 2), which loses no digits where p is almost 1.
        let half = exact::tanh(target.div_scalar(2.0));
        let missing = (half.clone() / half.add_scalar(1.0)).mul_scalar(2.0);
        // A power below 1 has no derivative at 0.
        missing.clamp_min(f32::MIN_POSITIVE).powf_scalar(self.focal_gamma) * loss
    }

    /// Losses and weights of the samples, each `[batch]`, from the losses before weights, `[batch, 1]`, and the
    /// classes `[batch]`.
    pub(crate) fn weigh(
        losses: Tensor<2>,
        classes: Tensor<1, Int>,
        class_weights: Option<&Tensor<1>>,
        targets: &Targets,
    ) -> (Tensor<1>, Option<Tensor<1>>) {
        let losses = targets.counting(losses);
        let weights = match (class_weights, &targets.ignored) {
            (None, None) => return (losses.squeeze_dim(1), None),
            (Some(weights), _) => {
                let weights = beside(weights.clone(), &losses);
                weights.select(0, classes).unsqueeze_dim(1)
            }
            (None, Some(_)) => losses.clone().detach().ones_like(),
        };
        let weights = targets.counting(weights);
        ((losses * weights.clone()).squeeze_dim(1), Some(weights.squeeze_dim(1)))
    }
}
