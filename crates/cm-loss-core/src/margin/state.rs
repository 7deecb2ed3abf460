//! What margins remember from batch to batch.

use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

use super::{AdaFaceMargin, FunFaceMargin, Margin};
use crate::{NormStatistics, state::State, targets::Targets};

/// State of a margin: saved and restored with the module, moved while it trains.
#[derive(Module, Debug)]
pub(crate) struct MarginState {
    pub norm_statistics: Option<NormStatistics>,
    /// Of FunFace's certainty ratio.
    pub certainty: Option<NormStatistics>,
    /// The `c` of CurricularFace: `[1]`.
    pub curriculum: Option<State<1>>,
}

impl MarginState {
    pub fn new(margin: &Margin, device: &Device) -> Self {
        let mut state = Self { norm_statistics: None, certainty: None, curriculum: None };
        match margin {
            Margin::AdaFace(margin) => state.norm_statistics = Some(margin.statistics(device)),
            Margin::FunFace(margin) => {
                let [of_norms, of_certainty] = margin.statistics(device);
                (state.norm_statistics, state.certainty) = (Some(of_norms), Some(of_certainty));
            }
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

    /// The statistics of FunFace: of the norms and of the certainty ratio.
    pub fn both(&self) -> [&NormStatistics; 2] {
        let Some(certainty) = &self.certainty else {
            panic!("this state belongs to another margin than FunFace's")
        };
        [self.norm_statistics(), certainty]
    }

    /// The running mean of the certainty ratio, for samples of which it is not known, `[batch, 1]`.
    pub fn mean_certainty(&self, like: &Tensor<2>) -> Tensor<2> {
        let [_, certainty] = self.both();
        certainty.values(like).0.expand(like.dims())
    }

    /// Takes in the certainty ratio of a batch that is trained on, which takes a look at all classes.
    pub fn take_in_certainty(&self, certainty: &Tensor<2>, norms: &Tensor<2>, targets: &Targets) {
        if norms.dims()[0] > 0 {
            FunFaceMargin::take_in(norms, certainty, self.both(), targets);
        }
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
        if let (Some(statistics), Margin::AdaFace(_)) = (&self.norm_statistics, margin) {
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
