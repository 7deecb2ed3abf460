//! Verification sets of insightface: a pickle of two lists.

use std::sync::Arc;

use super::PairsProblem;
use crate::pickle::{Node, Pickle};

/// The bytes of an encoded image.
type Encoded = Arc<[u8]>;

/// The encoded images, two for each pair, and whether each pair shows the same.
pub(super) fn read(bytes: &[u8]) -> Result<(Vec<Encoded>, Vec<bool>), PairsProblem> {
    let pickle = Pickle::parse(bytes)?;
    let content = |found: &Node, expected| PairsProblem::Content { found: found.kind().to_owned(), expected };
    let root = pickle.root();
    let two = "two lists";
    let mut parts = pickle.values(root).ok_or_else(|| content(root, two))?;
    let (Some(images), Some(same), None) = (parts.next(), parts.next(), parts.next()) else {
        let found = format!("{} of another length", root.kind());
        return Err(PairsProblem::Content { found, expected: two });
    };
    let image = |node: &Node| match node {
        Node::Bytes(bytes) => Ok(bytes.clone()),
        other => Err(content(other, "the bytes of an image")),
    };
    let truth = |node: &Node| match node {
        Node::Bool(value) => Ok(*value),
        Node::Int(value @ (0 | 1)) => Ok(*value == 1),
        other => Err(content(other, "a truth value")),
    };
    let values = |node, expected| pickle.values(node).ok_or_else(|| content(node, expected));
    let images = values(images, "a list of images")?.map(image).collect::<Result<Vec<_>, _>>()?;
    let same = values(same, "a list of truth values")?.map(truth).collect::<Result<Vec<_>, _>>()?;
    if images.len() != 2 * same.len() {
        return Err(PairsProblem::Counts { images: images.len(), pairs: same.len() });
    }
    if same.is_empty() {
        return Err(PairsProblem::Empty);
    }
    Ok((images, same))
}
