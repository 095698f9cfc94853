//! What verify wants to know beside the inventory: other runtimes' files, deploy artifacts, a cluster's word on each object.

use crate::cluster::Cluster;
use crate::files::{find, read};
use crate::registry::Client;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use runway_core::artifact::manifest::{Descriptor, Manifest};
use runway_core::flux::object::{Wanted, wanted};
use runway_core::flux::reference::{Reference, Repository, Target};
use runway_core::objects::Pair;
use runway_core::problem::Problem;
use runway_core::verify::Listed;
use runway_core::verify::asked::{Answer, Artifact, Refusal};
use runway_core::workloads;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Manifests that are asked for side by side.
const ARTIFACTS: usize = 32;
/// Characters of a media type, or of a digest, that are kept.
const MAX_TYPE: usize = 255;
/// Objects that a cluster is asked about side by side: its own limit for a client is about this.
const OBJECTS: usize = 8;

/// What the other runtimes of a repository list. A file that cannot be read is its own pipeline's trouble.
pub(crate) fn others(start: &Path, runtime: &str) -> Vec<Listed> {
    let mut found = Vec::new();
    for (name, path) in find::runtimes(start).into_iter().filter(|(name, _)| name != runtime) {
        let Ok(text) = read::text(&path, "workloads.yml") else { continue };
        let file = path.strip_prefix(start).unwrap_or(&path).display().to_string();
        let (list, _) = workloads::parse(&file, &text);
        let ids = list.items.into_iter().filter(|item| !item.refused);
        let ids = ids.map(|item| (item.id, item.at.0)).collect();
        found.push(Listed { runtime: name, file, ids });
    }
    found
}

/// Asks for the deploy artifact of every source, each once.
pub(crate) async fn artifacts(client: &Client, pairs: &[Pair]) -> Vec<Artifact> {
    let asked: BTreeSet<(String, String)> = pairs.iter().filter_map(|pair| reference(&pair.source)).collect();
    let refused: RefCell<BTreeMap<String, String>> = RefCell::default();
    let answers = stream::iter(asked).map(|(workload, reference)| async {
        let answer = match Reference::parse(&reference) {
            Ok(parsed) => one(client, &parsed, &refused).await,
            // What is no reference has been said by the checks of the URL.
            Err(problem) => Answer::Unknown(problem.to_string()),
        };
        Artifact { workload, reference, answer }
    });
    let mut found: Vec<Artifact> = answers.buffer_unordered(ARTIFACTS).collect().await;
    found.sort_by(|a, b| (&a.workload, &a.reference).cmp(&(&b.workload, &b.reference)));
    found
}

/// The workload and what its source points to; a semver range points to nothing that can be asked for.
fn reference(source: &Value) -> Option<(String, String)> {
    let spec = source.get("spec")?;
    let name = source.pointer("/metadata/name")?.as_str()?.to_owned();
    match wanted(spec) {
        Wanted::Tag(reference) => Some((name, reference)),
        Wanted::Digest(digest) => {
            let repository = Repository::parse(spec.get("url")?.as_str()?).ok()?;
            Some((name, format!("{repository}@{digest}")))
        }
        Wanted::Unknown(_) => None,
    }
}

async fn one(client: &Client, reference: &Reference, refused: &RefCell<BTreeMap<String, String>>) -> Answer {
    let host = &reference.repository.host;
    if let Some(why) = refused.borrow().get(host) {
        return Answer::Unknown(why.clone());
    }
    let target = reference.target.clone().unwrap_or_else(|| Target::Tag("latest".to_owned()));
    match client.manifest(&reference.repository, &target).await {
        Ok(Some(fetched)) => match fetched.manifest.content() {
            Ok(_) => Answer::Manifest(Box::new(slim(fetched.manifest))),
            Err(problem) => Answer::NoArtifact(problem.what),
        },
        Ok(None) => Answer::NotThere,
        Err(problem) => {
            let why = problem.to_string();
            if crate::registry::ends_the_asking(&problem) {
                refused.borrow_mut().insert(host.clone(), why.clone());
            }
            Answer::Unknown(why)
        }
    }
}

/// What is looked at of a manifest: there may be a thousand of them, each as large as a registry lets it be.
fn slim(mut manifest: Manifest) -> Manifest {
    let cut = |text: &mut String| *text = runway_core::text::head(text, MAX_TYPE).to_owned();
    manifest.media_type.iter_mut().for_each(cut);
    let layers: Vec<Descriptor> = manifest.layers.into_iter().take(1).collect();
    let mut slim = Manifest { annotations: BTreeMap::new(), layers, ..manifest };
    for descriptor in slim.layers.iter_mut().chain(&mut slim.config) {
        cut(&mut descriptor.media_type);
        cut(&mut descriptor.digest);
    }
    slim
}

/// Asks a cluster to apply every object without storing it. A cluster that gives no answer ends the asking.
pub(crate) async fn dry_run(cluster: &Cluster, name: &str, pairs: &[Pair]) -> Result<Vec<Refusal>, Problem> {
    let objects = pairs.iter().flat_map(|pair| [&pair.source, &pair.kustomization]);
    let answers = stream::iter(objects).map(|object| async move {
        let refused = cluster.dry_run(object).await?;
        Ok::<_, Problem>(refused.map(|message| refusal(name, object, message)))
    });
    let mut found: Vec<Refusal> =
        answers.buffer_unordered(OBJECTS).try_collect::<Vec<_>>().await?.into_iter().flatten().collect();
    found.sort_by(|a, b| (&a.workload, &a.object).cmp(&(&b.workload, &b.object)));
    Ok(found)
}

fn refusal(cluster: &str, object: &Value, message: String) -> Refusal {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let cluster = cluster.to_owned();
    let (kind, namespace, name) = (text("/kind"), text("/metadata/namespace"), text("/metadata/name"));
    Refusal { cluster, workload: name.to_owned(), object: format!("{kind} {namespace}/{name}"), message }
}
