//! `VerifyReport`.

use super::API_VERSION;
use crate::finding::{Finding, Severity};
use schemars::JsonSchema;
use serde::Serialize;

/// The whole document.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifyReport {
    /// The version of this contract.
    #[schemars(extend("const" = API_VERSION))]
    api_version: &'static str,
    /// What the document is.
    #[schemars(extend("const" = "VerifyReport"))]
    kind: &'static str,
    summary: Summary,
    /// What was found, the errors of a file in the order of its lines; nothing when all is well.
    items: Vec<Item>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Summary {
    /// How many workloads were checked.
    workloads: usize,
    errors: usize,
    warnings: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Item {
    /// A stable word, which `help finding CODE` explains.
    code: &'static str,
    #[schemars(extend("enum" = [Severity::Error.as_str(), Severity::Warning.as_str()]))]
    severity: &'static str,
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// In characters.
    #[schemars(range(min = 1))]
    column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workload: Option<String>,
    /// What is wrong, in words that may change.
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// What to do about it, likewise.
    hint: Option<String>,
}

/// How many findings there are of a severity.
pub fn count(findings: &[Finding], severity: Severity) -> usize {
    findings.iter().filter(|finding| finding.severity == severity).count()
}

/// The document of findings about so many workloads.
pub fn document(findings: &[Finding], workloads: usize) -> VerifyReport {
    let item = |finding: &Finding| Item {
        code: finding.code,
        severity: finding.severity.as_str(),
        file: finding.place.file.clone(),
        line: finding.place.line,
        column: finding.place.column,
        workload: finding.workload.clone(),
        message: finding.message.clone(),
        hint: finding.hint.clone(),
    };
    VerifyReport {
        api_version: API_VERSION,
        kind: "VerifyReport",
        summary: Summary { workloads, errors: count(findings, Severity::Error), warnings: count(findings, Severity::Warning) },
        items: findings.iter().map(item).collect(),
    }
}
