//! What clusters have: from the API server, or from a snapshot that somebody saved.

use super::expected::{Held, from_folder};
use crate::cluster::Cluster;
use crate::files::read;
use runway_core::flux::object::Kustomization;
use runway_core::observed::snapshot::{self, About, Snapshot};
use runway_core::observed::{Gap, Objects, Observed, Registry};
use runway_core::problem::{Place, Problem};
use std::collections::BTreeSet;
use std::path::Path;

/// A snapshot on disk.
pub(crate) struct Saved {
    /// The objects.
    pub(crate) snapshot: Snapshot,
    /// What registries answered then.
    pub(crate) registry: Registry,
    /// What was published then.
    pub(crate) published: Option<Held>,
    /// What it says about itself.
    pub(crate) about: About,
    /// Its name in reports.
    pub(crate) name: String,
}

impl Saved {
    /// Reads a `kubectl get -o json` list, or a folder with `cluster.json`, `registry.json` and `published/`.
    pub(crate) fn read(path: &Path) -> Result<Self, Problem> {
        let is_folder = path.is_dir();
        let list = if is_folder { path.join("cluster.json") } else { path.to_path_buf() };
        if is_folder && !list.is_file() {
            return Err(Problem::input("the snapshot has no cluster.json")
                .at(Place::file(path.display().to_string()))
                .hint("save one with: kubectl get ocirepositories,kustomizations -n NAMESPACE -o json > cluster.json"));
        }
        let snapshot = Snapshot::parse(&list.display().to_string(), &read::text(&list, "the snapshot")?)?;
        let answers = path.join("registry.json");
        let registry = match read::optional(&answers, "the registry's recorded answers")? {
            Some(text) if is_folder => snapshot::registry(&answers.display().to_string(), &text)?,
            _ => Registry::default(),
        };
        let folder = path.join("published");
        let published = if is_folder && folder.is_dir() { Some(from_folder(&folder)?) } else { None };
        let own = path.join("snapshot.json");
        let about = match read::optional(&own, "the snapshot's own file")? {
            Some(text) if is_folder => snapshot::about(&own.display().to_string(), &text)?,
            _ => About::default(),
        };
        let mut name = about.cluster.clone();
        if name.is_empty() {
            name = path.file_name().map_or_else(|| "snapshot".to_owned(), |name| name.to_string_lossy().into_owned());
        }
        Ok(Self { snapshot, registry, published, about, name })
    }

    /// The context of the cluster that it was saved of, as far as it says.
    pub(crate) fn context(&self) -> Option<&str> {
        let name = Some(self.about.cluster.as_str()).filter(|name| !name.is_empty() && !name.contains("://"));
        self.about.context.as_deref().or(name)
    }

    /// What it says about a namespace.
    pub(crate) fn observed(&self, namespace: &str) -> Observed {
        Observed { cluster: self.name.clone(), namespace: namespace.to_owned(), objects: Ok(self.snapshot.objects(namespace)) }
    }
}

/// What a cluster has in a namespace; no answer is a gap, never a failure.
pub(crate) async fn from_cluster(cluster: &Cluster, name: &str, namespace: &str) -> Observed {
    Observed { cluster: name.to_owned(), namespace: namespace.to_owned(), objects: cluster.objects(namespace).await }
}

/// Workloads that one answer may lead to: a chain of dependencies is followed so far.
const MAX_NAMED: usize = 1_000;

/// The named workloads, the parents, and what they depend on, by GETs only. The second value has every name that was asked.
pub(crate) async fn named_from_cluster(
    cluster: &Cluster,
    name: &str,
    namespace: &str,
    names: impl IntoIterator<Item = String>,
) -> (Observed, BTreeSet<String>) {
    let mut asked: BTreeSet<String> = names.into_iter().collect();
    let first: Vec<String> = asked.iter().cloned().collect();
    let mut objects = cluster.workload(namespace, &first).await;
    while let Ok(known) = &mut objects {
        let open = dependencies(known, namespace, &asked);
        if open.is_empty() || asked.len() + open.len() > MAX_NAMED {
            break;
        }
        match cluster.workload(namespace, &open).await {
            Ok(more) => {
                join(&mut known.sources, more.sources);
                join(&mut known.kustomizations, more.kustomizations);
            }
            Err(gap) => objects = Err(gap),
        }
        asked.extend(open);
    }
    (Observed { cluster: name.to_owned(), namespace: namespace.to_owned(), objects }, asked)
}

/// Names that a Kustomization depends on and that were not asked yet.
fn dependencies(objects: &Objects, namespace: &str, asked: &BTreeSet<String>) -> Vec<String> {
    let all = objects.kustomizations.iter().flatten().flat_map(Kustomization::depends_on);
    let open: BTreeSet<String> =
        all.filter(|(home, name)| home == namespace && !asked.contains(name)).map(|(_, name)| name).collect();
    open.into_iter().collect()
}

/// Both lists; what could not be read of one is not known of both.
fn join<T>(known: &mut Result<Vec<T>, Gap>, more: Result<Vec<T>, Gap>) {
    match (known, more) {
        (Ok(known), Ok(more)) => known.extend(more),
        (known @ Ok(_), Err(gap)) => *known = Err(gap),
        (Err(_), _) => {}
    }
}
