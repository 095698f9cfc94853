//! The checks of one object: what Flux's build, its apply or the API server would refuse.

use super::identity::Identity;
use super::read::Rules;
use super::substitution;
use crate::finding::Finding;
use crate::flux::names;
use crate::problem::Place;
use crate::yaml::{Kind, Node};
use serde_json::Value;

/// etcd takes requests of 1.5 MiB, and the API server's own form of an object is not smaller than its JSON.
const MAX_OBJECT: usize = 1_500_000;
/// `MaxSecretSize`, and the same for the data of a `ConfigMap`.
const MAX_DATA: usize = 1 << 20;
/// `TotalAnnotationSizeLimitB`.
const MAX_ANNOTATIONS: usize = 256 << 10;

/// What names an object, and where.
pub(super) struct Head {
    pub(super) identity: Identity,
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) span: (usize, usize),
}

pub(super) fn fault(file: &str, node: &Node, code: &'static str, message: String) -> Finding {
    Finding { span: node.span, ..Finding::error(code, Place::at(file, node.line, node.column), message) }
}

/// A text of a mapping: as the API server types it, so that `name: 1` is no name.
fn text<'a>(node: &'a Node, key: &str) -> Result<Option<&'a str>, &'static str> {
    match node.get(key) {
        None => Ok(None),
        Some(value) if value.is_null() => Ok(None),
        Some(value) if value.describe() == "a text" => Ok(value.text()),
        Some(value) => Err(value.describe()),
    }
}

/// Kind and name of an object; what is missing is said, and there is no head then.
pub(super) fn head(file: &str, node: &Node, findings: &mut Vec<Finding>) -> Option<Head> {
    if !matches!(node.kind, Kind::Map(_)) {
        findings.push(fault(file, node, "not-an-object", format!("a Kubernetes object is expected, found {}", node.describe())));
        return None;
    }
    let before = findings.len();
    let mut required = |within: &Node, key: &str, shown: &str, code| match text(within, key) {
        Ok(Some(text)) if !text.is_empty() => text.to_owned(),
        Ok(_) => {
            findings.push(fault(file, within, code, format!("the object has no {shown}")));
            String::new()
        }
        Err(found) => {
            let at = within.get(key).unwrap_or(within);
            let mut finding = fault(file, at, code, format!("{shown} is {found}, not a text"));
            finding.hint("quote it");
            findings.push(finding);
            String::new()
        }
    };
    let api = required(node, "apiVersion", "apiVersion", "no-api-version");
    let kind = required(node, "kind", "kind", "no-kind");
    let metadata = node.get("metadata").unwrap_or(node);
    let generated = metadata.get("generateName").is_some() && metadata.get("name").is_none();
    let code = if generated { "generate-name" } else { "no-name" };
    let shown = if generated { "metadata.name, only a generateName: Flux needs fixed names" } else { "metadata.name" };
    let name = if node.get("metadata").is_some() {
        required(metadata, "name", shown, code)
    } else {
        required(node, "metadata", "metadata", code)
    };
    if findings.len() > before {
        return None;
    }
    let namespace = match text(metadata, "namespace") {
        Ok(namespace) => namespace.unwrap_or_default().to_owned(),
        Err(found) => {
            let at = metadata.get("namespace").unwrap_or(metadata);
            findings.push(fault(file, at, "invalid-namespace", format!("metadata.namespace is {found}, not a text")));
            return None;
        }
    };
    let group = api.split_once('/').map_or("", |(group, _)| group).to_owned();
    let at = metadata.get("name").unwrap_or(node);
    Some(Head { identity: Identity { group, kind, namespace, name }, line: at.line, column: at.column, span: at.span })
}

/// What is wrong inside an object.
pub(super) fn content(file: &str, node: &Node, value: &Value, head: &Head, rules: &Rules<'_>, findings: &mut Vec<Finding>) {
    let identity = &head.identity;
    let metadata = node.get("metadata").unwrap_or(node);
    let is_substituted = !rules.substitutions.is_empty() && !substitution::is_disabled(metadata);
    if is_substituted {
        substitution::check(file, node, identity, rules.substitutions, findings);
    }
    names_of(file, node, identity, is_substituted, findings);
    for field in ["labels", "annotations"] {
        texts(file, metadata.get(field), &format!("metadata.{field}"), false, findings);
    }
    let is_core = identity.group.is_empty();
    let is_secret = is_core && identity.kind == "Secret";
    if is_secret || is_core && identity.kind == "ConfigMap" {
        let other = if is_secret { "stringData" } else { "binaryData" };
        for field in ["data", other] {
            texts(file, node.get(field), field, is_secret, findings);
        }
    }
    if is_secret && !rules.allow_secrets && !is_encrypted(value) {
        plain_secret(file, node, identity, findings);
    }
    exported(file, node, metadata, identity, findings);
    let annotations = metadata.get("annotations");
    if let Some((key, _)) = annotations.and_then(|annotations| annotations.entry("helm.sh/hook")) {
        let mut finding =
            fault(file, key, "helm-hook", format!("{identity} is a Helm hook; Flux applies it like everything else"));
        finding.warning().hint("leave it out, or turn it into an object that may stay");
        findings.push(finding);
    }
}

fn names_of(file: &str, node: &Node, identity: &Identity, is_substituted: bool, findings: &mut Vec<Finding>) {
    let metadata = node.get("metadata").unwrap_or(node);
    // What a name will be is not known before Flux has replaced its variables.
    let is_open = |text: &str| is_substituted && text.contains("${");
    let name = metadata.get("name").unwrap_or(node);
    if let Some(why) = name_fault(identity).filter(|_| !is_open(&identity.name)) {
        findings.push(fault(
            file,
            name,
            "invalid-name",
            format!("'{}' cannot be the name of a {}: {why}", identity.name, identity.kind),
        ));
    }
    let fixed = Some(&identity.namespace).filter(|namespace| !namespace.is_empty() && !is_open(namespace));
    if let Some((namespace, why)) = metadata.get("namespace").zip(fixed.and_then(|name| names::label_fault(name))) {
        findings.push(fault(file, namespace, "invalid-namespace", format!("'{}' is no namespace: {why}", identity.namespace)));
    }
    let api = node.get("apiVersion").unwrap_or(node);
    let version = api.text().unwrap_or_default();
    let parts: Vec<&str> = version.split('/').collect();
    if parts.len() > 2 || parts.iter().any(|part| part.is_empty() || names::subdomain_fault(part).is_some()) {
        findings.push(fault(
            file,
            api,
            "invalid-api-version",
            format!("'{version}' is no apiVersion; it is GROUP/VERSION or VERSION"),
        ));
    }
    if identity.group == "kustomize.config.k8s.io" {
        let mut finding =
            fault(file, api, "kustomization-file", "this is a file for kustomize, not an object for the cluster".to_owned());
        finding.hint("build it first: kubectl kustomize DIR | kubectl runway deploy push WORKLOAD -f -");
        findings.push(finding);
    }
}

/// Why the API server would refuse a name.
fn name_fault(identity: &Identity) -> Option<&'static str> {
    let name = identity.name.as_str();
    // Every name is a part of a URL's path (`path.IsValidPathSegmentName`).
    if name == "." || name == ".." || name.contains(['/', '%']) {
        return Some("a name is a part of a URL's path: not '.', '..', nor anything with '/' or '%'");
    }
    match (identity.group.as_str(), identity.kind.as_str()) {
        // Roles have names such as system:auth-delegator.
        ("rbac.authorization.k8s.io", _) => None,
        ("", "Namespace" | "Service") => names::label_fault(name),
        _ => names::subdomain_fault(name),
    }
}

/// Values that must be texts and that a reader of YAML takes for something else; those of a Secret are in no message.
fn texts(file: &str, map: Option<&Node>, shown: &str, secret: bool, findings: &mut Vec<Finding>) {
    let Some(map) = map.filter(|map| !map.is_null()) else { return };
    if !matches!(map.kind, Kind::Map(_)) {
        findings.push(fault(file, map, "not-a-text", format!("{shown} is {}, not a mapping of names to texts", map.describe())));
        return;
    }
    for (key, value) in map.entries().filter(|(_, value)| !value.is_null() && value.describe() != "a text") {
        let message = format!("{shown}.{} is {}; only texts are allowed there", key.text().unwrap_or_default(), value.describe());
        let mut finding = fault(file, value, "not-a-text", message);
        match value.text() {
            Some(_) if secret => {
                finding.hint("quote it");
            }
            Some(text) => {
                finding.hint(format!("quote it: \"{text}\""));
            }
            None => {}
        }
        findings.push(finding);
    }
}

/// What the API server wrote into an object: it was taken from a cluster.
fn exported(file: &str, node: &Node, metadata: &Node, identity: &Identity, findings: &mut Vec<Finding>) {
    let written = ["resourceVersion", "uid", "managedFields"].into_iter();
    let mut found: Vec<(String, &Node)> =
        written.filter_map(|field| Some((format!("metadata.{field}"), metadata.entry(field)?.0))).collect();
    // Definitions have a status of their own making, and kubectl's generators an empty one.
    let status = node.entry("status").filter(|(_, status)| status.entries().next().is_some());
    found.extend(status.filter(|_| identity.kind != "CustomResourceDefinition").map(|(key, _)| ("status".to_owned(), key)));
    let Some((_, first)) = found.first() else { return };
    let fields: Vec<&str> = found.iter().map(|(field, _)| field.as_str()).collect();
    let message = format!("{identity} was taken from a cluster: {}", fields.join(", "));
    let mut finding = fault(file, first, "cluster-fields", message);
    finding.warning().hint("take these fields out: only a cluster writes them");
    findings.push(finding);
}

/// A Secret that anybody who may read the registry can read.
fn plain_secret(file: &str, node: &Node, identity: &Identity, findings: &mut Vec<Finding>) {
    let filled = |key: &str| {
        node.entry(key).filter(|(_, value)| !value.is_null() && (value.entries().next().is_some() || value.text().is_some()))
    };
    if let Some((key, _)) = filled("data").or_else(|| filled("stringData")) {
        let mut finding = fault(file, key, "plain-secret", format!("{identity} carries its values as they are"));
        finding.hint("take it from a secret store, or encrypt it with SOPS; --allow-secrets publishes it");
        findings.push(finding);
    }
}

/// Whether SOPS has encrypted a Secret: it says so, and every value is its ciphertext.
fn is_encrypted(secret: &Value) -> bool {
    let values = ["data", "stringData"].into_iter().filter_map(|field| secret.get(field)?.as_object()).flatten();
    let is_ciphertext = |value: &Value| value.is_null() || value.as_str().is_some_and(|text| text.starts_with("ENC["));
    secret.get("sops").and_then(Value::as_object).is_some_and(|sops| !sops.is_empty())
        && values.map(|(_, value)| value).all(is_ciphertext)
}

/// Why an object is too large to be applied.
pub(super) fn size(value: &Value, text: &str, identity: &Identity) -> Option<String> {
    if text.len() > MAX_OBJECT {
        return Some(format!("{identity} has {} bytes; etcd takes {MAX_OBJECT}", text.len()));
    }
    let sum = |pointer: &str| {
        let map = value.pointer(pointer).and_then(Value::as_object);
        map.into_iter().flatten().map(|(key, value)| key.len() + value.as_str().map_or(0, str::len)).sum::<usize>()
    };
    let annotations = sum("/metadata/annotations");
    if annotations > MAX_ANNOTATIONS {
        return Some(format!("the annotations of {identity} have {annotations} bytes; Kubernetes takes {MAX_ANNOTATIONS}"));
    }
    let holds_data = identity.group.is_empty() && matches!(identity.kind.as_str(), "ConfigMap" | "Secret");
    let data = sum("/data") + sum("/stringData") + sum("/binaryData");
    (holds_data && data > MAX_DATA).then(|| format!("the data of {identity} has {data} bytes; Kubernetes takes {MAX_DATA}"))
}
