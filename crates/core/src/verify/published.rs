//! A tree of manifests as Flux would apply it: what another tool built, or what a registry holds.

use super::subject::{From, Subject};
use super::walk::Step;
use super::{Facts, depends, object, ordered, substitution, together};
use crate::artifact::{Ignore, Tree, ignore, size};
use crate::finding::Finding;
use crate::flux::crds::Release;
use crate::flux::{KUSTOMIZATION, OCI_REPOSITORY, names};
use crate::inventory::files;
use crate::problem::Place;
use crate::yaml::{self, Node, value::to_json};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// A document of a file.
struct Document {
    file: String,
    node: Node,
    object: Value,
}

/// Everything that is wrong with an environment's folder. `origin` names the tree in places.
pub fn check(tree: &Tree, environment: &str, origin: &str, facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    let folder = Place::file(format!("{origin}/{environment}"));
    if !tree.has_folder(environment) {
        let mut finding = Finding::error("missing-folder", folder, format!("there is no folder {environment}"));
        let folders: Vec<&str> = tree.top_folders().into_iter().collect();
        finding.hint(format!("it has {}", if folders.is_empty() { "no folder at all".to_owned() } else { folders.join(", ") }));
        return vec![finding];
    }
    let documents = documents(tree, environment, origin, &mut findings);
    let has_workload = documents.iter().any(|document| together::is_workload(&document.object));
    // What cannot be read may hold some.
    if !has_workload && findings.iter().all(|finding| finding.code == "unlisted-file") {
        let what = if documents.is_empty() { "object" } else { "workload" };
        let mut finding = Finding::error("empty-inventory", folder, format!("the folder {environment} has no {what}"));
        finding.hint(if documents.is_empty() {
            "Flux would delete everything that it applied"
        } else {
            "Flux would delete every workload that it applied"
        });
        findings.push(finding);
    }
    dropped(tree, environment, origin, &mut findings);
    if let Some(why) = size::fault(tree) {
        findings.push(Finding::error("artifact-size", Place::file(origin), why));
    }
    objects(&documents, environment, facts, &mut findings);
    ordered(findings)
}

/// The texts of the files that findings point into, by the name that places have.
pub fn sources(tree: &Tree, environment: &str, origin: &str) -> Vec<(String, String)> {
    let prefix = format!("{environment}/");
    tree.files()
        .filter(|(path, _)| path.starts_with(&prefix))
        .map(|(path, content)| (format!("{origin}/{path}"), String::from_utf8_lossy(content).into_owned()))
        .collect()
}

/// Files that one could take for manifests and that no cluster gets.
fn dropped(tree: &Tree, environment: &str, origin: &str, findings: &mut Vec<Finding>) {
    let ignored = Ignore::of(tree, "");
    let prefix = format!("{environment}/");
    for (path, _) in tree.files().filter(|(path, _)| path.starts_with(&prefix) && files::is_yaml(path) && ignored.drops(path)) {
        let why = if ignored.is_own { format!("{} of the artifact says so", ignore::FILE) } else { "of its name".to_owned() };
        let message = format!("source-controller leaves this file out on every cluster, because {why}");
        let mut finding = Finding::error("ignored-file", Place::file(format!("{origin}/{path}")), message);
        finding.hint("Flux deletes what it applied of it before; rename the file, or change the pattern");
        findings.push(finding);
    }
}

fn documents(tree: &Tree, environment: &str, origin: &str, findings: &mut Vec<Finding>) -> Vec<Document> {
    let mut found = Vec::new();
    let files = files::of_folder(tree, environment, origin);
    for (path, by) in files.unlisted {
        let message = format!("{by} does not list this manifest, so Flux does not apply it");
        let mut finding = Finding::error("unlisted-file", Place::file(format!("{origin}/{path}")), message);
        finding.hint("Flux deletes what it applied of it before; list it under 'resources', or take it away");
        findings.push(finding);
    }
    findings.extend(files.faults);
    for (path, content) in files.manifests {
        let file = format!("{origin}/{path}");
        let Ok(text) = std::str::from_utf8(content) else {
            findings.push(Finding::error("yaml-syntax", Place::file(file), "the file is no UTF-8 text"));
            continue;
        };
        let (nodes, faults) = yaml::documents(&file, text, yaml::Limits::default());
        findings.extend(faults);
        for node in nodes {
            unpack(&file, node, &mut found);
        }
    }
    found
}

/// A `kind: …List` is its items.
fn unpack(file: &str, node: Node, found: &mut Vec<Document>) {
    let is_list = node.get("kind").and_then(Node::text).is_some_and(|kind| kind.ends_with("List"));
    match node.get("items") {
        Some(items) if is_list => {
            for item in items.items() {
                unpack(file, item.clone(), found);
            }
        }
        _ => found.push(Document { file: file.to_owned(), object: to_json(&node), node }),
    }
}

fn objects(documents: &[Document], environment: &str, facts: &Facts, findings: &mut Vec<Finding>) {
    let subjects: Vec<Subject<'_>> = documents.iter().map(subject).collect();
    let release = facts.release.unwrap_or_else(|| newest_for(&subjects));
    let mut seen: HashMap<(&str, &str, &str, &str), &Place> = HashMap::new();
    let places: Vec<Place> = subjects.iter().map(|subject| subject.locate(&[], false).place).collect();
    for (subject, place) in subjects.iter().zip(&places) {
        if let Some(missing) = unnamed(subject) {
            findings.push(subject.finding("object-identity", &[], format!("the document has no {missing}")));
            continue;
        }
        let namespace = subject.object.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default();
        if let Some(first) = seen.insert((subject.api().0, subject.kind(), namespace, subject.workload), place) {
            let message = format!("{} {} stands twice, first at {first}", subject.kind(), subject.workload);
            findings.push(subject.finding("duplicate-object", &[Step::Key("metadata"), Step::Key("name")], message));
        }
        if object::is_ours(subject) {
            one(subject, release, findings);
        }
    }
    together::check(&subjects, &facts.runtime, findings);
    let kustomizations: Vec<&Subject<'_>> =
        subjects.iter().filter(|subject| object::is_ours(subject) && subject.kind() == KUSTOMIZATION).collect();
    let parent = names::parent(&facts.runtime);
    let names: HashSet<&str> = kustomizations.iter().map(|subject| subject.workload).chain([parent.as_str()]).collect();
    let graph = depends::Graph::new(kustomizations.iter().copied());
    graph.missing(&names, &HashSet::new(), environment, findings);
    graph.circles(findings);
}

fn one(subject: &Subject<'_>, release: Release, findings: &mut Vec<Finding>) {
    if let Some(why) = names::label_fault(subject.workload) {
        let message = format!("'{}' cannot name a workload: {why}", subject.workload);
        findings.push(subject.finding("invalid-id", &[Step::Key("metadata"), Step::Key("name")], message));
    }
    let (kind, version) = (subject.kind(), subject.api().1);
    if !release.serves(kind, version) {
        let message = format!("Flux {release} does not serve {version} of {kind}");
        let mut finding = subject.finding("api-version", &[Step::Key("apiVersion")], message);
        finding.hint("build it with source.apiVersion: v1, which Flux 2.6 and later serve");
        findings.push(finding);
    } else if !Release::newest().serves(kind, version) {
        let message = format!("{version} of {kind} is not served by Flux 2.8 and later");
        let mut finding = subject.finding("deprecated-api", &[Step::Key("apiVersion")], message);
        finding.warning().hint("build it with source.apiVersion: v1, which Flux 2.6 and later serve");
        findings.push(finding);
    }
    object::check(subject, release, findings);
    if kind == OCI_REPOSITORY {
        object::url(subject, findings);
    }
    substitution::check(subject, release, findings);
}

fn subject(document: &Document) -> Subject<'_> {
    let workload = document.object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    Subject { object: &document.object, workload, origin: From::Manifest { file: &document.file, node: &document.node } }
}

/// The first part of an object's identity that it lacks.
fn unnamed(subject: &Subject<'_>) -> Option<&'static str> {
    let lacks = |pointer: &str| subject.object.pointer(pointer).and_then(Value::as_str).is_none_or(str::is_empty);
    [("/apiVersion", "apiVersion"), ("/kind", "kind"), ("/metadata/name", "metadata.name")]
        .into_iter()
        .find(|(pointer, _)| lacks(pointer))
        .map(|(_, name)| name)
}

/// The newest release that serves every version that is there; when none does, the newest.
fn newest_for(subjects: &[Subject<'_>]) -> Release {
    let ours: Vec<_> = subjects.iter().filter(|subject| object::is_ours(subject)).collect();
    let serves_all = |release: &Release| ours.iter().all(|subject| release.serves(subject.kind(), subject.api().1));
    Release::ALL.into_iter().rev().find(serves_all).unwrap_or(Release::newest())
}
