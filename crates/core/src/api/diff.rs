//! `DiffReport`.

use super::API_VERSION;
use super::push::named;
use crate::publish::Plan;
use serde::Serialize;
use serde_json::Value;

/// The whole document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DiffReport {
    api_version: &'static str,
    kind: &'static str,
    /// What would be.
    new: String,
    /// What is.
    old: String,
    summary: Summary,
    items: Vec<Item>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    added: usize,
    removed: usize,
    changed: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    #[serde(skip_serializing_if = "Option::is_none")]
    workload: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    change: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    consequence: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<Field>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Field {
    #[serde(skip_serializing_if = "str::is_empty")]
    object: &'static str,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<Value>,
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
