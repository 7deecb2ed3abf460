//! The classes of a data set: those that a model brings, or those that are found.

use std::{collections::HashMap, path::Path};

use super::{OpenOptions, names};
use crate::DataError;

/// Classes in their order, and the position of each.
pub(super) struct Classes {
    pub names: Vec<String>,
    positions: HashMap<String, u32>,
}

impl Classes {
    /// The classes asked for, or else those found, in [natural order](names::natural_order).
    ///
    /// # Errors
    ///
    /// [`DataError::OneClass`] if labels are required and there is only one.
    pub fn new<'a>(
        options: &OpenOptions,
        path: &Path,
        found: impl Iterator<Item = &'a str>,
    ) -> Result<Self, DataError> {
        let names = match &options.classes {
            Some(classes) => classes.clone(),
            None => names::sorted(found),
        };
        if let (None, true, [class]) = (&options.classes, options.labels_required, &names[..]) {
            return Err(DataError::OneClass { path: path.to_owned(), class: class.clone() });
        }
        let composed = names.iter().map(|name| names::composed(name).into_owned());
        let positions = composed.zip(0..).collect();
        Ok(Self { names, positions })
    }

    /// Position of a class.
    ///
    /// # Errors
    ///
    /// [`DataError::UnknownClass`], found at `place`.
    pub fn label(&self, class: &str, place: impl FnOnce() -> String) -> Result<u32, DataError> {
        self.positions.get(class).copied().ok_or_else(|| DataError::UnknownClass {
            class: class.to_owned(),
            place: place(),
            known: self.names.clone(),
        })
    }
}
