//! People that a model has learned, among those that it is tested on.

use std::{collections::HashSet, path::Path};

use cm_train::model::Model;

/// Names of the people that a model has learned. A number is no name: person 7 of one record file is not person 7 of another.
pub struct Learned<'a>(HashSet<&'a str>);

impl<'a> Learned<'a> {
    pub fn of(model: &'a Model) -> Self {
        let names = model.card.classes.iter().map(String::as_str);
        Self(names.filter(|name| name.parse::<u64>().is_err()).collect())
    }

    pub fn knows(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// Whether the person is known whose folder an image is in.
    pub fn knows_folder_of(&self, file: &str) -> bool {
        let folder = Path::new(file).parent().and_then(Path::file_name);
        folder.and_then(|name| name.to_str()).is_some_and(|name| self.knows(name))
    }
}

/// Warns of people that the model has learned.
pub fn warn(found: usize, all: usize, what: &str) {
    if found > 0 {
        eprintln!(
            "warning: {found} of {all} {what} show somebody who, by the name, was learned by the model: the figures flatter; \
             test with people that it has not seen"
        );
    }
}
