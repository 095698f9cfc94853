//! What `status`, `explain`, `tree` and `snapshot save` share: flags, and the look at every chosen cluster.

mod clusters;
mod expectations;
mod flags;

pub(crate) use clusters::{Answer, Look};
pub(crate) use flags::LookFlags;
