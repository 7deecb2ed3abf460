//! What a pass through a head gives.

use burn::{
    nn::loss::Reduction,
    tensor::{Int, Tensor},
};

fn reduce(loss: &Tensor<1>, weights: Option<&Tensor<1>>, reduction: Reduction) -> Tensor<1> {
    let [batch] = loss.dims();
    let loss = loss.clone();
    match (reduction, weights) {
        (Reduction::Sum, _) => loss.sum(),
        (Reduction::Mean | Reduction::Auto, Some(weights)) => {
            let total = weights.clone().sum();
            // Without weight there is no loss either.
            let total = total.clone().mask_fill(total.equal_scalar(0.0), 1.0);
            loss.sum() / total
        }
        _ => loss.sum().div_scalar(batch.max(1) as f64),
    }
}

/// What the loss of a head gives where logits are not wanted.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LossOutput {
    /// Loss of each sample, with margin, penalties and weight; 0 for an ignored one: `[batch]`.
    pub loss: Tensor<1>,
    /// How often each sample counts, 0 for an ignored one: `[batch]`. `None` where each counts once.
    pub weights: Option<Tensor<1>>,
    /// The class with the largest logit without margin: `[batch]`; of the sampled classes where classes were sampled.
    pub predictions: Tensor<1, Int>,
    /// Feature norms: `[batch]`.
    pub norms: Tensor<1>,
}

impl LossOutput {
    /// The loss of the batch, to call `backward` on, `[1]`; see [`HeadOutput::mean_loss`].
    pub fn mean_loss(&self) -> Tensor<1> {
        self.reduce(Reduction::Mean)
    }

    /// The loss of the batch, to call `backward` on, `[1]`; see [`HeadOutput::reduce`].
    pub fn reduce(&self, reduction: Reduction) -> Tensor<1> {
        reduce(&self.loss, self.weights.as_ref(), reduction)
    }

    /// The same numbers off the graph, for metrics.
    pub fn without_autodiff(self) -> Self {
        Self {
            loss: self.loss.without_autodiff(),
            weights: self.weights.map(Tensor::without_autodiff),
            predictions: self.predictions.without_autodiff(),
            norms: self.norms.without_autodiff(),
        }
    }
}

impl From<HeadOutput> for LossOutput {
    fn from(output: HeadOutput) -> Self {
        let predictions = output.predictions();
        Self { loss: output.loss, weights: output.weights, predictions, norms: output.norms }
    }
}

/// What one pass through a head gives.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HeadOutput {
    /// Loss of each sample, with margin, penalties and weight; 0 for an ignored one: `[batch]`.
    pub loss: Tensor<1>,
    /// How often each sample counts, 0 for an ignored one: `[batch]`. `None` where each counts once.
    pub weights: Option<Tensor<1>>,
    /// Feature norms: `[batch]`.
    pub norms: Tensor<1>,
    /// `[batch, classes]`, or `[batch, sampled]`.
    logits: Tensor<2>,
    /// The class of each column where classes were sampled: `[sampled]`.
    classes: Option<Tensor<1, Int>>,
}

/// Logits of sampled classes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SampledLogits {
    /// `[batch, sampled]`. A column is no class: see `classes`.
    pub columns: Tensor<2>,
    /// The class of each column, in ascending order: `[sampled]`.
    pub classes: Tensor<1, Int>,
}

impl HeadOutput {
    pub(super) fn new(
        loss: Tensor<1>,
        weights: Option<Tensor<1>>,
        logits: Tensor<2>,
        classes: Option<Tensor<1, Int>>,
        norms: Tensor<1>,
    ) -> Self {
        Self { loss, weights, norms, logits, classes }
    }

    /// The output of a head of a part of the classes, with what they are.
    pub(super) fn of_classes(self, classes: Tensor<1, Int>) -> Self {
        Self { classes: Some(classes), ..self }
    }

    /// Inference logits of all classes, without margin: `[batch, classes]`.
    ///
    /// # Panics
    ///
    /// If classes were sampled, so that a column would not be a class: there is
    /// [`sampled_logits`](Self::sampled_logits).
    pub fn logits(&self) -> Tensor<2> {
        assert!(
            self.classes.is_none(),
            "classes were sampled in this step, and the columns of the logits are not all classes; use sampled_logits"
        );
        self.logits.clone()
    }

    /// Inference logits of the sampled classes; `None` where all classes took part.
    pub fn sampled_logits(&self) -> Option<SampledLogits> {
        let classes = self.classes.clone()?;
        Some(SampledLogits { columns: self.logits.clone(), classes })
    }

    /// The loss of the batch, to call `backward` on, `[1]`: the sum over its samples divided by that of their weights;
    /// 0 if no sample counts.
    pub fn mean_loss(&self) -> Tensor<1> {
        self.reduce(Reduction::Mean)
    }

    /// The loss of the batch, to call `backward` on, `[1]`.
    ///
    /// `Mean` and `Auto` divide the sum of the losses by that of the weights, so that ignored samples count nowhere,
    /// `BatchMean` by the size of the batch, `Sum` by nothing.
    pub fn reduce(&self, reduction: Reduction) -> Tensor<1> {
        reduce(&self.loss, self.weights.as_ref(), reduction)
    }

    /// The class with the largest logit, `[batch]`; of the sampled classes where classes were sampled.
    pub fn predictions(&self) -> Tensor<1, Int> {
        let columns: Tensor<1, Int> = self.logits.clone().argmax(1).squeeze_dim(1);
        match &self.classes {
            Some(classes) => classes.clone().select(0, columns),
            None => columns,
        }
    }

    /// The same numbers off the graph, for metrics.
    pub fn without_autodiff(self) -> Self {
        Self {
            loss: self.loss.without_autodiff(),
            weights: self.weights.map(Tensor::without_autodiff),
            logits: self.logits.without_autodiff(),
            classes: self.classes.map(Tensor::without_autodiff),
            norms: self.norms.without_autodiff(),
        }
    }
}
