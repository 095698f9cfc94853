//! Objects to the `<environment>/` folder of an artifact, and such a folder back to the workloads it declares.
//!
//! In: objects, or a [`Tree`]. Out: a tree, or an [`Inventory`].
//! Uses: artifact, flux, yaml, objects, workloads, settings, problem, finding.
//! Never: registries or disks; whoever reads a tree hands it in.
//! Start at [`write()`] and [`read::read`].
//!
//! [`Tree`]: crate::artifact::Tree

pub mod files;
pub mod read;
pub mod write;

pub use read::{Entry, Inventory, Other, read};
pub use write::{FILE, one_file, write, write_all};
