//! What workloads.yml says, read.

use crate::problem::Place;
use serde_json::{Map, Value};

/// The list of one file.
#[derive(Debug, Clone, Default)]
pub struct Workloads {
    /// The file as the user named it.
    pub file: String,
    /// The entries in the file's order.
    pub items: Vec<Workload>,
    /// `defaults.flux` of a map-shaped file.
    pub defaults: Overrides,
}

/// One entry.
#[derive(Debug, Clone)]
pub struct Workload {
    /// `runway_service_id`: names the two objects, the namespace and the deploy artifact.
    pub id: String,
    /// Where the id stands.
    pub place: Place,
    /// The regions, checked and used for selections; they do not change the objects.
    pub regions: Vec<String>,
    /// The workload's own `flux:` overrides.
    pub flux: Overrides,
    /// The environments that it is in, each with overrides of its own; `None`: all.
    pub environments: Option<Vec<(String, Overrides)>>,
}

impl Workload {
    /// Whether it belongs to an environment.
    pub fn is_in(&self, environment: &str) -> bool {
        self.environments.as_ref().is_none_or(|list| list.iter().any(|(name, _)| name == environment))
    }

    /// Its overrides for an environment, beyond those that it has everywhere.
    pub fn overrides_in(&self, environment: &str) -> Option<&Overrides> {
        self.environments.as_ref()?.iter().find(|(name, _)| name == environment).map(|(_, overrides)| overrides)
    }
}

/// Fields laid over the generated objects.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    /// Fields of the Kustomization's spec.
    pub kustomization: Map<String, Value>,
    /// Fields of the OCIRepository's spec.
    pub source: Map<String, Value>,
}
