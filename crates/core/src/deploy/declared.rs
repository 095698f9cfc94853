//! What the platform's lists say about a workload whose manifests are published.

use super::substitution::Substitution;
use super::write::FILE;
use crate::artifact::{Ignore, Tree};
use crate::finding::Finding;
use crate::flux::OCI_REPOSITORY;
use crate::flux::crds::Release;
use crate::flux::variables::is_name;
use crate::objects::{self, Pair};
use crate::problem::Place;
use crate::settings::Settings;
use crate::suggest;
use crate::workloads::{Workload, Workloads};
use serde_json::Value;

/// What the lists say.
#[derive(Debug, Clone, Default)]
pub struct Declared {
    /// What speaks against publishing.
    pub findings: Vec<Finding>,
    /// The workload's Kustomizations delete what is not published any more.
    pub prunes: bool,
    /// The namespace that each sets for everything (`targetNamespace`).
    pub set_namespaces: Vec<Option<String>>,
    /// What they replace (`postBuild`).
    pub substitutions: Vec<Substitution>,
}

/// Looks a workload up in all lists that could be read; without any, nothing is known and Runway's form is taken for granted.
pub fn declared(workload: &str, environment: Option<&str>, lists: &[Workloads], settings: &Settings) -> Declared {
    let mut said = Declared { prunes: true, ..Declared::default() };
    let Some(first) = lists.first() else { return said };
    let found: Vec<_> =
        lists.iter().filter_map(|list| Some((list, list.items.iter().find(|item| item.id == workload)?))).collect();
    let Some((list, item)) = found.first() else {
        let files: Vec<&str> = lists.iter().map(|list| list.file.as_str()).collect();
        let message = format!("{workload} is not in {}: no cluster would look at what is published", files.join(", "));
        let mut finding = Finding::error("unknown-workload", Place::file(first.file.as_str()), message);
        let known = lists.iter().flat_map(|list| &list.items).map(|item| item.id.as_str());
        finding.of(workload).did_you_mean(suggest::nearest(workload, known));
        said.findings.push(finding);
        return said;
    };
    if let Some(environment) = environment
        && !found.iter().any(|(_, item)| item.is_in(environment))
    {
        let message = format!("{workload} is not in the environment {environment}: no cluster would look at what is published");
        let mut finding = Finding::error("not-in-environment", item.place(), message);
        finding.of(workload).hint(format!("add it to the workload's environments in {}", list.file));
        said.findings.push(finding);
        return said;
    }
    // Where none is named it has to be right in each.
    let environments = environment.map_or_else(|| settings.environments().to_vec(), |name| vec![name.to_owned()]);
    for (list, item) in &found {
        let alone = Workloads { items: vec![(*item).clone()], defaults: list.defaults.clone(), file: list.file.clone() };
        for environment in environments.iter().filter(|environment| item.is_in(environment)) {
            for pair in objects::build(&alone, settings, environment) {
                said.add(workload, item, &pair, settings, environment);
            }
        }
    }
    // Only one environment decides what a push does to what is gone.
    said.prunes |= environment.is_none();
    said
}

impl Declared {
    /// What one pair of objects says, each thing once.
    fn add(&mut self, workload: &str, item: &Workload, pair: &Pair, settings: &Settings, environment: &str) {
        let release = Release::newest_serving(OCI_REPOSITORY, settings.source_api_version()).unwrap_or(Release::newest());
        let of_it = |pointer: &str| pair.kustomization.pointer(pointer);
        self.prunes &= of_it("/spec/prune").and_then(Value::as_bool) == Some(true);
        let namespace = of_it("/spec/targetNamespace").and_then(Value::as_str).map(str::to_owned);
        if !self.set_namespaces.contains(&namespace) {
            self.set_namespaces.push(namespace);
        }
        if let Some(substitution) = Substitution::of(&pair.kustomization, release)
            && !self.substitutions.contains(&substitution)
        {
            self.substitutions.push(substitution);
        }
        for (code, message, hint) in faults(workload, pair, environment) {
            let mut finding = Finding::error(code, item.place(), message);
            finding.of(workload).hint(hint);
            if !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
        }
    }
}

/// What keeps a workload's two objects from applying what is published: one file in the artifact's root, under the
/// environment's tag. Code, message, hint.
fn faults(workload: &str, pair: &Pair, environment: &str) -> Vec<(&'static str, String, &'static str)> {
    let mut found = Vec::new();
    let mut say = |code: &'static str, message: String, hint: &'static str| found.push((code, message, hint));
    let path = pair.kustomization.pointer("/spec/path").and_then(Value::as_str).unwrap_or_default();
    if path.split('/').any(|part| !part.is_empty() && part != ".") {
        let message = format!("{workload}'s Kustomization reads the folder {path}, and the manifests are published in the root");
        say("not-looked-at", message, "leave spec.path out of the workload's flux: settings");
    }
    if let Some(what) = other_reference(&pair.source, environment) {
        let message = format!("{workload}'s source follows {what}, not the tag {environment} that is pushed");
        say("not-looked-at", message, "leave flux.source.ref out, or push that tag with flux");
    }
    let ignored = pair.source.pointer("/spec/ignore").and_then(Value::as_str).unwrap_or_default();
    if Ignore::of(&Tree::new(), ignored).drops(FILE) {
        let message = format!("{workload}'s source drops {FILE}, in which the manifests are published (spec.ignore)");
        say("not-looked-at", message, "leave flux.source.ignore out");
    }
    let names = pair.kustomization.pointer("/spec/postBuild/substitute").and_then(Value::as_object);
    for (name, _) in names.into_iter().flatten().filter(|(name, _)| !is_name(name)) {
        let message = format!("'{name}' in {workload}'s postBuild.substitute cannot be a variable's name");
        say("variable-name", message, "letters, digits and '_', not beginning with a digit");
    }
    found
}

/// What a source follows instead of an environment's tag.
fn other_reference(source: &Value, environment: &str) -> Option<String> {
    let field = |name: &str| source.pointer("/spec/ref")?.get(name)?.as_str().filter(|text| !text.is_empty());
    // The order in which source-controller takes them (`getArtifactRef`).
    if let Some(digest) = field("digest") {
        return Some(format!("the digest {digest}"));
    }
    if let Some(range) = field("semver") {
        return Some(format!("the versions {range}"));
    }
    field("tag").filter(|tag| *tag != environment).map(|tag| format!("the tag {tag}"))
}

#[cfg(test)]
mod tests {
    use super::declared;
    use crate::settings::resolve;
    use crate::workloads::{Workloads, parse};

    fn list(text: &str) -> Workloads {
        let (list, findings) = parse("w.yml", text);
        assert!(findings.is_empty(), "{findings:?}");
        list
    }

    /// A push that no cluster would ever look at, whatever its manifests are.
    #[test]
    fn what_is_pushed_has_to_be_what_the_source_and_the_kustomization_read() {
        for (flux, word) in [
            ("path: ./sub", "reads the folder ./sub"),
            ("source: {ref: {tag: v9}}", "follows the tag v9"),
            ("source: {ref: {semver: '>=1.0.0'}}", "follows the versions >=1.0.0"),
            ("source: {ignore: '*.yaml'}", "drops manifests.yaml"),
            ("source: {ignore: 'manifests.*'}", "drops manifests.yaml"),
        ] {
            let lists = [list(&format!("- runway_service_id: web\n  flux: {{{flux}}}\n"))];
            let findings = declared("web", Some("production"), &lists, &resolve([])).findings;
            assert!(findings.len() == 1 && findings[0].code == "not-looked-at", "{flux}: {findings:?}");
            assert!(findings[0].message.contains(word), "{}", findings[0].message);
        }
        for flux in [
            "path: ./",
            "source: {ref: {tag: production}}",
            "source: {ignore: '*.md'}",
            "source: {ignore: \"*.yaml\\n!manifests.yaml\"}",
        ] {
            let lists = [list(&format!("- runway_service_id: web\n  flux: {{{flux}}}\n"))];
            assert!(declared("web", Some("production"), &lists, &resolve([])).findings.is_empty(), "{flux}");
        }
    }

    #[test]
    fn what_the_list_says() {
        let lists = [
            list(
                "- runway_service_id: web\n- runway_service_id: kept\n  flux: {prune: false}\n- runway_service_id: early\n  environments: [staging]\n",
            ),
            list("- runway_service_id: placed\n  flux: {targetNamespace: x}\n"),
        ];
        let settings = resolve([]);
        let ask = |workload: &str| declared(workload, Some("production"), &lists, &settings);
        let web = ask("web");
        assert!(web.findings.is_empty() && web.prunes && web.set_namespaces == [None] && web.substitutions.is_empty());
        assert!(!ask("kept").prunes);
        assert_eq!(ask("placed").set_namespaces, [Some("x".to_owned())]);
        assert_eq!(ask("early").findings[0].code, "not-in-environment");
        let unknown = ask("wed");
        assert_eq!(
            (unknown.findings[0].code, unknown.findings[0].hint.as_deref()),
            ("unknown-workload", Some("did you mean web?"))
        );
        assert!(declared("wed", None, &[], &settings).findings.is_empty(), "nothing could be read");
        assert!(declared("early", None, &lists, &settings).findings.is_empty());
    }

    #[test]
    fn what_a_post_build_defines() {
        let lists = [list(
            "- runway_service_id: web\n  flux: {postBuild: {substitute: {region: x}}}\n- runway_service_id: odd\n  flux: {postBuild: {substitute: {a-b: x}}}\n\
             - runway_service_id: far\n  flux: {postBuild: {substituteFrom: [{kind: ConfigMap, name: c}]}}\n- runway_service_id: none\n  flux: {postBuild: {}}\n\
             - runway_service_id: all\n  flux: {postBuild: {substituteStrategy: Always}}\n",
        )];
        let ask = |workload: &str| declared(workload, Some("production"), &lists, &resolve([]));
        let web = ask("web").substitutions;
        assert!(web.len() == 1 && web[0].names.contains("region") && !web[0].elsewhere && web[0].release.substitutes_strictly());
        assert!(ask("far").substitutions[0].elsewhere && ask("all").substitutions.len() == 1);
        assert!(ask("none").substitutions.is_empty(), "Flux replaces nothing then");
        assert_eq!(ask("odd").findings[0].code, "variable-name");
    }
}
