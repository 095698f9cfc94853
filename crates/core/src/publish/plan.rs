//! The plan: workloads added, removed and changed.

use crate::diff::{Difference, differences};
use crate::flux::{KUSTOMIZATION, OCI_REPOSITORY};
use crate::inventory::{Entry, Inventory};
use serde_json::Value;

/// What happens to a workload's objects when it leaves the inventory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// Flux deletes everything that the workload applied.
    Pruned,
    /// Its Kustomization is deleted and its objects stay: it is suspended, or has `prune: false`, or a deletion policy
    /// that keeps them.
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

/// A workload that leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Its id.
    pub workload: String,
    /// What that does to its objects.
    pub consequence: Consequence,
}

/// A workload whose objects change.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Its id.
    pub workload: String,
    /// The fields, each with the kind of its object; `published` is the new value, `live` the old one.
    pub fields: Vec<(&'static str, Difference)>,
}

/// What a push would do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// Workloads that come.
    pub added: Vec<String>,
    /// Workloads that go.
    pub removed: Vec<Removal>,
    /// Workloads that change.
    pub changed: Vec<Change>,
    /// How many workloads the tag holds now.
    pub before: usize,
    /// How many it will hold.
    pub after: usize,
    /// Whether the tag holds anything now.
    pub exists: bool,
}

impl Plan {
    /// Whether no workload comes, goes or changes.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

/// The plan of replacing `old` by `new`; without an old one everything is added.
pub fn plan(new: &Inventory, old: Option<&Inventory>) -> Plan {
    let mut plan = Plan { after: new.entries.len(), exists: old.is_some(), ..Plan::default() };
    let Some(old) = old else {
        plan.added = new.entries.iter().map(|entry| entry.name.clone()).collect();
        return plan;
    };
    plan.before = old.entries.len();
    let before = index(old);
    let after = index(new);
    for entry in &new.entries {
        match before.get(entry.name.as_str()) {
            None => plan.added.push(entry.name.clone()),
            Some(previous) => {
                let fields = compare(entry, previous);
                if !fields.is_empty() {
                    plan.changed.push(Change { workload: entry.name.clone(), fields });
                }
            }
        }
    }
    for entry in old.entries.iter().filter(|entry| !after.contains_key(entry.name.as_str())) {
        plan.removed.push(Removal { workload: entry.name.clone(), consequence: consequence(entry) });
    }
    plan
}

fn index(inventory: &Inventory) -> std::collections::HashMap<&str, &Entry> {
    inventory.entries.iter().map(|entry| (entry.name.as_str(), entry)).collect()
}

fn compare(new: &Entry, old: &Entry) -> Vec<(&'static str, Difference)> {
    let mut fields = Vec::new();
    let pairs = [(OCI_REPOSITORY, &new.source, &old.source), (KUSTOMIZATION, &new.kustomization, &old.kustomization)];
    for (kind, new, old) in pairs {
        match (new, old) {
            (Some(new), Some(old)) => {
                let meta = |field: &str, key: &str| {
                    old.pointer(&format!("/metadata/{field}"))
                        .and_then(|map| map.get(key))
                        .and_then(Value::as_str)
                        .map(str::to_owned)
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
            (None, None) => {}
            (new, old) => fields.push((
                kind,
                Difference { path: "the object".to_owned(), parts: Vec::new(), published: new.clone(), live: old.clone() },
            )),
        }
    }
    fields
}

/// Source of the rule: kustomize-controller's finalizer deletes nothing while `spec.suspend` is set, and `deletionPolicy`
/// `MirrorPrune`, the default, follows `prune` (`finalizerShouldDeleteResources`). Whether somebody suspended the object on
/// a cluster cannot be seen here.
fn consequence(entry: &Entry) -> Consequence {
    let spec = entry.kustomization.as_ref().and_then(|object| object.get("spec"));
    let field = |name: &str| spec.and_then(|spec| spec.get(name));
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
            plan.changed.iter().map(|c| (c.workload.as_str(), c.fields[0].1.path.as_str())).collect::<Vec<_>>(),
            [("b", "spec.wait")]
        );
        assert_eq!(
            plan.removed.iter().map(|r| (r.workload.as_str(), r.consequence)).collect::<Vec<_>>(),
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
