//! `Settings`: what `config view` prints.

use super::API_VERSION;
use crate::settings::{Cluster, Key, Origin, Settings as Resolved, Value as Given};
use schemars::JsonSchema;
use serde::Serialize;

/// The whole document.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// The version of this contract.
    #[schemars(extend("const" = API_VERSION))]
    api_version: &'static str,
    /// What the document is.
    #[schemars(extend("const" = "Settings"))]
    kind: &'static str,
    summary: Summary,
    /// Every setting, the list of clusters last.
    items: Vec<Item>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Summary {
    /// How many settings there are.
    total: usize,
    /// How many of them have another origin than `default`.
    set: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Item {
    /// Its path in the file, such as `registry.base`.
    key: &'static str,
    value: Value,
    /// `default`, `FILE:LINE:COLUMN`, `variable NAME` or `flag NAME`.
    origin: String,
    /// The variable that sets it, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    variable: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
enum Value {
    /// One word or text; numbers, durations and booleans too.
    Text(String),
    /// Several names.
    List(Vec<String>),
    /// Of the key `clusters`.
    Clusters(Vec<Cluster>),
}

/// The document of resolved settings.
pub fn document(settings: &Resolved) -> Settings {
    let item = |(key, value, origin): (&Key, &Given, &Origin)| {
        let value = match value {
            Given::Text(text) => Value::Text(text.clone()),
            Given::List(list) => Value::List(list.clone()),
        };
        Item { key: key.path, value, origin: origin.to_string(), variable: Some(key.variable()) }
    };
    let (value, origin) = (Value::Clusters(settings.clusters.clone()), settings.clusters_from.to_string());
    let clusters = Item { key: "clusters", value, origin, variable: None };
    let items: Vec<Item> = settings.all().map(item).chain([clusters]).collect();
    let default = Origin::Default.to_string();
    let set = items.iter().filter(|item| item.origin != default).count();
    Settings { api_version: API_VERSION, kind: "Settings", summary: Summary { total: items.len(), set }, items }
}
