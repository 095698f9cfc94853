//! The applied objects themselves: each one's health, and what that means for the link `healthy`.

use super::health::pods::{self, Event, Trouble};
use super::health::{Health, HealthState, health};
use super::item::{ItemKind, Step};
use super::words::{Link, State};
use crate::flux::applied::AppliedId;
use crate::observed::objects::{Found, Looked, Pod, Seen, WorkloadObjects};
use jiff::Timestamp;
use serde_json::Value;

/// Objects that one sentence names.
const NAMED: usize = 5;
/// Pods that are shown of one object.
const PODS: usize = 10;

/// A Pod in trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodView {
    /// Its name.
    pub name: String,
    /// What is wrong.
    pub trouble: Trouble,
    /// What was said of it last.
    pub event: Option<Event>,
}

/// One applied object, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectView {
    /// Its address.
    pub id: AppliedId,
    /// Its health.
    pub health: Health,
    /// Its Pods in trouble, at most 10.
    pub pods: Vec<PodView>,
    /// Why its Pods could not be read.
    pub pods_gap: Option<String>,
}

/// The worst that the objects say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Worst {
    /// Nothing against the workload.
    #[default]
    Fine,
    /// Something is on its way.
    Waiting,
    /// Something will not come right by itself.
    Failed,
    /// Something is gone.
    Gone,
}

/// The objects of a row, judged; `None` when they were not looked at.
#[derive(Debug, Clone, Default)]
pub(super) struct Objects {
    pub(super) views: Vec<ObjectView>,
    pub(super) left_out: usize,
    pub(super) worst: Worst,
}

/// Judges what was found of a workload's objects.
pub(super) fn judge(looked: &Looked, name: &str, kind: ItemKind) -> Option<Objects> {
    let found: &WorkloadObjects = looked.workloads.get(name)?;
    let views: Vec<ObjectView> = found.seen.iter().map(|seen| view(seen, looked.at)).collect();
    let worst = views.iter().map(|view| weight(view.health.state, kind)).max().unwrap_or_default();
    Some(Objects { views, left_out: found.left_out, worst })
}

/// A parent's objects are workloads, whose health is their own rows' matter: only that one is gone is the parent's.
fn weight(state: HealthState, kind: ItemKind) -> Worst {
    match state {
        HealthState::NotFound => Worst::Gone,
        _ if kind == ItemKind::Parent => Worst::Fine,
        HealthState::Failed => Worst::Failed,
        HealthState::InProgress | HealthState::Terminating => Worst::Waiting,
        HealthState::Current | HealthState::Unknown => Worst::Fine,
    }
}

fn view(seen: &Seen, now: Timestamp) -> ObjectView {
    let health = match &seen.found {
        Found::There(object) => health(object, now),
        Found::Gone => Health::new(HealthState::NotFound, "ObjectMissing", "it was applied, and is not there"),
        Found::Unknown(gap) => Health::new(HealthState::Unknown, gap.reason.clone(), gap.message.clone()),
    };
    let mut pods: Vec<PodView> = seen.pods.iter().filter_map(pod_view).collect();
    pods.sort_by(|a, b| a.name.cmp(&b.name));
    pods.truncate(PODS);
    ObjectView { id: seen.id.clone(), health, pods, pods_gap: seen.pods_gap.as_ref().map(|gap| gap.message.clone()) }
}

fn pod_view(pod: &Pod) -> Option<PodView> {
    let name = pod.pod.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(PodView { name, trouble: pods::trouble(&pod.pod)?, event: pods::last_event(&pod.events) })
}

/// Whether an object is one whose Pods explain why it is not healthy; then the label selector that finds them.
pub fn pods_wanted(object: &Value, now: Timestamp) -> Option<String> {
    let kind = object.get("kind").and_then(Value::as_str)?;
    let has_pods = matches!(kind, "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job");
    if !has_pods || health(object, now).state == HealthState::Current {
        return None;
    }
    let selector = object.pointer("/spec/selector")?;
    let mut terms = Vec::new();
    for (key, value) in selector.get("matchLabels").and_then(Value::as_object).into_iter().flatten() {
        terms.push(format!("{key}={}", value.as_str()?));
    }
    for expression in selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten() {
        let key = expression.get("key").and_then(Value::as_str)?;
        let values = expression.get("values").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let values = values.collect::<Vec<_>>().join(",");
        terms.push(match expression.get("operator").and_then(Value::as_str)? {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            "DoesNotExist" => format!("!{key}"),
            _ => return None,
        });
    }
    // An empty selector would choose every Pod of the namespace.
    (!terms.is_empty()).then(|| terms.join(","))
}

/// Whether a Pod is one whose events are worth asking for.
pub fn events_wanted(pod: &Value) -> bool {
    pods::trouble(pod).is_some()
}

/// The link `healthy` with what the objects say.
pub(super) fn healthy(step: Step, objects: &Objects) -> Step {
    if step.state != State::Holds {
        // What Flux says stays the reason; the objects say more about it.
        let Some((_, text)) = trouble(objects) else { return step };
        let evidence = if step.evidence.is_empty() { text } else { format!("{}; {text}", step.evidence) };
        return Step { evidence, ..step };
    }
    if let Some((reason, text)) = trouble(objects).filter(|_| objects.worst > Worst::Fine) {
        return Step { since: None, ..Step::broken(Link::Healthy, reason, text) };
    }
    let unknown: Vec<&ObjectView> = objects.views.iter().filter(|view| view.health.state == HealthState::Unknown).collect();
    let of = objects.views.len() + objects.left_out;
    let seen = objects.views.len() - unknown.len();
    if let Some(first) = unknown.first() {
        let text = format!("Ready=True; {seen} of {of} objects were read; {}: {}", first.id, first.health.message);
        return Step { state: State::Unknown, evidence: text, ..step };
    }
    if objects.left_out > 0 {
        return Step {
            state: State::Unknown,
            evidence: format!("Ready=True; only {seen} of {of} objects were looked at"),
            ..step
        };
    }
    let noun = if of == 1 { "object is there and" } else { "objects are there and" };
    let text = format!("{}; {of} applied {noun} healthy", step.evidence);
    Step { evidence: text, ..step }
}

/// The reason of the worst kind of trouble among the objects.
pub(super) fn reason(objects: &Objects) -> Option<&'static str> {
    trouble(objects).map(|(reason, _)| reason)
}

/// The worst kind of trouble among the objects: its reason, and the objects that have it.
fn trouble(objects: &Objects) -> Option<(&'static str, String)> {
    let (reason, wanted): (_, &[HealthState]) = match objects.worst {
        Worst::Gone => ("ObjectMissing", &[HealthState::NotFound]),
        Worst::Failed => ("ObjectFailed", &[HealthState::Failed]),
        Worst::Waiting => ("ObjectInProgress", &[HealthState::InProgress, HealthState::Terminating]),
        Worst::Fine => return None,
    };
    let mut found = objects.views.iter().filter(|view| wanted.contains(&view.health.state));
    let mut texts: Vec<String> = found.by_ref().take(NAMED).map(sentence).collect();
    let more = found.count();
    if more > 0 {
        texts.push(format!("and {more} more"));
    }
    Some((reason, texts.join("; ")))
}

fn sentence(view: &ObjectView) -> String {
    if view.health.state == HealthState::NotFound {
        return format!("{} is absent", view.id);
    }
    let pod = view.pods.first().map(|pod| format!(" (Pod {}: {}: {})", pod.name, pod.trouble.reason, pod.trouble.message));
    format!("{} is {}: {}{}", view.id, view.health.state.as_str(), view.health.message, pod.unwrap_or_default())
}

/// What to do about objects in trouble.
pub(super) fn next(objects: &Objects, namespace: &str, name: &str) -> Vec<String> {
    if objects.worst == Worst::Gone {
        return vec![format!("flux -n {namespace} reconcile kustomization {name}")];
    }
    let bad = |view: &&ObjectView| !matches!(view.health.state, HealthState::Current | HealthState::Unknown);
    let Some(view) = objects.views.iter().find(bad) else { return Vec::new() };
    let id = &view.id;
    let place = if id.namespace.is_empty() { String::new() } else { format!(" -n {}", id.namespace) };
    let group = if id.group.is_empty() { String::new() } else { format!(".{}", id.group) };
    let mut next = vec![format!("kubectl{place} describe {}{group} {}", id.kind.to_lowercase(), id.name)];
    if let Some(pod) = view.pods.first() {
        let crashed = if pod.trouble.reason == "CrashLoopBackOff" { " --previous" } else { "" };
        let logs = format!("kubectl{place} logs {} --all-containers{crashed}", pod.name);
        next.insert(0, if crashed.is_empty() { format!("kubectl{place} describe pod {}", pod.name) } else { logs });
    }
    next
}

#[cfg(test)]
mod tests {
    use super::{AppliedId, Found, ItemKind, Link, Looked, Seen, State, Step, WorkloadObjects, healthy, judge, pods_wanted};
    use crate::observed::Gap;
    use serde_json::{Value, json};

    fn seen(kind: &str, name: &str, found: Found) -> Seen {
        let id = AppliedId {
            namespace: "n".to_owned(),
            name: name.to_owned(),
            group: String::new(),
            kind: kind.to_owned(),
            version: "v1".to_owned(),
        };
        Seen { id, found, pods: Vec::new(), pods_gap: None }
    }

    fn step(seen: Vec<Seen>, left_out: usize) -> Step {
        let mut looked = Looked::default();
        looked.workloads.insert("svc".to_owned(), WorkloadObjects { seen, left_out });
        healthy(Step::holds(Link::Healthy, "Ready=True"), &judge(&looked, "svc", ItemKind::Workload).unwrap())
    }

    fn claim(phase: &str) -> Found {
        Found::There(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": {"phase": phase}}))
    }

    #[test]
    fn the_worst_object_decides() {
        let gone = seen("ConfigMap", "c", Found::Gone);
        let waits = seen("PersistentVolumeClaim", "p", claim("Pending"));
        let fine = seen("PersistentVolumeClaim", "q", claim("Bound"));
        let hidden = seen("Secret", "s", Found::Unknown(Gap { reason: "Forbidden".to_owned(), message: "no".to_owned() }));
        for (objects, state, reason, words) in [
            (vec![fine.clone()], State::Holds, "", "Ready=True; 1 applied object is there and healthy"),
            (vec![fine.clone(), waits.clone()], State::Broken, "ObjectInProgress", "PersistentVolumeClaim n/p is InProgress"),
            (vec![gone.clone(), waits], State::Broken, "ObjectMissing", "ConfigMap n/c is absent"),
            (vec![fine.clone(), hidden.clone()], State::Unknown, "", "1 of 2 objects were read; Secret n/s: no"),
            (vec![gone, hidden], State::Broken, "ObjectMissing", "ConfigMap n/c is absent"),
            (vec![], State::Holds, "", "0 applied objects"),
        ] {
            let step = step(objects, 0);
            assert_eq!((step.state, step.reason.as_str()), (state, reason), "{step:?}");
            assert!(step.evidence.contains(words), "{step:?}");
        }
        assert_eq!(step(vec![fine], 3).state, State::Unknown);
        let many = (0..9).map(|n| seen("ConfigMap", &format!("c{n}"), Found::Gone)).collect();
        assert!(step(many, 0).evidence.ends_with("ConfigMap n/c4 is absent; and 4 more"));
    }

    #[test]
    fn a_selector_finds_the_pods_of_what_is_not_healthy() {
        let deployment = |selector: Value| json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"selector": selector}});
        let wanted = |object: Value| pods_wanted(&object, jiff::Timestamp::UNIX_EPOCH);
        assert_eq!(wanted(deployment(json!({"matchLabels": {"app": "web"}}))).as_deref(), Some("app=web"));
        let expressions = json!({"matchExpressions": [
            {"key": "a", "operator": "In", "values": ["x", "y"]}, {"key": "b", "operator": "Exists"}, {"key": "c", "operator": "DoesNotExist"}]});
        assert_eq!(wanted(deployment(expressions)).as_deref(), Some("a in (x,y),b,!c"));
        assert_eq!(wanted(deployment(json!({}))), None, "every Pod of the namespace");
        assert_eq!(
            wanted(json!({"apiVersion": "v1", "kind": "ConfigMap", "spec": {"selector": {"matchLabels": {"a": "b"}}}})),
            None
        );
    }
}
