//! The only place that reads environment variables.
//!
//! Uses: nothing.
//! Never: keeping a secret longer than the caller; values are looked up when they are needed.

use std::path::PathBuf;

/// A variable's value, when it is set, not empty, and UTF-8.
#[expect(clippy::disallowed_methods, reason = "this is the one permitted place")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The user's home folder.
#[expect(clippy::disallowed_methods, reason = "this is the one permitted place")]
pub(crate) fn home() -> Option<PathBuf> {
    let name = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
