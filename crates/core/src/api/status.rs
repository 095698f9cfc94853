//! `StatusReport`.

use super::API_VERSION;
use crate::assess::{self, HealthState, ItemKind, Link, ObjectView, PodView, State, Verdict};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// The whole document.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusReport {
    /// The version of this contract.
    #[schemars(extend("const" = API_VERSION))]
    pub api_version: &'static str,
    /// What the document is.
    #[schemars(extend("const" = "StatusReport"))]
    pub kind: &'static str,
    /// When it was made, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub time: String,
    /// Counts.
    pub summary: Summary,
    /// The rows.
    pub items: Vec<Item>,
}

/// Counts of workloads; the parent's row is not counted.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Rows of workloads.
    pub total: usize,
    /// Every verdict with its number, zeros included.
    pub verdicts: BTreeMap<&'static str, usize>,
    /// The clusters that were asked.
    pub clusters: Vec<Cluster>,
}

/// A cluster that was asked.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    /// The context's or the settings' name.
    pub name: String,
    /// Whether it answered.
    pub reachable: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A row.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// What the row is about.
    #[schemars(extend("enum" = ["parent", "workload"]))]
    kind: &'static str,
    /// The context's or the settings' name.
    cluster: String,
    /// The runtime; absent when the cluster gave no answer and nobody else says it.
    #[serde(skip_serializing_if = "String::is_empty")]
    runtime: String,
    /// The environment, likewise.
    #[serde(skip_serializing_if = "String::is_empty")]
    environment: String,
    /// The workload's id, or the parent's name; `*` when the cluster gave no answer and nothing is known of it.
    workload: String,
    /// The one word.
    #[schemars(extend("enum" = Verdict::ALL.map(Verdict::as_str)))]
    verdict: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
    /// The first broken link; absent when Ready, and when nothing could be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    r#break: Option<Break>,
    /// All links, from the file to the objects.
    links: Vec<LinkState>,
    /// The applied objects; absent when they were not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    objects: Option<Vec<Object>>,
    /// Applied objects that were not looked at, since there are too many.
    #[serde(skip_serializing_if = "Option::is_none")]
    objects_left_out: Option<usize>,
    /// What the deploy tag should give.
    #[serde(skip_serializing_if = "Expected::is_empty")]
    expected: Expected,
    /// The OCIRepository; absent when it is not there or could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
    /// The Kustomization; absent when it is not there or could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    kustomization: Option<Kustomization>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Break {
    /// The link.
    #[schemars(extend("enum" = Link::ALL.map(Link::as_str)))]
    link: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    next: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct LinkState {
    /// The link.
    #[schemars(extend("enum" = Link::ALL.map(Link::as_str)))]
    link: &'static str,
    /// Whether it holds.
    #[schemars(extend("enum" = State::ALL.map(State::as_str)))]
    state: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    evidence: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Expected {
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
}

impl Expected {
    fn is_empty(&self) -> bool {
        self.digest.is_none() && self.revision.is_none() && self.tag.is_none()
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Source {
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    suspended: bool,
    /// The Ready condition.
    #[schemars(extend("enum" = ["True", "False", "Unknown"]))]
    ready: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Kustomization {
    #[serde(skip_serializing_if = "Option::is_none")]
    applied_digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempted_digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin_revision: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_reconciled: Option<String>,
    suspended: bool,
    /// The Ready condition.
    #[schemars(extend("enum" = ["True", "False", "Unknown"]))]
    ready: String,
}

/// An applied object.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Object {
    api_version: String,
    kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    namespace: String,
    name: String,
    /// kstatus' word.
    #[schemars(extend("enum" = HealthState::ALL.map(HealthState::as_str)))]
    health: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pods: Vec<Pod>,
}

/// A Pod in trouble.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Pod {
    name: String,
    reason: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_event: Option<Event>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Event {
    reason: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
}

impl From<&ObjectView> for Object {
    fn from(view: &ObjectView) -> Self {
        let pod = |pod: &PodView| Pod {
            name: pod.name.clone(),
            reason: pod.trouble.reason.clone(),
            message: pod.trouble.message.clone(),
            last_event: pod.event.as_ref().map(|event| Event {
                reason: event.reason.clone(),
                message: event.message.clone(),
                time: event.time.clone(),
            }),
        };
        Self {
            api_version: view.id.api_version(),
            kind: view.id.kind.clone(),
            namespace: view.id.namespace.clone(),
            name: view.id.name.clone(),
            health: view.health.state.as_str(),
            reason: view.health.reason.clone(),
            message: view.health.message.clone(),
            pods: view.pods.iter().map(pod).collect(),
        }
    }
}

/// The document of a report: the counts are of all rows, the items are those that are shown.
pub fn document(time: String, clusters: Vec<Cluster>, items: &[assess::Item], shown: &[&assess::Item]) -> StatusReport {
    let mut verdicts: BTreeMap<&'static str, usize> = Verdict::ALL.iter().map(|verdict| (verdict.as_str(), 0)).collect();
    let workloads = items.iter().filter(|item| item.kind == ItemKind::Workload);
    let mut total = 0;
    for item in workloads {
        total += 1;
        *verdicts.entry(item.verdict.as_str()).or_default() += 1;
    }
    StatusReport {
        api_version: API_VERSION,
        kind: "StatusReport",
        time,
        summary: Summary { total, verdicts, clusters },
        items: shown.iter().map(|item| Item::from(*item)).collect(),
    }
}

impl From<&assess::Item> for Item {
    fn from(item: &assess::Item) -> Self {
        let broken = item.broken.as_ref().map(|broken| Break {
            link: broken.link.as_str(),
            reason: broken.reason.clone(),
            message: broken.message.clone(),
            since: broken.since.clone(),
            next: broken.next.clone(),
        });
        let links = item
            .links
            .iter()
            .map(|step| LinkState {
                link: step.link.as_str(),
                state: step.state.as_str(),
                evidence: step.evidence.clone(),
                time: step.since.clone(),
            })
            .collect();
        let expected = &item.expected;
        Self {
            kind: item.kind.as_str(),
            cluster: item.cluster.clone(),
            runtime: item.runtime.clone(),
            environment: item.environment.clone(),
            workload: item.workload.clone(),
            verdict: item.verdict.as_str(),
            reason: item.reason.clone(),
            message: item.message.clone(),
            r#break: broken,
            links,
            objects: item.objects.as_ref().map(|objects| objects.iter().map(Object::from).collect()),
            objects_left_out: Some(item.objects_left_out).filter(|n| *n > 0),
            expected: Expected {
                digest: expected.digest.clone(),
                revision: expected.revision.clone(),
                tag: expected.tag.clone(),
            },
            source: item.source.as_ref().map(|source| Source {
                revision: source.revision.clone(),
                digest: source.digest.clone(),
                suspended: source.suspended,
                ready: super::ready(&source.ready).to_owned(),
            }),
            kustomization: item.kustomization.as_ref().map(|kustomization| Kustomization {
                applied_digest: kustomization.applied_digest.clone(),
                attempted_digest: kustomization.attempted_digest.clone(),
                origin_revision: kustomization.origin_revision.clone(),
                last_reconciled: kustomization.last_reconciled.clone(),
                suspended: kustomization.suspended,
                ready: super::ready(&kustomization.ready).to_owned(),
            }),
        }
    }
}
