//! The two objects as a cluster has them: only the fields that somebody judges or shows.
//!
//! Narrow on purpose: a list of 5,000 objects is decoded while it streams, and what is not named here is skipped.

use super::applied::AppliedId;
use super::kept::Kept;
use super::lenient;
use super::revision;
use super::texts::Texts;
use super::{FINALIZER, OWNER_NAME, OWNER_NAMESPACE};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// An object with a status of type `S`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Object<S> {
    /// `group/version` under which it was read.
    #[serde(default)]
    pub api_version: String,
    /// Kind.
    #[serde(default)]
    pub kind: String,
    /// Metadata.
    pub metadata: Meta,
    /// The whole spec, since it is compared with what is published.
    #[serde(default)]
    pub spec: Kept,
    /// Status; absent before a controller has seen the object.
    #[serde(default = "Option::default")]
    pub status: Option<S>,
}

/// A workload's source on a cluster.
pub type Source = Object<SourceStatus>;
/// A workload's kustomization on a cluster.
pub type Kustomization = Object<KustomizationStatus>;

/// Metadata.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Meta {
    /// Name.
    #[serde(deserialize_with = "lenient::value")]
    pub name: String,
    /// Namespace.
    #[serde(deserialize_with = "lenient::value")]
    pub namespace: String,
    /// Generation of the spec.
    #[serde(deserialize_with = "lenient::value")]
    pub generation: i64,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<String>,
    /// RFC 3339; present while the object is being deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_timestamp: Option<String>,
    /// Who must let go before the object is deleted.
    #[serde(deserialize_with = "lenient::list")]
    pub finalizers: Vec<String>,
    /// Labels.
    pub labels: Texts,
    /// Annotations.
    pub annotations: Texts,
    /// Who wrote which field; those of the status are not kept.
    #[serde(deserialize_with = "of_no_subresource")]
    pub managed_fields: Vec<ManagedFields>,
}

/// A controller's entry about the status is the longest of all, and nobody judges by it: thousands of them would be a good part
/// of the program's memory.
fn of_no_subresource<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<ManagedFields>, D::Error> {
    let all: Option<Vec<ManagedFields>> = Deserialize::deserialize(from)?;
    let mut kept: Vec<ManagedFields> = all.into_iter().flatten().filter(|entry| entry.subresource.is_empty()).collect();
    kept.shrink_to_fit();
    Ok(kept)
}

/// The fields that one manager wrote.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ManagedFields {
    /// The manager's name.
    #[serde(default, deserialize_with = "lenient::value")]
    pub manager: String,
    /// `Apply` or `Update`.
    #[serde(default, deserialize_with = "lenient::value")]
    pub operation: String,
    /// `status`, for status writes.
    #[serde(default, deserialize_with = "lenient::value")]
    pub subresource: String,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The fields, unread until somebody asks: most lists never need them.
    #[serde(default, rename = "fieldsV1", skip_serializing_if = "Option::is_none")]
    pub fields: Option<Box<RawValue>>,
}

/// A condition.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// Type, such as `Ready`.
    #[serde(deserialize_with = "lenient::value")]
    pub r#type: String,
    /// `True`, `False` or `Unknown`.
    #[serde(deserialize_with = "lenient::value")]
    pub status: String,
    /// CamelCase reason.
    #[serde(deserialize_with = "lenient::value")]
    pub reason: String,
    /// Text.
    #[serde(deserialize_with = "lenient::value")]
    pub message: String,
    /// RFC 3339; Flux moves it on any change of status, reason or message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<String>,
    /// The generation that the condition speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// Status of an OCIRepository.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SourceStatus {
    /// -1 before the first success.
    pub observed_generation: Option<i64>,
    /// Conditions.
    #[serde(deserialize_with = "lenient::list")]
    pub conditions: Vec<Condition>,
    /// What was fetched last.
    pub artifact: Option<ArtifactStatus>,
    /// Value of the request annotation that was handled last.
    pub last_handled_reconcile_at: Option<String>,
}

/// `status.artifact` of a source. Its `digest` is that of source-controller's own tarball and is not read.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ArtifactStatus {
    /// `<tag>@sha256:<hex>`.
    #[serde(deserialize_with = "lenient::value")]
    pub revision: String,
    /// When the content was stored.
    pub last_update_time: Option<String>,
}

/// Status of a Kustomization.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct KustomizationStatus {
    /// Moves only when Ready became True.
    pub observed_generation: Option<i64>,
    /// Conditions.
    #[serde(deserialize_with = "lenient::list")]
    pub conditions: Vec<Condition>,
    /// Set after apply, prune and health checks all passed.
    pub last_applied_revision: Option<String>,
    /// Set once the artifact was fetched and the path found.
    pub last_attempted_revision: Option<String>,
    /// The git revision of what was applied.
    pub last_applied_origin_revision: Option<String>,
    /// Value of the request annotation that was handled last.
    pub last_handled_reconcile_at: Option<String>,
    /// Newest first, at most 5.
    #[serde(deserialize_with = "lenient::list")]
    pub history: Vec<History>,
    /// The objects that were applied.
    pub inventory: Option<AppliedObjects>,
}

/// An entry of `status.history`.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct History {
    /// The only time of a last run that Flux keeps.
    pub last_reconciled: Option<String>,
}

/// `status.inventory`.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct AppliedObjects {
    /// The objects.
    #[serde(deserialize_with = "lenient::list")]
    pub entries: Vec<AppliedObject>,
}

/// One applied object.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct AppliedObject {
    /// `<namespace>_<name>_<group>_<kind>`.
    #[serde(deserialize_with = "lenient::value")]
    pub id: String,
    /// Version of the API.
    #[serde(deserialize_with = "lenient::value")]
    pub v: String,
}

/// What both statuses have.
pub trait Status {
    /// The conditions.
    fn conditions(&self) -> &[Condition];
    /// `observedGeneration`.
    fn observed_generation(&self) -> Option<i64>;
    /// `lastHandledReconcileAt`.
    fn handled(&self) -> Option<&str>;
}

impl Status for SourceStatus {
    fn conditions(&self) -> &[Condition] {
        &self.conditions
    }
    fn observed_generation(&self) -> Option<i64> {
        self.observed_generation
    }
    fn handled(&self) -> Option<&str> {
        self.last_handled_reconcile_at.as_deref()
    }
}

impl Status for KustomizationStatus {
    fn conditions(&self) -> &[Condition] {
        &self.conditions
    }
    fn observed_generation(&self) -> Option<i64> {
        self.observed_generation
    }
    fn handled(&self) -> Option<&str> {
        self.last_handled_reconcile_at.as_deref()
    }
}

impl<S: Status> Object<S> {
    /// A condition by its type.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.status.as_ref()?.conditions().iter().find(|condition| condition.r#type == kind)
    }

    /// The Ready condition.
    pub fn ready(&self) -> Option<&Condition> {
        self.condition("Ready")
    }

    /// Whether the controller has looked at the current spec: the larger of the two observed generations counts, since
    /// `status.observedGeneration` moves only on success.
    pub fn looked_at(&self) -> bool {
        let status = self.status.as_ref().and_then(Status::observed_generation);
        let ready = self.ready().and_then(|ready| ready.observed_generation);
        status.max(ready).is_some_and(|seen| seen >= self.metadata.generation)
    }

    /// `spec.suspend`.
    pub fn suspended(&self) -> bool {
        self.spec.is_true("suspend")
    }

    /// The Stalled condition, when it is True.
    pub fn stalled(&self) -> Option<&Condition> {
        self.condition("Stalled").filter(|condition| condition.status == "True")
    }

    /// Value of the request annotation that its controller handled last.
    pub fn handled(&self) -> Option<&str> {
        self.status.as_ref()?.handled()
    }

    /// Name and namespace of the Kustomization that applied it, from its labels.
    pub fn owner(&self) -> Option<(&str, &str)> {
        let label = |key| self.metadata.labels.get(key);
        Some((label(OWNER_NAME)?, label(OWNER_NAMESPACE).unwrap_or_default()))
    }

    /// Finalizers other than Flux's own: whoever set them holds a deletion back.
    pub fn foreign_finalizers(&self) -> Vec<&str> {
        self.metadata.finalizers.iter().map(String::as_str).filter(|name| *name != FINALIZER).collect()
    }
}

impl Source {
    /// The fetched artifact's manifest digest.
    pub fn digest(&self) -> Option<&str> {
        revision::digest(self.revision()?)
    }

    /// The fetched artifact's revision.
    pub fn revision(&self) -> Option<&str> {
        Some(self.status.as_ref()?.artifact.as_ref()?.revision.as_str()).filter(|text| !text.is_empty())
    }
}

impl Kustomization {
    /// Digest of what was applied and found healthy last.
    pub fn applied_digest(&self) -> Option<&str> {
        revision::digest(self.status.as_ref()?.last_applied_revision.as_deref()?)
    }

    /// Digest of what was tried last.
    pub fn attempted_digest(&self) -> Option<&str> {
        revision::digest(self.status.as_ref()?.last_attempted_revision.as_deref()?)
    }

    /// `spec.dependsOn` as (namespace, name).
    pub fn depends_on(&self) -> Vec<(String, String)> {
        let text = |item: &Value, key: &str| item.get(key).and_then(Value::as_str).map(str::to_owned);
        let items = self.spec.field("dependsOn");
        let items = items.as_ref().and_then(Value::as_array);
        items
            .into_iter()
            .flatten()
            .filter_map(|item| {
                Some((text(item, "namespace").unwrap_or_else(|| self.metadata.namespace.clone()), text(item, "name")?))
            })
            .collect()
    }

    /// The objects that it lists as applied; entries that nobody can read are left out.
    pub fn applied(&self) -> Vec<AppliedId> {
        let inventory = self.status.as_ref().and_then(|status| status.inventory.as_ref());
        inventory.into_iter().flat_map(|inventory| &inventory.entries).filter_map(AppliedId::parse).collect()
    }

    /// When Flux last finished a run.
    pub fn last_reconciled(&self) -> Option<&str> {
        self.status.as_ref()?.history.first()?.last_reconciled.as_deref()
    }
}

/// What a source's spec points to in its registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// `host/repository:tag`: can be asked.
    Tag(String),
    /// A digest: nothing to ask, it cannot move.
    Digest(String),
    /// A semver range, or a URL that is none: cannot be asked; says why.
    Unknown(&'static str),
}

/// The reference of a source's spec. Flux's precedence is digest, then semver, then tag, then `latest`.
pub fn wanted(spec: &Value) -> Wanted {
    let text = |pointer: &str| spec.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let url = text("/url").unwrap_or_default();
    let Ok(repository) = super::reference::Repository::parse(url) else {
        return Wanted::Unknown("the source's URL is no repository");
    };
    if let Some(digest) = text("/ref/digest") {
        return Wanted::Digest(digest.to_owned());
    }
    if text("/ref/semver").is_some() {
        return Wanted::Unknown("the source follows a semver range");
    }
    let tag = text("/ref/tag").unwrap_or("latest");
    if super::reference::tag_fault(tag).is_some() {
        return Wanted::Unknown("the source's tag is no tag");
    }
    Wanted::Tag(format!("{repository}:{tag}"))
}

#[cfg(test)]
mod tests {
    use super::{Kustomization, Source, Wanted, wanted};
    use serde_json::json;

    #[test]
    fn reads_an_object_without_status() {
        let source: Source = serde_json::from_str(r#"{"metadata":{"name":"a","generation":1},"spec":{"suspend":true}}"#).unwrap();
        assert!(source.suspended() && source.ready().is_none() && !source.looked_at() && source.digest().is_none());
    }

    #[test]
    fn null_is_as_good_as_nothing() {
        let text = json!({"apiVersion": "g/v1", "kind": "K", "spec": null,
            "metadata": {"name": "a", "namespace": null, "generation": null, "labels": {"x": null}, "annotations": null, "finalizers": null,
                "managedFields": null},
            "status": {"conditions": [null, {"type": "Ready", "status": "False", "reason": null, "message": null}], "history": [{"lastReconciled": null}],
                "inventory": {"entries": null}}});
        let object: Kustomization = serde_json::from_str(&text.to_string()).unwrap();
        assert_eq!(object.ready().map(|it| (it.reason.as_str(), it.message.as_str())), Some(("", "")));
        assert_eq!((object.metadata.labels.get("x"), object.applied().len()), (Some(""), 0));
        let text =
            r#"{"metadata": {"name": "a", "labels": null}, "status": {"conditions": null, "history": null, "inventory": null}}"#;
        assert!(serde_json::from_str::<Kustomization>(text).unwrap().ready().is_none());
    }

    #[test]
    fn looked_at_takes_the_larger_generation() {
        let with = |status: serde_json::Value| -> Kustomization {
            let text = json!({"metadata": {"name": "a", "generation": 2}, "status": status}).to_string();
            serde_json::from_str(&text).unwrap()
        };
        assert!(!with(json!({"observedGeneration": 1})).looked_at());
        assert!(
            with(
                json!({"observedGeneration": -1, "conditions": [{"type": "Ready", "status": "False", "observedGeneration": 2}]})
            )
            .looked_at()
        );
        assert!(with(json!({"observedGeneration": 2, "conditions": [{"type": "Ready", "status": "True"}]})).looked_at());
    }

    #[test]
    fn precedence_of_refs() {
        let url = "oci://localhost:5000/a/b";
        assert_eq!(wanted(&json!({"url": url, "ref": {"tag": "x"}})), Wanted::Tag("localhost:5000/a/b:x".into()));
        assert_eq!(wanted(&json!({"url": url})), Wanted::Tag("localhost:5000/a/b:latest".into()));
        assert_eq!(wanted(&json!({"url": url, "ref": {"tag": "x", "digest": "sha256:1"}})), Wanted::Digest("sha256:1".into()));
        assert!(matches!(wanted(&json!({"url": url, "ref": {"tag": "x", "semver": ">1"}})), Wanted::Unknown(_)));
        assert!(matches!(wanted(&json!({"url": "oci://h/a:production"})), Wanted::Unknown(_)));
        assert!(matches!(wanted(&json!({})), Wanted::Unknown(_)));
    }
}
