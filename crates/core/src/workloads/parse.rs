//! The three shapes of the file to the model, with all findings at once.

use super::model::{Overrides, Workload, Workloads};
use crate::finding::Finding;
use crate::flux::names;
use crate::problem::Place;
use crate::suggest;
use crate::yaml::value::{Plain, plain_type, to_json};
use crate::yaml::{self, Kind, Node};
use std::collections::HashMap;

/// Keys of an entry: those that Runway publishes, the known ones of Terraform's side, and our own two.
const ENTRY_KEYS: &[&str] =
    &["runway_service_id", "name", "project_id", "regions", "groups", "members", "exclude_name_suffix", "environments", "flux"];
/// Keys that other tools read in the same file; they are no mistake.
const FOREIGN_KEYS: &[&str] =
    &["additional_roles", "gcp_project_group", "pam_config", "deploy_in_ops", "project", "owner_email_handle"];
/// Keys beside the list in a map-shaped file.
const FILE_KEYS: &[&str] = &["workloads", "inventory", "defaults"];

/// `flux:` keys that go into the Kustomization, in the order in which they are written.
pub const KUSTOMIZATION_KEYS: &[&str] = &[
    "interval",
    "timeout",
    "retryInterval",
    "path",
    "prune",
    "wait",
    "force",
    "dependsOn",
    "healthChecks",
    "healthCheckExprs",
    "postBuild",
    "serviceAccountName",
    "targetNamespace",
    "patches",
    "images",
    "decryption",
    "deletionPolicy",
    "commonMetadata",
];
/// `flux.source:` keys that go into the OCIRepository, in the order in which they are written.
pub const SOURCE_KEYS: &[&str] = &[
    "interval",
    "ref",
    "provider",
    "verify",
    "layerSelector",
    "secretRef",
    "certSecretRef",
    "proxySecretRef",
    "insecure",
    "timeout",
    "ignore",
];

const EMPTY: &str = "an inventory without workloads would make Flux delete everything that it applied";

/// Reads a file. With a finding of severity error the workloads must not be used.
pub fn parse(file: &str, source: &str) -> (Workloads, Vec<Finding>) {
    let limits = yaml::Limits { documents: 1, ..yaml::Limits::default() };
    let (documents, findings) = yaml::documents(file, source, limits);
    let syntax = findings.iter().any(|finding| finding.code == "yaml-syntax" || finding.code == "yaml-budget");
    let mut reader = Reader { file, findings, ids: HashMap::new() };
    let mut workloads = Workloads { file: file.to_owned(), ..Workloads::default() };
    match documents.first() {
        Some(root) => reader.file_root(root, &mut workloads),
        None if !syntax => {
            let mut finding = Finding::error("empty-inventory", Place::file(file), "the file lists no workload");
            finding.hint(EMPTY);
            reader.findings.push(finding);
        }
        None => {}
    }
    (workloads, reader.findings)
}

struct Reader<'a> {
    file: &'a str,
    findings: Vec<Finding>,
    ids: HashMap<String, usize>,
}

impl Reader<'_> {
    fn error(&mut self, code: &'static str, node: &Node, message: impl Into<String>) -> &mut Finding {
        let mut finding = Finding::error(code, Place::at(self.file, node.line, node.column), message);
        finding.span = node.span;
        self.findings.push(finding);
        let last = self.findings.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "it was just pushed")]
        &mut self.findings[last]
    }

    fn file_root(&mut self, root: &Node, workloads: &mut Workloads) {
        let Some(list) = self.list(root, workloads) else { return };
        if !matches!(list.kind, Kind::List(_)) && !list.is_null() {
            self.error("no-list", list, format!("expected a list of workloads, found {}", list.describe()));
            return;
        }
        if list.items().is_empty() {
            self.error("empty-inventory", list, "the list has no workload").hint(EMPTY);
        }
        workloads.items = list.items().iter().filter_map(|item| self.entry(item)).collect();
    }

    /// The list in one of the three shapes.
    fn list<'n>(&mut self, root: &'n Node, workloads: &mut Workloads) -> Option<&'n Node> {
        match &root.kind {
            Kind::List(_) => return Some(root),
            Kind::Map(_) => {}
            Kind::Scalar { .. } => {
                self.error("no-list", root, format!("expected a list of workloads, found {}", root.describe()));
                return None;
            }
        }
        for (key, _) in root.entries() {
            let name = key.text().unwrap_or_default();
            if !FILE_KEYS.contains(&name) {
                // Terraform keeps sister lists such as gcp_project_groups at the root.
                let word = suggest::nearest(name, FILE_KEYS.iter().copied());
                self.error("unknown-key", key, format!("unknown key '{name}' beside the list")).warning().did_you_mean(word);
            }
        }
        if let Some(flux) = root.get("defaults").and_then(|node| node.get("flux")) {
            workloads.defaults = self.overrides(flux, "");
        }
        match (root.entry("workloads"), root.entry("inventory")) {
            (Some((_, list)), None) | (None, Some((_, list))) => Some(list),
            (Some(_), Some((key, _))) => {
                self.error("two-lists", key, "the file has both 'workloads' and 'inventory'").hint("keep one");
                None
            }
            (None, None) => {
                self.error("no-list", root, "the mapping has no key 'workloads'")
                    .hint("the file is a list of entries, or a mapping with that list under 'workloads'");
                None
            }
        }
    }

    fn entry(&mut self, item: &Node) -> Option<Workload> {
        if !matches!(item.kind, Kind::Map(_)) {
            self.error("entry-type", item, format!("expected a workload, found {}", item.describe()))
                .hint("each entry is a mapping with 'runway_service_id'");
            return None;
        }
        let id_node = self.id_node(item)?;
        let id = self.id(id_node)?;
        for (key, _) in item.entries() {
            let name = key.text().unwrap_or_default();
            if !ENTRY_KEYS.contains(&name) && !FOREIGN_KEYS.contains(&name) {
                let word = suggest::nearest(name, ENTRY_KEYS.iter().copied());
                self.error("unknown-key", key, format!("unknown key '{name}'")).warning().of(&id).did_you_mean(word);
            }
        }
        let regions = self.names(item, "regions", &id);
        for key in ["groups", "members"] {
            self.names(item, key, &id);
        }
        self.numbers_and_flags(item, &id);
        let flux = item.get("flux").map(|node| self.overrides(node, &id)).unwrap_or_default();
        let environments = item.get("environments").and_then(|node| self.environments(node, &id));
        Some(Workload { place: Place::at(self.file, id_node.line, id_node.column), id, regions, flux, environments })
    }

    /// Where the id stands.
    fn id_node<'n>(&mut self, item: &'n Node) -> Option<&'n Node> {
        match (item.entry("runway_service_id"), item.entry("name")) {
            (Some((_, node)), None) | (None, Some((_, node))) => Some(node),
            (Some(_), Some((key, _))) => {
                self.error("two-ids", key, "the entry has both 'runway_service_id' and its older name 'name'")
                    .hint("keep 'runway_service_id'");
                None
            }
            (None, None) => {
                let mut keys = item.entries().filter_map(|(key, _)| key.text());
                let near = keys.find(|name| suggest::nearest("runway_service_id", [*name]).is_some());
                let finding = self.error("no-id", item, "the entry has no 'runway_service_id'");
                if let Some(near) = near {
                    finding.hint(format!("'{near}' looks like it"));
                }
                None
            }
        }
    }

    fn id(&mut self, node: &Node) -> Option<String> {
        let Kind::Scalar { text, plain } = &node.kind else {
            self.error("invalid-id", node, format!("runway_service_id is a text, found {}", node.describe()));
            return None;
        };
        if *plain && plain_type(text) != Plain::Text {
            self.error("invalid-id", node, format!("runway_service_id '{text}' is read as {}", node.describe()))
                .hint(format!("quote it: \"{text}\""));
            return None;
        }
        if let Some(why) = names::label_fault(text) {
            self.error("invalid-id", node, format!("'{text}' cannot be a runway_service_id: {why}"))
                .of(text)
                .hint("it names Kubernetes objects: an RFC 1123 label, 1 to 63 of a-z 0-9 -");
            return None;
        }
        if let Some(first) = self.ids.get(text).copied() {
            self.error("duplicate-id", node, format!("'{text}' is listed twice, first in line {first}"))
                .of(text)
                .hint("both entries would become the same two objects; remove one");
            return None;
        }
        self.ids.insert(text.clone(), node.line);
        Some(text.clone())
    }

    fn numbers_and_flags(&mut self, item: &Node, id: &str) {
        if let Some(node) = item.get("project_id") {
            let ok = matches!(&node.kind, Kind::Scalar { text, plain: true }
                if matches!(plain_type(text), Plain::Number(n) if n.as_u64().is_some_and(|n| n > 0)));
            if !ok {
                let message = format!("project_id is a whole number above 0, found {}", node.describe());
                self.error("schema", node, message).of(id);
            }
        }
        if let Some(node) = item.get("exclude_name_suffix") {
            let ok = matches!(&node.kind, Kind::Scalar { text, plain: true } if matches!(plain_type(text), Plain::Bool(_)));
            if !ok {
                let message = format!("exclude_name_suffix is true or false, found {}", node.describe());
                self.error("schema", node, message).of(id);
            }
        }
    }

    fn names(&mut self, item: &Node, key: &str, id: &str) -> Vec<String> {
        let Some(node) = item.get(key) else { return Vec::new() };
        if !matches!(node.kind, Kind::List(_)) {
            self.error("schema", node, format!("{key} is a list of texts, found {}", node.describe())).of(id);
            return Vec::new();
        }
        let mut seen: Vec<String> = Vec::new();
        for item in node.items() {
            match item.text() {
                Some(text) if seen.iter().any(|other| other == text) => {
                    self.error("schema", item, format!("{key} lists '{text}' twice")).warning().of(id);
                }
                Some(text) => seen.push(text.to_owned()),
                None => {
                    self.error("schema", item, format!("{key} is a list of texts, found {} in it", item.describe())).of(id);
                }
            }
        }
        seen
    }

    /// A list of names, or a mapping of names to overrides.
    fn environments(&mut self, node: &Node, id: &str) -> Option<Vec<(String, Overrides)>> {
        let mut list = Vec::new();
        match &node.kind {
            Kind::List(items) => {
                for item in items {
                    if let Some(text) = item.text() {
                        list.push((text.to_owned(), Overrides::default()));
                    } else {
                        self.error("schema", item, format!("environments lists names, found {}", item.describe())).of(id);
                    }
                }
            }
            Kind::Map(pairs) => {
                for (name, value) in pairs {
                    for (key, _) in value.entries().filter(|(key, _)| key.text() != Some("flux")) {
                        let message = format!("unknown key '{}' in an environment", key.text().unwrap_or_default());
                        self.error("unknown-key", key, message).warning().of(id).hint("an environment has only 'flux'");
                    }
                    let overrides = value.get("flux").map(|flux| self.overrides(flux, id)).unwrap_or_default();
                    list.push((name.text().unwrap_or_default().to_owned(), overrides));
                }
            }
            Kind::Scalar { .. } => {
                let message = format!("environments is a list of names or a mapping, found {}", node.describe());
                self.error("schema", node, message).of(id);
                return None;
            }
        }
        Some(list)
    }

    fn overrides(&mut self, node: &Node, id: &str) -> Overrides {
        let mut overrides = Overrides::default();
        if !matches!(node.kind, Kind::Map(_)) {
            self.error("schema", node, format!("flux is a mapping, found {}", node.describe())).of(id);
            return overrides;
        }
        for (key, value) in node.entries() {
            let name = key.text().unwrap_or_default();
            if name == "source" {
                for (key, value) in value.entries() {
                    if let Some(name) = self.override_key(key, SOURCE_KEYS, "flux.source", id) {
                        overrides.source.insert(name, to_json(value));
                    }
                }
            } else if let Some(name) = self.override_key(key, KUSTOMIZATION_KEYS, "flux", id) {
                overrides.kustomization.insert(name, to_json(value));
            }
        }
        overrides
    }

    fn override_key(&mut self, key: &Node, known: &'static [&'static str], of: &str, id: &str) -> Option<String> {
        let name = key.text().unwrap_or_default();
        if known.contains(&name) {
            return Some(name.to_owned());
        }
        let finding = self.error("override-key", key, format!("{of} has no key '{name}'")).of(id);
        if name == "suspend" {
            finding.hint("a written 'suspend' fights whoever suspends on the cluster, so it is never generated");
        } else {
            finding.did_you_mean(suggest::nearest(name, known.iter().copied()));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn found(source: &str) -> Vec<String> {
        parse("w.yml", source).1.into_iter().map(|f| format!("{} {}", f.place, f.code)).collect()
    }

    #[test]
    fn three_shapes_and_json() {
        for source in [
            "- runway_service_id: a\n- name: b\n",
            "workloads:\n- runway_service_id: a\n- name: b\n",
            "inventory:\n- runway_service_id: a\n- name: b\n",
            "{\"inventory\": [{\"name\": \"a\"}, {\"name\": \"b\"}]}",
        ] {
            let (workloads, findings) = parse("w.yml", source);
            assert!(findings.is_empty(), "{findings:?}");
            let ids: Vec<&str> = workloads.items.iter().map(|w| w.id.as_str()).collect();
            assert_eq!(ids, ["a", "b"]);
        }
    }

    #[test]
    fn all_faults_at_once_with_places() {
        let source = "- runway_service_id: A_b\n- runway_service_id: x\n  regons: [a]\n- runway_service_id: x\n- project_id: 1\n- runway_service_id: no\n- runway_service_id: y\n  project_id: abc\n  flux: {intervall: 5m}\n- z\n";
        assert_eq!(
            found(source),
            [
                "w.yml:1:22 invalid-id",
                "w.yml:3:3 unknown-key",
                "w.yml:4:22 duplicate-id",
                "w.yml:5:3 no-id",
                "w.yml:6:22 invalid-id",
                "w.yml:8:15 schema",
                "w.yml:9:10 override-key",
                "w.yml:10:3 entry-type",
            ]
        );
    }

    #[test]
    fn empty_files_are_refused() {
        for source in ["", "# nothing\n", "[]", "workloads: []\n", "workloads:\n"] {
            assert!(found(source).iter().any(|f| f.ends_with("empty-inventory")), "{source:?}: {:?}", found(source));
        }
        assert_eq!(found("just text"), ["w.yml:1:1 no-list"]);
    }

    #[test]
    fn overrides_and_environments() {
        let source = "defaults: {flux: {timeout: 3m}}\nworkloads:\n- runway_service_id: a\n  flux: {wait: true, source: {interval: 1m}}\n  environments:\n    staging: {flux: {interval: 1m}}\n- runway_service_id: b\n  environments: [production]\n";
        let (workloads, findings) = parse("w.yml", source);
        assert!(findings.is_empty(), "{findings:?}");
        assert_eq!(workloads.defaults.kustomization["timeout"], "3m");
        let a = &workloads.items[0];
        assert_eq!(a.flux.source["interval"], "1m");
        assert!(a.is_in("staging") && !a.is_in("production"));
        assert_eq!(a.overrides_in("staging").unwrap().kustomization["interval"], "1m");
        assert!(workloads.items[1].is_in("production"));
    }
}
