//! The machine contract: the documents that `-o json` and `-o yaml` print.
//!
//! In: reports and results. Out: types with `Serialize`, whose field names are a promise.
//! Uses: assess, finding, publish, problem.
//! Never: used by anything but renderers; working code has its own types.
//! Start at [`status`].

pub mod diff;
pub mod push;
pub mod status;
pub mod verify;

/// The `apiVersion` of every document.
pub const API_VERSION: &str = "runway.gitlab.com/v1alpha1";
