//! Names and layouts that PyTorch has for the tensors of a module.

/// Where a traversal of a module stands.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// Names of the fields and positions on the way.
    path: Vec<String>,
    /// The types that they are fields of, as Burn names them.
    owners: Vec<String>,
}

impl Place {
    pub fn enter(&mut self, name: &str, owner: &str) {
        self.owners.push(owner.to_owned());
        if !is_variant(owner) {
            self.path.push(name.to_owned());
        }
    }

    pub fn exit(&mut self, owner: &str) {
        self.owners.pop();
        if !is_variant(owner) {
            self.path.pop();
        }
    }

    /// PyTorch's name of the tensor at this place.
    pub fn name(&self) -> String {
        let Some((field, path)) = self.path.split_last() else { return String::new() };
        let field = match (self.owner(), field.as_str()) {
            ("Struct:PRelu", "alpha") => "weight",
            (owner, "gamma") if is_normalization(owner) => "weight",
            (owner, "beta") if is_normalization(owner) => "bias",
            (_, field) => field,
        };
        path.iter().map(String::as_str).chain([field]).collect::<Vec<_>>().join(".")
    }

    /// Whether PyTorch has rows for the columns of the tensor at this place.
    pub fn is_transposed(&self) -> bool {
        self.owner() == "Struct:Linear" && self.path.last().is_some_and(|field| field == "weight")
    }

    fn owner(&self) -> &str {
        self.owners.last().map_or("", String::as_str)
    }
}

fn is_variant(owner: &str) -> bool {
    owner.starts_with("Enum:")
}

fn is_normalization(owner: &str) -> bool {
    let layers = ["BatchNorm", "GroupNorm", "InstanceNorm", "LayerNorm", "RmsNorm"];
    owner.strip_prefix("Struct:").is_some_and(|owner| layers.contains(&owner))
}

/// A matrix of numbers of `size` bytes with its rows as columns.
pub(super) fn transposed(bytes: &[u8], [rows, columns]: [usize; 2], size: usize) -> Vec<u8> {
    let mut turned = Vec::with_capacity(bytes.len());
    for column in 0..columns {
        for row in 0..rows {
            let start = (row * columns + column) * size;
            turned.extend(&bytes[start..start + size]);
        }
    }
    turned
}
