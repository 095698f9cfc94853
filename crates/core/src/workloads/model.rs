//! What workloads.yml says, read.

use crate::problem::Place;
use crate::yaml::Node;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The list of one file.
#[derive(Debug, Clone, Default)]
pub struct Workloads {
    /// The file as the user named it.
    pub file: String,
    /// The entries in the file's order. With findings of severity error, those whose id cannot be used are among them.
    pub items: Vec<Workload>,
    /// `defaults.flux` of a map-shaped file.
    pub defaults: Overrides,
}

/// One entry; there may be 100,000 of them, so that what few have is behind a pointer.
#[derive(Debug, Clone, Default)]
pub struct Workload {
    /// `runway_service_id`: names the two objects, the namespace and the deploy artifact.
    pub id: String,
    /// The file as the user named it.
    pub file: Arc<str>,
    /// Line and column of the id, from 1; of the whole entry when an alias or a merge key brings the id along.
    pub at: (usize, usize),
    /// Offset and length in the file of what stands there, for the caret.
    pub span: (usize, usize),
    /// The id cannot be used, and a finding says why; the entry is here so that all else in it is checked at once.
    pub refused: bool,
    /// The regions, checked and used for selections; they do not change the objects.
    pub regions: Vec<Name>,
    /// The workload's own `flux:` overrides; `None`: it has no such key.
    pub flux: Option<Box<Overrides>>,
    /// The environments that it is in, each with overrides of its own; `None`: all.
    pub environments: Option<Vec<(Name, Overrides)>>,
}

/// A text of the file with the place where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Name {
    /// The text.
    pub text: String,
    /// Line and column, from 1.
    pub at: (usize, usize),
    /// Offset and length in the file.
    pub span: (usize, usize),
}

impl Workload {
    /// Where it stands.
    pub fn place(&self) -> Place {
        Place::at(&*self.file, self.at.0, self.at.1)
    }

    /// Whether it belongs to an environment.
    pub fn is_in(&self, environment: &str) -> bool {
        self.environments.as_ref().is_none_or(|list| list.iter().any(|(name, _)| name.text == environment))
    }

    /// Its overrides for an environment, beyond those that it has everywhere.
    pub fn overrides_in(&self, environment: &str) -> Option<&Overrides> {
        self.environments.as_ref()?.iter().find(|(name, _)| name.text == environment).map(|(_, overrides)| overrides)
    }
}

/// Fields laid over the generated objects.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    /// Fields of the Kustomization's spec.
    pub kustomization: Map<String, Value>,
    /// Fields of the OCIRepository's spec.
    pub source: Map<String, Value>,
    /// The `flux` mapping as it was written, for places; `None` when nothing was.
    pub written: Option<Box<Node>>,
}

impl Overrides {
    /// Whether nothing is laid over.
    pub fn is_empty(&self) -> bool {
        self.kustomization.is_empty() && self.source.is_empty()
    }
}
