//! Texts to objects, one document at a time.

use super::checks;
use super::identity::{Identity, Scope, scope};
use super::substitution::Substitution;
use crate::artifact::Tree;
use crate::finding::{Finding, Severity};
use crate::problem::Place;
use crate::yaml::{self, Kind, Node, emit, value::to_json};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// A text with manifests.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    /// The file as the user knows it.
    pub file: &'a str,
    /// Its content.
    pub content: &'a str,
}

/// What is asked of the manifests.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules<'a> {
    /// The namespace of objects that name none; none: they stay as they are.
    pub namespace: Option<&'a str>,
    /// The namespace that each of the workload's Kustomizations sets for everything (`targetNamespace`); empty: nothing is
    /// known of them.
    pub namespaces_set_by_flux: &'a [Option<String>],
    /// What they replace.
    pub substitutions: &'a [Substitution],
    /// The namespaces that are allowed; empty: all.
    pub namespaces: &'a [String],
    /// Secrets may be published as they are.
    pub allow_secrets: bool,
}

/// An object as it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What it is.
    pub identity: Identity,
    /// Where it was declared.
    pub place: Place,
    /// Where its name stands in its text: offset and length.
    pub span: (usize, usize),
    /// The document, written anew.
    pub text: String,
}

impl Object {
    /// The object as a value.
    pub fn value(&self) -> Value {
        let (documents, _) = yaml::documents("", &self.text, yaml::Limits::default());
        documents.first().map(to_json).unwrap_or_default()
    }
}

/// What the texts declare.
#[derive(Debug, Clone, Default)]
pub struct Manifests {
    /// The objects in the order of the texts.
    pub objects: Vec<Object>,
    /// What is wrong with them.
    pub findings: Vec<Finding>,
}

impl Manifests {
    /// Whether a finding forbids their use.
    pub fn is_refused(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}

/// Reads manifests and checks them against the rules.
pub fn read(texts: &[Text<'_>], rules: &Rules<'_>) -> Manifests {
    let mut reader = Reader { rules: *rules, ..Reader::default() };
    for text in texts {
        reader.text(text);
    }
    reader.finish();
    if reader.objects.is_empty() && !reader.findings.iter().any(|finding| finding.severity == Severity::Error) {
        let place = Place::file(texts.first().map_or("manifests", |text| text.file));
        let mut finding = Finding::error("empty-artifact", place, "there is no object to publish");
        finding.hint("an artifact without objects would make Flux delete everything that it applied");
        reader.findings.push(finding);
    }
    Manifests { objects: reader.objects, findings: reader.findings }
}

/// The objects of an artifact that somebody published, as Flux would read it; broken YAML is the only fault.
///
/// `plain`: every manifest counts. A kustomization file in the artifact's root decides itself what counts.
pub fn held(tree: &Tree, origin: &str) -> Result<(Vec<Object>, bool), Finding> {
    let mut reader = Reader { rules: Rules { allow_secrets: true, ..Rules::default() }, ..Reader::default() };
    let mut plain = true;
    for (path, content) in tree.files() {
        plain &= !matches!(path.as_str(), "kustomization.yaml" | "kustomization.yml" | "Kustomization");
        if !is_manifest(&path) {
            continue;
        }
        let file = format!("{origin}/{path}");
        let Ok(content) = std::str::from_utf8(content) else {
            return Err(Finding::error("yaml-syntax", Place::file(file), "the file is no UTF-8 text"));
        };
        reader.text(&Text { file: &file, content });
    }
    let syntax = |finding: &Finding| finding.code.starts_with("yaml-") || finding.code == "duplicate-key";
    match reader.findings.into_iter().find(syntax) {
        Some(finding) => Err(finding),
        None => Ok((reader.objects, plain)),
    }
}

/// Whether Flux takes a file as a manifest: its generator compares extensions with their case, and leaves JSON out.
pub fn is_manifest(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    matches!(file.rsplit_once('.'), Some((_, "yaml" | "yml"))) && !matches!(file, "kustomization.yaml" | "kustomization.yml")
}

#[derive(Default)]
struct Reader<'a> {
    rules: Rules<'a>,
    file: String,
    objects: Vec<Object>,
    findings: Vec<Finding>,
    /// Custom kinds that lie in the cluster, by definitions among the objects.
    cluster_kinds: HashSet<(String, String)>,
}

impl Reader<'_> {
    fn text(&mut self, text: &Text<'_>) {
        text.file.clone_into(&mut self.file);
        let limits = yaml::Limits { bytes: 64 << 20, documents: 200_000, ..yaml::Limits::default() };
        let mut findings = yaml::each(text.file, text.content, limits, &mut |document| self.document(&document));
        for finding in findings.iter_mut().filter(|finding| matches!(finding.code, "yaml-syntax" | "yaml-key")) {
            let line = finding.place.line.and_then(|line| text.content.lines().nth(line.saturating_sub(1))).unwrap_or_default();
            if line.contains("{{") {
                finding.hint("this looks like a Helm template; render the chart: --chart DIR");
            }
        }
        // What cannot be read has no kind: one word is enough to be careful.
        if text.content.contains("Secret") {
            findings.iter_mut().for_each(Finding::hide_line);
        }
        self.findings.extend(findings);
    }

    fn document(&mut self, node: &Node) {
        let kind = node.get("kind").and_then(Node::text).unwrap_or_default();
        match node.get("items") {
            Some(items) if kind.ends_with("List") && matches!(items.kind, Kind::List(_)) => {
                items.items().iter().for_each(|item| self.document(item));
            }
            _ => self.object(node),
        }
    }

    fn object(&mut self, node: &Node) {
        let before = self.findings.len();
        self.checked(node);
        if node.get("kind").and_then(Node::text) == Some("Secret") {
            self.findings.iter_mut().skip(before).for_each(Finding::hide_line);
        }
    }

    fn checked(&mut self, node: &Node) {
        let Some(head) = checks::head(&self.file, node, &mut self.findings) else { return };
        let mut value = to_json(node);
        checks::content(&self.file, node, &value, &head, &self.rules, &mut self.findings);
        let mut identity = head.identity;
        if identity.kind == "CustomResourceDefinition" && value.pointer("/spec/scope").and_then(Value::as_str) == Some("Cluster")
        {
            let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
            self.cluster_kinds.insert((text("/spec/group"), text("/spec/names/kind")));
        }
        if let Some(namespace) = self.rules.namespace
            && identity.namespace.is_empty()
            && scope(&identity.group, &identity.kind) == Scope::Namespaced
        {
            namespace.clone_into(&mut identity.namespace);
            set_namespace(&mut value, namespace);
        }
        let place = Place::at(self.file.as_str(), head.line, head.column);
        match emit::document(&value) {
            Ok(text) => {
                if let Some(fault) = checks::size(&value, &text, &identity) {
                    self.findings.push(Finding { span: head.span, ..Finding::error("too-large", place, fault) });
                    return;
                }
                self.objects.push(Object { identity, place, span: head.span, text });
            }
            Err(problem) => self.findings.push(Finding::error("unwritable-object", place, problem.to_string())),
        }
    }

    /// What can be said only when all objects are known.
    fn finish(&mut self) {
        (0..self.objects.len()).for_each(|n| self.fill_unknown(n));
        let before = self.findings.len();
        match self.rules.namespaces_set_by_flux {
            [] => self.together(None),
            all => all.iter().for_each(|namespace| self.together(namespace.as_deref())),
        }
        // What is wrong on every cluster is said once.
        let mut kept: Vec<Finding> = self.findings.drain(..before).collect();
        let mut said = HashSet::new();
        let is_new = |finding: &Finding| said.insert((finding.code, finding.place.clone(), finding.message.clone()));
        kept.extend(self.findings.drain(..).filter(is_new));
        self.findings = kept;
    }

    /// The objects as one Kustomization applies them.
    fn together(&mut self, namespace_set_by_flux: Option<&str>) {
        let mut first: HashMap<Identity, usize> = HashMap::with_capacity(self.objects.len());
        for n in 0..self.objects.len() {
            let Some(object) = self.objects.get(n) else { continue };
            let identity = on_the_cluster(&object.identity, namespace_set_by_flux);
            let fault =
                |code, message: String| Finding { span: object.span, ..Finding::error(code, object.place.clone(), message) };
            let mut found = Vec::new();
            match first.get(&identity).and_then(|at| self.objects.get(*at)) {
                Some(earlier) => {
                    let mut finding =
                        fault("duplicate-object", format!("{} is declared twice, first at {}", object.identity, earlier.place));
                    finding.hint("Flux would build nothing of this artifact; remove one of the two");
                    found.push(finding);
                }
                None => drop(first.insert(identity.clone(), n)),
            }
            found.extend(self.namespace_fault(object, &identity).map(|(code, message, hint)| {
                let mut finding = fault(code, message);
                finding.hint(hint);
                finding
            }));
            if object.identity.kind == "Secret" {
                found.iter_mut().for_each(Finding::hide_line);
            }
            self.findings.extend(found);
        }
    }

    /// A custom resource without a namespace gets the one that was asked for, unless its definition says that it lies in
    /// the cluster: kustomize and helm decide in the same way.
    fn fill_unknown(&mut self, n: usize) {
        let (Some(namespace), Some(object)) = (self.rules.namespace, self.objects.get_mut(n)) else { return };
        let identity = &mut object.identity;
        let is_open = identity.namespace.is_empty() && scope(&identity.group, &identity.kind) == Scope::Unknown;
        if !is_open || self.cluster_kinds.contains(&(identity.group.clone(), identity.kind.clone())) {
            return;
        }
        namespace.clone_into(&mut identity.namespace);
        let mut value = object.value();
        set_namespace(&mut value, namespace);
        if let Ok(text) = emit::document(&value) {
            object.text = text;
        }
    }

    fn namespace_fault(&self, object: &Object, there: &Identity) -> Option<(&'static str, String, String)> {
        let identity = &object.identity;
        let rules = &self.rules;
        let lies_in = scope(&identity.group, &identity.kind);
        if there.namespace.is_empty() && lies_in == Scope::Namespaced {
            let hint = "write metadata.namespace, or name one for all: --target-namespace NAME".to_owned();
            return Some(("no-namespace", format!("{identity} names no namespace, and Flux fills none in"), hint));
        }
        let namespace = match lies_in {
            Scope::Cluster if identity.kind == "Namespace" && identity.group.is_empty() => &identity.name,
            Scope::Cluster => return None,
            _ => &there.namespace,
        };
        if rules.namespaces.is_empty() || namespace.is_empty() || rules.namespaces.contains(namespace) {
            return None;
        }
        let hint = format!("the setting deploy.namespaces allows {}", rules.namespaces.join(", "));
        Some(("namespace-not-allowed", format!("{identity} would go to the namespace {namespace}, which is not allowed"), hint))
    }
}

/// What an object is for kustomize and on the cluster: everything goes to the Kustomization's targetNamespace, and what lies in
/// the cluster has no namespace, whatever it says.
fn on_the_cluster(identity: &Identity, namespace_set_by_flux: Option<&str>) -> Identity {
    let mut there = identity.clone();
    match (scope(&identity.group, &identity.kind), namespace_set_by_flux) {
        (Scope::Cluster, _) => there.namespace.clear(),
        (_, Some(namespace)) => namespace.clone_into(&mut there.namespace),
        _ => {}
    }
    there
}

fn set_namespace(value: &mut Value, namespace: &str) {
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("namespace".to_owned(), namespace.into());
    }
}
