//! Flux's and the registries' words as types: names, revisions, references, durations, conditions, the two objects.
//!
//! In: text and JSON as Flux, the API server and registries write it. Out: values that the rest judges.
//! Uses: problem, text.
//! Never: deciding anything about a workload; that is `assess`.
//! Start at [`object`].

pub mod applied;
pub mod crds;
pub mod duration;
pub mod kept;
mod lenient;
pub mod names;
pub mod object;
pub mod reference;
pub mod revision;
pub mod texts;
pub mod variables;

/// API group of OCIRepository.
pub const SOURCE_GROUP: &str = "source.toolkit.fluxcd.io";
/// API group of Kustomization.
pub const KUSTOMIZE_GROUP: &str = "kustomize.toolkit.fluxcd.io";
/// Kind of a workload's source.
pub const OCI_REPOSITORY: &str = "OCIRepository";
/// Kind of a workload's kustomization.
pub const KUSTOMIZATION: &str = "Kustomization";
/// Label with the name of the Kustomization that applied an object (Flux's `ssa` package, `SetOwnerLabels`).
pub const OWNER_NAME: &str = "kustomize.toolkit.fluxcd.io/name";
/// Label with the namespace of the Kustomization that applied an object.
pub const OWNER_NAMESPACE: &str = "kustomize.toolkit.fluxcd.io/namespace";
/// Finalizer that Flux's own controllers set and remove.
pub const FINALIZER: &str = "finalizers.fluxcd.io";
