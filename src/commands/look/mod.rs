//! What `status`, `explain`, `tree` and `snapshot save` share: flags, and the look at every chosen cluster.

mod clusters;
mod expectations;
mod flags;
mod following;
mod scopes;
mod show;

pub(crate) use clusters::{Answer, Look, names};
pub(crate) use flags::{LookFlags, NamedFlags};
pub(crate) use following::{Seen, Watcher};
pub(crate) use scopes::scopes;
pub(crate) use show::show_named;
