//! What was observed, as files: a `kubectl get … -o json` list, and the digests that registries had.

use super::{Answer, Gap, Objects, Registry};
use crate::flux::object::Object;
use crate::flux::object::{Kustomization, Source};
use crate::flux::{KUSTOMIZATION, KUSTOMIZE_GROUP, OCI_REPOSITORY, SOURCE_GROUP};
use crate::problem::{Place, Problem};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    metadata: HeadMeta,
}

#[derive(Deserialize, Default)]
struct HeadMeta {
    #[serde(default)]
    namespace: Option<String>,
}

/// A list as `kubectl get ocirepositories,kustomizations -o json` prints it.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    sources: Vec<Source>,
    kustomizations: Vec<Kustomization>,
    /// The namespaces that the objects are in.
    pub namespaces: BTreeSet<String>,
}

impl Snapshot {
    /// Reads a list; objects of other kinds are left out.
    pub fn parse(file: &str, text: &str) -> Result<Self, Problem> {
        let fault = |error: &serde_json::Error| {
            Problem::input("the snapshot cannot be read")
                .cause(error.to_string())
                .at(Place {
                    file: file.to_owned(),
                    line: Some(error.line()).filter(|n| *n > 0),
                    column: Some(error.column()).filter(|n| *n > 0),
                })
                .hint("a snapshot is the list of `kubectl get ocirepositories,kustomizations -n NAMESPACE -o json`")
        };
        let list: List<'_> = serde_json::from_str(text).map_err(|error| fault(&error))?;
        let mut snapshot = Self::default();
        for item in list.items {
            let head: Head = serde_json::from_str(item.get()).map_err(|error| fault(&error))?;
            let group = head.api_version.split_once('/').map_or("", |(group, _)| group);
            if group == SOURCE_GROUP && head.kind == OCI_REPOSITORY {
                snapshot.sources.push(serde_json::from_str(item.get()).map_err(|error| fault(&error))?);
            } else if group == KUSTOMIZE_GROUP && head.kind == KUSTOMIZATION {
                snapshot.kustomizations.push(serde_json::from_str(item.get()).map_err(|error| fault(&error))?);
            } else {
                continue;
            }
            snapshot.namespaces.insert(head.metadata.namespace.unwrap_or_default());
        }
        Ok(snapshot)
    }

    /// The objects of a namespace.
    pub fn objects(&self, namespace: &str) -> Objects {
        let sources = self.sources.iter().filter(|object| object.metadata.namespace == namespace).cloned().collect();
        let kustomizations =
            self.kustomizations.iter().filter(|object| object.metadata.namespace == namespace).cloned().collect();
        Objects { sources: Ok(sources), kustomizations: Ok(kustomizations) }
    }
}

/// Reads `registry.json`: reference to digest; `null` is "asked, and not there".
pub fn registry(file: &str, text: &str) -> Result<Registry, Problem> {
    let answers: BTreeMap<String, Option<String>> = serde_json::from_str(text).map_err(|error| {
        Problem::input("the registry's recorded answers cannot be read").caused_by(&error).at(Place::file(file))
    })?;
    let mut registry = Registry::default();
    for (reference, digest) in answers {
        registry.insert(reference, digest.map_or(Answer::NotThere, Answer::Digest));
    }
    Ok(registry)
}

/// What a folder of our own form says about itself, `snapshot.json`; a folder without it is one that somebody made by hand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct About {
    /// The cluster's name in reports.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cluster: String,
    /// The kubeconfig context by which it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// When it was saved, RFC 3339.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub time: String,
    /// Digest of the published inventory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_digest: Option<String>,
    /// The registry said that no inventory is published.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub not_published: bool,
}

/// Reads `snapshot.json`.
pub fn about(file: &str, text: &str) -> Result<About, Problem> {
    serde_json::from_str(text)
        .map_err(|error| Problem::input("the snapshot's own file cannot be read").caused_by(&error).at(Place::file(file)))
}

/// The list of `cluster.json`: all that is judged, field managers included, and no copy of what somebody applied by hand.
pub fn list(objects: impl IntoIterator<Item = Object<Value>>) -> Result<Value, Problem> {
    let fault = |error: &serde_json::Error| Problem::input("an object cannot be saved").caused_by(error);
    let mut items = Vec::new();
    for mut object in objects {
        let annotations = std::mem::take(&mut object.metadata.annotations);
        object.metadata.annotations = annotations.without("kubectl.kubernetes.io/last-applied-configuration");
        items.push(serde_json::to_value(object).map_err(|error| fault(&error))?);
    }
    Ok(serde_json::json!({"apiVersion": "v1", "kind": "List", "items": items}))
}

/// The answers as `registry.json` has them; what could not be asked is left out.
pub fn answers(registry: &Registry) -> BTreeMap<&str, Option<&str>> {
    let known = registry.iter().filter_map(|(reference, answer)| match answer {
        Answer::Digest(digest) => Some((reference, Some(digest.as_str()))),
        Answer::NotThere => Some((reference, None)),
        Answer::Unknown(_) => None,
    });
    known.collect()
}

/// The gap that a forbidden list leaves.
pub fn forbidden(kind: &str, message: &str) -> Gap {
    Gap { reason: "Forbidden".to_owned(), message: format!("{kind} cannot be read: {message}") }
}

#[cfg(test)]
mod tests {
    use super::{Snapshot, registry};
    use crate::observed::Answer;

    #[test]
    fn reads_a_kubectl_list() {
        let text = r#"{"kind":"List","items":[
            {"apiVersion":"source.toolkit.fluxcd.io/v1","kind":"OCIRepository","metadata":{"name":"a","namespace":"n"},"spec":{}},
            {"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","namespace":"m"}},
            {"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"Kustomization","metadata":{"name":"a","namespace":"o"},"spec":{},"status":null}]}"#;
        let snapshot = Snapshot::parse("c.json", text).unwrap();
        assert_eq!(snapshot.namespaces.iter().collect::<Vec<_>>(), ["n", "o"]);
        assert_eq!(snapshot.objects("n").sources.unwrap().len(), 1);
        assert!(snapshot.objects("n").kustomizations.unwrap().is_empty());
    }

    #[test]
    fn faults_have_a_place() {
        let problem = Snapshot::parse("c.json", "{\"items\": [\n  x").unwrap_err();
        assert_eq!(problem.place.map(|p| p.to_string()).as_deref(), Some("c.json:2:3"));
        assert!(registry("r.json", "[]").is_err());
    }

    #[test]
    fn null_is_an_answer() {
        let registry = registry("r.json", r#"{"h/a:x": null, "h/a:y": "sha256:1"}"#).unwrap();
        assert_eq!(registry.get("h/a:x"), Some(&Answer::NotThere));
        assert_eq!(registry.get("h/a:z"), None);
    }
}
