//! workloads.yml: the list of workloads of one runtime.
//!
//! In: the file's text. Out: [`Workloads`] and every finding at once, each with its place.
//! Uses: yaml, finding, flux, problem, suggest.
//! Never: settings or objects; what a workload becomes is `objects`.
//! Start at [`parse::parse`].

pub mod keys;
pub mod model;
pub mod parse;
pub mod schema;
mod values;

pub use model::{Name, Overrides, Workload, Workloads};
pub use parse::parse;
