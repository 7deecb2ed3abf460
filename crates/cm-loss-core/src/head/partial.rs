//! Training on a part of the classes with nothing for the others: no gradient, no optimizer state, no work.

use std::mem;

use burn::{
    module::{Module, Param},
    tensor::{Device, Gradients, IndexingUpdateOp, Int, Tensor},
};
use serde::{Deserialize, Serialize};

use super::{ClassSampling, HeadOutput, LossOutput, MarginHead, sampling::rows_of};
use crate::{
    Error, Margin,
    norm::single_precision,
    state::{beside, on},
    targets::Targets,
};

/// The target of a sample to ignore, among places of classes.
const NO_PLACE: i64 = -1;

/// Partial FC: in each step the classes of the batch and a random part of the others are drawn, and only their centers are
/// part of the graph and of the optimizer.
///
/// ```text
/// let step = partial.draw(&features, targets)?;       the drawn classes: a head of their own
/// let loss = step.loss(features);
/// let mut gradients = loss.mean_loss().backward();
/// partial.update(step, &mut gradients, 0.1)?;         moves the drawn centers
/// ```
///
/// A [`MarginHead`] with [`ClassSampling`] computes the same loss, and fits into any training loop; but its gradient has a row
/// of zeros for every other class, and an optimizer has its state for them and, with momentum or weight decay, moves them. Here
/// a step costs what the drawn classes cost, whatever the number of all, and a center that is not drawn stays where it is to
/// the bit. The velocity of the momentum is of the size of the centers; on flex it takes memory for those that were drawn.
///
/// It is no module: its centers are not for an optimizer. [`to_head`](Self::to_head) gives the head of all classes between
/// steps, to test and to save; [`into_head`](Self::into_head) at the end, and to go on from ([`new`](Self::new)).
///
/// From X. An et al., "Partial FC", 2020, arXiv 2010.05222. Its authors' newer code (`PartialFC_V2`) has the dense gradient.
#[derive(Debug)]
pub struct PartialHead {
    /// `[classes · sub_centers, feature_dim]`, off the graph, and nowhere else, so that rows are changed in place.
    centers: Tensor<2>,
    /// Of the same shape, if there is momentum.
    velocity: Option<Tensor<2>>,
    /// All of the head but the centers.
    template: MarginHead,
    sampling: ClassSampling,
    optimizer: RowSgd,
}

/// Stochastic gradient descent for the drawn rows, as PyTorch's `SGD` has it:
///
/// ```text
/// g ← g + λ w        v ← m v + g        w ← w − η v
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RowSgd {
    /// `m`, from 0 up to (not including) 1. The velocity of a center waits while it is not drawn.
    pub momentum: f64,
    /// `λ`, at least 0.
    pub weight_decay: f64,
}

/// The drawn classes of a step.
#[derive(Debug)]
pub struct PartialStep {
    /// A head of the drawn classes; their centers are its parameter.
    head: MarginHead,
    /// The drawn classes, ascending: `[drawn]`.
    classes: Tensor<1, Int>,
    /// Their rows of the centers.
    rows: Tensor<1, Int>,
    /// Places among the drawn classes.
    targets: Tensor<1, Int>,
}

impl PartialHead {
    /// The classes of a head with [`ClassSampling`], to be trained in parts.
    ///
    /// # Errors
    ///
    /// [`Error::DoesNotCombine`] for a head without sampling or a frozen one, or with class weights, margins a class or center loss, which have
    /// a value for each class; [`Error::OutOfRange`] for a number of the optimizer outside what is allowed.
    pub fn new(mut head: MarginHead, optimizer: RowSgd) -> Result<Self, Error> {
        let with_all = |with| Error::DoesNotCombine {
            what: "a partial head",
            with,
            reason: "it has a value for each class, of which only some take part",
        };
        let Some(sampling) = head.config.sampling.take() else {
            return Err(Error::DoesNotCombine {
                what: "a partial head",
                with: "all classes",
                reason: "it draws a part of them: give the head a ClassSampling",
            });
        };
        if !head.training.is_enabled() {
            return Err(Error::DoesNotCombine {
                what: "a partial head",
                with: "a frozen head",
                reason: "it is there to move its centers; unfreeze the head first",
            });
        }
        if head.config.options.class_weights.is_some() {
            return Err(with_all("class weights"));
        }
        if matches!(head.config.margin, Margin::PerClass(_)) {
            return Err(with_all("margins a class"));
        }
        if head.feature_centers.is_some() {
            return Err(with_all("center loss"));
        }
        let valid = (0.0..1.0).contains(&optimizer.momentum);
        Error::check("momentum of the optimizer", "at least 0 and below 1", optimizer.momentum, valid)?;
        let decay = optimizer.weight_decay;
        let valid = decay >= 0.0 && decay.is_finite();
        Error::check("weight decay of the optimizer", "finite and at least 0", decay, valid)?;
        let device = head.class_centers.val().device().without_autodiff();
        let centers = on(single_precision(head.class_centers.val().detach()), &device);
        let velocity =
            (optimizer.momentum > 0.0).then(|| Tensor::zeros(centers.dims(), (&device, centers.dtype())));
        // A class of zeros in the place of all: the tensor of the centers must be nowhere else, to be changed in place.
        let [_, dim] = centers.dims();
        let nothing = Tensor::zeros([head.config.sub_centers, dim], (&device, centers.dtype()));
        head.class_centers = Param::from_tensor(on(nothing, &head.class_centers.val().device()));
        Ok(Self { centers, velocity, template: head, sampling, optimizer })
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.centers.dims()[0] / self.template.config.sub_centers
    }

    /// Draws the classes of a step.
    ///
    /// # Shapes
    ///
    /// - features: `[batch, feature_dim]`; only their device matters here, which need not be that of the centers
    /// - targets: `[batch]`, from 0 to `classes − 1`, or the index to ignore
    ///
    /// # Errors
    ///
    /// [`Error::FeatureDim`], [`Error::TargetCount`] or [`Error::TargetOutOfRange`].
    pub fn draw(&self, features: &Tensor<2>, targets: Tensor<1, Int>) -> Result<PartialStep, Error> {
        let ([_, dim], classes) = (self.centers.dims(), self.classes());
        let options = &self.template.config.options;
        crate::targets::check_shapes(features, &targets, dim)?;
        crate::targets::check_classes(&targets, classes, options.ignore_index)?;
        let targets = Targets::new(features, targets, dim, classes, options);
        let Some(steps) = &self.template.steps else { unreachable!("a head with sampling counts steps") };
        let sampled = self.sampling.sample(&targets, classes, &steps.coming(features));
        let device = features.device();
        let rows = rows_of(&sampled.classes, self.template.config.sub_centers);
        let rows = on(rows, &self.centers.device());
        let centers = self.centers.clone().select(0, rows.clone());
        let mut head = forked(self.template.clone(), &device);
        head.class_centers = Param::from_tensor(on(centers, &device));
        // Places among the drawn classes begin at 0, so that an index to ignore that is a class would be one of them.
        head.config.options.ignore_index = options.ignore_index.map(|_| NO_PLACE);
        let columns = sampled.targets.columns.squeeze_dim(1);
        let targets = match sampled.targets.ignored {
            Some(ignored) => columns.mask_fill(ignored.squeeze_dim(1), NO_PLACE),
            None => columns,
        };
        Ok(PartialStep { head, classes: sampled.classes, rows, targets })
    }

    /// Moves the centers that were drawn, at this learning rate, and ends the step.
    ///
    /// # Errors
    ///
    /// [`Error::NoGradient`] if the gradients are not those of the step's loss: nothing is moved then.
    pub fn update(
        &mut self,
        step: PartialStep,
        gradients: &mut Gradients,
        learning_rate: f64,
    ) -> Result<(), Error> {
        let drawn = step.head.class_centers.val();
        let device = self.centers.device();
        let gradient = on(drawn.grad_remove(gradients).ok_or(Error::NoGradient)?, &device);
        let before = on(drawn, &device);
        let RowSgd { momentum, weight_decay } = self.optimizer;
        let mut moved = match weight_decay {
            0.0 => gradient,
            _ => gradient + before.clone().mul_scalar(weight_decay),
        };
        if let Some(velocity) = self.velocity.take() {
            moved = moved + velocity.clone().select(0, step.rows.clone()).mul_scalar(momentum);
            self.velocity = Some(assigned(velocity, step.rows.clone(), moved.clone()));
        }
        let after = before - moved.mul_scalar(learning_rate);
        let nothing = Tensor::zeros([1, 1], &self.centers.device());
        let centers = mem::replace(&mut self.centers, nothing);
        self.centers = assigned(centers, step.rows, after);
        // What the regularizer or the scale learns is the caller's to move: see `PartialStep::head`.
        let head = forked(step.head, &self.template.class_centers.val().device());
        self.template.learned_radius = head.learned_radius;
        self.template.log_scale = head.log_scale;
        Ok(())
    }

    /// The velocity of every center, `[classes · sub_centers, feature_dim]`; `None` without momentum.
    pub fn velocity(&self) -> Option<&Tensor<2>> {
        self.velocity.as_ref()
    }

    /// The same with a velocity that was kept beside a record of the head.
    ///
    /// # Errors
    ///
    /// [`Error::CenterShape`] for another shape.
    pub fn with_velocity(mut self, velocity: Tensor<2>) -> Result<Self, Error> {
        let (found, expected) = (velocity.dims(), self.centers.dims());
        if found != expected {
            return Err(Error::CenterShape { found, expected });
        }
        self.velocity = Some(beside(velocity, &self.centers));
        Ok(self)
    }

    /// The head of all classes as it is now, to test or to save between steps. Its centers stay as they are: the next update copies
    /// them, while this head is there. What a head remembers (statistics, count of steps) it shares with this one, as clones do.
    pub fn to_head(&self) -> MarginHead {
        whole(self.template.clone(), self.centers.clone(), self.sampling.clone())
    }

    /// The head of all classes. The velocity is not part of it: to go on from there, keep [`velocity`](Self::velocity) and give
    /// it to [`with_velocity`](Self::with_velocity).
    pub fn into_head(self) -> MarginHead {
        whole(self.template, self.centers, self.sampling)
    }
}

/// A head with these centers, and classes sampled again.
fn whole(mut head: MarginHead, centers: Tensor<2>, sampling: ClassSampling) -> MarginHead {
    let device = head.class_centers.val().device();
    head.class_centers = Param::from_tensor(on(centers, &device));
    head.config.sampling = Some(sampling);
    head
}

impl PartialStep {
    /// The classes that were drawn, ascending: `[drawn]`.
    pub fn classes(&self) -> Tensor<1, Int> {
        self.classes.clone()
    }

    /// The head of the drawn classes. Parameters of it that are not centers (a learned radius or scale) are for the
    /// optimizer of the network: change them here before the update.
    pub fn head(&mut self) -> &mut MarginHead {
        &mut self.head
    }

    /// Losses, predictions and feature norms of the batch, over the drawn classes.
    ///
    /// # Shapes
    ///
    /// - features: `[batch, feature_dim]`
    pub fn loss(&self, features: Tensor<2>) -> LossOutput {
        let mut output = self.head.loss(features, self.targets.clone());
        output.predictions =
            on(self.classes.clone(), &output.predictions.device()).select(0, output.predictions);
        output
    }

    /// The same with the logits of the drawn classes.
    pub fn forward(&self, features: Tensor<2>) -> HeadOutput {
        self.head.forward(features, self.targets.clone()).of_classes(self.classes.clone())
    }
}

/// A head with its parameters on a device.
fn forked(head: MarginHead, device: &Device) -> MarginHead {
    if head.class_centers.val().device() == *device { head } else { head.fork(device) }
}

/// Rows of a matrix replaced, in place where it is nowhere else.
fn assigned(matrix: Tensor<2>, rows: Tensor<1, Int>, values: Tensor<2>) -> Tensor<2> {
    matrix.select_assign(0, rows, values, IndexingUpdateOp::Assign)
}
