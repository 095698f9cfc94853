//! What to do next, as commands that can be pasted.

use super::chain::Row;
use super::item::{ItemKind, Step};
use super::words::{Link, Verdict};
use crate::flux::object::{Object, Wanted, wanted};

/// The next steps for a break. The first one shows more, or repairs, whichever is the shorter way.
pub(super) fn steps(row: &Row<'_>, step: &Step, verdict: Verdict, namespace: &str) -> Vec<String> {
    let name = row.name;
    let source = format!("kubectl -n {namespace} describe ocirepository.source.toolkit.fluxcd.io {name}");
    let kustomization = format!("kubectl -n {namespace} describe kustomization.kustomize.toolkit.fluxcd.io {name}");
    if verdict == Verdict::Suspended {
        let mut next = Vec::new();
        if row.source.is_some_and(Object::suspended) {
            next.push(format!("flux -n {namespace} resume source oci {name}"));
        }
        if row.kustomization.is_some_and(Object::suspended) {
            next.push(format!("flux -n {namespace} resume kustomization {name}"));
        }
        return next;
    }
    match (step.link, step.reason.as_str()) {
        (Link::Declared, _) => vec!["kubectl runway inventory build".to_owned()],
        (Link::Published, _) if row.kind == ItemKind::Workload => vec!["kubectl runway inventory push --dry-run".to_owned()],
        (Link::Deployed, _) => deployed(row),
        (Link::Fetched, "NewRevision") => vec![format!("flux -n {namespace} reconcile source oci {name}")],
        (Link::Fetched, _) => vec![source],
        (Link::Applied, "NewRevision") => vec![format!("flux -n {namespace} reconcile kustomization {name}")],
        (Link::Applied | Link::Healthy, _) => {
            vec![kustomization, format!("flux -n {namespace} events --for Kustomization/{name}")]
        }
        (Link::Installed, "Terminating") => vec![kustomization, source],
        (Link::Installed, "FieldsDiffer") => vec![format!(
            "kubectl -n {namespace} get ocirepository.source.toolkit.fluxcd.io,kustomization.kustomize.toolkit.fluxcd.io {name} -o yaml --show-managed-fields"
        )],
        (Link::Installed, _) if row.kind == ItemKind::Parent => vec![format!(
            "kubectl -n {namespace} get ocirepositories.source.toolkit.fluxcd.io,kustomizations.kustomize.toolkit.fluxcd.io"
        )],
        _ => vec![format!(
            "kubectl -n {namespace} get ocirepositories.source.toolkit.fluxcd.io,kustomizations.kustomize.toolkit.fluxcd.io"
        )],
    }
}

fn deployed(row: &Row<'_>) -> Vec<String> {
    let published = row.entry.and_then(|entry| entry.source.as_ref()).and_then(|source| source.get("spec"));
    let reference = published.or(row.source.map(|source| &source.spec)).map(wanted);
    match reference {
        Some(Wanted::Tag(reference)) => {
            let repository = reference.rsplit_once(':').map_or(reference.as_str(), |(repository, _)| repository);
            vec![format!("flux list artifacts oci://{repository}")]
        }
        _ => Vec::new(),
    }
}
