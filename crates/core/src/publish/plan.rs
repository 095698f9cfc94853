//! The plan: what comes, what goes, what changes; workloads of an inventory, or objects of a deploy artifact.

use crate::diff::Difference;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// What a plan is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Things {
    /// The workloads of an inventory.
    #[default]
    Workloads,
    /// The objects of a workload's deploy artifact.
    Objects,
}

impl Things {
    /// So many of them, in words.
    pub fn count(self, n: usize) -> String {
        let noun = match self {
            Self::Workloads => "workload",
            Self::Objects => "object",
        };
        format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
    }

    /// What holds them, in words.
    pub fn whole(self) -> &'static str {
        match self {
            Self::Workloads => "inventory",
            Self::Objects => "deploy artifact",
        }
    }
}

/// What happens to a workload's objects, or to one object, when it is not published any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// Flux deletes it: of a workload, everything that it applied.
    Pruned,
    /// It stays, and nobody looks after it. A workload's Kustomization is deleted and its objects stay when it is
    /// suspended, or has `prune: false`, or a deletion policy that keeps them.
    Orphaned,
}

impl Consequence {
    /// Every consequence.
    pub const ALL: [Self; 2] = [Self::Pruned, Self::Orphaned];

    /// The word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pruned => "pruned",
            Self::Orphaned => "orphaned",
        }
    }
}

/// Something that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The workload's id, or the object; with its namespace, when that is not the same for all.
    pub name: String,
    /// What that does on the clusters.
    pub consequence: Consequence,
    /// Of a workload: its namespace and its id.
    pub workload: Option<(String, String)>,
}

/// Something that changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The workload's id, or the object.
    pub name: String,
    /// The fields, each with the kind of its object (empty where the object is named already); `published` is the new
    /// value, `live` the old one.
    pub fields: Vec<(&'static str, Difference)>,
}

/// What a push would do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// What it is about.
    pub things: Things,
    /// What comes.
    pub added: Vec<String>,
    /// What goes.
    pub removed: Vec<Removal>,
    /// What changes.
    pub changed: Vec<Change>,
    /// How many the tag holds now.
    pub before: usize,
    /// How many it will hold.
    pub after: usize,
    /// How many of an inventory's things are no workloads, before and after; they are counted in the others.
    pub others: (usize, usize),
    /// Whether the tag holds anything now.
    pub exists: bool,
    /// Both have the same objects, word for word, whatever their order.
    pub identical: bool,
    /// What the tag holds has no folder of the environment, so that this is no plan of what clusters have.
    pub is_misplaced: bool,
}

impl Plan {
    /// The plan of publishing what is published already.
    pub fn unchanged(things: Things, count: usize) -> Self {
        Self { things, before: count, after: count, exists: true, identical: true, ..Self::default() }
    }

    /// How many the tag holds now, in words.
    pub fn count_before(&self) -> String {
        self.count(self.before, self.others.0)
    }

    /// How many it will hold, in words.
    pub fn count_after(&self) -> String {
        self.count(self.after, self.others.1)
    }

    fn count(&self, all: usize, others: usize) -> String {
        if others == 0 {
            return self.things.count(all);
        }
        format!("{} and {}", self.things.count(all.saturating_sub(others)), Things::Objects.count(others))
    }

    /// Marks removals whose Kustomization somebody has suspended in a namespace of a cluster: Flux deletes nothing of them.
    pub fn suspended_on_a_cluster(&mut self, namespace: &str, names: &HashSet<String>) {
        let is_suspended = |(at, name): &(String, String)| at == namespace && names.contains(name);
        for removal in self.removed.iter_mut().filter(|removal| removal.workload.as_ref().is_some_and(is_suspended)) {
            removal.consequence = Consequence::Orphaned;
        }
    }

    /// Whether nothing comes, goes or changes.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

/// Something that is published by its name: it can come, go or change.
pub(super) trait Item {
    /// What makes two of them the same.
    type Key<'a>: Eq + Hash
    where
        Self: 'a;
    fn key(&self) -> Self::Key<'_>;
    /// As it is shown.
    fn name(&self) -> String;
    /// How this one differs from what is published under the same name.
    fn fields(&self, old: &Self) -> Vec<(&'static str, Difference)>;
    /// What happens when it goes.
    fn consequence(&self) -> Consequence;
    /// Of a workload: its namespace and its id.
    fn workload(&self) -> Option<(String, String)> {
        None
    }
    /// Whether both are the same word for word.
    fn is_same(&self, old: &Self) -> bool;
}

/// The one comparison, of whatever is published.
pub(super) fn compare<T: Item>(things: Things, new: &[T], old: Option<&[T]>) -> Plan {
    let mut plan = Plan { things, after: new.len(), exists: old.is_some(), ..Plan::default() };
    let old = old.unwrap_or_default();
    plan.before = old.len();
    let before: HashMap<T::Key<'_>, &T> = old.iter().map(|item| (item.key(), item)).collect();
    let after: HashSet<T::Key<'_>> = new.iter().map(Item::key).collect();
    plan.identical = plan.exists && plan.before == plan.after;
    for item in new {
        match before.get(&item.key()) {
            None => plan.added.push(item.name()),
            Some(previous) => {
                plan.identical &= item.is_same(previous);
                let fields = item.fields(previous);
                if !fields.is_empty() {
                    plan.changed.push(Change { name: item.name(), fields });
                }
            }
        }
    }
    for item in old.iter().filter(|item| !after.contains(&item.key())) {
        plan.removed.push(Removal { name: item.name(), consequence: item.consequence(), workload: item.workload() });
    }
    plan.identical &= plan.added.is_empty() && plan.removed.is_empty();
    plan
}
