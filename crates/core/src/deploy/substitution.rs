//! `${variable}` in a workload's manifests: what its Kustomization's `postBuild` does with them.

use super::checks::fault;
use super::identity::Identity;
use crate::finding::Finding;
use crate::flux::crds::Release;
use crate::flux::variables::{SUBSTITUTE, variables};
use crate::yaml::Node;
use serde_json::Value;
use std::collections::BTreeSet;

/// What a Kustomization replaces in everything that it applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Substitution {
    /// What it defines itself.
    pub names: BTreeSet<String>,
    /// More is defined by a `ConfigMap` or a Secret, which cannot be seen from here.
    pub elsewhere: bool,
    /// The Flux that does it.
    pub release: Release,
}

impl Substitution {
    /// That of a Kustomization; without a variable Flux leaves everything as it is.
    pub(super) fn of(kustomization: &Value, release: Release) -> Option<Self> {
        let post_build = kustomization.pointer("/spec/postBuild")?;
        let names = post_build.get("substitute").and_then(Value::as_object);
        let names: BTreeSet<String> = names.into_iter().flatten().map(|(name, _)| name.clone()).collect();
        let elsewhere = post_build.get("substituteFrom").and_then(Value::as_array).is_some_and(|from| !from.is_empty());
        let always = post_build.get("substituteStrategy").and_then(Value::as_str) == Some("Always");
        (always || elsewhere || !names.is_empty()).then_some(Self { names, elsewhere, release })
    }
}

/// Whether an object has opted out of it.
pub(super) fn is_disabled(metadata: &Node) -> bool {
    let says = |field: &str| metadata.get(field).and_then(|map| map.get(SUBSTITUTE)).and_then(Node::text) == Some("disabled");
    says("labels") || says("annotations")
}

/// What Flux would make of an object's variables. Of a Secret nothing is quoted: a part of a password may look like one.
pub(super) fn check(file: &str, node: &Node, identity: &Identity, all: &[Substitution], findings: &mut Vec<Finding>) {
    if let Some(text) = node.text().filter(|text| text.contains("${")) {
        one(file, (node, text), identity, all, findings);
    }
    // How deep they nest was bounded when they were read.
    for inner in node.items().iter().chain(node.entries().flat_map(|(key, value)| [key, value])) {
        check(file, inner, identity, all, findings);
    }
}

fn one(file: &str, (node, text): (&Node, &str), identity: &Identity, all: &[Substitution], findings: &mut Vec<Finding>) {
    let is_secret = identity.kind == "Secret";
    let found = match variables(text) {
        Ok(found) => found,
        Err(broken) => {
            let what = if is_secret { "a ${…}" } else { broken.expression() };
            let message = format!("{identity}: Flux cannot read {what}, and fails the build: {}", broken.why);
            let mut finding = fault(file, node, "broken-variable", message);
            finding.hint(format!("write $${{ where the text itself is meant, or annotate the object: {SUBSTITUTE}: disabled"));
            findings.push(finding);
            return;
        }
    };
    let mut said = BTreeSet::new();
    for variable in found.iter().filter(|variable| !variable.has_default && said.insert(variable.name)) {
        let undefined = |one: &&Substitution| !one.elsewhere && !one.names.contains(variable.name);
        let Some(release) = all.iter().filter(undefined).map(|one| one.release).max() else { continue };
        let strict = release.substitutes_strictly();
        let effect = if strict { "fails the build" } else { "becomes nothing" };
        let name = if is_secret { "…" } else { variable.name };
        let message = format!("{identity}: ${{{name}}} is not in postBuild.substitute, and {effect} with Flux {release}");
        let mut finding = fault(file, node, "undefined-variable", message);
        finding.hint(format!(
            "define it in the list, give a default: ${{{name}:=value}}, or write $${{{name}}} for the text itself"
        ));
        if !strict {
            finding.warning();
        }
        findings.push(finding);
    }
}
