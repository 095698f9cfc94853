//! The three shapes of the file to the model, with all findings at once.

use super::keys::{self, ENTRY, FILE, ID, Key, OLD_ID, Shape, WITH_FLUX};
use super::model::{Name, Overrides, Workload, Workloads};
use crate::finding::Finding;
use crate::flux::names;
use crate::problem::Place;
use crate::suggest;
use crate::yaml::value::misread;
use crate::yaml::{self, Kind, Node};
use std::collections::HashMap;
use std::sync::Arc;

const EMPTY: &str = "an inventory without workloads would make Flux delete everything that it applied";

/// Reads a file. With a finding of severity error the workloads must not be used.
pub fn parse(file: &str, source: &str) -> (Workloads, Vec<Finding>) {
    let limits = yaml::Limits { documents: 1, ..yaml::Limits::default() };
    let mut reader = Reader { file, shared: Arc::from(file), findings: Vec::new() };
    let mut workloads = Workloads { file: file.to_owned(), ..Workloads::default() };
    // Runway's own shape is a plain list: its entries are read one by one, and never all in memory as nodes.
    let mut any = false;
    let (documents, mut findings) = yaml::items(file, source, limits, &mut |item| {
        any = true;
        workloads.items.extend(reader.entry(&item));
    });
    let syntax = findings.iter().any(|finding| matches!(finding.code, "yaml-syntax" | "yaml-budget" | "second-document"));
    if documents.is_empty() {
        // The list did not end: nothing of it is used.
        workloads.items.clear();
        reader.findings.clear();
    }
    findings.append(&mut reader.findings);
    reader.findings = findings;
    match documents.first() {
        Some(_) if any => {}
        Some(root) => reader.file_root(root, &mut workloads),
        None if !syntax => {
            let mut finding = Finding::error("empty-inventory", Place::file(file), "the file lists no workload");
            finding.hint(EMPTY);
            reader.findings.push(finding);
        }
        None => {}
    }
    reader.twice(&mut workloads.items);
    // In the order of the file, whatever the order of the looking.
    reader.findings.sort_by_key(|finding| (finding.place.line, finding.place.column));
    (workloads, reader.findings)
}

/// What is read so far.
pub(super) struct Reader<'a> {
    pub(super) file: &'a str,
    /// The same, shared by the entries.
    shared: Arc<str>,
    pub(super) findings: Vec<Finding>,
}

impl Reader<'_> {
    pub(super) fn error(&mut self, code: &'static str, node: &Node, message: impl Into<String>) -> &mut Finding {
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
        self.unknown_keys(root, FILE, "beside the list", "");
        if let Some(defaults) = root.get("defaults").filter(|node| !node.is_null()) {
            workloads.defaults = self.with_flux(defaults, "defaults", "");
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

    /// Warns of every key that is not in a table.
    fn unknown_keys(&mut self, node: &Node, known: &'static [Key], place: &str, id: &str) {
        for (key, _) in node.entries() {
            let name = key.text().unwrap_or_default();
            if !known.iter().any(|key| key.name == name) {
                let word = suggest::nearest(name, keys::names(known));
                let message = format!("unknown key '{name}' {place}");
                self.error("unknown-key", key, message.trim_end()).warning().of(id).did_you_mean(word);
            }
        }
    }

    /// A mapping that has only `flux`: `defaults`, or an environment.
    pub(super) fn with_flux(&mut self, node: &Node, what: &str, id: &str) -> Overrides {
        if !matches!(node.kind, Kind::Map(_)) {
            let message = format!("{what} is a mapping with 'flux', found {}", node.describe());
            self.error("schema", node, message).of(id);
            return Overrides::default();
        }
        self.unknown_keys(node, WITH_FLUX, &format!("in {what}"), id);
        node.get("flux").map(|flux| self.overrides(flux, id)).unwrap_or_default()
    }

    /// An entry; one whose id cannot be used is read to its end all the same, so that all of its faults are told.
    fn entry(&mut self, item: &Node) -> Option<Workload> {
        if !matches!(item.kind, Kind::Map(_)) {
            self.error("entry-type", item, format!("expected a workload, found {}", item.describe()))
                .hint("each entry is a mapping with 'runway_service_id'");
            return None;
        }
        let at = self.id_node(item);
        let accepted = at.and_then(|node| self.id(node));
        let refused = accepted.is_none();
        let id = accepted.or_else(|| at?.text().map(str::to_owned)).unwrap_or_default();
        self.unknown_keys(item, ENTRY, "", &id);
        // What stands before the entry was brought along by an alias or a merge key: then the entry that does so is meant.
        let at = at.filter(|node| node.span.0 >= item.span.0).unwrap_or(item);
        let mut workload =
            Workload { file: Arc::clone(&self.shared), at: (at.line, at.column), span: at.span, refused, ..Workload::default() };
        for key in ENTRY {
            if let Some(node) = item.get(key.name) {
                self.value(key, node, &id, &mut workload);
            }
        }
        workload.id = id;
        Some(workload)
    }

    fn value(&mut self, key: &Key, node: &Node, id: &str, workload: &mut Workload) {
        match key.shape {
            Shape::Names => {
                let names = self.names(key.name, node, id);
                if key.name == "regions" {
                    workload.regions = names;
                }
            }
            Shape::Positive => self.positive(key.name, node, id),
            Shape::Flag => self.flag(key.name, node, id),
            Shape::Environments => workload.environments = self.environments(node, id),
            Shape::Flux => workload.flux = Some(Box::new(self.overrides(node, id))),
            // Ids were read first; what belongs to others is theirs.
            Shape::Id | Shape::Foreign | Shape::Workloads | Shape::Defaults => {}
        }
    }

    /// Where the id stands.
    fn id_node<'n>(&mut self, item: &'n Node) -> Option<&'n Node> {
        match (item.entry(ID), item.entry(OLD_ID)) {
            (Some((_, node)), None) | (None, Some((_, node))) => Some(node),
            (Some(_), Some((key, _))) => {
                self.error("two-ids", key, "the entry has both 'runway_service_id' and its older name 'name'")
                    .hint("keep 'runway_service_id'");
                None
            }
            (None, None) => {
                let mut keys = item.entries().filter_map(|(key, _)| key.text());
                let near = keys.find(|name| suggest::nearest(ID, [*name]).is_some());
                let finding = self.error("no-id", item, "the entry has no 'runway_service_id'");
                if let Some(near) = near {
                    finding.hint(format!("'{near}' looks like it"));
                }
                None
            }
        }
    }

    fn id(&mut self, node: &Node) -> Option<String> {
        if node.is_null() {
            self.error("no-id", node, "the entry's 'runway_service_id' is empty").hint("write the workload's id");
            return None;
        }
        let Kind::Scalar { text, plain } = &node.kind else {
            self.error("invalid-id", node, format!("runway_service_id is a text, found {}", node.describe()));
            return None;
        };
        if let Some(what) = misread(text).filter(|_| *plain) {
            self.error("invalid-id", node, format!("runway_service_id '{text}' is read as {what}"))
                .hint(format!("quote it: \"{text}\""));
            return None;
        }
        if let Some(why) = names::label_fault(text) {
            self.error("invalid-id", node, format!("'{text}' cannot be a runway_service_id: {why}"))
                .of(text)
                .hint("it names Kubernetes objects: an RFC 1123 label, 1 to 63 of a-z 0-9 -");
            return None;
        }
        Some(text.clone())
    }

    /// Refuses every entry whose id an earlier one has.
    fn twice(&mut self, items: &mut [Workload]) {
        let mut first: HashMap<&str, usize> = HashMap::with_capacity(items.len());
        let mut again = Vec::new();
        for (index, item) in items.iter().enumerate().filter(|(_, item)| !item.refused) {
            let Some(line) = first.get(item.id.as_str()) else {
                first.insert(&item.id, item.at.0);
                continue;
            };
            let message = format!("'{}' is listed twice, first in line {line}", item.id);
            let mut finding = Finding::error("duplicate-id", item.place(), message);
            finding.span = item.span;
            finding.of(&item.id).hint("both entries would become the same two objects; remove one");
            self.findings.push(finding);
            again.push(index);
        }
        for index in again {
            if let Some(item) = items.get_mut(index) {
                item.refused = true;
            }
        }
    }

    /// A scalar where a text is expected.
    pub(super) fn text(&mut self, what: &str, node: &Node, id: &str) -> Option<Name> {
        let Kind::Scalar { text, plain } = &node.kind else {
            self.error("schema", node, format!("{what} are texts, found {}", node.describe())).of(id);
            return None;
        };
        if let Some(read_as) = misread(text).filter(|_| *plain) {
            self.error("ambiguous-scalar", node, format!("'{text}' in {what} is read as {read_as}"))
                .of(id)
                .hint(format!("quote it: \"{text}\""));
        }
        Some(Name { text: text.clone(), at: (node.line, node.column), span: node.span })
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
    fn a_number_that_will_not_do_is_named() {
        for (value, said) in
            [("0", "found 0"), ("-3", "found -3"), ("1.5", "found 1.5"), ("yes", "found true or false"), ("x", "found a text")]
        {
            let findings = parse("w.yml", &format!("- runway_service_id: a\n  project_id: {value}\n")).1;
            let messages: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
            assert!(messages.iter().any(|message| message.ends_with(said)), "{value}: {messages:?}");
        }
    }

    #[test]
    fn all_faults_at_once_with_places() {
        let source = "- runway_service_id: A_b\n- runway_service_id: x\n  regons: [a]\n- runway_service_id: x\n- project_id: 1\n- runway_service_id: no\n- runway_service_id: yy\n  project_id: abc\n  flux: {intervall: 5m}\n- z\n";
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
    fn empty_ids_and_ids_that_come_along() {
        for empty in ["~", "", "null"] {
            let (_, findings) = parse("w.yml", &format!("- runway_service_id: {empty}\n  regions: []\n"));
            let found: Vec<_> = findings.iter().map(|f| (f.code, f.hint.as_deref())).collect();
            assert_eq!(found, [("no-id", Some("write the workload's id"))], "{empty}");
        }
        let source = "- &a\n  runway_service_id: x\n- *a\n- <<: *a\n  regions: []\n- runway_service_id: x\n";
        assert_eq!(found(source), ["w.yml:3:3 duplicate-id", "w.yml:4:3 duplicate-id", "w.yml:6:22 duplicate-id"]);
    }

    #[test]
    fn numbers_and_booleans_of_other_readers() {
        let source = "- runway_service_id: a\n  project_id: 010\n  exclude_name_suffix: no\n- runway_service_id: b\n  project_id: 1_000\n  flux: {prune: no, wait: true, postBuild: {substitute: {a: +5}}}\n- runway_service_id: c\n  project_id: 0x1F\n- runway_service_id: d\n  project_id: +5\n- runway_service_id: e\n  project_id: 10\n  exclude_name_suffix: true\n  flux: {source: {insecure: off}}\n";
        assert_eq!(
            found(source),
            ["2:15", "3:24", "5:15", "6:17", "6:61", "8:15", "10:15", "14:29"].map(|at| format!("w.yml:{at} ambiguous-scalar"))
        );
        let first = parse("w.yml", source).1.remove(0);
        assert_eq!(first.message, "'010' in project_id is read as 8");
        assert_eq!(first.hint.as_deref(), Some("write 8; when a text is meant, quote it: \"010\""));
    }

    #[test]
    fn an_entry_with_a_bad_id_is_read_to_its_end() {
        let bad = "\n  regons: [a]\n  project_id: x\n  flux: {intervall: 5m}\n";
        let rest = ["unknown-key", "schema", "override-key"];
        for (id, code) in [
            ("runway_service_id: A_b", Some("invalid-id")),
            ("runway_service_id: first", Some("duplicate-id")),
            ("runway_service_id: [x]", Some("invalid-id")),
            ("name: a\n  runway_service_id: b", Some("two-ids")),
            ("members: []", Some("no-id")),
            ("runway_service_id: fine", None),
        ] {
            let codes: Vec<&str> =
                parse("w", &format!("- runway_service_id: first\n- {id}{bad}")).1.iter().map(|finding| finding.code).collect();
            assert_eq!(codes, code.into_iter().chain(rest).collect::<Vec<_>>(), "{id}");
        }
    }

    #[test]
    fn texts_that_other_readers_take_for_something_else() {
        let source = "- runway_service_id: 2024-01-31\n- runway_service_id: a\n  regions: [no, \"yes\", us-east1]\n  members: [010]\n  groups: [{a: 1}]\n  environments: {off: }\n- runway_service_id: b\n  environments: []\n";
        assert_eq!(
            found(source),
            [
                "w.yml:1:22 invalid-id",
                "w.yml:3:13 ambiguous-scalar",
                "w.yml:4:13 ambiguous-scalar",
                "w.yml:5:12 schema",
                "w.yml:6:18 ambiguous-scalar",
                "w.yml:8:17 no-environment",
            ]
            .map(str::to_owned)
        );
    }

    #[test]
    fn merged_entries_and_shapes_of_flux() {
        let source = "workloads:\n- &a\n  runway_service_id: a\n  regions: [us-east1]\n- <<: *a\n  runway_service_id: b\n  flux: {source: 5}\n  environments: {production: , staging: x}\ndefaults: {flux: , fluxx: }\n";
        let (workloads, _) = parse("w.yml", source);
        assert_eq!(workloads.items[1].regions[0].text, "us-east1");
        assert_eq!(
            found(source),
            ["w.yml:7:18 schema", "w.yml:8:41 schema", "w.yml:9:16 schema", "w.yml:9:20 unknown-key"].map(str::to_owned)
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
        assert_eq!(a.flux.as_ref().unwrap().source["interval"], "1m");
        assert!(a.is_in("staging") && !a.is_in("production"));
        assert_eq!(a.overrides_in("staging").unwrap().kustomization["interval"], "1m");
        assert!(workloads.items[1].is_in("production"));
    }
}
