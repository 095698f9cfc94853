//! The plan: what comes, what goes, what changes; workloads of an inventory, or objects of a deploy artifact.

use crate::diff::{Difference, differences};
use crate::flux::kept::Kept;
use crate::flux::{KUSTOMIZATION, OCI_REPOSITORY};
use crate::inventory::{Entry, Inventory};
use serde_json::Value;
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
    /// The workload's id, or the object.
    pub name: String,
    /// What that does on the clusters.
    pub consequence: Consequence,
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
    /// Whether the tag holds anything now.
    pub exists: bool,
}

impl Plan {
    /// The plan of publishing what is published already.
    pub fn unchanged(things: Things, count: usize) -> Self {
        Self { things, before: count, after: count, exists: true, ..Self::default() }
    }

    /// Marks removals whose Kustomization somebody has suspended on a cluster: Flux deletes nothing of them.
    pub fn suspended_on_a_cluster(&mut self, names: &HashSet<String>) {
        for removal in self.removed.iter_mut().filter(|removal| names.contains(&removal.name)) {
            removal.consequence = Consequence::Orphaned;
        }
    }

    /// Whether nothing comes, goes or changes.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

/// The plan of replacing `old` by `new`; without an old one everything is added.
pub fn plan(new: &Inventory, old: Option<&Inventory>) -> Plan {
    compare(Things::Workloads, &new.entries, old.map(|old| old.entries.as_slice()))
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
}

/// The one comparison, of whatever is published.
pub(super) fn compare<T: Item>(things: Things, new: &[T], old: Option<&[T]>) -> Plan {
    let mut plan = Plan { things, after: new.len(), exists: old.is_some(), ..Plan::default() };
    let old = old.unwrap_or_default();
    plan.before = old.len();
    let before: HashMap<T::Key<'_>, &T> = old.iter().map(|item| (item.key(), item)).collect();
    let after: HashSet<T::Key<'_>> = new.iter().map(Item::key).collect();
    for item in new {
        match before.get(&item.key()) {
            None => plan.added.push(item.name()),
            Some(previous) => {
                let fields = item.fields(previous);
                if !fields.is_empty() {
                    plan.changed.push(Change { name: item.name(), fields });
                }
            }
        }
    }
    for item in old.iter().filter(|item| !after.contains(&item.key())) {
        plan.removed.push(Removal { name: item.name(), consequence: item.consequence() });
    }
    plan
}

impl Item for Entry {
    type Key<'a> = &'a str;

    fn key(&self) -> &str {
        &self.name
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn fields(&self, old: &Self) -> Vec<(&'static str, Difference)> {
        let pairs = [(OCI_REPOSITORY, &self.source, &old.source), (KUSTOMIZATION, &self.kustomization, &old.kustomization)];
        let mut fields = Vec::new();
        for (kind, new, old) in pairs {
            match (new, old) {
                (Some(new), Some(old)) => flux_object(kind, &new.value(), &old.value(), &mut fields),
                (None, None) => {}
                (new, old) => fields.push((
                    kind,
                    Difference {
                        path: "the object".to_owned(),
                        parts: Vec::new(),
                        published: new.as_ref().map(Kept::value),
                        live: old.as_ref().map(Kept::value),
                    },
                )),
            }
        }
        fields
    }

    fn consequence(&self) -> Consequence {
        consequence(self)
    }
}

fn flux_object(kind: &'static str, new: &Value, old: &Value, fields: &mut Vec<(&'static str, Difference)>) {
    let meta = |field: &str, key: &str| {
        old.pointer(&format!("/metadata/{field}")).and_then(|map| map.get(key)).and_then(Value::as_str).map(str::to_owned)
    };
    let spec = old.get("spec").unwrap_or(&Value::Null);
    fields.extend(differences(kind, new, spec, &meta).into_iter().map(|difference| (kind, difference)));
    for part in ["apiVersion", "metadata/namespace"] {
        let (a, b) = (new.pointer(&format!("/{part}")), old.pointer(&format!("/{part}")));
        if a != b {
            let parts: Vec<String> = part.split('/').map(str::to_owned).collect();
            fields.push((kind, Difference { path: parts.join("."), parts, published: a.cloned(), live: b.cloned() }));
        }
    }
}

/// Source of the rule: kustomize-controller's finalizer deletes nothing while `spec.suspend` is set, and `deletionPolicy`
/// `MirrorPrune`, the default, follows `prune` (`finalizerShouldDeleteResources`). Whether somebody suspended the object on
/// a cluster cannot be seen here.
fn consequence(entry: &Entry) -> Consequence {
    let spec = entry.kustomization.as_ref().and_then(|object| object.field("spec"));
    let field = |name: &str| spec.as_ref().and_then(|spec| spec.get(name));
    let prune = field("prune").and_then(Value::as_bool).unwrap_or(false);
    let suspended = field("suspend").and_then(Value::as_bool).unwrap_or(false);
    let deletes = match field("deletionPolicy").and_then(Value::as_str) {
        Some("Orphan") => false,
        Some("Delete" | "WaitForTermination") => true,
        _ => prune,
    };
    if deletes && !suspended { Consequence::Pruned } else { Consequence::Orphaned }
}

#[cfg(test)]
mod tests {
    use super::{Consequence, plan};
    use crate::inventory::Inventory;
    use crate::inventory::read::from_objects;
    use serde_json::json;

    fn inventory(list: &[(&str, serde_json::Value)]) -> Inventory {
        from_objects(list.iter().map(|(name, spec)| {
            json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": {"name": name}, "spec": spec})
        }))
    }

    #[test]
    fn added_removed_changed() {
        let old = inventory(&[("a", json!({"prune": true})), ("b", json!({"prune": true})), ("c", json!({"prune": false}))]);
        let new = inventory(&[("b", json!({"prune": true, "wait": true})), ("d", json!({}))]);
        let plan = plan(&new, Some(&old));
        assert_eq!(plan.added, ["d"]);
        assert_eq!(
            plan.changed.iter().map(|c| (c.name.as_str(), c.fields[0].1.path.as_str())).collect::<Vec<_>>(),
            [("b", "spec.wait")]
        );
        assert_eq!(
            plan.removed.iter().map(|r| (r.name.as_str(), r.consequence)).collect::<Vec<_>>(),
            [("a", Consequence::Pruned), ("c", Consequence::Orphaned)]
        );
        assert_eq!((plan.before, plan.after), (3, 2));
    }

    #[test]
    fn equal_inventories_have_an_empty_plan() {
        let same = inventory(&[("a", json!({"prune": true, "force": false}))]);
        let defaults = inventory(&[("a", json!({"prune": true}))]);
        assert!(plan(&same, Some(&defaults)).is_empty());
        assert_eq!(plan(&same, None).added, ["a"]);
    }

    #[test]
    fn suspended_workloads_are_orphaned() {
        let old = inventory(&[
            ("a", json!({"prune": true, "suspend": true})),
            ("b", json!({"prune": true, "deletionPolicy": "Orphan"})),
            ("c", json!({"prune": false, "deletionPolicy": "Delete"})),
        ]);
        let consequences: Vec<Consequence> = plan(&inventory(&[]), Some(&old)).removed.iter().map(|r| r.consequence).collect();
        assert_eq!(consequences, [Consequence::Orphaned, Consequence::Orphaned, Consequence::Pruned]);
    }
}
