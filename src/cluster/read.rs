//! Reads the two kinds: whole namespaces by paged lists, single workloads by name; in whichever version is served.

use super::connection::{Cluster, get, segment};
use super::fault::Fault;
use super::list::{PAGE, Page, page};
use super::stream::Allowance;
use futures_util::stream::{self, StreamExt as _};
use runway_core::flux::object::{Kustomization, Object, Source};
use runway_core::flux::{KUSTOMIZATION, KUSTOMIZE_GROUP, OCI_REPOSITORY, SOURCE_GROUP};
use runway_core::observed::{Gap, Objects};
use runway_core::problem::Problem;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::PoisonError;

/// Bytes of one object or one description of an API group.
pub(super) const MAX_ONE: u64 = 8 * 1024 * 1024;
/// Questions about single objects at one time, half of them for each kind.
const PARALLEL: usize = 16;

/// One of the two kinds.
pub(super) struct Resource {
    pub(super) group: &'static str,
    plural: &'static str,
    kind: &'static str,
    words: &'static str,
}

pub(super) const SOURCES: Resource =
    Resource { group: SOURCE_GROUP, plural: "ocirepositories", kind: OCI_REPOSITORY, words: "Flux's OCIRepository API" };
pub(super) const KUSTOMIZATIONS: Resource =
    Resource { group: KUSTOMIZE_GROUP, plural: "kustomizations", kind: KUSTOMIZATION, words: "Flux's Kustomization API" };

/// The versions that are understood, best first. In Flux 2.0 to 2.5 the source group has a v1 that lacks OCIRepository.
const VERSIONS: [&str; 2] = ["v1", "v1beta2"];

/// A whole list, and the version of the cluster's state that it shows.
pub(super) struct Listed<T> {
    pub(super) objects: Vec<Object<T>>,
    pub(super) version: String,
}

/// An API group, as `/apis/<group>` describes it.
#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    versions: Vec<GroupVersion>,
}

#[derive(Deserialize)]
struct GroupVersion {
    version: String,
}

impl Cluster {
    /// All objects of both kinds in a namespace (in all of them when it is empty), asked side by side.
    pub(crate) async fn objects(&self, namespace: &str) -> Result<Objects, Gap> {
        let (sources, kustomizations): (Result<Vec<Source>, Fault>, Result<Vec<Kustomization>, Fault>) =
            tokio::join!(self.all(&SOURCES, namespace), self.all(&KUSTOMIZATIONS, namespace));
        together(sources, kustomizations)
    }

    /// All objects of both kinds in a namespace with their whole status, for somebody else to judge later. What cannot be read
    /// is a fault here: half a snapshot would say that things are missing.
    pub(crate) async fn whole(&self, namespace: &str) -> Result<Vec<Object<Value>>, Problem> {
        let (sources, kustomizations) =
            tokio::join!(self.all::<Value>(&SOURCES, namespace), self.all::<Value>(&KUSTOMIZATIONS, namespace));
        let fault = |fault: Fault| fault.problem(format!("{} cannot be read", self.name()));
        let mut all = sources.map_err(fault)?;
        all.extend(kustomizations.map_err(fault)?);
        Ok(all)
    }

    /// The two objects of each name, those that exist, in the order of the names.
    pub(crate) async fn workload(&self, namespace: &str, names: &[String]) -> Result<Objects, Gap> {
        let (sources, kustomizations): (Result<Vec<Source>, Fault>, Result<Vec<Kustomization>, Fault>) =
            tokio::join!(self.named(&SOURCES, namespace, names), self.named(&KUSTOMIZATIONS, namespace, names));
        together(sources, kustomizations)
    }

    async fn all<T: DeserializeOwned + Send + 'static>(
        &self,
        resource: &Resource,
        namespace: &str,
    ) -> Result<Vec<Object<T>>, Fault> {
        Ok(self.list(resource, namespace).await?.objects)
    }

    /// A whole list. When the server has forgotten where the list stood, it is asked once more, in one piece.
    pub(super) async fn list<T: DeserializeOwned + Send + 'static>(
        &self,
        resource: &Resource,
        namespace: &str,
    ) -> Result<Listed<T>, Fault> {
        self.in_served_version(resource, async |version: &str| match self.pages(resource, namespace, version, Some(PAGE)).await {
            Err(fault) if fault.code == Some(410) => self.pages(resource, namespace, version, None).await,
            other => other,
        })
        .await
    }

    /// All pages of a list.
    async fn pages<T: DeserializeOwned + Send + 'static>(
        &self,
        resource: &Resource,
        namespace: &str,
        version: &str,
        limit: Option<u32>,
    ) -> Result<Listed<T>, Fault> {
        let path = path(resource, namespace, version);
        let mut allowance = Allowance::new(self.max_list);
        let mut all = Vec::new();
        let mut next = String::new();
        loop {
            let mut query = limit.map(|limit| format!("?limit={limit}")).unwrap_or_default();
            if !next.is_empty() {
                query = format!("{query}&continue={}", segment(&next));
            }
            let page: Page<Object<T>> = self.ask_for(get(&format!("{path}{query}"))?, &mut allowance, page).await?;
            if !page.kind.ends_with("List") {
                return Err(Fault::garbage(self.server(), "its JSON is not a list"));
            }
            let token = page.metadata.r#continue;
            let is_last = token.is_empty() || limit.is_none();
            if is_last {
                // A last page of few objects needs no room for as many again as there are.
                all.reserve_exact(page.items.len());
            }
            all.extend(page.items.into_iter().map(|object| named_kind(object, resource, version)));
            if is_last {
                return Ok(Listed { objects: all, version: page.metadata.resource_version });
            }
            if token == next {
                return Err(Fault::garbage(self.server(), "its list never ends"));
            }
            next = token;
        }
    }

    /// Objects by name; one that does not exist is left out.
    async fn named<T: DeserializeOwned + Send + 'static>(
        &self,
        resource: &Resource,
        namespace: &str,
        names: &[String],
    ) -> Result<Vec<Object<T>>, Fault> {
        self.in_served_version(resource, async |version: &str| {
            let folder = path(resource, namespace, version);
            let questions = names.iter().map(|name| self.one(resource, version, format!("{folder}/{}", segment(name))));
            let mut answers = stream::iter(questions).buffered(PARALLEL / 2);
            let mut found = Vec::new();
            while let Some(answer) = answers.next().await {
                found.extend(answer?);
            }
            Ok(found)
        })
        .await
    }

    async fn one<T: DeserializeOwned + Send + 'static>(
        &self,
        resource: &Resource,
        version: &str,
        path: String,
    ) -> Result<Option<Object<T>>, Fault> {
        match self.ask(get(&path)?, &mut Allowance::new(MAX_ONE)).await {
            Ok(object) => Ok(Some(named_kind(object, resource, version))),
            Err(fault) if fault.object_absent => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Asks in the version that is known or likeliest; when it is not served, asks the server which one is.
    async fn in_served_version<T>(
        &self,
        resource: &Resource,
        question: impl AsyncFn(&str) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let known = self.served.lock().unwrap_or_else(PoisonError::into_inner).get(resource.group).cloned();
        let first = known.as_deref().unwrap_or("v1");
        match question(first).await {
            Err(fault) if fault.code == Some(404) && fault.reason == "NotFound" => {}
            other => return other,
        }
        let served = self.group_versions(resource).await?;
        for version in VERSIONS.into_iter().filter(|version| *version != first && served.iter().any(|it| it == version)) {
            match question(version).await {
                Err(fault) if fault.code == Some(404) && fault.reason == "NotFound" => {}
                other => {
                    let mut known = self.served.lock().unwrap_or_else(PoisonError::into_inner);
                    known.insert(resource.group, version.to_owned());
                    return other;
                }
            }
        }
        let has =
            if served.is_empty() { String::new() } else { format!("; {} is there in {}", resource.group, served.join(", ")) };
        Err(Fault::new("NotInstalled", format!("{} is not installed on this cluster ({}{has})", resource.words, self.server())))
    }

    /// The versions of a group; none when the server does not have the group.
    async fn group_versions(&self, resource: &Resource) -> Result<Vec<String>, Fault> {
        let asked = self.ask::<Group>(get(&format!("/apis/{}", resource.group))?, &mut Allowance::new(MAX_ONE)).await;
        match asked {
            Ok(group) => Ok(group.versions.into_iter().map(|it| it.version).collect()),
            Err(fault) if fault.code == Some(404) && fault.reason == "NotFound" => Ok(Vec::new()),
            Err(fault) => Err(fault),
        }
    }
}

/// The path of a kind's objects.
pub(super) fn path(resource: &Resource, namespace: &str, version: &str) -> String {
    let Resource { group, plural, .. } = resource;
    if namespace.is_empty() {
        return format!("/apis/{group}/{version}/{plural}");
    }
    format!("/apis/{group}/{version}/namespaces/{}/{plural}", segment(namespace))
}

/// Says version and kind where the server left them out.
pub(super) fn named_kind<T>(mut object: Object<T>, resource: &Resource, version: &str) -> Object<T> {
    if object.api_version.is_empty() {
        object.api_version = format!("{}/{version}", resource.group);
    }
    if object.kind.is_empty() {
        resource.kind.clone_into(&mut object.kind);
    }
    object
}

/// Both answers. A server that does not know who is asking, or that failed both, has given none; what it refused for one
/// kind leaves the other.
pub(super) fn together(
    sources: Result<Vec<Source>, Fault>,
    kustomizations: Result<Vec<Kustomization>, Fault>,
) -> Result<Objects, Gap> {
    let nobody = |fault: &&Fault| fault.reason == "Unauthorized";
    if let Some(fault) = sources.as_ref().err().filter(nobody).or(kustomizations.as_ref().err().filter(nobody)) {
        return Err(fault.clone().gap());
    }
    if let (Err(one), Err(other)) = (&sources, &kustomizations)
        && !one.is_of_kind()
        && !other.is_of_kind()
    {
        return Err(one.clone().gap());
    }
    Ok(Objects { sources: sources.map_err(Fault::gap), kustomizations: kustomizations.map_err(Fault::gap) })
}
