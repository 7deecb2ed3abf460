//! Which parts of a margin head can be, and which suit each other.

use super::{
    ClassSampling, MarginHeadConfig, Warning,
    choices::{MarginPlace, MarginWarmUp, SubCenterPooling},
};
use crate::{
    Error, Margin, NormMap, Regularizer,
    regularizer::{CenterLoss, CenterSpread},
    scale::check_scale,
};

impl MarginHeadConfig {
    /// Checks every part, and that they suit each other.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] if a part has a parameter outside what its formula allows; [`Error::DoesNotCombine`] for parts
    /// that exclude each other.
    pub fn validate(&self) -> Result<(), Error> {
        self.norm_map.validate()?;
        self.margin.validate()?;
        self.regularizer.validate()?;
        self.options.validate()?;
        self.center_loss.as_ref().map_or(Ok(()), CenterLoss::validate)?;
        self.center_spread.as_ref().map_or(Ok(()), CenterSpread::validate)?;
        self.sampling.as_ref().map_or(Ok(()), ClassSampling::validate)?;
        if let Some(scale) = self.temperature_compensation {
            Error::check_positive("scale of the temperature compensation", scale)?;
        }
        self.validate_margin()?;
        self.validate_classes()?;
        self.validate_norms()
    }

    /// What goes with the margin.
    fn validate_margin(&self) -> Result<(), Error> {
        if let MarginPlace::Outside { scale } = self.margin_place {
            Error::check_positive("scale of the margin outside the norm map", scale)?;
            let (what, none) = ("a margin outside the norm map", "there is nothing to put outside");
            Error::exclude(self.margin.is_none(), what, "no margin", none)?;
            Error::exclude(
                self.margin.weighs_others(),
                what,
                "a margin that weighs the other classes",
                "the other classes stay inside, so that it would be half inside and half outside",
            )?;
        }
        if let Some(MarginWarmUp { steps }) = self.margin_warm_up {
            Error::check("steps of the margin's warm-up", "at least 1", steps as f64, steps > 0)?;
            let (what, none) = ("a warm-up of the margin", "there is nothing to bring in");
            Error::exclude(self.margin.is_none(), what, "no margin", none)?;
            Error::exclude(
                matches!(&self.margin, Margin::Multiplicative(margin) if margin.annealing.is_some()),
                what,
                "SphereFace's annealing",
                "both bring the margin in",
            )?;
        }
        if let (Margin::MagFace(margin), Regularizer::MagFace(regularizer)) =
            (&self.margin, &self.regularizer)
        {
            Error::exclude(
                (regularizer.lower_norm, regularizer.upper_norm) != (margin.lower_norm, margin.upper_norm),
                "the margin of MagFace",
                "a regularizer of other norms",
                "one would pull where the other does not hold; give both the same lower and upper norm",
            )?;
        }
        Ok(())
    }

    /// What goes with the classes and their centers.
    fn validate_classes(&self) -> Result<(), Error> {
        let centers = self.sub_centers;
        let possible = (1..=1 << 16).contains(&centers);
        Error::check("number of centers a class", "from 1 to 65536", centers as f64, possible)?;
        Error::exclude(
            self.center_spread.is_some() && centers > 1,
            "the spread of class centers",
            "several centers a class",
            "it would push the centers of one class apart as well",
        )?;
        if let Some(cosine) = self.filter_above {
            let valid = cosine > 0.0 && cosine < 1.0;
            Error::check("cosine above which classes are filtered", "above 0 and below 1", cosine, valid)?;
            Error::exclude(
                self.margin.weighs_others(),
                "a filter of classes",
                "a margin that weighs the other classes",
                "both say what becomes of a class with a large cosine",
            )?;
        }
        if let SubCenterPooling::Soft { gamma } = self.sub_center_pooling {
            Error::check_positive("gamma of the pooled sub-centers", gamma)?;
            Error::exclude(
                matches!(self.margin, Margin::Curricular(_)),
                "pooled sub-centers",
                "CurricularFace",
                "its curriculum is the cosine with one center",
            )?;
        }
        Ok(())
    }

    /// What goes with the norm map and the regularizer.
    fn validate_norms(&self) -> Result<(), Error> {
        Error::exclude(
            self.regularizer_from.is_some() && self.regularizer == Regularizer::None,
            "a step from which the regularizer is added",
            "no regularizer",
            "there is nothing to add",
        )?;
        let is_constant = matches!(self.norm_map, NormMap::Constant(_));
        let with_constant = |has: bool, what| {
            let reason = "its radius does not depend on the norm; give the head another norm map first";
            Error::exclude(is_constant && has, what, "a constant norm map", reason)
        };
        // A learned scale changes the radius, if not with the norm.
        with_constant(
            self.temperature_compensation.is_some() && !self.learned_scale,
            "a temperature compensation",
        )?;
        let outside = self.margin_place != MarginPlace::Inside;
        with_constant(outside && !self.learned_scale, "a margin outside the norm map")?;
        with_constant(!self.norm_gradient.is_exact(), "a detached norm")
    }

    /// What can be trained and may not do what it is there for: for example, MagFace's regularizer does not hold its margin
    /// at a constant radius (with another norm map or regularizer there is no such bound). Its authors' trainer prints the same,
    /// and goes on.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if let (NormMap::Constant(map), Margin::MagFace(margin), Regularizer::MagFace(regularizer)) =
            (&self.norm_map, &self.margin, &self.regularizer)
        {
            let least = margin.least_regularizer_weight(map.scale);
            if regularizer.weight < least {
                warnings.push(Warning::RegularizerTooWeak { weight: regularizer.weight, least });
            }
        }
        warnings
    }

    /// Checks that the largest radius of the norm map lets a feature on its center reach `probability`, as
    /// [`check_scale`] does. A norm map without a bound always passes.
    ///
    /// # Errors
    ///
    /// As [`check_scale`].
    pub fn check_scale(&self, classes: usize, probability: f64) -> Result<(), Error> {
        match self.norm_map.largest_radius() {
            Some(radius) => check_scale(radius, classes, probability),
            None => Ok(()),
        }
    }
}
