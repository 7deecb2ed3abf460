//! Class centers, in and out.

use burn::{
    module::Param,
    tensor::{IndexingUpdateOp, Int, Tensor},
};

use super::{Head, MarginHead, shared::Parts};
use crate::{Error, Margin, norm::norm_and_unit, state::beside, targets::check_finite};

impl Head {
    /// What stands for the classes: of a head with class centers those, `[classes · sub_centers, feature_dim]`; of a linear
    /// head its weights, `[classes, feature_dim]`.
    pub fn class_centers(&self) -> Tensor<2> {
        match self {
            Self::Linear(head) => head.linear.weight.val().transpose(),
            Self::Margin(head) => head.class_centers.val(),
            Self::SphereFace2(head) => head.class_centers.val(),
            Self::Proxy(head) => head.class_centers.val(),
        }
    }

    /// [`class_centers`](Self::class_centers), each divided by its length: what an embedding is compared with. A center of
    /// zeros stays one.
    pub fn unit_centers(&self) -> Tensor<2> {
        norm_and_unit(self.class_centers()).1
    }

    /// The same head with these class centers, `[classes · sub_centers, feature_dim]`, from another training or another
    /// program.
    ///
    /// Of the checkpoints of other programs, insightface's (`weight`) has a row a class and fits as it is; those of AdaFace
    /// and CurricularFace (`kernel`), MagFace (`weight` of its head), OpenSphere (`w`) and pytorch-metric-learning (`W`) have
    /// a column a class and fit transposed. `cm_models::weights::class_centers` reads any of them from a file, the right way round.
    ///
    /// # Errors
    ///
    /// [`Error::CenterShape`] for another shape; [`Error::NotFinite`] for a center that is not finite.
    pub fn with_class_centers(self, centers: Tensor<2>) -> Result<Self, Error> {
        check_centers(&centers, self.class_centers().dims())?;
        Ok(self.exchanged(centers))
    }

    /// The same head with these centers, however many.
    fn exchanged(mut self, centers: Tensor<2>) -> Self {
        match &mut self {
            Self::Linear(head) => replace(&mut head.linear.weight, centers.transpose()),
            Self::Margin(head) => replace(&mut head.class_centers, centers),
            Self::SphereFace2(head) => replace(&mut head.class_centers, centers),
            Self::Proxy(head) => replace(&mut head.class_centers, centers),
        }
        self
    }

    /// The same head whose class centers are the mean directions of the features of each class, `[samples, feature_dim]`
    /// with targets `[samples]`: a start from features that are good already. Classes without samples keep their centers,
    /// and so does a class whose features cancel out; of several centers a class, all begin at the mean.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    pub fn with_class_means(self, features: Tensor<2>, targets: Tensor<1, Int>) -> Result<Self, Error> {
        self.check(&features, &targets)?;
        let classes = self.classes();
        let centers = self.class_centers().detach();
        let [rows, dim] = centers.dims();
        let device = centers.device();
        let (_, directions) = norm_and_unit(features.detach().to_device(&device));
        let targets = targets.to_device(&device);
        let (targets, directions) = match Parts::options(&self).ignore_index {
            None => (targets, directions),
            Some(index) => {
                let ignored = targets.clone().equal_scalar(index);
                let all = ignored.clone().unsqueeze_dim::<2>(1).expand(directions.dims());
                (targets.mask_fill(ignored, 0), directions.mask_fill(all, 0.0))
            }
        };
        let dtype = directions.dtype();
        let sums = Tensor::<2>::zeros([classes, dim], (&device, dtype)).select_assign(
            0,
            targets,
            directions,
            IndexingUpdateOp::Add,
        );
        let (lengths, means) = norm_and_unit(sums);
        let each = rows / classes;
        let spread = |of: Tensor<2>| -> Tensor<2> {
            let [_, columns] = of.dims();
            of.unsqueeze_dim::<3>(1).expand([classes, each, columns]).reshape([rows, columns])
        };
        let none = spread(lengths).lower_scalar(1e-6).expand([rows, dim]);
        let means = spread(means).mask_where(none, centers.cast(dtype));
        self.with_class_centers(means)
    }

    /// A head of more classes: those of this one, with all that it has learned, and after them new ones with these centers,
    /// `[new · sub_centers, feature_dim]` (unit vectors, or class means).
    ///
    /// # Errors
    ///
    /// [`Error::CenterShape`] for another number of dimensions, or rows that make no whole class; [`Error::NotFinite`];
    /// [`Error::DoesNotCombine`] with class weights, margins for each class or center loss, which know nothing of the new ones.
    pub fn with_new_classes(self, centers: Tensor<2>) -> Result<Self, Error> {
        let known = self.class_centers();
        let [rows, dim] = known.dims();
        let each = rows / self.classes();
        let [new, columns] = centers.dims();
        if columns != dim || new % each != 0 {
            return Err(Error::CenterShape {
                found: [new, columns],
                expected: [new.next_multiple_of(each), dim],
            });
        }
        let by_class = self.as_margin().map(MarginHead::config).is_some_and(|config| {
            config.center_loss.is_some() || matches!(config.margin, Margin::PerClass(_))
        });
        if by_class || Parts::options(&self).class_weights.is_some() {
            return Err(Error::DoesNotCombine {
                what: "new classes",
                with: "class weights, margins for each class or center loss",
                reason: "they have a value for each class, and none for the new ones",
            });
        }
        let joined = Tensor::cat(vec![known.clone().detach(), beside(centers, &known)], 0);
        check_finite(&joined)?;
        let mut head = self.exchanged(joined);
        if let Self::Linear(head) = &mut head
            && let Some(bias) = &mut head.linear.bias
        {
            // The largest logit of no feature should be that of a class nobody has seen: the mean of the others.
            let known = bias.val().detach();
            let mean = known.clone().mean().expand([new as i32]);
            replace(bias, Tensor::cat(vec![known, mean], 0));
        }
        Ok(head)
    }
}

impl MarginHead {
    /// The same head with these class centers; see [`Head::with_class_centers`].
    ///
    /// # Errors
    ///
    /// As [`Head::with_class_centers`].
    pub fn with_class_centers(mut self, centers: Tensor<2>) -> Result<Self, Error> {
        check_centers(&centers, self.class_centers.dims())?;
        replace(&mut self.class_centers, centers);
        Ok(self)
    }
}

/// Gives a parameter another value, in its format, on its device, and with or without a gradient as before.
fn replace<const D: usize>(parameter: &mut Param<Tensor<D>>, value: Tensor<D>) {
    let before = parameter.val();
    *parameter = parameter.clone().map(|_| beside(value, &before).set_require_grad(before.is_require_grad()));
}

fn check_centers(centers: &Tensor<2>, expected: [usize; 2]) -> Result<(), Error> {
    let found = centers.dims();
    if found != expected {
        return Err(Error::CenterShape { found, expected });
    }
    check_finite(centers)
}
