//! Norm maps and margins of your own, as parts of a configuration.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

use burn::tensor::Tensor;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Error;

/// The numbers of a part by their names.
pub type Parameters = BTreeMap<String, f64>;

/// A norm map of your own: a name, its numbers, and the formula.
///
/// As [`NormMap::Custom`](crate::NormMap::Custom) it is part of a configuration, which is written as its name and numbers. It is
/// read again where the name is known: see [`register_norm_map`].
pub trait CustomNormMap: fmt::Debug + Send + Sync {
    /// The name by which it is written.
    fn name(&self) -> &str;

    /// Its numbers, as they are written.
    fn parameters(&self) -> Parameters {
        Parameters::new()
    }

    /// Radius of each row's logits, differentiable by the norms.
    ///
    /// # Shapes
    ///
    /// - norms: `[batch, 1]`, not negative
    /// - output: `[batch, 1]`
    fn forward(&self, norms: Tensor<2>) -> Tensor<2>;

    /// What the radius never exceeds; `None` for a map without a bound.
    fn largest_radius(&self) -> Option<f64> {
        None
    }
}

/// A margin of your own: a name, its numbers, and the formula of the target's cosine.
///
/// As [`Margin::Custom`](crate::Margin::Custom) it is part of a configuration, which is written as its name and numbers. It is
/// read again where the name is known: see [`register_margin`].
pub trait CustomMargin: fmt::Debug + Send + Sync {
    /// The name by which it is written.
    fn name(&self) -> &str;

    /// Its numbers, as they are written.
    fn parameters(&self) -> Parameters {
        Parameters::new()
    }

    /// `t` of the target, differentiable by the cosines and, if it is to be, by the norms. Where a derivative of the formula is
    /// infinite, as that of an arc cosine at 1, it is for this to keep it finite.
    ///
    /// # Shapes
    ///
    /// - cosines: `[batch, 1]`, from −1 to 1 but for rounding
    /// - norms: `[batch, 1]`, not negative
    /// - output: `[batch, 1]`
    fn forward(&self, cosines: Tensor<2>, norms: Tensor<2>) -> Tensor<2>;
}

pub(crate) type Maker<T> = Arc<dyn Fn(&Parameters) -> Result<Arc<T>, String> + Send + Sync>;
pub(crate) type Registry<T> = LazyLock<RwLock<BTreeMap<String, Maker<T>>>>;

static NORM_MAPS: Registry<dyn CustomNormMap> = LazyLock::new(Default::default);
static MARGINS: Registry<dyn CustomMargin> = LazyLock::new(Default::default);

/// Makes a name known to this process, so that configurations with it can be read: `make` gets the numbers as they were written,
/// and says what is wrong with them. A name that was known is replaced.
pub fn register_norm_map(
    name: &str,
    make: impl Fn(&Parameters) -> Result<Arc<dyn CustomNormMap>, String> + Send + Sync + 'static,
) {
    register(name, Arc::new(make));
}

/// As [`register_norm_map`], for a margin.
pub fn register_margin(
    name: &str,
    make: impl Fn(&Parameters) -> Result<Arc<dyn CustomMargin>, String> + Send + Sync + 'static,
) {
    register(name, Arc::new(make));
}

fn register<T: ?Sized + Part + 'static>(name: &str, make: Maker<T>) {
    T::known().write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), make);
}

/// A part of your own. Two are equal if their names and numbers are.
pub struct Custom<T: ?Sized>(pub Arc<T>);

impl<T: ?Sized> Clone for Custom<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Custom<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a part is written.
#[derive(PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Written {
    name: String,
    #[serde(default)]
    parameters: Parameters,
}

/// What both kinds of parts have.
pub(crate) trait Part {
    const WHAT: &str;
    const REGISTER: &str;

    fn written(&self) -> Written;

    fn known() -> &'static Registry<Self>;
}

macro_rules! part {
    ($part:ident, $known:ident, $what:literal, $register:literal) => {
        impl Part for dyn $part {
            const WHAT: &str = $what;
            const REGISTER: &str = $register;

            fn written(&self) -> Written {
                Written { name: self.name().to_owned(), parameters: self.parameters() }
            }

            fn known() -> &'static Registry<Self> {
                &$known
            }
        }
    };
}

part!(CustomNormMap, NORM_MAPS, "norm map", "register_norm_map");
part!(CustomMargin, MARGINS, "margin", "register_margin");

impl<T: ?Sized + Part> PartialEq for Custom<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.written() == other.0.written()
    }
}

/// `Ok` if every number can be written.
pub(crate) fn validate<T: ?Sized + Part>(part: &Custom<T>) -> Result<(), Error> {
    part.0.written().parameters.values().try_for_each(|&value| {
        Error::check("a number of a part of your own", "finite", value, value.is_finite())
    })
}

impl<T: ?Sized + Part> Serialize for Custom<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.written().serialize(serializer)
    }
}

impl<'de, T: ?Sized + Part + 'static> Deserialize<'de> for Custom<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { name, parameters } = Written::deserialize(deserializer)?;
        // Called without the lock, since it may itself read or register parts.
        let make = T::known().read().unwrap_or_else(PoisonError::into_inner).get(&name).cloned();
        let Some(make) = make else {
            let (what, register) = (T::WHAT, T::REGISTER);
            return Err(de::Error::custom(format!(
                "the {what} \"{name}\" is somebody's own and not known here: call cm_loss_core::{register} with its name \
                 before the configuration is read"
            )));
        };
        make(&parameters).map(Self).map_err(|reason| {
            de::Error::custom(format!("the {} \"{name}\" cannot have these numbers: {reason}", T::WHAT))
        })
    }
}
