//! Why an archive cannot be used.

/// Why an archive cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ZipProblem {
    /// No zip file, or a damaged one.
    #[error("it cannot be read as a zip file ({reason}); it is damaged or was not copied whole")]
    Damaged {
        /// What the reader said.
        reason: String,
    },
    /// A name that is no Unicode.
    #[error(
        "the name \"{name}\" in it is not valid Unicode (UTF-8); pack it again with a program that writes UTF-8"
    )]
    NotUnicode {
        /// The name, with a mark in the place of what cannot be read.
        name: String,
    },
    /// A name that leads out of the folder it would be unpacked into.
    #[error("the name \"{name}\" in it leads out of the archive; do not trust it")]
    UnsafeName {
        /// The name.
        name: String,
    },
    /// A name that is longer than any system allows.
    #[error(
        "the name that begins with \"{start}\" in it has {bytes} bytes, more than the {limit} that a path has"
    )]
    LongName {
        /// The beginning of the name.
        start: String,
        /// Bytes of the name.
        bytes: usize,
        /// Most bytes allowed.
        limit: usize,
    },
    /// Two entries whose names are the same bytes.
    #[error("two entries in it have the same name; pack it again")]
    Repeated,
    /// Two entries whose names are one in Unicode.
    #[error("two entries are named \"{name}\", written in two ways; pack it again")]
    SameName {
        /// The name of both.
        name: String,
    },
    /// Several lists.
    #[error("there are several lists in it ({}), and which of them counts nobody says; leave one", names.join(", "))]
    SeveralLists {
        /// Their names.
        names: Vec<String>,
    },
    /// A link.
    #[error(
        "\"{name}\" is a link, and links in archives are not followed; pack it again with the files themselves"
    )]
    Link {
        /// The name.
        name: String,
    },
    /// A password is needed.
    #[error("\"{name}\" is encrypted; unpack it, or pack it again without a password")]
    Encrypted {
        /// The name.
        name: String,
    },
    /// Packed in a way that is not read.
    #[error(
        "\"{name}\" is packed by {method}, which is not read; pack it again by the usual method (Deflate)"
    )]
    Method {
        /// The name.
        name: String,
        /// How it is packed.
        method: String,
    },
    /// An entry that announces more than an image has.
    #[error(
        "\"{name}\" announces {bytes} bytes, more than the {limit} allowed for one image; make it smaller"
    )]
    LargeEntry {
        /// The name.
        name: String,
        /// Bytes announced.
        bytes: u64,
        /// Most bytes allowed.
        limit: u64,
    },
    /// An entry that is not as long as it announces.
    #[error(
        "\"{name}\" announces {announced} bytes but holds {found}; the archive is damaged or was made to do harm"
    )]
    WrongSize {
        /// The name.
        name: String,
        /// Bytes announced.
        announced: u64,
        /// Bytes found, at most one more than announced.
        found: u64,
    },
    /// More than the archive could reasonably hold.
    #[error(
        "{name} announces {bytes} bytes from {packed} packed ones, more than {limit}, as archives do that are made \
         to fill a disk; if you trust it, unpack it and open the folder"
    )]
    Bomb {
        /// An entry, or the whole.
        name: String,
        /// Bytes announced.
        bytes: u64,
        /// Bytes in the file.
        packed: u64,
        /// Most bytes allowed.
        limit: u64,
    },
}
