//! The three shapes of the file to the model, with all findings at once.

use super::model::{Overrides, Workload, Workloads};
use crate::finding::{Finding, Severity};
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

/// Reads a file. With a finding of severity error the workloads must not be used.
pub fn parse(file: &str, source: &str) -> (Workloads, Vec<Finding>) {
    let limits = yaml::Limits { documents: 1, ..yaml::Limits::default() };
    let (documents, findings) = yaml::documents(file, source, limits);
    let syntax = findings.iter().any(|finding| finding.code == "yaml-syntax" || finding.code == "yaml-budget");
    let mut reader = Reader { file, findings, ids: HashMap::new() };
    let mut workloads = Workloads { file: file.to_owned(), ..Workloads::default() };
    match documents.first() {
        Some(root) => reader.file_root(root, &mut workloads),
        None if !syntax => reader.whole_file(
            "empty-inventory",
            "the file lists no workload",
            Some("an inventory without workloads would make Flux delete everything that it applied"),
        ),
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
    fn error(&mut self, code: &'static str, node: &Node, message: String, hint: Option<String>) {
        self.push(code, Severity::Error, node, None, message, hint);
    }

    fn push(
        &mut self,
        code: &'static str,
        severity: Severity,
        node: &Node,
        workload: Option<&str>,
        message: String,
        hint: Option<String>,
    ) {
        let place = Place::at(self.file, node.line, node.column);
        let workload = workload.map(str::to_owned);
        self.findings.push(Finding { code, severity, place, span: node.span, workload, message, hint });
    }

    fn whole_file(&mut self, code: &'static str, message: &str, hint: Option<&str>) {
        self.findings.push(Finding {
            code,
            severity: Severity::Error,
            place: Place::file(self.file),
            span: (0, 0),
            workload: None,
            message: message.to_owned(),
            hint: hint.map(str::to_owned),
        });
    }

    fn file_root(&mut self, root: &Node, workloads: &mut Workloads) {
        let list = match &root.kind {
            Kind::List(_) => root,
            Kind::Map(_) => {
                for (key, _) in root.entries() {
                    let name = key.text().unwrap_or_default();
                    if !FILE_KEYS.contains(&name) {
                        // Terraform keeps sister lists such as gcp_project_groups at the root.
                        let hint = suggest::nearest(name, FILE_KEYS.iter().copied()).map(|word| format!("did you mean {word}?"));
                        self.push(
                            "unknown-key",
                            Severity::Warning,
                            key,
                            None,
                            format!("unknown key '{name}' beside the list"),
                            hint,
                        );
                    }
                }
                if let Some(flux) = root.get("defaults").and_then(|node| node.get("flux")) {
                    workloads.defaults = self.overrides(flux, None);
                }
                match (root.entry("workloads"), root.entry("inventory")) {
                    (Some((_, list)), None) | (None, Some((_, list))) => list,
                    (Some(_), Some((key, _))) => {
                        self.error(
                            "two-lists",
                            key,
                            "the file has both 'workloads' and 'inventory'".to_owned(),
                            Some("keep one".to_owned()),
                        );
                        return;
                    }
                    (None, None) => {
                        self.error(
                            "no-list",
                            root,
                            "the mapping has no key 'workloads'".to_owned(),
                            Some("the file is a list of entries, or a mapping with that list under 'workloads'".to_owned()),
                        );
                        return;
                    }
                }
            }
            Kind::Scalar { .. } => {
                let found = root.describe();
                self.error("no-list", root, format!("expected a list of workloads, found {found}"), None);
                return;
            }
        };
        if !matches!(list.kind, Kind::List(_)) && !list.is_null() {
            let found = list.describe();
            self.error("no-list", list, format!("expected a list of workloads, found {found}"), None);
            return;
        }
        if list.items().is_empty() {
            self.error(
                "empty-inventory",
                list,
                "the list has no workload".to_owned(),
                Some("an inventory without workloads would make Flux delete everything that it applied".to_owned()),
            );
        }
        workloads.items = list.items().iter().filter_map(|item| self.entry(item)).collect();
    }

    fn entry(&mut self, item: &Node) -> Option<Workload> {
        if !matches!(item.kind, Kind::Map(_)) {
            let found = item.describe();
            self.error(
                "entry-type",
                item,
                format!("expected a workload, found {found}"),
                Some("each entry is a mapping with 'runway_service_id'".to_owned()),
            );
            return None;
        }
        let id_node = match (item.entry("runway_service_id"), item.entry("name")) {
            (Some((_, node)), None) | (None, Some((_, node))) => node,
            (Some(_), Some((key, _))) => {
                self.error(
                    "two-ids",
                    key,
                    "the entry has both 'runway_service_id' and its older name 'name'".to_owned(),
                    Some("keep 'runway_service_id'".to_owned()),
                );
                return None;
            }
            (None, None) => {
                let near = item
                    .entries()
                    .filter_map(|(key, _)| key.text())
                    .find(|name| suggest::nearest("runway_service_id", [*name]).is_some())
                    .map(|name| format!("'{name}' looks like it"));
                self.error("no-id", item, "the entry has no 'runway_service_id'".to_owned(), near);
                return None;
            }
        };
        let id = self.id(id_node)?;
        for (key, _) in item.entries() {
            let name = key.text().unwrap_or_default();
            if !ENTRY_KEYS.contains(&name) && !FOREIGN_KEYS.contains(&name) {
                let hint = suggest::nearest(name, ENTRY_KEYS.iter().copied()).map(|word| format!("did you mean {word}?"));
                self.push("unknown-key", Severity::Warning, key, Some(&id), format!("unknown key '{name}'"), hint);
            }
        }
        let regions = self.names(item, "regions", &id);
        for key in ["groups", "members"] {
            self.names(item, key, &id);
        }
        self.project(item, &id);
        if let Some(node) = item.get("exclude_name_suffix") {
            let ok = matches!(&node.kind, Kind::Scalar { text, plain: true } if matches!(plain_type(text), Plain::Bool(_)));
            if !ok {
                let found = node.describe();
                self.push(
                    "schema",
                    Severity::Error,
                    node,
                    Some(&id),
                    format!("exclude_name_suffix is true or false, found {found}"),
                    None,
                );
            }
        }
        let flux = item.get("flux").map(|node| self.overrides(node, Some(&id))).unwrap_or_default();
        let environments = item.get("environments").and_then(|node| self.environments(node, &id));
        Some(Workload { place: Place::at(self.file, id_node.line, id_node.column), id, regions, flux, environments })
    }

    fn id(&mut self, node: &Node) -> Option<String> {
        let Kind::Scalar { text, plain } = &node.kind else {
            let found = node.describe();
            self.error("invalid-id", node, format!("runway_service_id is a text, found {found}"), None);
            return None;
        };
        if *plain && plain_type(text) != Plain::Text {
            let found = node.describe();
            self.error(
                "invalid-id",
                node,
                format!("runway_service_id '{text}' is read as {found}"),
                Some(format!("quote it: \"{text}\"")),
            );
            return None;
        }
        if let Some(why) = names::label_fault(text) {
            self.push(
                "invalid-id",
                Severity::Error,
                node,
                Some(text),
                format!("'{text}' cannot be a runway_service_id: {why}"),
                Some("it names Kubernetes objects: an RFC 1123 label, 1 to 63 of a-z 0-9 -".to_owned()),
            );
            return None;
        }
        if let Some(first) = self.ids.get(text) {
            let message = format!("'{text}' is listed twice, first in line {first}");
            self.push(
                "duplicate-id",
                Severity::Error,
                node,
                Some(text),
                message,
                Some("both entries would become the same two objects; remove one".to_owned()),
            );
            return None;
        }
        self.ids.insert(text.clone(), node.line);
        Some(text.clone())
    }

    fn project(&mut self, item: &Node, id: &str) {
        let Some(node) = item.get("project_id") else { return };
        let ok = matches!(&node.kind, Kind::Scalar { text, plain: true }
            if matches!(plain_type(text), Plain::Number(n) if n.as_u64().is_some_and(|n| n > 0)));
        if !ok {
            let found = node.describe();
            self.push(
                "schema",
                Severity::Error,
                node,
                Some(id),
                format!("project_id is a whole number above 0, found {found}"),
                None,
            );
        }
    }

    fn names(&mut self, item: &Node, key: &str, id: &str) -> Vec<String> {
        let Some(node) = item.get(key) else { return Vec::new() };
        if !matches!(node.kind, Kind::List(_)) {
            let found = node.describe();
            self.push("schema", Severity::Error, node, Some(id), format!("{key} is a list of texts, found {found}"), None);
            return Vec::new();
        }
        let mut seen: Vec<String> = Vec::new();
        for item in node.items() {
            match item.text() {
                Some(text) if seen.iter().any(|other| other == text) => {
                    self.push("schema", Severity::Warning, item, Some(id), format!("{key} lists '{text}' twice"), None);
                }
                Some(text) => seen.push(text.to_owned()),
                None => {
                    let found = item.describe();
                    self.push(
                        "schema",
                        Severity::Error,
                        item,
                        Some(id),
                        format!("{key} is a list of texts, found {found} in it"),
                        None,
                    );
                }
            }
        }
        seen
    }

    /// A list of names, or a mapping of names to overrides.
    fn environments(&mut self, node: &Node, id: &str) -> Option<Vec<(String, Overrides)>> {
        match &node.kind {
            Kind::List(items) => {
                let mut list = Vec::new();
                for item in items {
                    match item.text() {
                        Some(text) => list.push((text.to_owned(), Overrides::default())),
                        None => {
                            let found = item.describe();
                            self.push(
                                "schema",
                                Severity::Error,
                                item,
                                Some(id),
                                format!("environments lists names, found {found}"),
                                None,
                            );
                        }
                    }
                }
                Some(list)
            }
            Kind::Map(pairs) => {
                let mut list = Vec::new();
                for (name, value) in pairs {
                    for (key, _) in value.entries().filter(|(key, _)| key.text() != Some("flux")) {
                        let message = format!("unknown key '{}' in an environment", key.text().unwrap_or_default());
                        self.push(
                            "unknown-key",
                            Severity::Warning,
                            key,
                            Some(id),
                            message,
                            Some("an environment has only 'flux'".to_owned()),
                        );
                    }
                    let overrides = value.get("flux").map(|flux| self.overrides(flux, Some(id))).unwrap_or_default();
                    list.push((name.text().unwrap_or_default().to_owned(), overrides));
                }
                Some(list)
            }
            Kind::Scalar { .. } => {
                let found = node.describe();
                self.push(
                    "schema",
                    Severity::Error,
                    node,
                    Some(id),
                    format!("environments is a list of names or a mapping, found {found}"),
                    None,
                );
                None
            }
        }
    }

    fn overrides(&mut self, node: &Node, id: Option<&str>) -> Overrides {
        let mut overrides = Overrides::default();
        if !matches!(node.kind, Kind::Map(_)) {
            let found = node.describe();
            self.push("schema", Severity::Error, node, id, format!("flux is a mapping, found {found}"), None);
            return overrides;
        }
        for (key, value) in node.entries() {
            let name = key.text().unwrap_or_default();
            if name == "source" {
                for (key, value) in value.entries() {
                    let name = key.text().unwrap_or_default();
                    if self.override_key(key, name, SOURCE_KEYS, "flux.source", id) {
                        overrides.source.insert(name.to_owned(), to_json(value));
                    }
                }
            } else if self.override_key(key, name, KUSTOMIZATION_KEYS, "flux", id) {
                overrides.kustomization.insert(name.to_owned(), to_json(value));
            }
        }
        overrides
    }

    fn override_key(&mut self, key: &Node, name: &str, known: &'static [&'static str], of: &str, id: Option<&str>) -> bool {
        if known.contains(&name) {
            return true;
        }
        let hint = if name == "suspend" {
            Some("a written 'suspend' fights whoever suspends on the cluster; use `suspend` and `resume`".to_owned())
        } else {
            suggest::nearest(name, known.iter().copied()).map(|word| format!("did you mean {word}?"))
        };
        self.push("override-key", Severity::Error, key, id, format!("{of} has no key '{name}'"), hint);
        false
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
