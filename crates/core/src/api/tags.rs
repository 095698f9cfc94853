//! `TagList`.

use super::API_VERSION;
use schemars::JsonSchema;
use serde::Serialize;

/// The whole document.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TagList {
    /// The version of this contract.
    #[schemars(extend("const" = API_VERSION))]
    api_version: &'static str,
    /// What the document is.
    #[schemars(extend("const" = "TagList"))]
    kind: &'static str,
    summary: Summary,
    /// The tags, in the registry's order.
    items: Vec<Item>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Summary {
    /// How many tags there are.
    total: usize,
}

/// A tag.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Its name.
    pub tag: String,
    /// Digest of the manifest that it holds.
    #[schemars(regex(pattern = r"^sha256:[0-9a-f]{64}$"))]
    pub digest: String,
    /// When that was made, as its annotation says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Git revision of the content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Repository of the content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// The document of a list.
pub fn document(items: Vec<Item>) -> TagList {
    TagList { api_version: API_VERSION, kind: "TagList", summary: Summary { total: items.len() }, items }
}
