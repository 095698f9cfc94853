//! Every check of an inventory before it is published, over documents and facts that were gathered before.
//!
//! In: [`Workloads`] with settings, or a [`Tree`]; the facts of [`Facts`]; what registries and clusters answered. Out: every
//! [`Finding`] at once, in the order of the files.
//! Uses: workloads, objects, inventory, artifact, flux, finding, settings, yaml, problem, suggest, text.
//! Never: asking anybody; printing; what a parser already says (its findings are added by the caller).
//! Start at [`declared::check`]; [`rules::RULES`] lists all codes.
//!
//! [`Workloads`]: crate::workloads::Workloads
//! [`Tree`]: crate::artifact::Tree
//! [`Finding`]: crate::finding::Finding

pub mod asked;
pub mod declared;
mod depends;
mod entries;
mod object;
pub mod published;
pub mod rules;
mod subject;
mod substitution;
mod together;
pub mod walk;

use crate::finding::{Finding, Severity};
use crate::flux::crds::Release;
use std::collections::{BTreeMap, HashSet};

/// What is known beside the inventory itself.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The runtime.
    pub runtime: String,
    /// The environments that are checked.
    pub environments: Vec<String>,
    /// Somebody named them: one without a workload is an error then, and else a warning.
    pub named: bool,
    /// The Flux release on the clusters; `None`: the newest that serves what is there.
    pub release: Option<Release>,
    /// What other runtimes of the repository list.
    pub others: Vec<Listed>,
}

/// The ids that another runtime's file lists.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// The runtime.
    pub runtime: String,
    /// Its file.
    pub file: String,
    /// Ids with their line.
    pub ids: BTreeMap<String, usize>,
}

/// In the order of the files, each said once: what holds for several environments or workloads has one place.
pub fn ordered(mut findings: Vec<Finding>) -> Vec<Finding> {
    let mut seen = HashSet::new();
    // The parser has told these already, whatever the schema makes of the value.
    let mut scalars = HashSet::new();
    findings.retain(|finding| finding.code != "ambiguous-scalar" || scalars.insert(finding.place.clone()));
    findings.retain(|finding| {
        let workload = finding.workload.clone();
        seen.insert((finding.code, finding.place.clone(), workload, finding.message.clone()))
    });
    findings.sort_by(|a, b| a.place.cmp(&b.place));
    findings
}

/// Makes every warning an error.
pub fn strict(findings: &mut [Finding]) {
    for finding in findings {
        finding.severity = Severity::Error;
    }
}
