//! A workload's resource manifests: texts to objects, what is wrong with them, and the tree that is published.
//!
//! In: texts of manifests, already read. Out: [`Manifests`], its findings, a tree of one file.
//! What was checked is what is published: the objects are written again from what was read, so nothing that another YAML
//! reader would see differently (comments, merge keys, line ends, a byte order mark, a file that Flux drops by its name)
//! reaches a cluster.
//! Uses: artifact, finding, flux, objects, settings, text, workloads, yaml.
//! Never: running helm or kustomize; changing an object, but for the namespace that somebody asked for.
//! Start at [`read::read`].

mod checks;
pub mod declared;
pub mod files;
pub mod identity;
pub mod read;
mod substitution;
pub mod write;

pub use declared::{Declared, declared};
pub use files::{Role, looks_like_a_manifest, role};
pub use identity::{Identity, Scope, scope};
pub use read::{Manifests, Object, Rules, Text, held, read};
pub use substitution::Substitution;
pub use write::{FILE, write};

#[cfg(test)]
mod tests;
