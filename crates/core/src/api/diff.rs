//! `DiffReport`.

use super::API_VERSION;
use super::push::named;
use crate::publish::{Consequence, Plan};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// The whole document.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiffReport {
    /// The version of this contract.
    #[schemars(extend("const" = API_VERSION))]
    api_version: &'static str,
    /// What the document is.
    #[schemars(extend("const" = "DiffReport"))]
    kind: &'static str,
    /// What would be.
    new: String,
    /// What is.
    old: String,
    /// How many of each change.
    summary: Summary,
    /// What differs, the additions first, then the removals and the changes; nothing when both are the same.
    items: Vec<Item>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Summary {
    /// Only in what would be.
    added: usize,
    /// Only in what is.
    removed: usize,
    /// In both, and not the same.
    changed: usize,
}

/// A workload of an inventory, or an object of a deploy artifact, that differs.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Item {
    /// In an inventory: the workload.
    #[serde(skip_serializing_if = "Option::is_none")]
    workload: Option<String>,
    /// In a deploy artifact: kind, namespace and name of the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    /// What would happen to it.
    #[schemars(extend("enum" = ["added", "removed", "changed"]))]
    change: &'static str,
    /// What its removal would do to what it has applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = Consequence::ALL.map(Consequence::as_str)))]
    consequence: Option<&'static str>,
    /// The fields that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<Field>,
}

/// A field with two values.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Field {
    /// In an inventory: which of the workload's two objects.
    #[serde(skip_serializing_if = "str::is_empty")]
    object: &'static str,
    /// Such as `spec.interval`.
    path: String,
    /// Absent: it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<Value>,
    /// Absent: it would not be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<Value>,
}

/// The document of a plan.
pub fn document(new: &str, old: &str, plan: &Plan) -> DiffReport {
    let item = |name: &str, change| {
        let (workload, object) = named(plan.things, name);
        Item { workload, object, change, consequence: None, fields: Vec::new() }
    };
    let mut items: Vec<Item> = plan.added.iter().map(|name| item(name, "added")).collect();
    items.extend(
        plan.removed
            .iter()
            .map(|removal| Item { consequence: Some(removal.consequence.as_str()), ..item(&removal.name, "removed") }),
    );
    items.extend(plan.changed.iter().map(|change| {
        let fields = change.fields.iter().map(|(object, field)| Field {
            object,
            path: field.path.clone(),
            old: field.live.clone(),
            new: field.published.clone(),
        });
        Item { fields: fields.collect(), ..item(&change.name, "changed") }
    }));
    let summary = Summary { added: plan.added.len(), removed: plan.removed.len(), changed: plan.changed.len() };
    DiffReport { api_version: API_VERSION, kind: "DiffReport", new: new.to_owned(), old: old.to_owned(), summary, items }
}
