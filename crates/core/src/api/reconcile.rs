//! `ReconcileResult`.

use super::API_VERSION;
use crate::actions::{Patch, Request, Stage};
use crate::observed::Objects;
use schemars::JsonSchema;
use serde::Serialize;

/// The whole document.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReconcileResult {
    /// The version of this contract.
    #[schemars(extend("const" = API_VERSION))]
    api_version: &'static str,
    /// What the document is.
    #[schemars(extend("const" = "ReconcileResult"))]
    kind: &'static str,
    /// How it ended.
    #[schemars(extend("enum" = Ending::ALL.map(Ending::as_str)))]
    result: &'static str,
    /// How many pairs there are.
    summary: Summary,
    /// The pairs that were asked, those of parents first.
    items: Vec<Item>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Summary {
    /// All of them.
    total: usize,
    /// Those that both controllers have handled.
    handled: usize,
}

/// A pair that was asked.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// What it is about.
    #[schemars(extend("enum" = ["parent", "workload"]))]
    kind: &'static str,
    /// The cluster.
    pub cluster: String,
    /// The name of both objects.
    pub workload: String,
    /// The value that was written, and that both controllers gave back when they had looked.
    requested_at: String,
    /// Both controllers have handled it.
    pub handled: bool,
    /// Why the API server did not take the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What the source has, `<tag>@<digest>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Digest of what was applied last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_digest: Option<String>,
    /// Ready of the source: `True`, `False` or `Unknown`.
    pub source_ready: String,
    /// Ready of the kustomization.
    pub ready: String,
    /// With `--dry-run`: what would be sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    patches: Vec<PatchDocument>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PatchDocument {
    api_version: String,
    kind: String,
    namespace: String,
    name: String,
    merge: serde_json::Value,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All have handled it.
    Handled,
    /// Some have not, and the time is up.
    Late,
    /// Some could not be asked; the others have handled it, or go after one that could not.
    Refused,
    /// Nobody was asked (`--dry-run`).
    Planned,
}

impl Ending {
    /// Every ending.
    pub const ALL: [Self; 4] = [Self::Handled, Self::Late, Self::Refused, Self::Planned];

    /// The word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Handled => "handled",
            Self::Late => "late",
            Self::Refused => "refused",
            Self::Planned => "planned",
        }
    }
}

/// The document.
pub fn document(ending: Ending, items: Vec<Item>) -> ReconcileResult {
    let summary = Summary { total: items.len(), handled: items.iter().filter(|item| item.handled).count() };
    ReconcileResult { api_version: API_VERSION, kind: "ReconcileResult", result: ending.as_str(), summary, items }
}

/// The rows of one cluster; `patches` are told when nobody is asked.
pub fn items(cluster: &str, request: &Request, objects: &Objects, patches: &[Patch]) -> Vec<Item> {
    let document = |patch: &Patch| PatchDocument {
        api_version: patch.api_version.clone(),
        kind: patch.kind.clone(),
        namespace: patch.namespace.clone(),
        name: patch.name.clone(),
        merge: patch.merge.clone(),
    };
    let row = |pair: &crate::actions::Pair| {
        let source = objects.sources.iter().flatten().find(|object| object.metadata.name == pair.name);
        let kustomization = objects.kustomizations.iter().flatten().find(|object| object.metadata.name == pair.name);
        let unknown = || "Unknown".to_owned();
        Item {
            kind: if pair.parent { "parent" } else { "workload" },
            cluster: cluster.to_owned(),
            workload: pair.name.clone(),
            requested_at: request.token_of(&pair.name).unwrap_or_default().to_owned(),
            handled: pair.stage == Stage::Handled,
            error: None,
            revision: source.and_then(|it| it.revision()).map(str::to_owned),
            applied_digest: kustomization.and_then(|it| it.applied_digest()).map(str::to_owned),
            source_ready: source.and_then(|it| it.ready()).map_or_else(unknown, |it| super::ready(&it.status).to_owned()),
            ready: kustomization.and_then(|it| it.ready()).map_or_else(unknown, |it| super::ready(&it.status).to_owned()),
            patches: patches.iter().filter(|patch| patch.name == pair.name).map(document).collect(),
        }
    };
    request.pairs().iter().map(row).collect()
}
