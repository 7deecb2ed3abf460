//! What the loss of a sample needs of all classes.
//!
//! With the target's logit `z_y`, margin and all, the cross entropy is `ln(1 + exp(l − z_y))`, for which it takes of all other
//! classes one number, `l = ln Σ_{j ≠ y} exp(z_j)`. Nothing is put right afterwards: where the loss is small, `l − z_y` keeps
//! the digits that a sum with the target in it has lost, and so does the gradient.

use burn::tensor::{IndexingUpdateOp, Int, Tensor};

use crate::margin::Others;

/// What stands for a logit that is not there: of a sample's own class, or where there is no other.
pub(crate) const EXCLUDED: f32 = -1e38;

/// Numbers of all classes that take part, for each sample of a batch.
pub(crate) struct AllClasses {
    /// `ln Σ_{j ≠ y} exp(z_j)`, `[batch, 1]`; [`EXCLUDED`] where there is no other class.
    pub log_sum: Tensor<2>,
    /// Cosine with the own class, or a linear layer's logit of it, `[batch, 1]`.
    pub target: Tensor<2>,
    /// Sum of the other classes' `T`, or of their logits, `[batch, 1]`. Only label smoothing asks for it.
    pub sum: Option<Tensor<2>>,
    /// `max_{j ≠ y} z_j`, `[batch, 1]`, off the graph; [`EXCLUDED`] where there is no other class.
    pub largest: Tensor<2>,
    /// The class with the largest cosine, `[batch]`, where logits were not asked for; its place where classes were chosen.
    pub best: Option<Tensor<1, Int>>,
    /// How many classes.
    pub classes: usize,
}

impl AllClasses {
    /// From the matrix of cosines, `[batch, classes]`, and the one of logits where that is there already.
    pub fn of_cosines(
        cosines: Tensor<2>,
        logits: Option<Tensor<2>>,
        radii: &Tensor<2>,
        others: Option<&Others>,
        columns: &Tensor<2, Int>,
        wants_sum: bool,
    ) -> Self {
        let target = cosines.clone().gather(1, columns.clone());
        let best = logits.is_none().then(|| cosines.clone().detach().argmax(1).squeeze_dim(1));
        let (shaped, logits) = match (others, logits) {
            (None, Some(logits)) => (cosines, logits),
            (others, _) => {
                let shaped = match others {
                    Some(others) => others.shaped(cosines),
                    None => cosines,
                };
                (shaped.clone(), shaped * radii.clone())
            }
        };
        Self { target, best, ..Self::of_logits(logits, wants_sum.then_some(shaped), columns) }
    }

    /// From the matrix of logits, `[batch, classes]`, and that of which the sum is wanted.
    pub fn of_logits(logits: Tensor<2>, summed: Option<Tensor<2>>, columns: &Tensor<2, Int>) -> Self {
        let [_, classes] = logits.dims();
        let own = |of: &Tensor<2>| of.clone().gather(1, columns.clone());
        let target = own(&logits);
        let sum = summed.map(|summed| summed.clone().sum_dim(1) - own(&summed));
        let replaced = target.clone().detach().neg().add_scalar(EXCLUDED);
        let others = logits.scatter(1, columns.clone(), replaced, IndexingUpdateOp::Add);
        let largest = others.clone().detach().max_dim(1);
        let log_sum = (others - largest.clone()).exp().sum_dim(1).log() + largest.clone();
        Self { log_sum, target, sum, largest, best: None, classes }
    }
}
