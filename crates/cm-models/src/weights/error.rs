//! What can be wrong with weights.

/// The number of differences that a message names.
const NAMED: usize = 10;

/// Weights that cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// Bytes that are no whole safetensors file.
    #[error("this is no safetensors file, or a damaged one: {reason}; take it again from where it came from")]
    Damaged {
        /// What is wrong.
        reason: String,
    },
    /// Tensors of a file that are not those of the network.
    #[error(
        "the weights are those of another network: {}; make the network with the backbone, the sizes \
         and the head that the file was written with",
        listed(differences)
    )]
    DoesNotFit {
        /// One sentence for each tensor, with both shapes.
        differences: Vec<String>,
    },
    /// A file that cannot be opened or read.
    #[error("cannot read it: {0}")]
    Io(#[from] std::io::Error),
    /// Bytes that PyTorch cannot have written, or more than can be read of what it writes.
    #[error(
        "this is neither a safetensors file nor one that PyTorch wrote: {reason}; in Python, \
         `safetensors.torch.save_file(model.state_dict(), path)` writes weights that can be read here"
    )]
    Foreign {
        /// What is wrong.
        reason: String,
    },
    /// A file in which several tensors may be the class centers.
    #[error(
        "several tensors may be the class centers: {}; give the full name of the one that is",
        listed(tensors)
    )]
    ManyCenters {
        /// Their names and shapes.
        tensors: Vec<String>,
    },
    /// A file without class centers for features of this length.
    #[error(
        "none of the tensors can be the class centers of features with {feature_dim} numbers: {}; they \
         are a tensor [classes, {feature_dim}] or [{feature_dim}, classes] of floating-point numbers \
         named class_centers, kernel, weight, proxies, w or W, or whatever name is given in full",
        listed(tensors)
    )]
    NoCenters {
        /// Length of a feature.
        feature_dim: usize,
        /// Names and shapes of the tensors of the file.
        tensors: Vec<String>,
    },
    /// A file with more blocks than the backbone has: the others would be left out, and the features would mean nothing.
    #[error(
        "the weights are of a deeper network than {backbone}: {}{}",
        listed(lists),
        fits.map_or(String::new(), |name| format!("; these are the blocks of {name}"))
    )]
    Deeper {
        /// Name of the backbone.
        backbone: &'static str,
        /// One sentence for each list of blocks.
        lists: Vec<String>,
        /// The backbone that has as many.
        fits: Option<&'static str>,
    },
    /// A file that leaves some blocks of the backbone as they were: between those that it fills they make noise of what they get.
    #[error(
        "the weights leave {} tensors inside {backbone} as they were: {}{}{}; choose the \
         network that they are of, and its width",
        untouched.len(),
        listed(untouched),
        fits.map_or(String::new(), |name| format!("; its blocks are those of {name}")),
        if skipped.is_empty() { String::new() } else { format!("; beside those taken the file has {}", listed(skipped)) }
    )]
    Partial {
        /// Name of the backbone.
        backbone: &'static str,
        /// Names of tensors that the file has nothing for.
        untouched: Vec<String>,
        /// One sentence for each tensor of the file that was not taken.
        skipped: Vec<String>,
        /// The backbone that has as many blocks as the file.
        fits: Option<&'static str>,
    },
    /// A file without a single tensor that the backbone can take.
    #[error(
        "no tensor of the file fits {backbone}: {}; the file must have the weights of this network under the names of torchvision, \
         timm or insightface",
        listed(skipped)
    )]
    NothingFits {
        /// Name of the backbone.
        backbone: &'static str,
        /// One sentence for each tensor of the file.
        skipped: Vec<String>,
    },
    /// A tensor that the device does not give back.
    #[error("cannot read the tensor {name} from its device: {reason}")]
    Unreadable {
        /// Name of the tensor.
        name: String,
        /// What the device said.
        reason: String,
    },
    /// A tensor of a type that safetensors has no name for.
    #[error(
        "the tensor {name} has the type {dtype}, which a safetensors file cannot hold; dequantize the network first"
    )]
    Unsupported {
        /// Name of the tensor.
        name: String,
        /// Its type.
        dtype: String,
    },
}

/// The first few of many sentences, and how many there are besides.
fn listed(sentences: &[String]) -> String {
    let named = sentences.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match sentences.len().saturating_sub(NAMED) {
        0 => named,
        further => format!("{named}, and {further} more"),
    }
}
