//! `VerifyReport`.

use super::API_VERSION;
use crate::finding::{Finding, Severity};
use serde::Serialize;

/// The whole document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifyReport {
    api_version: &'static str,
    kind: &'static str,
    summary: Summary,
    items: Vec<Item>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    workloads: usize,
    errors: usize,
    warnings: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    code: &'static str,
    severity: &'static str,
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workload: Option<String>,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
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
