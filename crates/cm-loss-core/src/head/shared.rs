//! What every head can do, whichever it is.

use std::ops::Range;

use burn::{
    module::{Flag, Module, Param},
    tensor::{Int, Tensor, activation::softmax},
};

use super::{
    Head, HeadState, LinearHead, LossOutput, MarginHead, ProxyHead, Saturation, SphereFace2Head, TopK,
    centers, state, top_k::top_k,
};
use crate::{Error, LossOptions, NormMap, backend::Backend, state::on, targets::Targets};

/// What the methods below are made of.
pub(super) trait Parts: Sized {
    fn options(&self) -> &LossOptions;
    fn feature_dim(&self) -> usize;
    fn classes(&self) -> usize;
    /// Inference logits `[batch, classes in the range]`, and feature norms `[batch]`.
    fn logits_of(&self, features: Tensor<2>, classes: Range<usize>) -> (Tensor<2>, Tensor<1>);
    /// Of these logits, `[batch, classes]`.
    fn probabilities_of(&self, logits: Tensor<2>) -> Tensor<2> {
        softmax(logits, 1)
    }
    /// What stands for the classes.
    fn centers(&self) -> Tensor<2>;
    /// The same head with these centers, however many.
    fn exchanged(self, centers: Tensor<2>) -> Self;
    /// Whether a part has a value for each class.
    fn knows_classes(&self) -> bool {
        self.options().class_weights.is_some()
    }
    /// The losses of mixed samples.
    fn mixed_of(
        &self,
        features: Tensor<2>,
        targets: [Tensor<1, Int>; 2],
        share: Tensor<1>,
    ) -> Result<LossOutput, Error>;
    /// How much of a batch lies where the norm map is flat.
    fn saturation_of(&self, _norms: Tensor<1>) -> Option<Saturation> {
        None
    }
    /// The norm map, if it has one.
    fn norm_map(&self) -> Option<&NormMap> {
        None
    }
    fn remembered(&self) -> HeadState {
        HeadState::default()
    }
    /// Replaces those parts of what the head remembers that are given. It has all of them, and their numbers are possible.
    fn remember(&self, _state: &HeadState) {}
}

/// The parts of a head whose centers are its parameter `class_centers`.
macro_rules! centers_in_a_field {
    () => {
        fn feature_dim(&self) -> usize {
            self.class_centers.dims()[1]
        }

        fn centers(&self) -> Tensor<2> {
            self.class_centers.val()
        }

        fn exchanged(mut self, centers: Tensor<2>) -> Self {
            super::centers::replace(&mut self.class_centers, centers);
            self
        }
    };
}
pub(super) use centers_in_a_field;

/// `Ok` if there is a share for each feature, and, on a CPU, if each is one.
fn check_share(features: &Tensor<2>, share: &Tensor<1>) -> Result<(), Error> {
    let ([batch, _], [shares]) = (features.dims(), share.dims());
    if shares != batch {
        return Err(Error::ShareCount { shares, features: batch });
    }
    if !Backend::of(&share.device()).is_some_and(Backend::is_cpu) {
        return Ok(());
    }
    let values = share.to_data();
    let wrong = values.iter::<f32>().enumerate().find(|(_, share)| !(0.0..=1.0).contains(share));
    wrong.map_or(Ok(()), |(index, share)| Err(Error::ShareOutOfRange { index, share }))
}

/// `share · a + (1 − share) · b` of two losses of the same batch, sample by sample.
pub(super) fn mixed(a: LossOutput, b: LossOutput, share: Tensor<1>) -> LossOutput {
    let share = share.cast(a.loss.dtype());
    let other = share.clone().neg().add_scalar(1.0);
    let blend = |a: Tensor<1>, b: Tensor<1>| a * share.clone() + b * other.clone();
    let weights = match (a.weights, b.weights) {
        (None, None) => None,
        (a, b) => {
            let ones = || share.ones_like();
            Some(blend(a.unwrap_or_else(ones), b.unwrap_or_else(ones)))
        }
    };
    LossOutput { loss: blend(a.loss, b.loss), weights, predictions: a.predictions, norms: a.norms }
}

/// `−log softmax(z)[y]` from the target's logit and `l = ln Σ_{j ≠ y} exp(z_j)` of so many classes, both `[batch, 1]`, weighed as
/// the options say and nothing else.
pub(super) fn plain_cross_entropy(
    target: Tensor<2>,
    log_sum: Tensor<2>,
    classes: usize,
    targets: &Targets,
    class_weights: Option<&Tensor<1>>,
) -> (Tensor<1>, Option<Tensor<1>>) {
    let losses = LossOptions::default().cross_entropy(target, log_sum, None, classes);
    LossOptions::weigh(losses, targets.classes(), class_weights, targets)
}

/// Whether a head trains beside these features. Both, as for Burn's layers: the device says that a gradient is possible, the
/// flag that this head takes part.
pub(super) fn is_training<const D: usize>(features: &Tensor<D>, training: &Param<Flag>) -> bool {
    features.device().is_autodiff() && training.is_enabled()
}

/// Declares the methods of every head once.
macro_rules! shared_methods {
    ($($head:ty),*) => {$(
        impl $head {
            /// Dimensions of the feature.
            pub fn feature_dim(&self) -> usize {
                Parts::feature_dim(self)
            }

            /// Number of classes.
            pub fn classes(&self) -> usize {
                Parts::classes(self)
            }

            /// Inference logits and feature norms, without targets and without margin: `phi(r) cos θ_j`; `x W + b` of a linear head,
            /// `phi(r) g(cos θ_j) + b` of SphereFace2, for a sigmoid, and the cosines times `α` of proxies.
            ///
            /// # Shapes
            ///
            /// - features: `[batch, feature_dim]`
            /// - output: logits `[batch, classes]`, norms `[batch]`
            pub fn logits(&self, features: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
                self.logits_of(features, 0..Parts::classes(self))
            }

            /// Loss of each sample.
            ///
            /// # Shapes
            ///
            /// - features: `[batch, feature_dim]`
            /// - targets: `[batch]`
            /// - output: `[batch]`
            pub fn forward_no_reduction(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
                self.loss(features, targets).loss
            }

            /// `forward` after `check`.
            ///
            /// # Errors
            ///
            /// As `check`.
            pub fn try_forward(
                &self,
                features: Tensor<2>,
                targets: Tensor<1, Int>,
            ) -> Result<super::HeadOutput, Error> {
                self.check(&features, &targets)?;
                Ok(self.forward(features, targets))
            }

            /// Checks that the shapes fit, that every feature is finite and every target a class of this head or the index to
            /// ignore. It reads the targets and a number of each feature back from the device.
            ///
            /// # Errors
            ///
            /// [`Error::FeatureDim`], [`Error::TargetCount`], [`Error::NotFinite`] or [`Error::TargetOutOfRange`], with the
            /// first value that is wrong.
            pub fn check(&self, features: &Tensor<2>, targets: &Tensor<1, Int>) -> Result<(), Error> {
                crate::targets::check_shapes(features, targets, Parts::feature_dim(self))?;
                crate::targets::check_finite(features)?;
                let ignore_index = Parts::options(self).ignore_index;
                crate::targets::check_classes(targets, self.classes(), ignore_index)
            }

            /// Probability of each class, without margin: softmax of the logits, or one-vs-all the sigmoid of each, which do
            /// not sum to 1.
            ///
            /// # Shapes
            ///
            /// - features: `[batch, feature_dim]`
            /// - output: `[batch, classes]`
            pub fn probabilities(&self, features: Tensor<2>) -> Tensor<2> {
                self.probabilities_of(self.logits(features).0)
            }

            /// The most probable class of each feature.
            ///
            /// # Shapes
            ///
            /// - features: `[batch, feature_dim]`
            /// - output: `[batch]`
            pub fn predictions(&self, features: Tensor<2>) -> Tensor<1, Int> {
                self.logits(features).0.argmax(1).squeeze_dim(1)
            }

            /// The `k` most probable classes of each feature, a block of classes at a time: nothing of size batch x classes
            /// exists. The logits have no gradient.
            ///
            /// # Errors
            ///
            /// [`Error::OutOfRange`] for a `k` of 0 or more than there are classes; [`Error::FeatureDim`].
            pub fn top_k(&self, features: Tensor<2>, k: usize) -> Result<TopK, Error> {
                let device = features.device();
                let found = top_k(&self.valid(), features.without_autodiff(), k)?;
                Ok(TopK { classes: on(found.classes, &device), logits: on(found.logits, &device) })
            }

            /// The loss of samples that are mixtures of two, as mixup and cutmix make them: `share · L(a) + (1 − share) · L(b)`,
            /// each with the margin on its own target. What the head remembers takes the batch in once, with the targets `a`.
            ///
            /// # Shapes
            ///
            /// - features: `[batch, feature_dim]`
            /// - targets: `a` and `b`, each `[batch]`
            /// - share: `[batch]`, from 0 to 1
            ///
            /// # Errors
            ///
            /// [`Error::DoesNotCombine`] with sampled classes, which are those of one target, and with ProxyAnchor;
            /// [`Error::ShareCount`] for more or fewer shares than features; on a CPU [`Error::ShareOutOfRange`] (on a GPU that
            /// check would make the host wait for the device).
            ///
            /// # Panics
            ///
            /// As `forward`.
            pub fn mixed_loss(
                &self,
                features: Tensor<2>,
                targets: [Tensor<1, Int>; 2],
                share: Tensor<1>,
            ) -> Result<LossOutput, Error> {
                check_share(&features, &share)?;
                self.mixed_of(features, targets, share)
            }

            /// How much of a batch lies where the norm map is flat; `None` for a head in which the norm plays no part, for a
            /// norm map of your own, and for a batch without features. It reads the norms back from the device.
            ///
            /// # Shapes
            ///
            /// - norms: `[batch]`, as `forward` gives them
            pub fn saturation(&self, norms: Tensor<1>) -> Option<Saturation> {
                self.saturation_of(norms)
            }

            /// What the head remembers. It reads it back from the device.
            pub fn state(&self) -> HeadState {
                self.remembered()
            }

            /// Replaces what the head remembers, and with it what its clones do. Parts that are `None` stay as they are.
            ///
            /// # Errors
            ///
            /// [`Error::NoSuchState`] for a part that the head does not have; [`Error::OutOfRange`] for a number that none can
            /// be. Nothing is replaced then.
            pub fn set_state(&self, state: &HeadState) -> Result<(), Error> {
                state::check_parts(state, &self.remembered())?;
                state::check_norms(state, self.norm_map())?;
                self.remember(state);
                Ok(())
            }

            /// What stands for the classes: of a head with class centers those, `[classes · sub_centers, feature_dim]`; of a
            /// linear head its weights, `[classes, feature_dim]`.
            pub fn class_centers(&self) -> Tensor<2> {
                self.centers()
            }

            /// [`class_centers`](Self::class_centers), each divided by its length: what an embedding is compared with. A
            /// center of zeros stays one.
            pub fn unit_centers(&self) -> Tensor<2> {
                crate::norm_and_unit(self.centers()).1
            }

            /// The same head with these class centers, `[classes · sub_centers, feature_dim]`, from another training or
            /// another program.
            ///
            /// Of the checkpoints of other programs, insightface's (`weight`) has a row a class and fits as it is; those of
            /// AdaFace and CurricularFace (`kernel`), MagFace (`weight` of its head), OpenSphere (`w`) and
            /// pytorch-metric-learning (`W`) have a column a class and fit transposed. `cm_models::weights::class_centers`
            /// reads any of them from a file, the right way round.
            ///
            /// # Errors
            ///
            /// [`Error::CenterShape`] for another shape; [`Error::CenterNotFinite`] for a center that is not finite.
            pub fn with_class_centers(self, centers: Tensor<2>) -> Result<Self, Error> {
                centers::with_class_centers(self, centers)
            }

            /// The same head whose class centers are the mean directions of the features of each class, `[samples,
            /// feature_dim]` with targets `[samples]`: a start from features that are good already. Classes without samples
            /// keep their centers, and so does a class whose features cancel out. Of several centers a class each begins near
            /// the mean, moved from it by a tenth of its own direction before: equal ones would stay equal.
            ///
            /// # Errors
            ///
            /// As [`check`](Self::check), and [`Error::CenterNotFinite`] for a center that is kept and is not finite.
            pub fn with_class_means(
                self,
                features: Tensor<2>,
                targets: Tensor<1, Int>,
            ) -> Result<Self, Error> {
                self.check(&features, &targets)?;
                centers::with_class_means(self, features, targets)
            }

            /// A head of more classes: those of this one, with all that it has learned, and after them new ones with these
            /// centers, `[new · sub_centers, feature_dim]` (unit vectors, or class means).
            ///
            /// The centers are another parameter then, of another shape: begin with a new optimizer, since what one with momentum
            /// keeps has the shape of the old.
            ///
            /// # Errors
            ///
            /// [`Error::CenterShape`] for another number of dimensions, or rows that make no whole class;
            /// [`Error::CenterNotFinite`]; [`Error::DoesNotCombine`] with class weights, margins for each class or center loss,
            /// which know nothing of the new ones.
            pub fn with_new_classes(self, centers: Tensor<2>) -> Result<Self, Error> {
                centers::with_new_classes(self, centers)
            }
        }
    )*};
}

shared_methods!(Head, LinearHead, MarginHead, SphereFace2Head, ProxyHead);
