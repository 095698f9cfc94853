//! What a release is made of: archives, checksums, and the manifests of krew's and Flux's plugin catalogs.
//!
//! One build of the program serves both catalogs. `cargo xtask dist` builds it for each of [`targets::TARGETS`] and hands the
//! bytes over; everything here is a function of its input, so that a release packed twice has the same bytes.
//!
//! * [`archive`] packs and lists, [`release`] says which files go under which names;
//! * [`template`] renders the manifests;
//! * [`krew`] and [`flux`] are the rules of the two catalogs: what their validators and installers refuse, we refuse first;
//! * [`binary`] looks into a built program before it is packed.

#![expect(clippy::disallowed_methods, reason = "a chore writes files; nothing here is in the product, for which the bans are")]

pub mod archive;
pub mod binary;
pub mod flux;
pub mod krew;
pub mod release;
pub mod targets;
pub mod template;

use sha2::{Digest as _, Sha256};

/// SHA-256 as both catalogs write it: 64 lower-case hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
