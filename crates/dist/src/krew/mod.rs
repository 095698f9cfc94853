//! krew's rules, read in its sources: what `validate-krew-manifest` refuses, what its installer refuses, what reviewers of the
//! index ask for.
//!
//! They are stricter here in one way: krew ignores fields that it does not know, so that a misspelt one is silently nothing;
//! we refuse them. krew itself is a Go program that no package registry serves, so it cannot be asked.

mod install;
mod manifest;
mod rules;

pub use install::{Installed, install};
pub use manifest::{Expression, FileOperation, Manifest, Metadata, Platform, Selector, Spec};
pub use rules::{PLATFORMS, problems};
