//! What the objects of a published tree have to be for each other, and what none of them should carry.

use super::object::is_ours;
use super::subject::Subject;
use super::walk::Step;
use crate::finding::Finding;
use crate::flux::{KUSTOMIZATION, KUSTOMIZE_GROUP, OCI_REPOSITORY, SOURCE_GROUP, names};
use serde_json::Value;
use std::collections::HashSet;

/// Every finding of that kind.
pub(super) fn check(subjects: &[Subject<'_>], runtime: &str, findings: &mut Vec<Finding>) {
    let of = |kind: &str| -> HashSet<(&str, &str)> {
        subjects.iter().filter(|subject| is_ours(subject) && subject.kind() == kind).map(identity).collect()
    };
    let (sources, kustomizations) = (of(OCI_REPOSITORY), of(KUSTOMIZATION));
    for subject in subjects.iter().filter(|subject| !subject.workload.is_empty()) {
        if !is_ours(subject) {
            secret(subject, findings);
            continue;
        }
        reserved(subject, runtime, findings);
        suspended(subject, findings);
        let (other, lacks) =
            if subject.kind() == OCI_REPOSITORY { (&kustomizations, KUSTOMIZATION) } else { (&sources, OCI_REPOSITORY) };
        if !other.contains(&identity(subject)) {
            let message = format!("the {} {} has no {lacks} of its name", subject.kind(), subject.workload);
            let mut finding = subject.finding("unpaired-object", &NAME, message);
            finding.hint("a workload is an OCIRepository and a Kustomization of one name and namespace");
            findings.push(finding);
        }
        if subject.kind() == KUSTOMIZATION {
            source(subject, &sources, findings);
        }
    }
}

const NAME: [Step<'static>; 2] = [Step::Key("metadata"), Step::Key("name")];

/// Namespace and name.
fn identity<'a>(subject: &Subject<'a>) -> (&'a str, &'a str) {
    (subject.object.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default(), subject.workload)
}

/// What a Kustomization applies.
fn source(subject: &Subject<'_>, sources: &HashSet<(&str, &str)>, findings: &mut Vec<Finding>) {
    let Some(reference) = subject.spec().get("sourceRef").filter(|reference| reference.is_object()) else { return };
    let text = |name: &str| reference.get(name).and_then(Value::as_str);
    let (Some(kind), Some(name)) = (text("kind"), text("name")) else { return };
    let (own, _) = identity(subject);
    let namespace = text("namespace").unwrap_or(own);
    let at = |field: &'static str| [Step::Key("spec"), Step::Key("sourceRef"), Step::Key(field)];
    if kind != OCI_REPOSITORY {
        let message = format!("{} applies a {kind}, and not its OCIRepository", subject.workload);
        let mut finding = subject.finding("source-ref-missing", &at("kind"), message);
        finding.warning().hint("a workload's Kustomization applies the OCIRepository of its own name");
        findings.push(finding);
    } else if !sources.contains(&(namespace, name)) {
        let message = format!("{} applies the OCIRepository {namespace}/{name}, which is not in the inventory", subject.workload);
        let mut finding = subject.finding("source-ref-missing", &at("name"), message);
        finding.hint("Flux would report ArtifactFailed for it, and apply nothing");
        findings.push(finding);
    } else if (namespace, name) != identity(subject) {
        let message = format!("{} applies the OCIRepository of another workload, {namespace}/{name}", subject.workload);
        let mut finding = subject.finding("source-ref-missing", &at("name"), message);
        finding
            .warning()
            .hint("two Kustomizations that apply the same objects take them from each other, and one that goes deletes them");
        findings.push(finding);
    }
}

fn reserved(subject: &Subject<'_>, runtime: &str, findings: &mut Vec<Finding>) {
    if runtime.is_empty() || subject.workload != names::parent(runtime) {
        return;
    }
    let message = format!("'{}' is the name of the objects that apply the inventory itself", subject.workload);
    let mut finding = subject.finding("reserved-id", &NAME, message);
    finding.hint("applying it would replace the parent by what stands here");
    findings.push(finding);
}

fn suspended(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let Some(value) = subject.spec().get("suspend") else { return };
    let message = format!("the {} {} has a written spec.suspend: {value}", subject.kind(), subject.workload);
    let mut finding = subject.finding("written-suspend", &[Step::Key("spec"), Step::Key("suspend")], message);
    finding.warning().hint("leave it out: every apply would undo what somebody decides on the cluster");
    findings.push(finding);
}

fn secret(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if subject.object.get("apiVersion").and_then(Value::as_str) != Some("v1")
        || subject.kind() != "Secret"
        || subject.object.get("sops").is_some()
    {
        return;
    }
    let holds = |field: &&str| subject.object.get(*field).and_then(Value::as_object).is_some_and(|map| !map.is_empty());
    let Some(field) = ["data", "stringData"].into_iter().find(holds) else { return };
    let message = format!("the Secret {} carries its values as they are", subject.workload);
    let mut finding = subject.finding("plain-secret", &[Step::Key(field)], message);
    finding.warning().hint("whoever may read the inventory can read them; encrypt them, or take them from a secret store");
    findings.push(finding);
}

/// Whether an object belongs to a workload, by group and kind.
pub(super) fn is_workload(object: &Value) -> bool {
    let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    let group = text("apiVersion").split_once('/').map_or("", |(group, _)| group);
    matches!((group, text("kind")), (SOURCE_GROUP, OCI_REPOSITORY) | (KUSTOMIZE_GROUP, KUSTOMIZATION))
}
