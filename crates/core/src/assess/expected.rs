//! What is expected of the clusters of one runtime and environment.

use crate::flux::names;
use crate::inventory::Inventory;
use std::collections::BTreeSet;

/// What a file declares and what a registry holds.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The runtime; with it the parent's name.
    pub runtime: String,
    /// The environment.
    pub environment: String,
    /// The namespace of the Flux objects.
    pub namespace: String,
    /// The objects that workloads.yml would become, when a file is given; with the file's name.
    pub declared: Option<(String, Inventory)>,
    /// What the inventory's tag holds.
    pub published: Published,
}

/// What is published.
#[derive(Debug, Clone)]
pub enum Published {
    /// It was read.
    Known {
        /// Its content.
        inventory: Inventory,
        /// Its manifest's digest, when it came from a registry or a layout.
        digest: Option<String>,
    },
    /// The registry says that the tag is not there.
    NotThere,
    /// It could not be read; says why.
    Unknown(String),
}

impl Expected {
    /// Name of the parent pair.
    pub fn parent(&self) -> String {
        names::parent(&self.runtime)
    }

    /// The published inventory.
    pub fn published(&self) -> Option<&Inventory> {
        if let Published::Known { inventory, .. } = &self.published { Some(inventory) } else { None }
    }

    /// Digest of the published inventory.
    pub fn published_digest(&self) -> Option<&str> {
        if let Published::Known { digest, .. } = &self.published { digest.as_deref() } else { None }
    }

    /// The declared inventory.
    pub fn declared(&self) -> Option<&Inventory> {
        self.declared.as_ref().map(|(_, inventory)| inventory)
    }

    /// The same expectation with nothing in it but these workloads: what was not asked of a cluster must not be missed there.
    #[must_use]
    pub fn only(&self, names: &BTreeSet<String>) -> Self {
        let mut narrow = self.clone();
        let keep = |inventory: &mut Inventory| inventory.entries.retain(|entry| names.contains(&entry.name));
        if let Some((_, inventory)) = &mut narrow.declared {
            keep(inventory);
        }
        if let Published::Known { inventory, .. } = &mut narrow.published {
            keep(inventory);
        }
        narrow
    }
}
