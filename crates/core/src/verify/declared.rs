//! A workloads.yml with the objects that it becomes.

use super::subject::{Entry, From, Subject, setting_finding};
use super::{Facts, depends, entries, object, ordered, substitution};
use crate::finding::Finding;
use crate::flux::crds::Release;
use crate::flux::{OCI_REPOSITORY, names};
use crate::objects::{self, Pair};
use crate::problem::Place;
use crate::settings::Settings;
use crate::workloads::{Overrides, Workload, Workloads};
use std::collections::HashSet;

/// Objects per workload.
const OBJECTS: usize = 2;
/// Bytes of an entry of the parent's `status.inventory`, measured on live objects: the name stands in it once.
const ENTRY_BYTES: usize = 103;
/// Largest request that etcd takes by default (`--max-request-bytes`); the whole parent object is one.
const ETCD_BYTES: usize = 1_572_864;
/// The share of it, in percent, from which on a warning is due: about 5,700 workloads.
const NEAR_PERCENT: usize = 75;

/// The release that is checked against: as asked, else the newest that serves what is written.
pub fn release(settings: &Settings, facts: &Facts) -> Release {
    let newest = || Release::newest_serving(OCI_REPOSITORY, settings.source_api_version());
    facts.release.or_else(newest).unwrap_or(Release::newest())
}

/// Everything that is wrong with the workloads and their objects; the parser's findings are not repeated.
pub fn check(workloads: &Workloads, settings: &Settings, facts: &Facts) -> Vec<Finding> {
    let release = release(settings, facts);
    let mut findings = Vec::new();
    entries::check(workloads, settings, facts, &mut findings);
    version(workloads, settings, release, &mut findings);
    for environment in &facts.environments {
        Environment { workloads, settings, facts, release, name: environment }.check(&mut findings);
    }
    ordered(findings)
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
    fn check(&self, findings: &mut Vec<Finding>) {
        let items: Vec<&Workload> = self.workloads.items.iter().filter(|item| item.is_in(self.name)).collect();
        if items.is_empty() {
            findings.extend(self.empty());
        }
        self.size(items.len(), findings);
        let chosen = self.chosen(&items);
        let pairs: Vec<(Entry<'a>, Pair)> = chosen.into_iter().map(|workload| self.pair(workload)).collect();
        let subjects: Vec<(Subject<'_>, Subject<'_>)> = pairs.iter().map(|(entry, pair)| subjects(entry, pair)).collect();
        for (source, kustomization) in &subjects {
            for subject in [source, kustomization] {
                object::check(subject, self.release, findings);
                substitution::check(subject, self.release, findings);
            }
        }
        // All URLs are made by one pattern: one that is wrong is said once.
        let accepted = pairs.iter().position(|(entry, _)| !entry.workload.refused);
        if let Some((source, _)) = accepted.and_then(|at| subjects.get(at)) {
            object::url(source, findings);
        }
        let graph = depends::Graph::new(subjects.iter().map(|(_, kustomization)| kustomization));
        // The parent is there on every cluster that has the inventory.
        let parent = names::parent(&self.facts.runtime);
        let names: HashSet<&str> = items.iter().map(|item| item.id.as_str()).chain([parent.as_str()]).collect();
        let elsewhere = self.workloads.items.iter().map(|item| item.id.as_str()).collect();
        graph.missing(&names, &elsewhere, self.name, findings);
        graph.circles(findings);
    }

    /// The workloads whose objects are looked at: those with fields of their own, and one that stands for all others, since
    /// theirs differ by the name alone. It is the one with the longest name: a repository's name has a limit.
    fn chosen(&self, items: &[&'a Workload]) -> Vec<&'a Workload> {
        let is_bare = |item: &Workload| item.flux.is_empty() && item.overrides_in(self.name).is_none_or(Overrides::is_empty);
        let longest = items.iter().filter(|item| !item.refused && is_bare(item)).max_by_key(|item| item.id.len());
        let own = items.iter().filter(|item| !is_bare(item));
        longest.into_iter().chain(own).copied().collect()
    }

    fn pair(&self, workload: &'a Workload) -> (Entry<'a>, Pair) {
        let layers = [Some(&self.workloads.defaults), Some(&workload.flux), workload.overrides_in(self.name)];
        let entry = Entry {
            file: &self.workloads.file,
            workload,
            layers: layers.into_iter().flatten().collect(),
            settings: self.settings,
        };
        (entry, objects::pair(workload, &self.workloads.defaults, self.settings, self.name))
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

    fn size(&self, count: usize, findings: &mut Vec<Finding>) {
        let bytes = count.saturating_mul(OBJECTS * ENTRY_BYTES);
        if bytes < ETCD_BYTES / 100 * NEAR_PERCENT {
            return;
        }
        let message = format!(
            "{count} workloads make the parent's status about {} KiB in {}; etcd takes {} KiB",
            bytes >> 10,
            self.name,
            ETCD_BYTES >> 10
        );
        let mut finding = Finding::error("inventory-size", Place::file(self.workloads.file.as_str()), message);
        finding.warning().hint("split the runtime before its parent can no longer be stored");
        findings.push(finding);
    }
}

fn subjects<'a>(entry: &Entry<'a>, pair: &'a Pair) -> (Subject<'a>, Subject<'a>) {
    let subject = |object| Subject { object, workload: entry.workload.id.as_str(), origin: From::Entry(entry.clone()) };
    (subject(&pair.source), subject(&pair.kustomization))
}
