//! What to do next, as commands that can be pasted.

use super::chain::{Context, Row};
use super::expected::Expected;
use super::item::{ItemKind, Step};
use super::parent::OTHER_TAG;
use super::words::{Link, Verdict};
use crate::flux::names;
use crate::flux::object::{Kustomization, Object, Source, Wanted, wanted};
use crate::text::quoted;

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
            vec![format!("kubectl runway inventory push --dry-run --runtime {runtime} -e {environment} -n {namespace}")]
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
        (Link::Installed, "FieldsDiffer" | "ForeignOwner" | "NotOwned") => {
            vec![format!("kubectl -n {namespace} get {SOURCE},{KUSTOMIZATION} {name} -o yaml --show-managed-fields")]
        }
        // Applied by a parent that has what is published, and gone: the parent puts it back at its next run.
        (Link::Installed, "ObjectAbsent") if row.kind == ItemKind::Workload => bring_back(context, &names::parent(runtime)),
        (Link::Installed, _) if row.kind == ItemKind::Parent => {
            vec![format!("kubectl -n {namespace} get {SOURCE},{KUSTOMIZATION}"), bootstrap(context)]
        }
        _ => vec![format!("kubectl -n {namespace} get {SOURCE},{KUSTOMIZATION}")],
    }
}

fn resume(row: &Row<'_>, namespace: &str) -> Vec<String> {
    resume_pair(row.name, namespace, row.source, row.kustomization)
}

fn resume_pair(name: &str, namespace: &str, source: Option<&Source>, kustomization: Option<&Kustomization>) -> Vec<String> {
    let mut next = Vec::new();
    if source.is_some_and(Object::suspended) {
        next.push(format!("flux -n {namespace} resume source oci {name}"));
    }
    if kustomization.is_some_and(Object::suspended) {
        next.push(format!("flux -n {namespace} resume kustomization {name}"));
    }
    next
}

fn bootstrap(context: &Context<'_>) -> String {
    let Expected { runtime, environment, namespace, .. } = context.expected;
    format!("kubectl runway bootstrap --runtime {runtime} -e {environment} -n {namespace}")
}

/// What makes a parent run that is to put something back: flux refuses one that is not there or is suspended.
fn bring_back(context: &Context<'_>, parent: &str) -> Vec<String> {
    let namespace = context.expected.namespace.as_str();
    let source = context.index.sources.get(parent).copied();
    let kustomization = context.index.kustomizations.get(parent).copied();
    let (Some(source), Some(kustomization)) = (source, kustomization) else { return vec![bootstrap(context)] };
    if source.metadata.deletion_timestamp.is_some() || kustomization.metadata.deletion_timestamp.is_some() {
        return vec![format!("kubectl -n {namespace} describe {SOURCE},{KUSTOMIZATION} {parent}")];
    }
    let resume = resume_pair(parent, namespace, Some(source), Some(kustomization));
    if resume.is_empty() { vec![format!("flux -n {namespace} reconcile kustomization {parent}")] } else { resume }
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
    let scope = if has_parent(context) { String::new() } else { scope(context) };
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

/// How a command reaches what a row is about, when that is not the current context's cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Way {
    /// Flags of the connection that kubectl and flux take too, each with its value.
    pub cluster: Vec<(String, Option<String>)>,
    /// A snapshot: commands of ours that only look take it instead.
    pub snapshot: Option<String>,
    /// The declared file, where it was typed.
    pub file: Option<String>,
}

impl Way {
    /// The command with the flags that lead it there.
    pub fn lead(&self, command: &str) -> String {
        let cluster = flags(&self.cluster);
        // kubectl takes no flag before a plugin's name.
        if let Some(ours) = command.strip_prefix("kubectl runway ") {
            let verb = ours.split(' ').next().unwrap_or_default();
            let file = flags(&self.file.iter().map(|file| ("-f".to_owned(), Some(file.clone()))).collect::<Vec<_>>());
            return match (verb, &self.snapshot) {
                ("explain" | "status" | "tree", Some(snapshot)) => format!("{command}{file} --snapshot {}", quoted(snapshot)),
                ("explain" | "status" | "tree", None) => format!("{command}{file}{cluster}"),
                ("reconcile", _) => format!("{command}{cluster}"),
                ("inventory", _) if ours.starts_with("inventory push") => format!("{command}{file}"),
                _ => command.to_owned(),
            };
        }
        match command.split_once(' ') {
            Some(("flux", rest)) if rest.starts_with("list artifacts") => command.to_owned(),
            Some((program @ ("kubectl" | "flux"), rest)) => format!("{program}{cluster} {rest}"),
            _ => command.to_owned(),
        }
    }
}

/// Flags as a shell takes them, each with a space before it.
pub fn flags(all: &[(String, Option<String>)]) -> String {
    let one = |(flag, value): &(String, Option<String>)| match value {
        Some(value) => format!(" {flag} {}", quoted(value)),
        None => format!(" {flag}"),
    };
    all.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::Way;

    fn to(context: &str) -> Way {
        Way { cluster: vec![("--context".to_owned(), Some(context.to_owned()))], ..Way::default() }
    }

    #[test]
    fn commands_are_for_the_cluster_that_they_are_about() {
        for (command, expected) in [
            ("kubectl -n a get x", "kubectl --context prod -n a get x"),
            ("flux -n a resume kustomization b", "flux --context prod -n a resume kustomization b"),
            ("flux list artifacts oci://x", "flux list artifacts oci://x"),
            ("kubectl runway explain b -n a", "kubectl runway explain b -n a --context prod"),
            ("kubectl runway inventory push --dry-run", "kubectl runway inventory push --dry-run"),
        ] {
            assert_eq!(to("prod").lead(command), expected);
        }
        assert_eq!(to("my cluster's").lead("kubectl get x"), "kubectl --context 'my cluster'\\''s' get x");
        assert_eq!(to("arn:aws:eks:eu:1:cluster/a").lead("kubectl get x"), "kubectl --context arn:aws:eks:eu:1:cluster/a get x");
    }

    #[test]
    fn a_snapshot_and_a_file_are_asked_again() {
        let way = Way { snapshot: Some("a b".to_owned()), file: Some("w.yml".to_owned()), ..to("prod") };
        for (command, expected) in [
            ("kubectl runway explain b -n a", "kubectl runway explain b -n a -f w.yml --snapshot 'a b'"),
            ("kubectl runway reconcile b", "kubectl runway reconcile b --context prod"),
            ("kubectl runway inventory push --dry-run", "kubectl runway inventory push --dry-run -f w.yml"),
            ("kubectl runway inventory show", "kubectl runway inventory show"),
            ("kubectl get x", "kubectl --context prod get x"),
        ] {
            assert_eq!(way.lead(command), expected);
        }
    }
}
