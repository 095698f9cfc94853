//! What clusters have: from the API server, or from a snapshot that somebody saved.

use super::expected::{Held, from_folder};
use crate::cluster::Cluster;
use crate::files::read;
use runway_core::observed::snapshot::{self, Snapshot};
use runway_core::observed::{Observed, Registry};
use runway_core::problem::{Place, Problem};
use std::path::Path;

/// A snapshot on disk.
pub(crate) struct Saved {
    /// The objects.
    pub(crate) snapshot: Snapshot,
    /// What registries answered then.
    pub(crate) registry: Registry,
    /// What was published then.
    pub(crate) published: Option<Held>,
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
        let name = path.file_name().map_or_else(|| "snapshot".to_owned(), |name| name.to_string_lossy().into_owned());
        Ok(Self { snapshot, registry, published, name })
    }

    /// What it says about a namespace.
    pub(crate) fn observed(&self, namespace: &str) -> Observed {
        Observed { cluster: self.name.clone(), namespace: namespace.to_owned(), objects: Ok(self.snapshot.objects(namespace)) }
    }
}

/// What a cluster has in a namespace; no answer is a gap, never a failure.
pub(crate) async fn from_cluster(cluster: &Cluster, namespace: &str) -> Observed {
    Observed { cluster: cluster.name().to_owned(), namespace: namespace.to_owned(), objects: cluster.objects(namespace).await }
}
