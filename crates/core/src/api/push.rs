//! `PushResult`.

use super::API_VERSION;
use crate::publish::plan::Consequence;
use crate::publish::receipt::{Outcome, Refusal};
use crate::publish::{Plan, Receipt, Things};
use schemars::JsonSchema;
use serde::Serialize;

/// The whole document.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PushResult {
    /// The version of this contract.
    #[schemars(extend("const" = API_VERSION))]
    api_version: &'static str,
    /// What the document is.
    #[schemars(extend("const" = "PushResult"))]
    kind: &'static str,
    /// What became of it.
    #[schemars(extend("enum" = Outcome::ALL.map(Outcome::as_str)))]
    result: &'static str,
    /// Why it was refused.
    #[schemars(extend("enum" = Refusal::ALL.map(Refusal::as_str)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    /// The digest that the tag held when the plan was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<String>,
    /// Further tags that hold the same digest now; of a planned push, that would.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    plan: PlanDocument,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PlanDocument {
    added: Vec<String>,
    removed: Vec<Removed>,
    changed: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Removed {
    /// The workload that goes, of an inventory.
    #[serde(skip_serializing_if = "Option::is_none")]
    workload: Option<String>,
    /// The object that goes, of a deploy artifact.
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    /// What the removal does on clusters.
    #[schemars(extend("enum" = Consequence::ALL.map(Consequence::as_str)))]
    consequence: &'static str,
}

/// The document of a receipt.
pub fn document(receipt: &Receipt, plan: &Plan) -> PushResult {
    PushResult {
        api_version: API_VERSION,
        kind: "PushResult",
        result: receipt.result.as_str(),
        reason: receipt.refusal.map(Refusal::as_str),
        repository: Some(receipt.repository.clone()),
        tag: Some(receipt.tag.clone()),
        digest: Some(receipt.digest.clone()),
        size: Some(receipt.size),
        tags: receipt.tags.clone(),
        before: receipt.before.clone(),
        plan: PlanDocument {
            added: plan.added.clone(),
            removed: plan
                .removed
                .iter()
                .map(|removal| {
                    let (workload, object) = named(plan.things, &removal.name);
                    Removed { workload, object, consequence: removal.consequence.as_str() }
                })
                .collect(),
            changed: plan.changed.iter().map(|change| change.name.clone()).collect(),
        },
    }
}

/// The name as a workload's or as an object's.
pub(super) fn named(things: Things, name: &str) -> (Option<String>, Option<String>) {
    match things {
        Things::Workloads => (Some(name.to_owned()), None),
        Things::Objects => (None, Some(name.to_owned())),
    }
}
