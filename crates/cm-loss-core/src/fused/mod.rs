//! Softmax over very many classes without a matrix of batch x classes.
//!
//! What the loss needs of all classes, and its gradient, are summed up over blocks of classes; everything that a margin, a
//! norm map or an option does happens to columns of `[batch, 1]`.

mod autodiff;
mod composed;
#[cfg(feature = "flex")]
mod cpu;
mod extension;

#[cfg(feature = "flex")]
mod flex;
mod kept;
mod matrix;
mod path;

use std::sync::Arc;

use burn::{
    backend::Dispatch,
    tensor::{Int, Tensor},
};

use crate::{
    all_classes::AllClasses,
    margin::{self, Curve},
};
use extension::{Chosen, ManyClasses, Others, Plan};
pub(crate) use kept::Pool;
pub use path::LossPath;

/// What goes in.
pub(crate) struct Inputs {
    /// Unit features `[batch, dim]`.
    pub directions: Tensor<2>,
    /// Class centers as they are `[rows, dim]`, `each` of them for a class.
    pub centers: Tensor<2>,
    pub each: usize,
    /// `phi`, `[batch, 1]`.
    pub radii: Tensor<2>,
    /// What becomes of other classes, where it is not their cosine.
    pub others: Option<margin::Others>,
    /// Where memory for cosines comes from.
    pub pool: Arc<Pool>,
    /// The class of each sample, `[batch, 1]`, or its place among those chosen.
    pub targets: Tensor<2, Int>,
    /// The classes that take part, in ascending order; all where there are none.
    pub chosen: Option<Tensor<1, Int>>,
}

impl Inputs {
    /// Classes that take part.
    pub fn classes(&self) -> usize {
        match &self.chosen {
            Some(chosen) => chosen.dims()[0],
            None => self.centers.dims()[0] / self.each,
        }
    }

    /// Goes over all classes in these blocks.
    pub fn over_classes(self, [block, keep]: [usize; 2]) -> AllClasses {
        let classes = self.classes();
        let curve = self.others.as_ref().map_or(Curve::STRAIGHT, |others| others.curve);
        let plan = Plan { classes, each: self.each, block, pool: self.pool, keep, kept: None, curve };
        let inputs = extension::Inputs::<Dispatch> {
            u: self.directions.into_dispatch(),
            w: self.centers.into_dispatch(),
            radii: self.radii.into_dispatch(),
            targets: self.targets.into_dispatch(),
            others: match self.others {
                None => Others::Straight,
                Some(others) => Others::Bent {
                    beyond: others.beyond.detach().into_dispatch(),
                    curriculum: others.curriculum.detach().into_dispatch(),
                },
            },
            chosen: match self.chosen {
                None => Chosen::All,
                Some(classes) => Chosen::These { classes: classes.into_dispatch() },
            },
            plan,
        };
        let (columns, best) = <Dispatch as ManyClasses>::over_classes(inputs);
        let columns = Tensor::<2>::from_dispatch(columns);
        let [log_sum, target, sum, largest] = [0, 1, 2, 3].map(|k| columns.clone().narrow(1, k, 1));
        let (sum, best) = (Some(sum), Some(Tensor::from_dispatch(best)));
        AllClasses { log_sum, target, sum, largest: largest.detach(), best, classes }
    }
}
