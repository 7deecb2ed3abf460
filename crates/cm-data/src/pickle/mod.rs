//! The part of Python's pickles that data are made of. A pickle is a program for a machine with a stack; of its instructions those that
//! make lists, tuples, bytes, strings, numbers and truth values are followed, and of the functions that it may name those that NumPy
//! and Python have for arrays and bytes, as what they give. Everything else is refused, and nothing is executed.
//! (`pickletools.py` describes the instructions.)

mod machine;
mod objects;
mod problem;
mod reader;

use std::sync::Arc;

pub use problem::PickleProblem;

/// Values by their numbers; one value may be a part of several, or of itself.
#[derive(Debug)]
pub(crate) struct Pickle {
    nodes: Vec<Node>,
    root: usize,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Shared, since a file may name the same bytes many times.
    Bytes(Arc<[u8]>),
    Text(String),
    List(Vec<usize>),
    Tuple(Vec<usize>),
    /// A function or class that is known.
    Known(objects::Known),
    /// The type of an array's numbers.
    Type(objects::Type),
    /// An array that is not filled yet.
    Empty,
}

impl Pickle {
    /// Reads all of a file.
    pub fn parse(bytes: &[u8]) -> Result<Self, PickleProblem> {
        machine::run(bytes)
    }

    /// The value that everything is in.
    pub fn root(&self) -> &Node {
        &self.nodes[self.root]
    }

    /// The values of a list or tuple.
    pub fn values<'a>(&'a self, node: &'a Node) -> Option<impl ExactSizeIterator<Item = &'a Node>> {
        match node {
            Node::List(values) | Node::Tuple(values) => Some(values.iter().map(|&at| &self.nodes[at])),
            _ => None,
        }
    }
}

impl Node {
    /// What kind of value it is, in words.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool(_) => "a truth value",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Bytes(_) => "bytes",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Tuple(_) => "a tuple",
            Self::Known(_) | Self::Type(_) | Self::Empty => "an object",
        }
    }
}
