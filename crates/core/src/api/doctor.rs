//! `DoctorReport`.

use super::API_VERSION;
use crate::problem::Problem;
use schemars::JsonSchema;
use serde::Serialize;

/// The whole document.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DoctorReport {
    /// The version of this contract.
    #[schemars(extend("const" = API_VERSION))]
    api_version: &'static str,
    /// What the document is.
    #[schemars(extend("const" = "DoctorReport"))]
    kind: &'static str,
    /// What was looked at, such as `oci://registry.example.com/deployments/web/deploy:production`.
    subject: String,
    /// How many steps ended in which way.
    summary: Summary,
    /// The steps, in their order.
    items: Vec<Item>,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Summary {
    /// All steps.
    total: usize,
    /// As they should be.
    ok: usize,
    /// Not as they should be.
    failed: usize,
    /// Not looked at.
    skipped: usize,
}

/// A step.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Its name, such as `login`.
    check: &'static str,
    /// How it went.
    #[schemars(extend("enum" = ["ok", "failed", "skipped"]))]
    state: &'static str,
    /// What was found.
    message: String,
    /// Why it failed, from the nearest cause to the farthest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<String>,
    /// What to do next.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hints: Vec<String>,
}

impl Item {
    /// A step as it went; `state` is `ok`, `failed` or `skipped`.
    pub fn new(check: &'static str, state: &'static str, message: &str, problem: Option<&Problem>) -> Self {
        let (causes, hints) = problem.map(|problem| (problem.causes.clone(), problem.hints.clone())).unwrap_or_default();
        Self { check, state, message: message.to_owned(), causes, hints }
    }
}

/// The document of these steps.
pub fn document(subject: String, items: Vec<Item>) -> DoctorReport {
    let count = |state: &str| items.iter().filter(|item| item.state == state).count();
    let summary = Summary { total: items.len(), ok: count("ok"), failed: count("failed"), skipped: count("skipped") };
    DoctorReport { api_version: API_VERSION, kind: "DoctorReport", subject, summary, items }
}
