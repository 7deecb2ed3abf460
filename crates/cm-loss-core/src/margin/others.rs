//! What becomes of the cosines of the classes that are not the target.

use burn::tensor::Tensor;

use crate::exact;

/// `T = c` up to a cosine, and a parabola beyond it:
///
/// ```text
/// T = a c² + (b + t) c + d        T' = k c + (l + t)
/// ```
///
/// with `t` the curriculum of CurricularFace. `T'` is what counts as the derivative, which not every loss takes from `T`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Curve {
    /// `a`
    pub square: f32,
    /// `b`
    pub linear: f32,
    /// `d`
    pub constant: f32,
    /// `k`
    pub slope_linear: f32,
    /// `l`
    pub slope_constant: f32,
    /// What `c` is multiplied by up to that cosine, from 0 to 1.
    pub before: f32,
}

impl Curve {
    /// `T = c`, as long as nothing is beyond.
    pub const STRAIGHT: Self =
        Self { square: 0.0, linear: 0.0, constant: 0.0, slope_linear: 0.0, slope_constant: 0.0, before: 1.0 };

    /// CurricularFace: `T = c (c + t)`.
    pub const CURRICULAR: Self = Self { square: 1.0, slope_linear: 2.0, ..Self::STRAIGHT };

    /// Circle loss: `T = α (c − m)` with `α = c + m` as a constant, and 0 where that is negative.
    pub fn circle(margin: f64) -> Self {
        let margin = margin as f32;
        Self {
            square: 1.0,
            constant: -margin * margin,
            slope_linear: 1.0,
            slope_constant: margin,
            before: 0.0,
            ..Self::STRAIGHT
        }
    }

    /// `c + w (T − c)`, but for the curriculum.
    fn brought_in(self, share: f64) -> Self {
        let share = share as f32;
        let towards_one = |value: f32| share * value + (1.0 - share);
        Self {
            square: share * self.square,
            linear: towards_one(self.linear),
            constant: share * self.constant,
            slope_linear: share * self.slope_linear,
            slope_constant: towards_one(self.slope_constant),
            before: towards_one(self.before),
        }
    }

    /// A cosine of which `T` is 0, to put in the place of the target's.
    pub fn zero(&self) -> f32 {
        let Self { square, linear, constant, before, .. } = *self;
        match before {
            0.0 => -2.0,
            // The larger root of the parabola is beyond, as the one of circle loss is. In the form without a difference of
            // nearly equal numbers.
            _ if constant < 0.0 => {
                -2.0 * constant / (linear + (linear * linear - 4.0 * square * constant).sqrt())
            }
            _ => 0.0,
        }
    }
}

/// A curve with the cosine of each sample beyond which it bends, `[batch, 1]`, and the curriculum `t`, `[1, 1]`.
#[derive(Debug, Clone)]
pub(crate) struct Others {
    pub curve: Curve,
    pub beyond: Tensor<2>,
    pub curriculum: Tensor<2>,
}

impl Others {
    /// A curve that bends at the same cosine for all samples, of which `like` has a row each.
    pub fn from_cosine(curve: Curve, beyond: f64, like: &Tensor<2>) -> Self {
        let beyond = like.clone().detach().full_like(beyond);
        let curriculum = Tensor::zeros([1, 1], (&like.device(), like.dtype()));
        Self { curve, beyond, curriculum }
    }

    /// The same where the margin is not whole yet: `c + w (T − c)` with the share `w`.
    pub fn brought_in(self, share: f64) -> Self {
        Self {
            curve: self.curve.brought_in(share),
            curriculum: self.curriculum.mul_scalar(share),
            beyond: self.beyond,
        }
    }

    /// `T` of a matrix of cosines, `[batch, classes]`.
    pub fn shaped(&self, cosines: Tensor<2>) -> Tensor<2> {
        if cosines.dims()[0] == 0 {
            return cosines;
        }
        let Curve { square, linear, constant, slope_linear, slope_constant, before } = self.curve;
        let outside = cosines.clone().detach();
        let bent = outside.clone().greater(self.beyond.clone().expand(outside.dims()));
        let along = outside.clone().mul_scalar(square) + self.curriculum.clone().add_scalar(linear);
        let value = (outside.clone() * along).add_scalar(constant);
        let slope =
            outside.clone().mul_scalar(slope_linear) + self.curriculum.clone().add_scalar(slope_constant);
        let flat = outside.clone().mul_scalar(before);
        let slope = slope.mask_where(bent.clone().bool_not(), outside.full_like(before));
        exact::with_slope(value.mask_where(bent.bool_not(), flat), slope, cosines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_the_target_has_the_value_0_however_much_of_the_margin_there_is() {
        for share in [1e-6, 7e-4, 0.1, 0.5, 0.999, 1.0] {
            let curve = Curve::circle(0.25).brought_in(share);
            let c = f64::from(curve.zero());
            let value = match c > -0.25 {
                true => {
                    f64::from(curve.square) * c * c + f64::from(curve.linear) * c + f64::from(curve.constant)
                }
                false => f64::from(curve.before) * c,
            };
            assert!(value.abs() < 1e-7, "{share}: {value} at {c}");
        }
    }
}
