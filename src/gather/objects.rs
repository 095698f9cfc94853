//! The applied objects themselves, one GET each, and for those that are not healthy their Pods with their events.
//!
//! Which Pods and events are worth asking for is decided by core; nothing is judged here.

use crate::cluster::Cluster;
use futures_util::stream::{self, StreamExt as _};
use runway_core::assess::objects::{events_wanted, pods_wanted};
use runway_core::flux::applied::AppliedId;
use runway_core::observed::Observed;
use runway_core::observed::objects::{Found, Looked, Pod, Seen, WorkloadObjects};
use serde_json::Value;
use std::collections::BTreeSet;

/// Objects of one workload that are looked at.
const MAX_OBJECTS: usize = 500;
/// Questions side by side, for each cluster.
const PARALLEL: usize = 16;
/// Pods of one object whose events are asked for.
const MAX_PODS: usize = 10;

/// Looks at the objects of these workloads, as `status.inventory` lists them.
pub(crate) async fn look(cluster: &Cluster, observed: &Observed, names: &BTreeSet<String>, at: jiff::Timestamp) -> Looked {
    let mut looked = Looked { at, ..Looked::default() };
    let Ok(objects) = &observed.objects else { return looked };
    let mut questions: Vec<(&str, AppliedId)> = Vec::new();
    for kustomization in objects.kustomizations.iter().flatten().filter(|it| names.contains(&it.metadata.name)) {
        let name = kustomization.metadata.name.as_str();
        let mut ids = kustomization.applied();
        let left_out = ids.len().saturating_sub(MAX_OBJECTS);
        ids.truncate(MAX_OBJECTS);
        looked.workloads.insert(name.to_owned(), WorkloadObjects { seen: Vec::new(), left_out });
        questions.extend(ids.into_iter().map(|id| (name, id)));
    }
    let answers = stream::iter(questions).map(async |(name, id)| (name, one(cluster, id, at).await)).buffered(PARALLEL);
    let answers: Vec<(&str, Seen)> = answers.collect().await;
    for (name, seen) in answers {
        if let Some(workload) = looked.workloads.get_mut(name) {
            workload.seen.push(seen);
        }
    }
    forget_pruned(cluster, &observed.namespace, &mut looked).await;
    looked
}

async fn one(cluster: &Cluster, id: AppliedId, at: jiff::Timestamp) -> Seen {
    let found = cluster.look_at(&id).await;
    let mut seen = Seen { id, found, pods: Vec::new(), pods_gap: None };
    let selector = if let Found::There(object) = &seen.found { pods_wanted(object, at) } else { None };
    let Some(selector) = selector else { return seen };
    match cluster.pods(&seen.id.namespace, &selector).await {
        Err(gap) => seen.pods_gap = Some(gap),
        Ok(pods) => {
            let troubled = pods.into_iter().filter(events_wanted).take(MAX_PODS);
            let namespace = seen.id.namespace.as_str();
            seen.pods = stream::iter(troubled).map(|pod| with_events(cluster, namespace, pod)).buffered(4).collect().await;
        }
    }
    seen
}

/// Events that cannot be read are left out: they only add to what the Pod says itself.
async fn with_events(cluster: &Cluster, namespace: &str, pod: Value) -> Pod {
    let name = pod.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    let events = cluster.pod_events(namespace, name).await.unwrap_or_default();
    Pod { pod, events }
}

/// An object that is gone may have been pruned since the list was read: then it is not in the list any more.
async fn forget_pruned(cluster: &Cluster, namespace: &str, looked: &mut Looked) {
    let is_gone = |seen: &Seen| seen.found == Found::Gone;
    let doubtful: Vec<String> =
        looked.workloads.iter().filter(|(_, it)| it.seen.iter().any(is_gone)).map(|(name, _)| name.clone()).collect();
    if doubtful.is_empty() {
        return;
    }
    let Ok(objects) = cluster.workload(namespace, &doubtful).await else { return };
    for kustomization in objects.kustomizations.into_iter().flatten() {
        let listed: BTreeSet<AppliedId> = kustomization.applied().into_iter().collect();
        if let Some(workload) = looked.workloads.get_mut(&kustomization.metadata.name) {
            workload.seen.retain(|seen| !is_gone(seen) || listed.contains(&seen.id));
        }
    }
}
