//! What margins remember from batch to batch.

use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

use super::{AdaFaceMargin, Margin};
use crate::{NormStatistics, state::State, targets::Targets};

/// State of a margin: saved and restored with the module, moved while it trains.
#[derive(Module, Debug)]
pub(crate) struct MarginState {
    pub norm_statistics: Option<NormStatistics>,
    /// The `c` of CurricularFace: `[1]`.
    pub curriculum: Option<State<1>>,
}

impl MarginState {
    pub fn new(margin: &Margin, device: &Device) -> Self {
        let mut state = Self { norm_statistics: None, curriculum: None };
        match margin {
            Margin::AdaFace(margin) => state.norm_statistics = Some(margin.statistics(device)),
            Margin::Curricular(_) => state.curriculum = Some(State::new(vec![0.0], [1], device)),
            _ => {}
        }
        state
    }

    /// Whether there is anything to remember.
    pub fn remembers(&self) -> bool {
        self.norm_statistics.is_some() || self.curriculum.is_some()
    }

    /// The statistics of AdaFace.
    pub fn norm_statistics(&self) -> &NormStatistics {
        let Some(statistics) = &self.norm_statistics else {
            panic!("this state belongs to another margin than AdaFace's")
        };
        statistics
    }

    /// The `c` of CurricularFace, `[1, 1]`.
    pub fn curriculum(&self, like: &Tensor<2>) -> Option<Tensor<2>> {
        self.curriculum.as_ref().map(|state| state.value(like).unsqueeze())
    }

    /// Takes in the target cosines, for a margin with a curriculum, and norms of a batch, each `[batch, 1]`, before it is
    /// trained on.
    pub fn take_in(
        &self,
        margin: &Margin,
        cosines: Option<&Tensor<2>>,
        norms: &Tensor<2>,
        targets: &Targets,
    ) {
        if norms.dims()[0] == 0 {
            return;
        }
        if let Some(statistics) = &self.norm_statistics {
            statistics.update(&AdaFaceMargin::held(norms.clone().detach()), targets.ignored.as_ref());
        }
        if let (Some(state), Margin::Curricular(margin), Some(cosines)) = (&self.curriculum, margin, cosines)
        {
            let cosines = cosines.clone().detach();
            let counted = targets.counting(cosines.ones_like()).sum();
            state.replace(&cosines.device(), |from| {
                let towards =
                    targets.counting(cosines - from.clone().unsqueeze().cast(counted.dtype())).sum();
                let towards = (towards / counted.clamp_min(1.0)).mul_scalar(margin.momentum);
                from.clone() + towards.cast(from.dtype())
            });
        }
    }
}
