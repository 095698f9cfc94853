//! Which runtimes and environments a cluster's rows are about, and which of the named rows only their names brought there. Decides
//! over what was observed, and asks nobody.

use super::expectations::Scope;
use runway_core::assess::{self, Item, ItemKind, Link, State, Verdict};
use runway_core::flux::{names, object};
use runway_core::observed::{Objects, Observed};
use runway_core::problem::Problem;
use std::collections::BTreeSet;

/// Cluster, runtime, environment, workload: a row that only its name brought here.
pub(super) type Stranger = (String, String, String, String);

/// A named workload that is somewhere is not missing where nobody expects it: with another parent of the cluster, or on the
/// clusters of another runtime. A parent that was named is no workload of the others.
pub(super) fn drop_nowhere(items: &mut Vec<Item>, strangers: &BTreeSet<Stranger>) {
    let key = |item: &Item| (item.cluster.clone(), item.runtime.clone(), item.environment.clone(), item.workload.clone());
    let nowhere = |item: &Item| nowhere(item) || item.kind == ItemKind::Workload && strangers.contains(&key(item));
    let somewhere: BTreeSet<String> = items.iter().filter(|item| !nowhere(item)).map(|item| item.workload.clone()).collect();
    items.retain(|item| !nowhere(item) || !somewhere.contains(&item.workload));
}

/// Only its name brought it here: it is neither declared nor published for this runtime, and not this parent's; the objects of
/// that name, if there are any, are another parent's.
fn nowhere(item: &Item) -> bool {
    let declared = item.links.iter().any(|step| step.link == Link::Declared && step.state == State::Holds);
    item.kind == ItemKind::Workload
        && item.verdict == Verdict::Missing
        && item.broken.as_ref().is_some_and(|broken| match broken.link {
            Link::Declared => true,
            Link::Published => !declared && broken.reason != "Incomplete",
            _ => false,
        })
}

/// The rows of a cluster of which not even the runtime and the environment are known.
pub(super) fn nothing_known(observed: &Observed, fault: Option<&str>, named: &[String]) -> Vec<Item> {
    match (&observed.objects, fault) {
        (Err(gap), _) => assess::unscoped(&observed.cluster, gap, named),
        (Ok(_), Some(why)) => assess::parentless(&observed.cluster, why, named),
        (Ok(_), None) => Vec::new(),
    }
}

/// Whether one of these parents is among the objects, and the parent of each workload that has one.
pub(super) fn has_parent(objects: &Objects, parents: &[String]) -> bool {
    let sources = objects.sources.iter().flatten();
    let owner = |source: &object::Source| source.owner().map(|(owner, _)| owner.to_owned());
    let mut owners = sources.clone().filter_map(owner).filter(|name| names::runtime_of_parent(name).is_some());
    sources.into_iter().any(|it| parents.contains(&it.metadata.name)) && owners.all(|owner| parents.contains(&owner))
}

/// Runtimes and environments of the parents on a cluster, as far as they fit what is said.
pub(crate) fn scopes(
    (runtime, environment): (Option<&str>, Option<&str>),
    runtimes: &[String],
    observed: &Observed,
) -> Result<Vec<Scope>, Problem> {
    if let (Some(runtime), Some(environment)) = (runtime, environment) {
        return Ok(vec![(runtime.to_owned(), environment.to_owned())]);
    }
    let Ok(objects) = &observed.objects else { return Ok(Vec::new()) };
    let is = |said: Option<&str>, seen: &str| said.is_none_or(|said| said == seen);
    let mut found: BTreeSet<Scope> = BTreeSet::new();
    let mut silent = None;
    for parent in assess::parents(objects, runtimes) {
        // What is said counts; a parent that says nothing itself is not another one.
        let seen = parent.environment.as_deref().or(environment);
        match seen {
            _ if !is(runtime, &parent.runtime) => {}
            Some(seen) if is(environment, seen) => drop(found.insert((parent.runtime, seen.to_owned()))),
            Some(_) => {}
            None => silent = Some(parent.runtime),
        }
    }
    if !found.is_empty() {
        return Ok(found.into_iter().collect());
    }
    let (namespace, cluster) = (&observed.namespace, &observed.cluster);
    let forbidden = objects.sources.as_ref().err().map(|gap| gap.message.clone());
    let cause = match (forbidden, silent) {
        (Some(message), _) => message,
        (None, Some(runtime)) => {
            format!("the parent {} in the namespace {namespace} of {cluster} follows no tag", names::parent(&runtime))
        }
        (None, None) => format!("there is no parent <runtime>-inventory in the namespace {namespace} of {cluster}"),
    };
    Err(Problem::usage("which runtime and environment this is cannot be seen").cause(cause).hint("say it with --runtime and -e"))
}

#[cfg(test)]
mod tests {
    use super::{drop_nowhere, scopes};
    use runway_core::assess::{Expected, Published, assess, strangers};
    use runway_core::inventory::Inventory;
    use runway_core::inventory::read::from_objects;
    use runway_core::observed::snapshot::Snapshot;
    use runway_core::observed::{Observed, Registry};
    use serde_json::{Value, json};
    use std::collections::BTreeSet;

    /// A pair of objects with the tag production; `owner`: the parent that has applied it.
    fn pair(name: &str, owner: Option<&str>) -> [Value; 2] {
        let labels = owner.map_or_else(
            || json!({}),
            |owner| json!({"kustomize.toolkit.fluxcd.io/name": owner, "kustomize.toolkit.fluxcd.io/namespace": "flux"}),
        );
        let meta = json!({"name": name, "namespace": "flux", "generation": 1, "labels": labels});
        let revision = format!("production@sha256:{}", "a".repeat(64));
        let ready = json!([{"type": "Ready", "status": "True", "reason": "Succeeded", "message": "", "observedGeneration": 1}]);
        [
            json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "OCIRepository", "metadata": meta,
                "spec": {"interval": "5m0s", "url": format!("oci://r.example/{name}"), "ref": {"tag": "production"}},
                "status": {"observedGeneration": 1, "conditions": ready, "artifact": {"revision": revision}}}),
            json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": meta,
                "spec": {"interval": "5m0s", "prune": true, "sourceRef": {"kind": "OCIRepository", "name": name}},
                "status": {"observedGeneration": 1, "conditions": ready, "lastAppliedRevision": revision}}),
        ]
    }

    fn observed(objects: &[Value]) -> Observed {
        let list = json!({"kind": "List", "items": objects}).to_string();
        let objects = Snapshot::parse("cluster.json", &list).unwrap().objects("flux");
        Observed { cluster: "c".to_owned(), namespace: "flux".to_owned(), objects: Ok(objects) }
    }

    fn published(names: &[&str]) -> Inventory {
        from_objects(names.iter().flat_map(|name| pair(name, None)))
    }

    #[test]
    fn a_workload_is_no_parent_whatever_its_name_ends_with() {
        let mut objects: Vec<Value> = pair("gke-inventory", None).into();
        objects.extend(pair("stock-inventory", Some("gke-inventory")));
        let found = scopes((None, None), &[], &observed(&objects)).unwrap();
        assert_eq!(found, [("gke".to_owned(), "production".to_owned())]);
        // What sets a cluster up may itself have applied the parent.
        let found = scopes((None, None), &[], &observed(&pair("gke-inventory", Some("flux-system")))).unwrap();
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn a_named_workload_is_looked_for_with_its_own_parent_only() {
        let mut objects: Vec<Value> = pair("gke-inventory", None).into();
        objects.extend(pair("eks-inventory", None));
        objects.extend(pair("svc", Some("gke-inventory")));
        let observed = observed(&objects);
        let rows = |gke: &[&str], eks: Published| {
            let (mut items, mut others) = (Vec::new(), BTreeSet::new());
            let gke = Published::Known { inventory: published(gke), digest: None };
            for (runtime, published) in [("gke", gke), ("eks", eks)] {
                let expected = Expected {
                    runtime: runtime.to_owned(),
                    environment: "production".to_owned(),
                    namespace: "flux".to_owned(),
                    declared: None,
                    published,
                };
                let named = ["svc".to_owned(), "typo".to_owned()];
                items.extend(assess(&expected, &observed, &Registry::default(), &named));
                let strangers = strangers(&expected, &observed, &named).into_iter();
                others.extend(strangers.map(|name| ("c".to_owned(), runtime.to_owned(), "production".to_owned(), name)));
            }
            items.retain(|item| item.workload == "svc" || item.workload == "typo");
            drop_nowhere(&mut items, &others);
            items.iter().map(|item| format!("{} {} {}", item.workload, item.runtime, item.verdict.as_str())).collect::<Vec<_>>()
        };
        let known = |names| Published::Known { inventory: published(names), digest: None };
        assert_eq!(rows(&["svc"], known(&["other"])), ["svc gke Ready", "typo gke Missing", "typo eks Missing"]);
        assert_eq!(rows(&["svc"], known(&["svc"])), ["svc gke Ready", "typo gke Missing", "svc eks Drifted", "typo eks Missing"]);
        // What another parent has applied is that one's, whether or not the registry can be asked.
        assert_eq!(rows(&["svc"], Published::Unknown(String::new())), ["svc gke Ready", "typo gke Missing", "typo eks Missing"]);
    }
}
