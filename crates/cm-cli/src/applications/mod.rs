//! Studies on data of known quality. Each is one folder, and one entry in the list below.

mod arm;
pub mod common;
mod compared;
mod digits;
mod faces;
mod nodules;
pub mod options;
pub mod places;
pub mod plan;
pub mod signs;
mod start;
pub mod study_file;

use clap::Subcommand;
use cm_record::{RecordError, Results};

use self::{options::StudyOptions, study_file::StudyFile};
use crate::error::CliError;

pub use faces::drawn_face;

/// Declares the applications once: their command, their folder, and what they are. (`mod` stands above, where
/// rustfmt sees it.)
macro_rules! applications {
    ($($(#[$documentation:meta])* $command:ident => $folder:ident::$study:ident,)*) => {
        /// What can be reproduced.
        #[derive(Debug, Subcommand)]
        pub enum Application {
            $($(#[$documentation])* $command(Box<$folder::Options>),)*
        }

        impl Application {
            /// Runs the study.
            pub fn run(self) -> Result<(), CliError> {
                match self {
                    $(Self::$command(options) => $folder::run(*options),)*
                }
            }
        }

        /// Runs a study of your own, of the application that is named.
        pub fn study(name: &str, asked: &StudyOptions, file: &StudyFile) -> Result<(), CliError> {
            let names: &[&str] = &[$($folder::APPLICATION,)*];
            $(if name == $folder::APPLICATION {
                return start::start::<$folder::$study>(asked, |config| file.over(config), &["study"]);
            })*
            Err(cm_train::Error::study_key("application", &names.join(" or "), name).into())
        }

        /// Reads a record of an older format, of whichever application it is; `None` if no application knows it.
        pub fn read_older(path: &std::path::Path, text: &str, format: u64) -> Option<Result<Results, RecordError>> {
            let readers: &[fn(&std::path::Path, &str, u64) -> Option<Result<Results, RecordError>>] =
                &[$($folder::read_older,)*];
            readers.iter().find_map(|read| read(path, text, format))
        }
    };
}

applications! {
    /// Handwritten digits of known quality: MNIST, or synthetic digits where MNIST cannot be had.
    Mnist => digits::Digits,
    /// Traffic signs as a car sees them: GTSRB, or synthetic signs where GTSRB cannot be had.
    Signs => signs::SignStudy,
    /// Lung nodules on computed tomography: those of LIDC-IDRI, or synthetic nodules where they cannot be had.
    Nodules => nodules::NoduleStudy,
    /// Faces, told apart without having been learned: Labeled Faces in the Wild, or synthetic faces where it cannot be had.
    Faces => faces::FaceStudy,
}
