//! Why bytes are no usable image.

/// Why bytes are no usable image. Every message reads on after the name of the file and a colon.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// No bytes at all.
    #[error("the file is empty")]
    Empty,
    /// Content of no known image format.
    #[error("no image of a kind that is read here (PNG, JPEG, PPM, PGM, BMP, TIFF, WebP){hint}")]
    NoImage {
        /// What it looks like instead, after a semicolon, or nothing.
        hint: &'static str,
    },
    /// An image of a format that is not read.
    #[error("a {format} image, which is not read here; save it as PNG or JPEG")]
    OtherFormat {
        /// The format.
        format: &'static str,
    },
    /// More pixels than allowed.
    #[error("{width} x {height} pixels are more than the {limit} allowed; make the image smaller")]
    TooLarge {
        /// Width that the header announces.
        width: u64,
        /// Height that the header announces.
        height: u64,
        /// Most pixels allowed.
        limit: u64,
    },
    /// More memory than an image of the allowed size takes.
    #[error("decoding the {format} data takes more memory than an image should; save it anew")]
    TooMuchMemory {
        /// The format.
        format: &'static str,
    },
    /// No pixels.
    #[error("the {format} header announces {width} x {height} pixels, so there is no image in it")]
    NoPixels {
        /// The format.
        format: &'static str,
        /// Width that the header announces.
        width: u64,
        /// Height that the header announces.
        height: u64,
    },
    /// The file ends before the image does.
    #[error("the {format} data ends too early; the file was not copied whole, replace it by the original")]
    CutShort {
        /// The format.
        format: &'static str,
    },
    /// Pixels that are no whole numbers.
    #[error(
        "the TIFF holds floating-point numbers, which have no black and white of their own; save it with 8 or 16 bits"
    )]
    FloatingPoint,
    /// A kind of the format that is not read.
    #[error("{what} {format} is not read here; save it as 8-bit PNG")]
    OtherKind {
        /// The format.
        format: &'static str,
        /// The kind, such as `palette` or `12-bit`.
        what: String,
    },
    /// Content that breaks the rules of its format.
    #[error("damaged {format} data ({reason}); replace the file by the original")]
    Damaged {
        /// The format.
        format: &'static str,
        /// What the decoder said.
        reason: String,
    },
}
