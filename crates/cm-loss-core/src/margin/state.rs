//! What margins remember from batch to batch.

use burn::{
    module::{Module, RunningState},
    tensor::{Device, Tensor},
};

use super::{AdaFaceMargin, Margin};
use crate::NormStatistics;

/// State of a margin: saved and restored with the module, moved while it trains.
#[derive(Module, Debug)]
pub struct MarginState {
    norm_statistics: Option<NormStatistics>,
    /// The `c` of CurricularFace: `[1]`.
    curriculum: Option<RunningState<Tensor<1>>>,
    /// Steps trained, for annealing: `[1]`.
    steps: Option<RunningState<Tensor<1>>>,
}

impl MarginState {
    pub(super) fn new(margin: &Margin, device: &Device) -> Self {
        let zero = || Some(RunningState::new(Tensor::zeros([1], device)));
        let mut state = Self { norm_statistics: None, curriculum: None, steps: None };
        match margin {
            Margin::AdaFace(margin) => state.norm_statistics = Some(margin.statistics(device)),
            Margin::Curricular(_) => state.curriculum = zero(),
            Margin::Multiplicative(margin) if margin.annealing.is_some() => state.steps = zero(),
            _ => {}
        }
        state
    }

    /// The statistics of AdaFace.
    pub(super) fn norm_statistics(&self) -> &NormStatistics {
        let Some(statistics) = &self.norm_statistics else {
            panic!("this state belongs to another margin than AdaFace's")
        };
        statistics
    }

    /// The `c` of CurricularFace, `[1, 1]`.
    pub(super) fn curriculum(&self) -> Option<Tensor<2>> {
        self.curriculum.as_ref().map(|state| state.value_sync().unsqueeze())
    }

    /// Steps trained, `[1, 1]`.
    pub(super) fn steps(&self) -> Option<Tensor<2>> {
        self.steps.as_ref().map(|state| state.value_sync().unsqueeze())
    }

    /// Takes in the target cosines and norms, each `[batch, 1]`, of a batch before it is trained on.
    pub(crate) fn before_step(&self, margin: &Margin, target_cosines: &Tensor<2>, norms: &Tensor<2>) {
        if norms.dims()[0] == 0 {
            return;
        }
        if let Some(statistics) = &self.norm_statistics {
            statistics.update(&AdaFaceMargin::held(norms.clone().detach()));
        }
        if let (Some(state), Margin::Curricular(margin)) = (&self.curriculum, margin) {
            let from = state.value_sync();
            let mean = target_cosines.clone().detach().mean();
            state.update(from.clone() + (mean - from).mul_scalar(margin.rate));
        }
    }

    /// Counts a step that was trained.
    pub(crate) fn after_step(&self) {
        if let Some(state) = &self.steps {
            state.update(state.value_sync().add_scalar(1.0));
        }
    }
}
