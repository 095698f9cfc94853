//! What one cluster has, and what the registries answered: facts, gathered before anything is judged.
//!
//! In: JSON of lists. Out: [`Observed`] and [`Registry`].
//! Uses: flux, problem, inventory.
//! Never: judging.
//! Start at [`Observed`].

pub mod objects;
pub mod snapshot;

use crate::flux::object::{Kustomization, Object, Source};
use crate::flux::{KUSTOMIZATION, OCI_REPOSITORY};
use crate::inventory::Inventory;
use crate::inventory::read::from_objects;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Something that could not be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// CamelCase reason, such as `Forbidden` or `TimedOut`.
    pub reason: String,
    /// What happened, with its cause.
    pub message: String,
}

/// The reason of a gap that is only there because the cluster was asked just now.
pub const NOT_YET: &str = "NotAsked";
/// The reason where a cluster answers, and nothing says which runtime and environment it has.
pub const NO_PARENT: &str = "NoParent";

/// What a cluster answered.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The cluster's name: the context's or the settings'.
    pub cluster: String,
    /// The namespace that was read.
    pub namespace: String,
    /// The objects; `Err`: the cluster gave no answer at all.
    pub objects: Result<Objects, Gap>,
}

/// The namespace's objects; each kind may have been refused on its own.
#[derive(Debug, Clone)]
pub struct Objects {
    /// OCIRepositories.
    pub sources: Result<Vec<Source>, Gap>,
    /// Kustomizations.
    pub kustomizations: Result<Vec<Kustomization>, Gap>,
}

impl Observed {
    /// The workloads that a parent has applied here, as an inventory; managed fields and status are left out.
    pub fn applied_by(&self, parent: &str) -> Result<Inventory, Gap> {
        let objects = self.objects.as_ref().map_err(Clone::clone)?;
        let sources = objects.sources.as_ref().map_err(Clone::clone)?;
        let kustomizations = objects.kustomizations.as_ref().map_err(Clone::clone)?;
        let owner = Some((parent, self.namespace.as_str()));
        let sources = sources.iter().filter(|object| object.owner() == owner).map(|object| bare(OCI_REPOSITORY, object));
        let kustomizations =
            kustomizations.iter().filter(|object| object.owner() == owner).map(|object| bare(KUSTOMIZATION, object));
        Ok(Inventory { is_live: true, ..from_objects(sources.chain(kustomizations)) })
    }
}

/// An object as somebody would have written it.
fn bare<S>(kind: &str, object: &Object<S>) -> Value {
    json!({
        "apiVersion": object.api_version,
        "kind": kind,
        "metadata": {
            "name": object.metadata.name,
            "namespace": object.metadata.namespace,
            "labels": object.metadata.labels,
            "annotations": object.metadata.annotations,
        },
        "spec": object.spec,
    })
}

/// What a registry answered about a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The digest that the tag points to now.
    Digest(String),
    /// Asked, and not there.
    NotThere,
    /// Could not be asked; says why.
    Unknown(String),
}

/// Answers by reference, `host/repository:tag`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registry {
    answers: BTreeMap<String, Answer>,
}

impl Registry {
    /// Remembers an answer.
    pub fn insert(&mut self, reference: String, answer: Answer) {
        self.answers.insert(reference, answer);
    }

    /// The answer for a reference; a reference that nobody asked for is unknown.
    pub fn get(&self, reference: &str) -> Option<&Answer> {
        self.answers.get(reference)
    }

    /// All answers.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Answer)> {
        self.answers.iter().map(|(reference, answer)| (reference.as_str(), answer))
    }
}
