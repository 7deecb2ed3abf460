//! A margin for each class.

use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::{AngularOverflow, MarginForm, Shaped, margin_of, validate_form};
use crate::{Error, targets::Targets};

/// A margin `m_y` of its own for each class: larger where there are few images, or where a class is hard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PerClassMargin {
    /// The margins in the order of the classes: radians, or differences of cosines.
    pub margins: Vec<f64>,
    /// Where they enter.
    pub form: MarginForm,
}

impl Default for PerClassMargin {
    /// For no class; the margins are there to be given.
    fn default() -> Self {
        Self { margins: Vec::new(), form: MarginForm::Cosine }
    }
}

impl PerClassMargin {
    /// The margins of LDAM, `m_j ∝ n_j^(−1/4)` for `n_j` images of class `j`, the largest of them `largest` (0.5 in the
    /// paper), as differences of cosines.
    ///
    /// From K. Cao et al., "Learning Imbalanced Datasets with Label-Distribution-Aware Margin Loss", NeurIPS 2019,
    /// arXiv 1906.07413, whose scale is 30.
    pub fn ldam(counts: &[usize], largest: f64) -> Self {
        let smallest = counts.iter().filter(|&&count| count > 0).min().copied().unwrap_or(1) as f64;
        let of = |&count: &usize| largest * (smallest / count.max(1) as f64).powf(0.25).min(1.0);
        Self { margins: counts.iter().map(of).collect(), form: MarginForm::Cosine }
    }

    /// Dynamic margins, `m_j = a n_j^(−λ) + b` for `n_j` images of class `j`, in radians.
    ///
    /// From Q. Ha et al., "Google Landmark Recognition 2020 Competition Third Place Solution", arXiv 2010.05350, with
    /// `λ = 1/4` and `a`, `b` such that margins lie between 0.05 and 0.5.
    pub fn dynamic(counts: &[usize], a: f64, lambda: f64, b: f64) -> Self {
        let of = |&count: &usize| a * (count.max(1) as f64).powf(-lambda) + b;
        Self { margins: counts.iter().map(of).collect(), form: MarginForm::Angular }
    }

    pub(super) fn shape(&self, cosines: &Tensor<2>, targets: &Targets) -> Shaped {
        let margins: Vec<f32> = self.margins.iter().map(|&margin| margin as f32).collect();
        let count = margins.len();
        let margins = TensorData::new(margins, [count]);
        let margins = Tensor::<1>::from_data(margins, (&cosines.device(), cosines.dtype()));
        let [batch, _] = cosines.dims();
        let margins = margins.select(0, targets.classes()).reshape([batch, 1]);
        margin_of(self.form, AngularOverflow::MonotoneTail, cosines, margins).0
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        self.margins.iter().try_for_each(|&margin| validate_form(self.form, "margin of a class", margin))
    }
}
