//! A workloads.yml with the objects that it becomes.

use super::subject::{Entry, Subject, setting_finding};
use super::{Facts, depends, entries, object, ordered, substitution};
use crate::artifact::{Tree, size};
use crate::finding::Finding;
use crate::flux::crds::Release;
use crate::flux::{KUSTOMIZATION, OCI_REPOSITORY, names};
use crate::objects;
use crate::problem::Place;
use crate::settings::Settings;
use crate::workloads::{Overrides, Workload, Workloads};
use serde_json::{Value, json};
use std::collections::HashSet;

/// Bytes of a workload's two entries in the parent's `status.inventory`, without its id and twice its namespace, which stand in both:
/// `{"id":"<namespace>_<id>_kustomize.toolkit.fluxcd.io_Kustomization","v":"v1"},` and the source's.
const ENTRY_BYTES: usize = 121;
/// Largest request that etcd takes by default (`--max-request-bytes`); the whole parent object is one.
const ETCD_BYTES: usize = 1_572_864;
/// The rest of the parent's object: its spec, conditions and history. Measured: an API server took a status of 7,515 workloads
/// with ids of 26 bytes, and refused 7,531 (`etcdserver: request is too large`).
const PARENT_BYTES: usize = 2 << 10;
/// From so many workloads on the parent's build is slow enough to tell. kustomize compares every object with every other:
/// measured (kustomize 5.8, two objects each) were 1 s of processor time for 500 workloads, 9 s for 1,000 and 55 s for 2,000.
const SLOW_BUILD: usize = 3_000;
/// The share of it, in percent, from which on a warning is due: about 5,600 such workloads.
const NEAR_PERCENT: usize = 75;

/// The release that is checked against: as asked, else the newest that serves what is written.
pub fn release(settings: &Settings, facts: &Facts) -> Release {
    let newest = || Release::newest_serving(OCI_REPOSITORY, settings.source_api_version());
    facts.release.or_else(newest).unwrap_or(Release::newest())
}

/// Everything that is wrong with the workloads and their objects; the parser's findings are not repeated, and [`too_large`] is asked
/// by itself.
pub fn check(workloads: &Workloads, settings: &Settings, facts: &Facts) -> Vec<Finding> {
    let release = release(settings, facts);
    let mut findings = Vec::new();
    entries::check(workloads, settings, facts, &mut findings);
    version(workloads, settings, release, &mut findings);
    let mut checked = HashSet::new();
    for environment in &facts.environments {
        Environment { workloads, settings, facts, release, name: environment }.check(&mut checked, &mut findings);
    }
    ordered(findings)
}

/// The tree that an environment of a file becomes, when its artifact would be too large. It may have to be packed to tell, so that
/// only those ask who make an artifact, or want to hear everything.
pub fn too_large(tree: &Tree, environment: &str, file: &str) -> Option<Finding> {
    let why = size::fault(tree)?;
    let mut finding = Finding::error("artifact-size", Place::file(file), format!("the inventory of {environment}: {why}"));
    finding.hint("split the runtime, or take what is long out of its flux: settings");
    Some(finding)
}

fn version(workloads: &Workloads, settings: &Settings, release: Release, findings: &mut Vec<Finding>) {
    let version = settings.source_api_version();
    let say = |code: &'static str, message: &str| {
        let mut finding = setting_finding(code, settings, "source.apiVersion", &workloads.file, message);
        finding.hint("set source.apiVersion: v1, which Flux 2.6 and later serve");
        finding
    };
    if !release.serves(OCI_REPOSITORY, version) {
        findings.push(say("api-version", &format!("Flux {release} does not serve {version} of OCIRepository")));
    } else if !Release::newest().serves(OCI_REPOSITORY, version) {
        let mut finding = say("deprecated-api", &format!("{version} of OCIRepository is not served by Flux 2.8 and later"));
        finding.warning();
        findings.push(finding);
    }
}

/// One environment of a file.
struct Environment<'a> {
    workloads: &'a Workloads,
    settings: &'a Settings,
    facts: &'a Facts,
    release: Release,
    name: &'a str,
}

impl<'a> Environment<'a> {
    /// `checked` are the workloads whose objects an earlier environment had in the same form, but for the tag.
    fn check(&self, checked: &mut HashSet<*const Workload>, findings: &mut Vec<Finding>) {
        let items: Vec<&'a Workload> = self.workloads.items.iter().filter(|item| item.is_in(self.name)).collect();
        if items.is_empty() {
            findings.extend(self.empty());
        }
        self.size(&items, findings);
        // All URLs are made by one pattern: one that is wrong is said once.
        let mut url = true;
        for workload in self.chosen(&items, checked) {
            let entry = self.entry(workload);
            let pair = objects::pair(workload, &self.workloads.defaults, self.settings, self.name);
            let source = entry.subject(&pair.source);
            for subject in [&source, &entry.subject(&pair.kustomization)] {
                object::check(subject, self.release, findings);
                substitution::check(subject, self.release, findings);
            }
            if url && !workload.refused {
                object::url(&source, findings);
                url = false;
            }
        }
        self.dependencies(&items, findings);
    }

    /// Who depends on whom, in any layer: it is another graph in each environment.
    fn dependencies(&self, items: &[&'a Workload], findings: &mut Vec<Finding>) {
        let metadata = json!({ "namespace": self.settings.namespace() });
        let depending: Vec<(Entry<'a>, Value)> = items
            .iter()
            .filter_map(|workload| {
                let list = self.layers(workload).rev().find_map(|layer| layer.kustomization.get("dependsOn"))?;
                let object = json!({ "kind": KUSTOMIZATION, "metadata": metadata, "spec": { "dependsOn": list } });
                Some((self.entry(workload), object))
            })
            .collect();
        if depending.is_empty() {
            return;
        }
        let subjects: Vec<Subject<'_>> = depending.iter().map(|(entry, object)| entry.subject(object)).collect();
        let graph = depends::Graph::new(&subjects);
        // The parent is there on every cluster that has the inventory.
        let parent = names::parent(&self.facts.runtime);
        let names: HashSet<&str> = items.iter().map(|item| item.id.as_str()).chain([parent.as_str()]).collect();
        let elsewhere = self.workloads.items.iter().map(|item| item.id.as_str()).collect();
        graph.missing(&names, &elsewhere, self.name, findings);
        graph.circles(findings);
    }

    /// The workloads whose objects are looked at: those with fields of their own, once unless the environment changes them,
    /// and one that stands for all others, since theirs differ by the name alone. It is the one with the longest name: a
    /// repository's name has a limit.
    fn chosen(&self, items: &[&'a Workload], checked: &mut HashSet<*const Workload>) -> Vec<&'a Workload> {
        let differs = |item: &Workload| item.overrides_in(self.name).is_some_and(|own| !own.is_empty());
        let is_bare = |item: &Workload| item.flux.as_ref().is_none_or(|own| own.is_empty()) && !differs(item);
        let longest = items.iter().filter(|item| is_bare(item)).max_by_key(|item| (!item.refused, item.id.len()));
        // By address: several may have one id, which the parser tells, and each is looked at all the same.
        let own =
            items.iter().filter(|item| differs(item) || (!is_bare(item) && checked.insert(std::ptr::from_ref::<Workload>(item))));
        longest.into_iter().chain(own).copied().collect()
    }

    fn layers(&self, workload: &'a Workload) -> impl DoubleEndedIterator<Item = &'a Overrides> + use<'a> {
        let layers = [Some(&self.workloads.defaults), workload.flux.as_deref(), workload.overrides_in(self.name)];
        layers.into_iter().flatten()
    }

    fn entry(&self, workload: &'a Workload) -> Entry<'a> {
        Entry { file: &self.workloads.file, workload, layers: self.layers(workload).collect(), settings: self.settings }
    }

    fn empty(&self) -> Option<Finding> {
        // A file without entries has been told by the parser.
        if self.workloads.items.is_empty() {
            return None;
        }
        let message = format!("no workload is in the environment {}", self.name);
        let mut finding = Finding::error("empty-inventory", Place::file(self.workloads.file.as_str()), message);
        finding.hint("an inventory without workloads would make Flux delete everything that it applied; it is never built");
        if !self.facts.named {
            finding.warning();
        }
        Some(finding)
    }

    fn size(&self, items: &[&Workload], findings: &mut Vec<Finding>) {
        let mut warn = |message: String, hint: &str| {
            let mut finding = Finding::error("inventory-size", Place::file(self.workloads.file.as_str()), message);
            // A faster cluster, a longer timeout and a larger etcd cannot be seen from here.
            finding.warning().hint(hint);
            findings.push(finding);
        };
        if items.len() >= SLOW_BUILD {
            let message = format!(
                "the parent takes minutes to build {} workloads in {}: 1,000 take 9 s of processor time, 2,000 already 55 s",
                items.len(),
                self.name
            );
            warn(message, "split the runtime, or give the parent a long spec.timeout; beyond it, nothing is applied");
        }
        let bytes = parent_bytes(items.iter().map(|item| item.id.as_str()), self.settings.namespace());
        if bytes < ETCD_BYTES / 100 * NEAR_PERCENT {
            return;
        }
        let message = format!(
            "{} workloads make the parent's object about {} KiB in {}; etcd takes {} KiB",
            items.len(),
            bytes >> 10,
            self.name,
            ETCD_BYTES >> 10
        );
        let hint = if bytes < ETCD_BYTES {
            "split the runtime before its parent can no longer be stored"
        } else {
            "split the runtime: Flux applies such an inventory, cannot store what it applied, and so never deletes what goes"
        };
        warn(message, hint);
    }
}

/// How large the parent's Kustomization becomes by an inventory of these ids: what etcd must take in one request.
pub fn parent_bytes<'i>(ids: impl IntoIterator<Item = &'i str>, namespace: &str) -> usize {
    let entries = ids.into_iter().map(|id| ENTRY_BYTES + 2 * (id.len() + namespace.len())).sum::<usize>();
    PARENT_BYTES + entries
}
