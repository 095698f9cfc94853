//! A tree to the workloads that it declares, as Flux would read it.
//!
//! Source of the rules: kustomize-controller generates a kustomization of all `*.yaml` and `*.yml` files below the path;
//! multi-document files and `kind: List` are fine (`fluxcd/pkg` `kustomize_generator.go`).
//! Reading tolerates values that only the API refuses: what cannot be installed is still what is published.

use crate::artifact::Tree;
use crate::finding::{Finding, Severity};
use crate::flux::kept::Kept;
use crate::flux::{KUSTOMIZATION, KUSTOMIZE_GROUP, OCI_REPOSITORY, SOURCE_GROUP};
use crate::problem::Place;
use crate::yaml::{self, value::to_json};
use serde_json::Value;
use std::collections::HashMap;

/// What an inventory declares for one environment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inventory {
    /// The workloads in the order in which they are declared.
    pub entries: Vec<Entry>,
    /// Whether the folder of the environment exists. Without it Flux applies nothing and deletes nothing.
    pub has_folder: bool,
    /// Objects of other kinds, as `Kind/name`: they are applied too, and are no workloads.
    pub others: Vec<String>,
}

/// A workload's objects.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entry {
    /// The name of the objects.
    pub name: String,
    /// The OCIRepository, when declared.
    pub source: Option<Kept>,
    /// The Kustomization, when declared.
    pub kustomization: Option<Kept>,
}

impl Inventory {
    /// The names of its workloads.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.name.as_str())
    }
}

/// Reads the folder of an environment. `origin` names the tree in findings.
pub fn read(tree: &Tree, environment: &str, origin: &str) -> (Inventory, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut reader = Objects::default();
    for (path, content) in manifests(tree, environment) {
        let place = format!("{origin}/{path}");
        let Ok(text) = std::str::from_utf8(content) else {
            findings.push(fault(&place, "yaml-syntax", "the file is no UTF-8 text"));
            continue;
        };
        let (documents, found) = yaml::documents(&place, text, yaml::Limits::default());
        findings.extend(found);
        for document in &documents {
            reader.add(to_json(document));
        }
    }
    let has_folder = tree.has_folder(environment);
    (Inventory { entries: reader.entries, has_folder, others: reader.others }, findings)
}

/// The files of an environment's folder that Flux takes for manifests.
pub fn manifests<'t>(tree: &'t Tree, environment: &str) -> impl Iterator<Item = (String, &'t [u8])> {
    let prefix = format!("{environment}/");
    tree.files().filter(move |(path, _)| {
        let Some(below) = path.strip_prefix(&prefix) else { return false };
        let file = below.rsplit('/').next().unwrap_or(below);
        // Flux's generator compares extensions with their case.
        let is_manifest = matches!(file.rsplit_once('.'), Some((_, "yaml" | "yml")));
        is_manifest && !matches!(file, "kustomization.yaml" | "kustomization.yml")
    })
}

/// The entries of a list of objects that were not read from a tree.
pub fn from_objects(objects: impl IntoIterator<Item = Value>) -> Inventory {
    let mut reader = Objects::default();
    objects.into_iter().for_each(|object| reader.add(object));
    Inventory { entries: reader.entries, has_folder: true, others: reader.others }
}

fn fault(file: &str, code: &'static str, message: &str) -> Finding {
    Finding {
        code,
        severity: Severity::Error,
        place: Place::file(file),
        span: (0, 0),
        workload: None,
        message: message.to_owned(),
        hint: None,
    }
}

#[derive(Default)]
struct Objects {
    entries: Vec<Entry>,
    index: HashMap<String, usize>,
    others: Vec<String>,
}

impl Objects {
    fn add(&mut self, mut object: Value) {
        let text = |object: &Value, pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (api, kind, name) = (text(&object, "/apiVersion"), text(&object, "/kind"), text(&object, "/metadata/name"));
        if kind.ends_with("List") && object.get("items").is_some_and(Value::is_array) {
            if let Some(Value::Array(items)) = object.get_mut("items").map(Value::take) {
                for item in items {
                    self.add(item);
                }
            }
            return;
        }
        let group = api.split_once('/').map_or("", |(group, _)| group);
        let is_source = group == SOURCE_GROUP && kind == OCI_REPOSITORY;
        let is_kustomization = group == KUSTOMIZE_GROUP && kind == KUSTOMIZATION;
        if name.is_empty() || !(is_source || is_kustomization) {
            self.others.push(format!("{kind}/{name}"));
            return;
        }
        let entries = &mut self.entries;
        let at = *self.index.entry(name.clone()).or_insert_with(|| {
            entries.push(Entry { name, ..Entry::default() });
            entries.len() - 1
        });
        if let Some(entry) = self.entries.get_mut(at) {
            *(if is_source { &mut entry.source } else { &mut entry.kustomization }) = Some(object.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::artifact::Tree;

    #[test]
    fn reads_several_files_lists_and_strangers() {
        let mut tree = Tree::new();
        let source = "apiVersion: source.toolkit.fluxcd.io/v1beta2\nkind: OCIRepository\nmetadata: {name: a}\nspec: {}\n";
        let list = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, metadata: {name: a}}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}\n";
        tree.insert("production/x/a.yaml", source.into()).unwrap();
        tree.insert("production/b.yml", list.into()).unwrap();
        tree.insert("production/kustomization.yaml", b"resources: [b.yml]\n".to_vec()).unwrap();
        tree.insert("production/readme.md", b"\xff".to_vec()).unwrap();
        tree.insert("staging/bad.yaml", b"{".to_vec()).unwrap();
        let (inventory, findings) = read(&tree, "production", "oci://x");
        assert!(findings.is_empty(), "{findings:?}");
        assert_eq!(inventory.entries.len(), 1);
        assert!(inventory.entries[0].source.is_some() && inventory.entries[0].kustomization.is_some());
        assert_eq!(inventory.others, ["ConfigMap/c"]);
        let (missing, _) = read(&tree, "canary", "oci://x");
        assert!(!missing.has_folder && missing.entries.is_empty());
        assert_eq!(read(&tree, "staging", "t").1[0].place.to_string().split(':').next(), Some("t/staging/bad.yaml"));
    }
}
