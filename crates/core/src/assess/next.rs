//! What to do next, as commands that can be pasted.

use super::chain::{Context, Row};
use super::item::{ItemKind, Step};
use super::words::{Link, Verdict};
use crate::flux::names;
use crate::flux::object::{Kustomization, Object, Wanted, wanted};

/// The kinds with their groups, since clusters may have others of the same names.
const SOURCE: &str = "ocirepository.source.toolkit.fluxcd.io";
const KUSTOMIZATION: &str = "kustomization.kustomize.toolkit.fluxcd.io";

/// The next steps for a break. The first one shows more, or repairs, whichever is the shorter way.
pub(super) fn steps(context: &Context<'_>, row: &Row<'_>, step: &Step, verdict: Verdict) -> Vec<String> {
    let (name, namespace) = (row.name, context.expected.namespace.as_str());
    let (runtime, environment) = (&context.expected.runtime, &context.expected.environment);
    let source = format!("kubectl -n {namespace} describe {SOURCE} {name}");
    let kustomization = format!("kubectl -n {namespace} describe {KUSTOMIZATION} {name}");
    if verdict == Verdict::Suspended {
        return resume(row, namespace);
    }
    match (step.link, step.reason.as_str()) {
        (Link::Declared, _) => vec![format!("kubectl runway inventory show --runtime {runtime} -e {environment}")],
        (Link::Published, _) if row.kind == ItemKind::Workload => {
            vec![format!("kubectl runway inventory push --dry-run --runtime {runtime} -e {environment}")]
        }
        (Link::Parent, reason) => of_parent(&names::parent(runtime), reason, namespace),
        (Link::Deployed, _) => deployed(row),
        (Link::Fetched, "NewRevision") => vec![format!("flux -n {namespace} reconcile source oci {name}")],
        (Link::Fetched, _) => [Some(source), secret(row, namespace)].into_iter().flatten().collect(),
        (Link::Applied, "NewRevision") => vec![format!("flux -n {namespace} reconcile kustomization {name}")],
        (Link::Applied, "DependencyNotReady") => dependencies(row, namespace, kustomization),
        (Link::Applied | Link::Healthy, _) => {
            vec![kustomization, format!("flux -n {namespace} events --for Kustomization/{name}")]
        }
        (Link::Installed, "Terminating") => vec![kustomization, source],
        (Link::Installed, "FieldsDiffer" | "ForeignOwner") => {
            vec![format!("kubectl -n {namespace} get {SOURCE},{KUSTOMIZATION} {name} -o yaml --show-managed-fields")]
        }
        // Applied by a parent that has what is published, and gone: the parent puts it back at its next run.
        (Link::Installed, "ObjectAbsent") if row.kind == ItemKind::Workload => {
            vec![format!("flux -n {namespace} reconcile kustomization {}", names::parent(runtime))]
        }
        (Link::Installed, _) if row.kind == ItemKind::Parent => {
            vec![
                format!("kubectl -n {namespace} get {SOURCE},{KUSTOMIZATION}"),
                format!("kubectl runway bootstrap --runtime {runtime} -e {environment}"),
            ]
        }
        _ => vec![format!("kubectl -n {namespace} get {SOURCE},{KUSTOMIZATION}")],
    }
}

fn resume(row: &Row<'_>, namespace: &str) -> Vec<String> {
    let mut next = Vec::new();
    if row.source.is_some_and(Object::suspended) {
        next.push(format!("flux -n {namespace} resume source oci {}", row.name));
    }
    if row.kustomization.is_some_and(Object::suspended) {
        next.push(format!("flux -n {namespace} resume kustomization {}", row.name));
    }
    next
}

/// The parent's own trouble is the workload's.
fn of_parent(parent: &str, reason: &str, namespace: &str) -> Vec<String> {
    match reason {
        "NewRevision" => vec![format!("flux -n {namespace} reconcile kustomization {parent} --with-source")],
        _ => vec![format!("kubectl runway explain {parent} -n {namespace}")],
    }
}

/// The type and the names of the keys in a source's pull secret, and no value.
fn secret(row: &Row<'_>, namespace: &str) -> Option<String> {
    let secret = row.source?.spec.field("secretRef")?;
    let secret = secret.get("name")?.as_str()?;
    Some(format!(
        "kubectl -n {namespace} get secret {secret} -o 'custom-columns=NAME:.metadata.name,TYPE:.type,CREATED:.metadata.creationTimestamp'"
    ))
}

fn dependencies(row: &Row<'_>, namespace: &str, otherwise: String) -> Vec<String> {
    let all = row.kustomization.map(Kustomization::depends_on).into_iter().flatten();
    let here = all.filter(|(home, _)| home == namespace).map(|(_, name)| format!("kubectl runway explain {name} -n {namespace}"));
    here.chain([otherwise]).take(4).collect()
}

fn deployed(row: &Row<'_>) -> Vec<String> {
    let reference = row.source_spec().as_ref().map(wanted);
    match reference {
        Some(Wanted::Tag(reference)) => {
            let repository = reference.rsplit_once(':').map_or(reference.as_str(), |(repository, _)| repository);
            vec![format!("flux list artifacts oci://{repository}")]
        }
        _ => Vec::new(),
    }
}

/// The same command for another cluster than the current context's.
pub fn in_context(command: &str, context: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/' | '@' | '+' | '=');
    let quoted = if context.chars().all(plain) { context.to_owned() } else { format!("'{}'", context.replace('\'', "'\\''")) };
    match command.split_once(' ') {
        // kubectl takes no flag before a plugin's name.
        Some(("kubectl", rest)) if rest.starts_with("runway ") => {
            let asks_a_cluster = ["explain ", "status", "tree ", "reconcile "];
            let verb = rest.strip_prefix("runway ").unwrap_or_default();
            let asks = asks_a_cluster.iter().any(|known| verb.starts_with(known));
            if asks { format!("{command} --context {quoted}") } else { command.to_owned() }
        }
        Some(("flux", rest)) if rest.starts_with("list artifacts") => command.to_owned(),
        Some((program @ ("kubectl" | "flux"), rest)) => format!("{program} --context {quoted} {rest}"),
        _ => command.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::in_context;

    #[test]
    fn commands_are_for_the_cluster_that_they_are_about() {
        for (command, expected) in [
            ("kubectl -n a get x", "kubectl --context prod -n a get x"),
            ("flux -n a resume kustomization b", "flux --context prod -n a resume kustomization b"),
            ("flux list artifacts oci://x", "flux list artifacts oci://x"),
            ("kubectl runway explain b -n a", "kubectl runway explain b -n a --context prod"),
            ("kubectl runway inventory push --dry-run", "kubectl runway inventory push --dry-run"),
        ] {
            assert_eq!(in_context(command, "prod"), expected);
        }
        assert_eq!(in_context("kubectl get x", "my cluster's"), "kubectl --context 'my cluster'\\''s' get x");
        assert_eq!(
            in_context("kubectl get x", "arn:aws:eks:eu:1:cluster/a"),
            "kubectl --context arn:aws:eks:eu:1:cluster/a get x"
        );
    }
}
