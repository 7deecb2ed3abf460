//! What functions and classes that are known would give.

use super::Node;

/// A function or class that a pickle of data may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// `_codecs.encode`, by which Python 3 writes bytes for Python 2.
    Encode,
    /// `bytearray`
    ByteArray,
    /// `numpy.ndarray`, which the next is given.
    ArrayClass,
    /// `numpy.core.multiarray._reconstruct`: an empty array.
    Reconstruct,
    /// `numpy.core.multiarray.scalar`: one number.
    Scalar,
    /// `numpy.core.numeric._frombuffer`: a filled array.
    FromBuffer,
    /// `numpy.dtype`
    Type,
}

impl Known {
    pub fn named(module: &str, name: &str) -> Option<Self> {
        Some(match (module, name) {
            ("_codecs", "encode") => Self::Encode,
            ("builtins" | "__builtin__", "bytearray") => Self::ByteArray,
            ("numpy", "ndarray") => Self::ArrayClass,
            ("numpy", "dtype") => Self::Type,
            ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => Self::Reconstruct,
            ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") => Self::Scalar,
            ("numpy.core.numeric" | "numpy._core.numeric", "_frombuffer") => Self::FromBuffer,
            _ => return None,
        })
    }

    /// What it gives for these arguments; `None` for others.
    pub fn call(self, arguments: &[&Node]) -> Option<Given> {
        match (self, arguments) {
            (Self::Encode, [Node::Text(text), Node::Text(encoding)])
            | (Self::ByteArray, [Node::Text(text), Node::Text(encoding)]) => {
                let is_latin = matches!(&**encoding, "latin1" | "latin-1" | "iso-8859-1");
                let bytes = text.chars().map(|letter| u8::try_from(letter).ok()).collect::<Option<_>>()?;
                is_latin.then_some(Given::Node(Node::Bytes(bytes)))
            }
            (Self::Encode, [Node::Bytes(bytes), ..]) | (Self::ByteArray, [Node::Bytes(bytes)]) => {
                Some(Given::Node(Node::Bytes(bytes.clone())))
            }
            (Self::ByteArray | Self::Encode, []) => Some(Given::Node(Node::Bytes([].into()))),
            (Self::Reconstruct, [Node::Known(Self::ArrayClass), ..]) => Some(Given::Node(Node::Empty)),
            (Self::Type, [Node::Text(name), ..]) => {
                Type::named(name).map(|kind| Given::Node(Node::Type(kind)))
            }
            (Self::Type, [Node::Bytes(name), ..]) => {
                let name = std::str::from_utf8(name).ok()?;
                Type::named(name).map(|kind| Given::Node(Node::Type(kind)))
            }
            (Self::Scalar, [Node::Type(kind), Node::Bytes(bytes)]) => {
                let mut numbers = kind.numbers(bytes)?;
                let number = numbers.pop()?;
                numbers.is_empty().then_some(Given::Node(number))
            }
            (Self::FromBuffer, [Node::Bytes(bytes), Node::Type(kind), ..]) => Some(kind.array(bytes)?),
            _ => None,
        }
    }
}

/// What a function gives.
pub(crate) enum Given {
    Node(Node),
    /// A list of these.
    List(Vec<Node>),
}

/// The type of an array's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Type {
    /// `b` for truth values, `i` and `u` for whole numbers.
    kind: u8,
    size: usize,
    big_endian: bool,
}

impl Type {
    fn named(name: &str) -> Option<Self> {
        let name = name.trim_start_matches(['|', '<', '>', '=']);
        let kind = *name.as_bytes().first()?;
        let size = name.get(1..)?.parse().ok()?;
        let is_known = matches!((kind, size), (b'b', 1) | (b'i' | b'u', 1 | 2 | 4 | 8));
        is_known.then_some(Self { kind, size, big_endian: false })
    }

    /// With the order of bytes that its state tells.
    pub fn with_order(self, order: &str) -> Self {
        Self { big_endian: order == ">", ..self }
    }

    fn numbers(self, bytes: &[u8]) -> Option<Vec<Node>> {
        if !bytes.len().is_multiple_of(self.size) {
            return None;
        }
        let number = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            if self.big_endian {
                bytes.reverse();
            }
            if self.kind == b'u' {
                bytes.push(0);
            }
            let number = super::reader::signed(&bytes)?;
            Some(if self.kind == b'b' { Node::Bool(number != 0) } else { Node::Int(number) })
        };
        // One more than the machine takes, so that it says that they are too many.
        bytes.chunks_exact(self.size).take(super::machine::MOST + 1).map(number).collect()
    }

    /// An array of one dimension: bytes where its numbers are bytes, and otherwise a list.
    pub fn array(self, bytes: &[u8]) -> Option<Given> {
        Some(match (self.kind, self.size) {
            (b'u', 1) => Given::Node(Node::Bytes(bytes.into())),
            _ => Given::List(self.numbers(bytes)?),
        })
    }
}
