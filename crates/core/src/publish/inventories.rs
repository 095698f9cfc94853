//! The plan of an inventory: workload by workload, and what is none object by object.

use super::objects::{hide, stays};
use super::plan::{Consequence, Item, Plan, Things, compare};
use crate::diff::{Difference, differences, written};
use crate::flux::kept::Kept;
use crate::flux::{KUSTOMIZATION, OCI_REPOSITORY};
use crate::inventory::{Entry, Inventory, Other};
use serde_json::Value;
use std::collections::BTreeSet;

/// The plan of replacing `old` by `new`; without an old one everything is added.
pub fn plan(new: &Inventory, old: Option<&Inventory>) -> Plan {
    compare_in(new, old, None)
}

/// The plan of replacing a tree that has no folder of the environment. What lies at its top, or too deep, is replaced as ever;
/// what lies in other folders goes: it was meant for another environment, or for nobody knows what.
pub fn plan_of_misplaced(new: &Inventory, (near, far): (&Inventory, &Inventory)) -> Plan {
    let mut plan = compare_in(new, Some(near), None);
    let nothing = Inventory::default();
    let gone = compare_in(&nothing, Some(far), None);
    plan.before += gone.before;
    plan.others.0 += gone.others.0;
    plan.removed.extend(gone.removed);
    (plan.identical, plan.is_misplaced) = (false, true);
    plan
}

/// The same; `namespace` is that of workloads which are in both and in neither of these.
pub(super) fn compare_in(new: &Inventory, old: Option<&Inventory>, namespace: Option<&str>) -> Plan {
    let both = || [Some(new), old].into_iter().flatten();
    let entries = both().flat_map(|inventory| &inventory.entries).map(|entry| entry.namespace.as_str());
    let named: BTreeSet<&str> = entries.chain(namespace).collect();
    let others: BTreeSet<&str> = both().flat_map(|inventory| &inventory.others).map(|other| other.namespace.as_str()).collect();
    let live = (new.is_live, old.is_some_and(|old| old.is_live));
    let how = How { entries: named.len() > 1, others: others.len() > 1, live };
    let (after, before) = (pieces(new, how), old.map(|old| pieces(old, how)));
    let count = |pieces: &[Piece<'_>]| pieces.iter().filter(|piece| matches!(piece.what, What::Other(_))).count();
    let mut plan = compare(Things::Workloads, &after, before.as_deref());
    plan.others = (before.as_deref().map_or(0, count), count(&after));
    plan
}

fn pieces(inventory: &Inventory, how: How) -> Vec<Piece<'_>> {
    let entries = inventory.entries.iter().map(|entry| Piece { what: What::Workload(entry), how });
    // Of a cluster only Flux's two kinds were read.
    let others = inventory.others.iter().filter(|_| how.live == (false, false));
    entries.chain(others.map(|other| Piece { what: What::Other(other), how })).collect()
}

/// How two inventories are compared.
#[derive(Clone, Copy)]
struct How {
    /// Workloads of one name may be two: their namespaces are shown.
    entries: bool,
    /// The same of other objects.
    others: bool,
    /// Which of the two, the new and the old, is what a cluster has.
    live: (bool, bool),
}

#[derive(Clone, Copy)]
enum What<'a> {
    Workload(&'a Entry),
    Other(&'a Other),
}

/// A part of an inventory.
struct Piece<'a> {
    what: What<'a>,
    how: How,
}

impl<'i> Item for Piece<'i> {
    /// Group and kind, empty for a workload; namespace and name.
    type Key<'a>
        = [&'i str; 4]
    where
        Self: 'a;

    fn key(&self) -> [&'i str; 4] {
        match self.what {
            What::Workload(entry) => ["", "", &entry.namespace, &entry.name],
            What::Other(other) => [&other.group, &other.kind, &other.namespace, &other.name],
        }
    }

    fn name(&self) -> String {
        let within = |namespace: &str| if namespace.is_empty() { String::new() } else { format!("{namespace}/") };
        match self.what {
            What::Workload(entry) if self.how.entries => format!("{}{}", within(&entry.namespace), entry.name),
            What::Workload(entry) => entry.name.clone(),
            What::Other(other) if self.how.others => format!("{}/{}{}", other.kind, within(&other.namespace), other.name),
            What::Other(other) => format!("{}/{}", other.kind, other.name),
        }
    }

    fn fields(&self, old: &Self) -> Vec<(&'static str, Difference)> {
        match (self.what, old.what) {
            (What::Workload(new), What::Workload(old)) => workload(new, old, self.how),
            (What::Other(new), What::Other(old)) if new.object != old.object => {
                let mut found = written("", &new.object.value(), &old.object.value());
                if new.group.is_empty() && new.kind == "Secret" {
                    found.iter_mut().for_each(hide);
                }
                found.into_iter().map(|field| ("", field)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn consequence(&self) -> Consequence {
        match self.what {
            What::Workload(entry) => consequence(entry),
            What::Other(other) if stays(&other.object.value()) => Consequence::Orphaned,
            What::Other(_) => Consequence::Pruned,
        }
    }

    fn workload(&self) -> Option<(String, String)> {
        match self.what {
            What::Workload(entry) => Some((entry.namespace.clone(), entry.name.clone())),
            What::Other(_) => None,
        }
    }

    fn is_same(&self, old: &Self) -> bool {
        match (self.what, old.what) {
            (What::Workload(new), What::Workload(old)) => new == old,
            (What::Other(new), What::Other(old)) => new == old,
            _ => false,
        }
    }
}

fn workload(new: &Entry, old: &Entry, how: How) -> Vec<(&'static str, Difference)> {
    let pairs = [(OCI_REPOSITORY, &new.source, &old.source), (KUSTOMIZATION, &new.kustomization, &old.kustomization)];
    let mut fields = Vec::new();
    for (kind, new, old) in pairs {
        match (new, old) {
            (Some(new), Some(old)) if new != old => {
                let found = flux_object(kind, &new.value(), &old.value(), how.live);
                fields.extend(found.into_iter().map(|difference| (kind, difference)));
            }
            (Some(_), Some(_)) | (None, None) => {}
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

/// What a cluster has is compared as `status` compares it: its server has filled in metadata and converts versions, and a suspended
/// object there is somebody's decision.
fn flux_object(kind: &str, new: &Value, old: &Value, live: (bool, bool)) -> Vec<Difference> {
    let against = |written: &Value, live: &Value| {
        let text = |field: &str, key: &str| live.pointer(&format!("/metadata/{field}"))?.get(key)?.as_str().map(str::to_owned);
        differences(kind, written, live.get("spec").unwrap_or(&Value::Null), &text)
    };
    match live {
        (false, false) => written(kind, new, old),
        (false, true) => against(new, old),
        (true, true) => {
            against(new, old).into_iter().filter(|field| field.parts.first().is_some_and(|part| part == "spec")).collect()
        }
        (true, false) => {
            let turned = |field: Difference| Difference { published: field.live, live: field.published, ..field };
            against(old, new).into_iter().map(turned).collect()
        }
    }
}

/// Source of the rule: kustomize-controller's finalizer deletes nothing while `spec.suspend` is set, and `deletionPolicy`
/// `MirrorPrune`, the default, follows `prune` (`finalizerShouldDeleteResources`). A Kustomization that the parent leaves is not even
/// deleted. Whether somebody suspended the object on a cluster cannot be seen here.
fn consequence(entry: &Entry) -> Consequence {
    let Some(object) = entry.kustomization.as_ref().map(Kept::value) else {
        let stays = entry.source.as_ref().is_some_and(|source| stays(&source.value()));
        return if stays { Consequence::Orphaned } else { Consequence::Pruned };
    };
    let field = |name: &str| object.get("spec").and_then(|spec| spec.get(name));
    let prune = field("prune").and_then(Value::as_bool).unwrap_or(false);
    let suspended = field("suspend").and_then(Value::as_bool).unwrap_or(false);
    let deletes = match field("deletionPolicy").and_then(Value::as_str) {
        Some("Orphan") => false,
        Some("Delete" | "WaitForTermination") => true,
        _ => prune,
    };
    if deletes && !suspended && !stays(&object) { Consequence::Pruned } else { Consequence::Orphaned }
}

#[cfg(test)]
mod tests {
    use super::super::plan::{Consequence, Plan};
    use super::{plan, plan_of_misplaced};
    use crate::inventory::Inventory;
    use crate::inventory::read::from_objects;
    use serde_json::{Value, json};

    fn kustomization(name: &str, namespace: &str, spec: &Value) -> Value {
        let metadata = if namespace.is_empty() { json!({"name": name}) } else { json!({"name": name, "namespace": namespace}) };
        json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": metadata, "spec": spec})
    }

    fn inventory(list: &[(&str, Value)]) -> Inventory {
        from_objects(list.iter().map(|(name, spec)| kustomization(name, "", spec)))
    }

    fn removed(plan: &Plan) -> Vec<(&str, Consequence)> {
        plan.removed.iter().map(|removal| (removal.name.as_str(), removal.consequence)).collect()
    }

    fn changed(plan: &Plan) -> Vec<String> {
        plan.changed.iter().flat_map(|c| c.fields.iter().map(move |(_, field)| format!("{} {}", c.name, field.path))).collect()
    }

    #[test]
    fn added_removed_changed() {
        let old = inventory(&[("a", json!({"prune": true})), ("b", json!({"prune": true})), ("c", json!({"prune": false}))]);
        let new = inventory(&[("b", json!({"prune": true, "wait": true})), ("d", json!({}))]);
        let plan = plan(&new, Some(&old));
        assert_eq!(plan.added, ["d"]);
        assert_eq!(changed(&plan), ["b spec.wait"]);
        assert_eq!(removed(&plan), [("a", Consequence::Pruned), ("c", Consequence::Orphaned)]);
        assert_eq!((plan.before, plan.after), (3, 2));
    }

    #[test]
    fn equal_inventories_have_an_empty_plan() {
        let same = inventory(&[("a", json!({"prune": true, "force": false}))]);
        let defaults = inventory(&[("a", json!({"prune": true}))]);
        let found = plan(&same, Some(&defaults));
        assert!(found.is_empty() && !found.identical);
        assert!(plan(&same, Some(&same)).identical);
        assert_eq!(plan(&same, None).added, ["a"]);
    }

    #[test]
    fn who_is_left_when_it_goes() {
        let mut left = Vec::new();
        for (spec, label, expected) in [
            (json!({"prune": true}), "x", Consequence::Pruned),
            (json!({"prune": true, "suspend": true}), "x", Consequence::Orphaned),
            (json!({"prune": true, "deletionPolicy": "Orphan"}), "x", Consequence::Orphaned),
            (json!({"prune": true, "deletionPolicy": "MirrorPrune"}), "x", Consequence::Pruned),
            (json!({"prune": false, "deletionPolicy": "MirrorPrune"}), "x", Consequence::Orphaned),
            (json!({"prune": false, "deletionPolicy": "Delete"}), "x", Consequence::Pruned),
            (json!({"prune": false, "deletionPolicy": "WaitForTermination"}), "x", Consequence::Pruned),
            (json!({"prune": true}), "kustomize.toolkit.fluxcd.io/prune", Consequence::Orphaned),
            (json!({"prune": true}), "kustomize.toolkit.fluxcd.io/reconcile", Consequence::Orphaned),
        ] {
            for map in ["labels", "annotations"] {
                let mut object = kustomization("a", "n", &spec);
                object["metadata"][map] = json!({ label: "disabled" });
                let found = plan(&inventory(&[]), Some(&from_objects([object.clone()])));
                if found.removed[0].consequence != expected {
                    left.push(object);
                }
            }
        }
        assert!(left.is_empty(), "{left:?}");
        let mut object = kustomization("a", "n", &json!({"prune": true}));
        object["metadata"]["annotations"] = json!({"kustomize.toolkit.fluxcd.io/ssa": "Ignore"});
        assert_eq!(removed(&plan(&inventory(&[]), Some(&from_objects([object])))), [("a", Consequence::Orphaned)]);
    }

    #[test]
    fn a_moved_namespace_is_a_removal() {
        let spec = json!({"prune": true});
        let old = from_objects(["a", "b", "c"].map(|name| kustomization(name, "runway-provisioner", &spec)));
        let new = from_objects(["a", "b", "c"].map(|name| kustomization(name, "elsewhere", &spec)));
        let plan = plan(&new, Some(&old));
        assert_eq!(plan.added, ["elsewhere/a", "elsewhere/b", "elsewhere/c"]);
        assert_eq!(removed(&plan)[0].0, "runway-provisioner/a");
        assert_eq!((plan.removed.len(), plan.changed.len()), (3, 0));
        let mut suspended = plan.clone();
        let names = ["a".to_owned()].into();
        suspended.suspended_on_a_cluster("elsewhere", &names);
        assert_eq!(suspended, plan, "it is another one that is suspended");
        suspended.suspended_on_a_cluster("runway-provisioner", &names);
        assert_eq!(removed(&suspended)[0].1, Consequence::Orphaned);
    }

    fn with_others(others: &[Value]) -> Inventory {
        from_objects(others.iter().cloned().chain([kustomization("a", "n", &json!({"prune": true}))]))
    }

    #[test]
    fn what_is_no_workload_counts_too() {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "precious"}});
        let release = |version: &str| json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": {"name": "ingress", "namespace": "n"}, "spec": {"v": version}});
        let kept = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "n", "labels": {"kustomize.toolkit.fluxcd.io/prune": "disabled"}}});
        let old = with_others(&[namespace.clone(), release("1"), kept]);
        let gone = plan(&with_others(&[]), Some(&old));
        assert_eq!(
            removed(&gone),
            [
                ("Namespace/precious", Consequence::Pruned),
                ("HelmRelease/n/ingress", Consequence::Pruned),
                ("ConfigMap/n/c", Consequence::Orphaned)
            ]
        );
        assert_eq!((gone.before, gone.after, gone.others), (4, 1, (3, 0)));
        assert_eq!((gone.count_before(), gone.count_after()), ("1 workload and 3 objects".to_owned(), "1 workload".to_owned()));
        let newer = plan(&with_others(&[release("2")]), Some(&with_others(&[release("1")])));
        assert_eq!(changed(&newer), ["HelmRelease/ingress spec.v"]);
        assert_eq!(plan(&with_others(&[namespace]), Some(&with_others(&[]))).added, ["Namespace/precious"]);
    }

    #[test]
    fn suspend_and_metadata_count_between_what_is_written() {
        let bare = inventory(&[("a", json!({"prune": true}))]);
        let suspended = inventory(&[("a", json!({"prune": true, "suspend": true}))]);
        let mut labelled = kustomization("a", "", &json!({"prune": true}));
        labelled["metadata"]["labels"] = json!({"team": "x"});
        let labelled = from_objects([labelled]);
        assert_eq!(changed(&plan(&bare, Some(&suspended))), ["a spec.suspend"]);
        assert_eq!(changed(&plan(&suspended, Some(&bare))), ["a spec.suspend"]);
        assert_eq!(changed(&plan(&bare, Some(&labelled))), ["a metadata.labels.team"]);
        assert_eq!(changed(&plan(&labelled, Some(&bare))), ["a metadata.labels.team"]);
        // On a cluster the server and people write too.
        let live = |inventory: &Inventory| Inventory { is_live: true, ..inventory.clone() };
        assert!(plan(&bare, Some(&live(&suspended))).is_empty() && plan(&live(&suspended), Some(&bare)).is_empty());
        assert!(plan(&bare, Some(&live(&labelled))).is_empty() && plan(&live(&labelled), Some(&bare)).is_empty());
        assert_eq!(changed(&plan(&labelled, Some(&live(&bare)))), ["a metadata.labels.team"]);
        let turned = plan(&live(&bare), Some(&labelled));
        assert_eq!(turned.changed[0].fields[0].1.live, Some(json!("x")));
    }

    #[test]
    fn what_lies_in_other_folders_goes() {
        let of = |names: &[&str]| from_objects(names.iter().map(|name| kustomization(name, "n", &json!({"prune": true}))));
        let plan = plan_of_misplaced(&of(&["a", "b"]), (&of(&["a", "c"]), &of(&["a", "d"])));
        assert_eq!(plan.added, ["b"]);
        assert_eq!(removed(&plan).into_iter().map(|(name, _)| name).collect::<Vec<_>>(), ["c", "a", "d"]);
        assert_eq!((plan.before, plan.after, plan.is_misplaced), (4, 2, true));
    }
}
