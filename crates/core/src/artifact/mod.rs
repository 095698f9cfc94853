//! A tree of files to a Flux OCI artifact and back, byte for byte the same on every machine.
//!
//! In: a [`Tree`] and the three annotations. Out: an [`Artifact`]: manifest, config and layer with their digests; or,
//! from the bytes of a layer, a tree.
//! Uses: flux, problem, text.
//! Never: files on disk (`tar`'s own unpacking is not used: names from outside never reach a path here).
//! Start at [`build`].

pub mod digest;
pub mod ignore;
pub mod manifest;
pub mod pack;
pub mod size;
pub mod tree;
pub mod unpack;

pub use digest::Digest;
pub use ignore::Ignore;
pub use manifest::{Artifact, Manifest, Packed, Provenance, build};
pub use tree::Tree;
