//! A tree to the workloads that it declares, as Flux would read it.
//!
//! Which files count says [`files`]; multi-document files and `kind: List` are fine.
//! Reading tolerates values that only the API refuses: what cannot be installed is still what is published.

use super::files;
use crate::artifact::Tree;
use crate::finding::Finding;
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
    /// Objects of other kinds: they are applied too, and are no workloads.
    pub others: Vec<Other>,
    /// Read from a cluster: its API server has filled in fields and metadata, and people suspend objects there.
    pub is_live: bool,
}

/// A workload's objects.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entry {
    /// The name of the objects.
    pub name: String,
    /// Their namespace; empty when they name none.
    pub namespace: String,
    /// The OCIRepository, when declared.
    pub source: Option<Kept>,
    /// The Kustomization, when declared.
    pub kustomization: Option<Kept>,
}

/// An object that is no workload's.
#[derive(Debug, Clone, PartialEq)]
pub struct Other {
    /// The API's group; empty: the core API.
    pub group: String,
    /// Its kind.
    pub kind: String,
    /// Its namespace; empty when it names none.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// All of it.
    pub object: Kept,
}

impl Inventory {
    /// The names of its workloads.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.name.as_str())
    }
}

/// Reads the folder of an environment. `origin` names the tree in findings.
pub fn read(tree: &Tree, environment: &str, origin: &str) -> (Inventory, Vec<Finding>) {
    let files = files::of_folder(tree, environment, origin);
    let mut findings = files.faults;
    let mut reader = Objects::default();
    for (path, content) in files.manifests {
        let place = format!("{origin}/{path}");
        let Ok(text) = std::str::from_utf8(content) else {
            findings.push(Finding::error("yaml-syntax", Place::file(&place), "the file is no UTF-8 text"));
            continue;
        };
        // One at a time: nodes of a thousand workloads take more memory than all that is kept of them.
        let found = yaml::each(&place, text, yaml::Limits::default(), &mut |document| reader.add(to_json(&document)));
        if found.iter().any(|finding| finding.code == "yaml-budget") {
            // The text is hostile: nothing is used.
            reader = Objects::default();
        }
        findings.extend(found);
    }
    (reader.inventory(tree.has_folder(environment)), findings)
}

/// Every object of a tree, wherever it lies and whether Flux would apply it or not: what lies at the top or in a folder of
/// the environment's name, however deep, and what lies in other folders. Files that are no YAML are left out.
pub fn everywhere(tree: &Tree, environment: &str) -> (Inventory, Inventory) {
    let (mut near, mut far) = (Objects::default(), Objects::default());
    for (path, content) in tree.files().filter(|(path, _)| files::is_manifest(path)) {
        let Ok(text) = std::str::from_utf8(content) else { continue };
        let (documents, _) = yaml::documents(&path, text, yaml::Limits::default());
        let mut folders = path.rsplit('/').skip(1).peekable();
        let reader = if folders.peek().is_none() || folders.any(|folder| folder == environment) { &mut near } else { &mut far };
        for document in &documents {
            reader.add(to_json(document));
        }
    }
    (near.inventory(false), far.inventory(false))
}

/// The entries of a list of objects that were not read from a tree.
pub fn from_objects(objects: impl IntoIterator<Item = Value>) -> Inventory {
    let mut reader = Objects::default();
    objects.into_iter().for_each(|object| reader.add(object));
    reader.inventory(true)
}

#[derive(Default)]
struct Objects {
    entries: Vec<Entry>,
    /// Places in `entries`, by namespace and name.
    index: HashMap<(String, String), usize>,
    others: Vec<Other>,
}

impl Objects {
    fn inventory(self, has_folder: bool) -> Inventory {
        Inventory { entries: self.entries, has_folder, others: self.others, is_live: false }
    }

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
        // What has no identity is no object; kustomize refuses it, and verify says so.
        if name.is_empty() || kind.is_empty() {
            return;
        }
        let namespace = text(&object, "/metadata/namespace");
        if !(is_source || is_kustomization) {
            self.others.push(Other { group: group.to_owned(), kind, namespace, name, object: object.into() });
            return;
        }
        let entries = &mut self.entries;
        let at = *self.index.entry((namespace, name)).or_insert_with_key(|(namespace, name)| {
            entries.push(Entry { name: name.clone(), namespace: namespace.clone(), ..Entry::default() });
            entries.len() - 1
        });
        if let Some(entry) = self.entries.get_mut(at) {
            *(if is_source { &mut entry.source } else { &mut entry.kustomization }) = Some(object.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{from_objects, read};
    use crate::artifact::Tree;

    #[test]
    fn what_a_kustomization_file_leaves_out_is_not_read() {
        let mut tree = Tree::new();
        let object =
            |name: &str| format!("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}}}\n");
        tree.insert("production/a.yaml", object("a").into()).unwrap();
        tree.insert("production/b.yaml", object("b").into()).unwrap();
        tree.insert("production/kustomization.yaml", b"resources: [b.yaml]\n".to_vec()).unwrap();
        let (inventory, findings) = read(&tree, "production", "t");
        assert_eq!((inventory.names().collect::<Vec<_>>(), findings.len()), (vec!["b"], 0));
        tree.insert("production/kustomization.yaml", b"resources: [b.yaml]\nnamePrefix: x-\n".to_vec()).unwrap();
        let (_, findings) = read(&tree, "production", "t");
        assert_eq!(findings[0].place.to_string(), "t/production/kustomization.yaml:2:1");
    }

    #[test]
    fn two_namespaces_are_two_workloads() {
        let object = |kind: &str, namespace: &str| {
            let group = if kind == "OCIRepository" { "source" } else { "kustomize" };
            serde_json::json!({"apiVersion": format!("{group}.toolkit.fluxcd.io/v1"), "kind": kind, "metadata": {"name": "a", "namespace": namespace}})
        };
        let inventory = from_objects([object("OCIRepository", "x"), object("OCIRepository", "y"), object("Kustomization", "y")]);
        let found: Vec<_> =
            inventory.entries.iter().map(|e| (e.namespace.as_str(), e.source.is_some(), e.kustomization.is_some())).collect();
        assert_eq!(found, [("x", true, false), ("y", true, true)]);
    }

    #[test]
    fn nothing_of_a_hostile_file_is_used() {
        let mut tree = Tree::new();
        let source = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {name: a}\n";
        tree.insert("production/a.yaml", format!("{source}---\nx: {}{}\n", "[".repeat(99), "]".repeat(99)).into()).unwrap();
        let (inventory, findings) = read(&tree, "production", "t");
        assert_eq!((inventory.entries.len(), findings.first().map(|finding| finding.code)), (0, Some("yaml-budget")));
        // Of one with a fault, what stands before it is known.
        tree.insert("production/a.yaml", format!("{source}---\nx: [\n").into()).unwrap();
        let (inventory, findings) = read(&tree, "production", "t");
        assert_eq!((inventory.entries.len(), findings.first().map(|finding| finding.code)), (1, Some("yaml-syntax")));
    }

    #[test]
    fn reads_several_files_lists_and_strangers() {
        let mut tree = Tree::new();
        let source = "apiVersion: source.toolkit.fluxcd.io/v1beta2\nkind: OCIRepository\nmetadata: {name: a}\nspec: {}\n";
        let list = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, metadata: {name: a}}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}\n";
        tree.insert("production/x/a.yaml", source.into()).unwrap();
        tree.insert("production/b.yml", list.into()).unwrap();
        tree.insert("production/kustomization.yaml", b"resources: [b.yml, x/a.yaml]\n".to_vec()).unwrap();
        tree.insert("production/readme.md", b"\xff".to_vec()).unwrap();
        tree.insert("staging/bad.yaml", b"{".to_vec()).unwrap();
        let (inventory, findings) = read(&tree, "production", "oci://x");
        assert!(findings.is_empty(), "{findings:?}");
        assert_eq!(inventory.entries.len(), 1);
        assert!(inventory.entries[0].source.is_some() && inventory.entries[0].kustomization.is_some());
        assert_eq!(
            inventory.others.iter().map(|other| (other.kind.as_str(), other.name.as_str())).collect::<Vec<_>>(),
            [("ConfigMap", "c")]
        );
        let (missing, _) = read(&tree, "canary", "oci://x");
        assert!(!missing.has_folder && missing.entries.is_empty());
        assert_eq!(read(&tree, "staging", "t").1[0].place.to_string().split(':').next(), Some("t/staging/bad.yaml"));
    }
}
