//! Files: bounded reads, atomic writes, finding workloads.yml and settings, OCI layouts on disk.
//!
//! Uses: nothing.
//! Never: unbounded reads, half-written files, following a link out of a folder that is packed.

pub(crate) mod find;
pub(crate) mod folder;
pub(crate) mod layout;
pub(crate) mod read;
pub(crate) mod seen;
pub(crate) mod write;
