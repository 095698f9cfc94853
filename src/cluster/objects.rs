//! Looks at objects of any kind: where a kind is found is asked once for each version of a group, and of Secrets and
//! `ConfigMaps` only the metadata are read.

use super::connection::{Cluster, build, get, segment};
use super::fault::Fault;
use super::stream::Allowance;
use http::{Method, Request};
use runway_core::flux::applied::AppliedId;
use runway_core::observed::Gap;
use runway_core::observed::objects::Found;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use tokio::sync::OnceCell;

/// Bytes of one object, or of one description of a version.
const MAX_ONE: u64 = 8 * 1024 * 1024;
/// Bytes of one list of Pods or events.
const MAX_LIST: u64 = 32 * 1024 * 1024;
/// Pods of one object that are read.
const PODS: u32 = 100;
/// Events of one Pod that are read.
const EVENTS: u32 = 50;

/// The kinds of one version of an API group.
#[derive(Deserialize)]
pub(super) struct Kinds {
    #[serde(default)]
    resources: Vec<KindOf>,
}

/// A kind.
#[derive(Deserialize, Debug, Clone)]
pub(super) struct KindOf {
    /// Plural.
    pub(super) name: String,
    pub(super) kind: String,
    #[serde(default)]
    pub(super) namespaced: bool,
}

/// What is known of each version of a group, also that it could not be asked.
pub(super) type KnownKinds = BTreeMap<String, Arc<OnceCell<Result<Vec<KindOf>, Fault>>>>;

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    items: Option<Vec<Value>>,
}

impl Cluster {
    /// The folder of a version of a group, and the kind in it.
    pub(super) async fn kind(&self, api_version: &str, kind: &str) -> Result<(String, KindOf), Fault> {
        let folder = match api_version.split_once('/') {
            Some((group, version)) => format!("/apis/{}/{}", segment(group), segment(version)),
            None => format!("/api/{}", segment(api_version)),
        };
        let cell = {
            let mut known = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(folder.clone()).or_default())
        };
        let asked = cell.get_or_init(async || {
            let kinds: Kinds = self.ask(get(&folder)?, &mut Allowance::new(MAX_ONE)).await?;
            // A name with a slash is a subresource.
            Ok(kinds.resources.into_iter().filter(|it| !it.name.contains('/')).collect())
        });
        let absent = || Fault::new("NotInstalled", format!("{} does not serve {api_version} {kind}", self.server()));
        match asked.await {
            Ok(kinds) => Ok((folder, kinds.iter().find(|it| it.kind == kind).cloned().ok_or_else(absent)?)),
            Err(fault) if fault.reason == "NotFound" => Err(absent()),
            Err(fault) => Err(fault.clone()),
        }
    }

    /// One applied object; its content is cut to what tells its health.
    pub(crate) async fn look_at(&self, id: &AppliedId) -> Found {
        match self.one_object(id).await {
            Ok(object) => Found::There(object),
            Err(fault) if fault.object_absent => Found::Gone,
            Err(fault) => Found::Unknown(fault.gap()),
        }
    }

    async fn one_object(&self, id: &AppliedId) -> Result<Value, Fault> {
        let version = id.api_version();
        let (folder, kind) = self.kind(&version, &id.kind).await?;
        let (plural, name) = (segment(&kind.name), segment(&id.name));
        let path = if kind.namespaced {
            format!("{folder}/namespaces/{}/{plural}/{name}", segment(&id.namespace))
        } else {
            format!("{folder}/{plural}/{name}")
        };
        let secret = id.group.is_empty() && matches!(id.kind.as_str(), "Secret" | "ConfigMap");
        let request = if secret { metadata_only(&path)? } else { get(&path)? };
        let mut object: Value = self.ask(request, &mut Allowance::new(MAX_ONE)).await?;
        if let Some(fields) = object.as_object_mut() {
            for content in ["data", "binaryData", "stringData"] {
                fields.remove(content);
            }
            fields.insert("apiVersion".to_owned(), version.into());
            fields.insert("kind".to_owned(), id.kind.clone().into());
        }
        for (folder, field) in [("/metadata", "managedFields"), ("/metadata", "annotations"), ("/spec", "template")] {
            if let Some(fields) = object.pointer_mut(folder).and_then(Value::as_object_mut) {
                fields.remove(field);
            }
        }
        Ok(object)
    }

    /// The Pods that a label selector chooses, at most 100.
    pub(crate) async fn pods(&self, namespace: &str, selector: &str) -> Result<Vec<Value>, Gap> {
        let path = format!("/api/v1/namespaces/{}/pods?limit={PODS}&labelSelector={}", segment(namespace), segment(selector));
        self.items(&path).await.map_err(Fault::gap)
    }

    /// The events of a Pod, at most 50.
    pub(crate) async fn pod_events(&self, namespace: &str, name: &str) -> Result<Vec<Value>, Gap> {
        let fields = segment(&format!("involvedObject.kind=Pod,involvedObject.name={name}"));
        let path = format!("/api/v1/namespaces/{}/events?limit={EVENTS}&fieldSelector={fields}", segment(namespace));
        self.items(&path).await.map_err(Fault::gap)
    }

    async fn items(&self, path: &str) -> Result<Vec<Value>, Fault> {
        let list: List = self.ask(get(path)?, &mut Allowance::new(MAX_LIST)).await?;
        Ok(list.items.unwrap_or_default())
    }
}

/// A GET that brings no content: Secrets and `ConfigMaps` have no health, and what is in them is nobody's business here.
fn metadata_only(path: &str) -> Result<Request<Vec<u8>>, Fault> {
    let builder = Request::builder().method(Method::GET).uri(path);
    let mut request = build(builder, Vec::new())?;
    let accept = http::HeaderValue::from_static("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
    request.headers_mut().insert(http::header::ACCEPT, accept);
    Ok(request)
}
