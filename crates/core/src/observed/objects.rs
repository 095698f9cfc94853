//! What was found of the objects that Kustomizations have applied, by looking at each of them.

use super::Gap;
use crate::flux::applied::AppliedId;
use serde_json::Value;
use std::collections::BTreeMap;

/// What an API server said of one object.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// It is there.
    There(Value),
    /// Asked, and it is not there.
    Gone,
    /// Could not be asked.
    Unknown(Gap),
}

/// One applied object.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Its address.
    pub id: AppliedId,
    /// What was found.
    pub found: Found,
    /// Its Pods, when it is not healthy and has some.
    pub pods: Vec<Pod>,
    /// Why its Pods could not be read.
    pub pods_gap: Option<Gap>,
}

/// A Pod and what was said of it last.
#[derive(Debug, Clone, PartialEq)]
pub struct Pod {
    /// The Pod.
    pub pod: Value,
    /// Its events.
    pub events: Vec<Value>,
}

/// The objects of one workload.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WorkloadObjects {
    /// In the order of the inventory.
    pub seen: Vec<Seen>,
    /// How many were not looked at, since there are too many.
    pub left_out: usize,
}

/// What a look at objects has found, by workload; a workload that is not in it was not looked at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Looked {
    /// When it was looked; rules about time need it.
    pub at: jiff::Timestamp,
    /// By the Kustomization's name.
    pub workloads: BTreeMap<String, WorkloadObjects>,
}
