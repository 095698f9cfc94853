//! Which parents a cluster has, and which of the names that somebody asked for are a parent's business.

use super::expected::Expected;
use super::item::Item;
use super::rows::unscoped;
use super::words::Verdict;
use crate::flux::names;
use crate::flux::object::{Kustomization, Object, Source, Status};
use crate::observed::{Gap, NO_PARENT, Objects, Observed};
use std::collections::{BTreeMap, BTreeSet};

/// A parent, as a cluster has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Parent {
    /// The runtime, from its name.
    pub runtime: String,
    /// The environment that it applies; none: nothing on the cluster says it.
    pub environment: Option<String>,
}

/// The parents of a namespace: sources `<runtime>-inventory`; a Kustomization alone is one too when its runtime is among `known`. A
/// workload whose own name ends like that is none, which its parent's labels show.
pub fn parents(objects: &Objects, known: &[String]) -> Vec<Parent> {
    let mut found: BTreeMap<&str, (Option<&Source>, Option<&Kustomization>)> = BTreeMap::new();
    for source in objects.sources.iter().flatten() {
        if let Some(runtime) = runtime(source) {
            found.entry(runtime).or_default().0 = Some(source);
        }
    }
    for kustomization in objects.kustomizations.iter().flatten() {
        if let Some(runtime) = runtime(kustomization) {
            found.entry(runtime).or_default().1 = Some(kustomization);
        }
    }
    let is_parent = |runtime: &str, pair: &(Option<&Source>, Option<&Kustomization>)| {
        pair.0.is_some() || objects.sources.is_err() || known.iter().any(|name| name == runtime)
    };
    let all = found.into_iter().filter(|(runtime, pair)| is_parent(runtime, pair));
    all.map(|(runtime, (source, kustomization))| Parent {
        runtime: runtime.to_owned(),
        environment: environment(source, kustomization),
    })
    .collect()
}

/// The runtime of a parent's object. What another parent has applied is a workload of it. A parent may itself have been applied,
/// by the Kustomization that set up the cluster.
fn runtime<S: Status>(object: &Object<S>) -> Option<&str> {
    let meta = &object.metadata;
    let owned = object.owner().is_some_and(|(owner, _)| owner != meta.name && names::runtime_of_parent(owner).is_some());
    names::runtime_of_parent(&meta.name).filter(|_| !owned)
}

/// The tag that the source follows; where it follows none, the folder that the Kustomization applies, or what it applied last.
fn environment(source: Option<&Source>, kustomization: Option<&Kustomization>) -> Option<String> {
    let reference = source.and_then(|source| source.spec.field("ref"));
    let tag = reference.as_ref().and_then(|reference| reference.get("tag")?.as_str()).filter(|tag| !tag.is_empty());
    if let Some(tag) = tag {
        return Some(tag.to_owned());
    }
    let path = kustomization.and_then(|it| it.spec.field("path"));
    let path = path.as_ref().and_then(|path| path.as_str()).unwrap_or_default();
    let folder = path.trim_start_matches("./").trim_matches('/');
    if !folder.is_empty() && !folder.contains(['/', '$']) {
        return Some(folder.to_owned());
    }
    let applied = kustomization.and_then(|it| it.status.as_ref()?.last_applied_revision.as_deref());
    let tag = applied.and_then(|revision| revision.split_once('@')).map(|(tag, _)| tag);
    tag.filter(|tag| !tag.is_empty()).map(str::to_owned)
}

/// The rows of a cluster that answers, and of which nobody knows what to expect: what was named, else one row, `*`.
pub fn parentless(cluster: &str, why: &str, named: &[String]) -> Vec<Item> {
    let gap = Gap { reason: NO_PARENT.to_owned(), message: why.to_owned() };
    let mut items = unscoped(cluster, &gap, named);
    for item in &mut items {
        item.verdict = Verdict::Unknown;
        item.links.iter_mut().for_each(|step| why.clone_into(&mut step.evidence));
    }
    items
}

/// The names of `named` that are another parent's: neither declared nor published for this one, and the objects of that name, if
/// there are any, were applied by another, or are another's own. None where the cluster's objects could not be read.
pub fn strangers(expected: &Expected, observed: &Observed, named: &[String]) -> BTreeSet<String> {
    let Ok(Objects { sources: Ok(sources), kustomizations: Ok(kustomizations) }) = &observed.objects else {
        return BTreeSet::new();
    };
    let parent = expected.parent();
    let ours = (parent.as_str(), expected.namespace.as_str());
    let foreign = |name: &str, owner: Option<(&str, &str)>| match owner {
        Some(owner) if owner == ours => false,
        Some((owner, _)) if names::runtime_of_parent(owner).is_some() => true,
        _ => names::runtime_of_parent(name).is_some(),
    };
    let inventories: Vec<_> = expected.declared().into_iter().chain(expected.published()).collect();
    let listed = |name: &str| inventories.iter().any(|it| it.entries.iter().any(|entry| entry.name == name));
    let stranger = |name: &&String| {
        let name = name.as_str();
        let mut sources = sources.iter().filter(|it| it.metadata.name == name);
        let mut kustomizations = kustomizations.iter().filter(|it| it.metadata.name == name);
        name != parent
            && !listed(name)
            && sources.all(|it| foreign(name, it.owner()))
            && kustomizations.all(|it| foreign(name, it.owner()))
    };
    named.iter().filter(stranger).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::{Parent, parents};
    use crate::observed::Objects;
    use serde_json::{Value, json};

    fn object(kind: &str, name: &str, owner: Option<&str>, spec: &Value) -> Value {
        let labels =
            owner.map(|owner| json!({"kustomize.toolkit.fluxcd.io/name": owner, "kustomize.toolkit.fluxcd.io/namespace": "n"}));
        json!({"kind": kind, "metadata": {"name": name, "namespace": "n", "labels": labels.unwrap_or_else(|| json!({}))}, "spec": spec})
    }

    fn found(sources: Vec<Value>, kustomizations: Vec<Value>) -> Vec<(String, Option<String>)> {
        let objects = Objects {
            sources: Ok(serde_json::from_str(&Value::from(sources).to_string()).unwrap()),
            kustomizations: Ok(serde_json::from_str(&Value::from(kustomizations).to_string()).unwrap()),
        };
        let known = ["gke".to_owned()];
        parents(&objects, &known).into_iter().map(|Parent { runtime, environment }| (runtime, environment)).collect()
    }

    #[test]
    fn a_parent_is_a_pair_that_no_other_parent_has_applied() {
        let tag = || json!({"ref": {"tag": "production"}});
        let pair = |name: &str, owner: Option<&str>| {
            (object("OCIRepository", name, owner, &tag()), object("Kustomization", name, owner, &json!({})))
        };
        let expect = |runtimes: &[&str]| -> Vec<(String, Option<String>)> {
            runtimes.iter().map(|name| ((*name).to_owned(), Some("production".to_owned()))).collect()
        };
        let (gke, stock) = (pair("gke-inventory", None), pair("stock-inventory", Some("gke-inventory")));
        assert_eq!(found(vec![gke.0.clone(), stock.0], vec![gke.1.clone(), stock.1]), expect(&["gke"]));
        // What set up the cluster is no parent of Runway's, and may well have applied one.
        let fleet = pair("edge-inventory", Some("flux-system"));
        assert_eq!(found(vec![fleet.0.clone()], vec![fleet.1]), expect(&["edge"]));
        // A Kustomization alone: only of a runtime that the settings know.
        assert_eq!(found(vec![fleet.0, gke.0], Vec::new()), expect(&["edge", "gke"]));
        assert_eq!(found(Vec::new(), vec![gke.1, pair("edge-inventory", None).1]), [("gke".to_owned(), None)]);
    }

    #[test]
    fn a_pinned_parent_has_the_environment_of_its_folder() {
        let environment = |reference: Value, path: &str| {
            let source = object("OCIRepository", "gke-inventory", None, &json!({"ref": reference}));
            let kustomization = object("Kustomization", "gke-inventory", None, &json!({"path": path}));
            found(vec![source], vec![kustomization]).remove(0).1
        };
        assert_eq!(environment(json!({"digest": "sha256:1"}), "./staging").as_deref(), Some("staging"));
        assert_eq!(environment(json!({"digest": "sha256:1", "tag": "production"}), "./x").as_deref(), Some("production"));
        assert_eq!(environment(json!({"semver": "1.x"}), "./${ENVIRONMENT}"), None);
    }
}
