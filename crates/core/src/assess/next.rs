//! What to do next, as commands that can be pasted.

use super::chain::{Context, Row};
use super::item::{ItemKind, Step};
use super::parent::OTHER_TAG;
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
        (Link::Parent, reason) => of_parent(context, reason),
        (Link::Deployed, _) => deployed(row),
        (Link::Fetched, "NewRevision") => vec![format!("flux -n {namespace} reconcile source oci {name}")],
        (Link::Fetched, _) => [Some(source), secret(row, namespace)].into_iter().flatten().collect(),
        (Link::Applied, "NewRevision") => vec![format!("flux -n {namespace} reconcile kustomization {name}")],
        (Link::Applied, "DependencyNotReady") => dependencies(context, row, kustomization),
        (Link::Applied | Link::Healthy, _) => {
            vec![kustomization, format!("flux -n {namespace} events --for Kustomization/{name}")]
        }
        (Link::Installed, "Terminating") => vec![kustomization, source],
        (Link::Installed, "FieldsDiffer" | "ForeignOwner") => {
            vec![format!("kubectl -n {namespace} get {SOURCE},{KUSTOMIZATION} {name} -o yaml --show-managed-fields")]
        }
        // Applied by a parent that has what is published, and gone: the parent puts it back at its next run.
        (Link::Installed, "ObjectAbsent") if row.kind == ItemKind::Workload && has_parent(context) => {
            vec![format!("flux -n {namespace} reconcile kustomization {}", names::parent(runtime))]
        }
        // Nobody is there who would put it back: what is missing is the parent.
        (Link::Installed, _) if row.kind == ItemKind::Parent || step.reason == "ObjectAbsent" => {
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
fn of_parent(context: &Context<'_>, reason: &str) -> Vec<String> {
    let (parent, namespace) = (names::parent(&context.expected.runtime), &context.expected.namespace);
    match reason {
        "NewRevision" => vec![format!("flux -n {namespace} reconcile kustomization {parent} --with-source")],
        // Asked about the environment that it follows, it is content.
        OTHER_TAG => vec![format!("kubectl runway explain {parent} -n {namespace}{}", scope(context))],
        _ => vec![format!("kubectl runway explain {parent} -n {namespace}")],
    }
}

/// Runtime and environment, where they cannot be read from the parent.
fn scope(context: &Context<'_>) -> String {
    format!(" --runtime {} -e {}", context.expected.runtime, context.expected.environment)
}

/// The type and the names of the keys in a source's pull secret, and no value.
fn secret(row: &Row<'_>, namespace: &str) -> Option<String> {
    let secret = row.source?.spec.field("secretRef")?;
    let secret = secret.get("name")?.as_str()?;
    Some(format!(
        "kubectl -n {namespace} get secret {secret} -o 'custom-columns=NAME:.metadata.name,TYPE:.type,CREATED:.metadata.creationTimestamp'"
    ))
}

fn dependencies(context: &Context<'_>, row: &Row<'_>, otherwise: String) -> Vec<String> {
    let expected = context.expected;
    let namespace = &expected.namespace;
    // Runtime and environment are read from the parent; where there is none they have to be said.
    let scope =
        if has_parent(context) { String::new() } else { format!(" --runtime {} -e {}", expected.runtime, expected.environment) };
    let all = row.kustomization.map(Kustomization::depends_on).into_iter().flatten();
    let here =
        all.filter(|(home, _)| home == namespace).map(|(_, name)| format!("kubectl runway explain {name} -n {namespace}{scope}"));
    here.chain([otherwise]).take(4).collect()
}

/// Whether the parent's Kustomization is on the cluster.
fn has_parent(context: &Context<'_>) -> bool {
    context.index.kustomizations.contains_key(names::parent(&context.expected.runtime).as_str())
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
