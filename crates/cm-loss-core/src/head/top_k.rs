//! The most probable classes, without the matrix of logits.

use burn::tensor::{Int, Tensor};

use super::shared::Parts;
use crate::Error;

/// The classes with the largest logits.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TopK {
    /// `[batch, k]`, the largest first.
    pub classes: Tensor<2, Int>,
    /// Their inference logits: `[batch, k]`.
    pub logits: Tensor<2>,
}

/// Classes whose logits exist at a time in [`Head::top_k`](super::Head::top_k).
const BLOCK: usize = 8192;

/// With features and a head that have no graph, which would keep the logits of every block.
pub(super) fn top_k(head: &impl Parts, features: Tensor<2>, k: usize) -> Result<TopK, Error> {
    let classes = head.classes();
    let valid = (1..=classes).contains(&k);
    Error::check(
        "k of the classes asked for",
        "at least 1 and at most the number of classes",
        k as f64,
        valid,
    )?;
    let [batch, columns] = features.dims();
    let feature_dim = head.feature_dim();
    if columns != feature_dim {
        return Err(Error::FeatureDim { columns, feature_dim });
    }
    if batch == 0 {
        // Not every backend multiplies matrices without rows.
        let logits = Tensor::<2>::zeros([0, k], (&features.device(), features.dtype()));
        return Ok(TopK { classes: logits.clone().int(), logits });
    }
    let mut best: Option<TopK> = None;
    for start in (0..classes).step_by(BLOCK) {
        let range = start..classes.min(start + BLOCK);
        let of_block = k.min(range.len());
        let (logits, _) = head.logits_of(features.clone(), range);
        let (logits, places) = logits.topk_with_indices(of_block, 1);
        let found = TopK { classes: places.add_scalar(start as i64), logits };
        best = Some(match best {
            None => found,
            Some(before) => {
                // Of equal logits the class that came first stays first.
                let logits = Tensor::cat(vec![before.logits, found.logits], 1);
                let classes = Tensor::cat(vec![before.classes, found.classes], 1);
                let kept = k.min(logits.dims()[1]);
                let (logits, places) = logits.topk_with_indices(kept, 1);
                TopK { classes: classes.gather(1, places), logits }
            }
        });
    }
    let Some(best) = best else { unreachable!("a head has a class") };
    Ok(best)
}
