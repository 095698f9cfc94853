//! Which rows there are, and each row's way through chain and verdict.

use super::chain::{self, Chain, Context, Row};
use super::expected::{Expected, Published};
use super::item::{Item, ItemKind, Step};
use super::parent::ParentState;
use super::verdict;
use super::words::{Link, Verdict};
use crate::flux::object::{Kustomization, Source, Wanted, wanted};
use crate::inventory::{Entry, Inventory};
use crate::observed::objects::Looked;
use crate::observed::{Gap, Objects, Observed, Registry};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Judges one runtime and environment on one cluster: the parent's row, then the workloads'.
///
/// Rows are all that is declared, published or applied by this parent, and the names in `named` that are nowhere.
pub fn assess(expected: &Expected, observed: &Observed, registry: &Registry, named: &[String]) -> Vec<Item> {
    assess_with(expected, observed, registry, named, &Looked::default())
}

/// [`assess`], with a look at the applied objects themselves.
pub fn assess_with(
    expected: &Expected,
    observed: &Observed,
    registry: &Registry,
    named: &[String],
    looked: &Looked,
) -> Vec<Item> {
    let objects = match &observed.objects {
        Ok(objects) => objects,
        Err(gap) => return unreachable(expected, observed, registry, gap, named),
    };
    let index = Index::new(objects, expected);
    let parent_name = expected.parent();
    let parent_row = Row {
        kind: ItemKind::Parent,
        name: &parent_name,
        entry: None,
        source: index.sources.get(parent_name.as_str()).copied(),
        kustomization: index.kustomizations.get(parent_name.as_str()).copied(),
    };
    let context = Context { expected, registry, objects, index: &index, looked, cluster: &observed.cluster };
    let parent = Chain::of_parent(&context, &parent_row);
    let parent_item = verdict::item(&context, &parent_row, parent, None);
    let state = ParentState::of(&context, &parent_row, &parent_item);

    let names = names(expected, objects, named, &state);
    let mut items = Vec::with_capacity(names.len() + 1);
    items.push(parent_item);
    for name in names {
        let row = Row {
            kind: ItemKind::Workload,
            name,
            entry: index.entry(expected, name),
            source: index.sources.get(name).copied(),
            kustomization: index.kustomizations.get(name).copied(),
        };
        let chain = Chain::of_workload(&context, &row, &state);
        items.push(verdict::item(&context, &row, chain, Some(&state)));
    }
    verdict::name_dependencies(&mut items, &index);
    items
}

/// The references whose digests the judgement needs, `host/repository:tag`, each once.
pub fn references(expected: &Expected, observed: &Observed) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut add = |spec: &serde_json::Value| {
        if let Wanted::Tag(reference) = wanted(spec) {
            found.insert(reference);
        }
    };
    let known = if matches!(expected.published, Published::Unknown(_)) { expected.declared() } else { expected.published() };
    let known = by_name(known, &expected.namespace);
    for entry in known.values() {
        if let Some(spec) = entry.source.as_ref().and_then(|source| source.field("spec")) {
            add(&spec);
        }
    }
    let parent = expected.parent();
    let sources = observed.objects.as_ref().ok().and_then(|objects| objects.sources.as_ref().ok());
    for source in sources.into_iter().flatten() {
        let ours = source.owner() == Some((parent.as_str(), expected.namespace.as_str()));
        if source.metadata.name == parent || (ours && !known.contains_key(source.metadata.name.as_str())) {
            add(&source.spec.value());
        }
    }
    found
}

/// An inventory's entries by name; of several namespaces, the one that is looked at counts.
fn by_name<'i>(inventory: Option<&'i Inventory>, namespace: &str) -> HashMap<&'i str, &'i Entry> {
    let mut found: HashMap<&str, &Entry> = HashMap::new();
    for entry in inventory.into_iter().flat_map(|inventory| &inventory.entries) {
        let place = found.entry(entry.name.as_str()).or_insert(entry);
        if entry.namespace == namespace {
            *place = entry;
        }
    }
    found
}

/// Objects, and what is expected, by name.
pub(super) struct Index<'a> {
    pub(super) sources: HashMap<&'a str, &'a Source>,
    pub(super) kustomizations: HashMap<&'a str, &'a Kustomization>,
    pub(super) declared: HashMap<&'a str, &'a Entry>,
    pub(super) published: HashMap<&'a str, &'a Entry>,
}

impl<'a> Index<'a> {
    fn new(objects: &'a Objects, expected: &'a Expected) -> Self {
        let sources = objects.sources.iter().flatten().map(|object| (object.metadata.name.as_str(), object)).collect();
        let kustomizations =
            objects.kustomizations.iter().flatten().map(|object| (object.metadata.name.as_str(), object)).collect();
        Self {
            sources,
            kustomizations,
            declared: by_name(expected.declared(), &expected.namespace),
            published: by_name(expected.published(), &expected.namespace),
        }
    }

    /// What a workload's objects should be: what is published; when that cannot be read, what is declared.
    fn entry(&self, expected: &Expected, name: &str) -> Option<&'a Entry> {
        let known = if matches!(expected.published, Published::Unknown(_)) { &self.declared } else { &self.published };
        known.get(name).copied()
    }
}

/// The names of the rows: the file's order, then the inventory's, then what this parent applied, then what was named.
fn names<'a>(expected: &'a Expected, objects: &'a Objects, named: &'a [String], state: &ParentState) -> Vec<&'a str> {
    let mut seen: HashSet<&str> = HashSet::new();
    let mut names = Vec::new();
    let mut add = |name: &'a str| {
        if seen.insert(name) {
            names.push(name);
        }
    };
    for inventory in [expected.declared(), expected.published()].into_iter().flatten() {
        inventory.entries.iter().for_each(|entry| add(&entry.name));
    }
    let ours = |owner: Option<(&str, &str)>| {
        owner.is_some_and(|(name, namespace)| name == state.name && namespace == expected.namespace)
    };
    let mut applied: BTreeSet<&str> = BTreeSet::new();
    applied.extend(objects.sources.iter().flatten().filter(|o| ours(o.owner())).map(|o| o.metadata.name.as_str()));
    applied.extend(objects.kustomizations.iter().flatten().filter(|o| ours(o.owner())).map(|o| o.metadata.name.as_str()));
    applied.into_iter().for_each(&mut add);
    named.iter().filter(|name| **name != state.name).for_each(|name| add(name));
    names
}

/// The rows of a cluster that gave no answer: what is expected there, and that nothing is known of the cluster itself.
fn unreachable(expected: &Expected, observed: &Observed, registry: &Registry, gap: &Gap, named: &[String]) -> Vec<Item> {
    let parent = expected.parent();
    let nothing = Objects { sources: Err(gap.clone()), kustomizations: Err(gap.clone()) };
    let index = Index::new(&nothing, expected);
    let looked = Looked::default();
    let context = Context { expected, registry, objects: &nothing, index: &index, looked: &looked, cluster: &observed.cluster };
    let scope = (expected.runtime.as_str(), expected.environment.as_str());
    let mut items = vec![unreachable_row(ItemKind::Parent, &parent, scope, &observed.cluster, gap)];
    let known = [expected.declared(), expected.published()].into_iter().flatten().flat_map(|inventory| &inventory.entries);
    let mut seen = HashSet::from([parent.as_str()]);
    for name in known.map(|entry| entry.name.as_str()).chain(named.iter().map(String::as_str)) {
        if !seen.insert(name) {
            continue;
        }
        let mut item = unreachable_row(ItemKind::Workload, name, scope, &observed.cluster, gap);
        let row = Row { kind: ItemKind::Workload, name, entry: index.entry(expected, name), source: None, kustomization: None };
        // What stands in the file and in the registry is known all the same.
        let (deployed, view, _) = chain::deployed(&context, &row);
        for step in [chain::declared(&context, &row), chain::published(&context, &row), deployed] {
            if let Some(place) = item.links.iter_mut().find(|place| place.link == step.link) {
                *place = step;
            }
        }
        item.expected = view;
        items.push(item);
    }
    items
}

/// The rows of a cluster that gave no answer, when not even its runtime and environment are known: what was named, else one
/// row, `*`, that stands for all.
pub fn unscoped(cluster: &str, gap: &Gap, named: &[String]) -> Vec<Item> {
    if named.is_empty() {
        return vec![unreachable_row(ItemKind::Parent, "*", ("", ""), cluster, gap)];
    }
    named.iter().map(|name| unreachable_row(ItemKind::Workload, name, ("", ""), cluster, gap)).collect()
}

fn unreachable_row(kind: ItemKind, name: &str, scope: (&str, &str), cluster: &str, gap: &Gap) -> Item {
    Item {
        kind,
        cluster: cluster.to_owned(),
        runtime: scope.0.to_owned(),
        environment: scope.1.to_owned(),
        workload: name.to_owned(),
        verdict: Verdict::Unreachable,
        reason: gap.reason.clone(),
        message: gap.message.clone(),
        broken: None,
        links: Link::ALL.map(|link| Step::unknown(link, "the cluster gave no answer")).to_vec(),
        objects: None,
        objects_left_out: 0,
        expected: super::item::ExpectedView::default(),
        source: None,
        kustomization: None,
    }
}
