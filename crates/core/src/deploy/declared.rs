//! What the platform's lists say about a workload whose manifests are published.

use super::write::FILE;
use crate::finding::Finding;
use crate::objects;
use crate::problem::Place;
use crate::settings::Settings;
use crate::suggest;
use crate::workloads::Workloads;
use serde_json::Value;

/// What the lists say.
#[derive(Debug, Clone)]
pub struct Declared {
    /// What speaks against publishing.
    pub findings: Vec<Finding>,
    /// The workload's Kustomizations delete what is not published any more.
    pub prunes: bool,
    /// The namespace that they set for everything (`targetNamespace`).
    pub sets_namespace: Option<String>,
}

/// Looks a workload up in all lists that could be read; without any, nothing is known and Runway's form is taken for granted.
pub fn declared(workload: &str, environment: Option<&str>, lists: &[Workloads], settings: &Settings) -> Declared {
    let mut said = Declared { findings: Vec::new(), prunes: true, sets_namespace: None };
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
    let Some(environment) = environment else { return said };
    if !found.iter().any(|(_, item)| item.is_in(environment)) {
        let message = format!("{workload} is not in the environment {environment}: no cluster would look at what is published");
        let mut finding = Finding::error("not-in-environment", item.place.clone(), message);
        finding.of(workload).hint(format!("add it to the workload's environments in {}", list.file));
        said.findings.push(finding);
        return said;
    }
    for (list, item) in &found {
        let alone = Workloads { items: vec![(*item).clone()], defaults: list.defaults.clone(), file: list.file.clone() };
        for pair in objects::build(&alone, settings, environment) {
            let text = |object: &Value, pointer: &str| object.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
            said.prunes &= pair.kustomization.pointer("/spec/prune").and_then(Value::as_bool) == Some(true);
            said.sets_namespace = said.sets_namespace.or_else(|| text(&pair.kustomization, "/spec/targetNamespace"));
            let mut fault = |message: String, hint: &str| {
                let mut finding = Finding::error("not-looked-at", item.place.clone(), message);
                finding.of(workload).hint(hint);
                said.findings.push(finding);
            };
            // What is published is one file in the artifact's root.
            let path = text(&pair.kustomization, "/spec/path").unwrap_or_default();
            if path.split('/').any(|part| !part.is_empty() && part != ".") {
                let hint = "leave spec.path out of the workload's flux: settings";
                fault(
                    format!("{workload}'s Kustomization reads the folder {path}, and the manifests are published in the root"),
                    hint,
                );
            }
            if let Some(what) = other_reference(&pair.source, environment) {
                let hint = "leave flux.source.ref out, or push that tag with flux";
                fault(format!("{workload}'s source follows {what}, not the tag {environment} that is pushed"), hint);
            }
            let ignored = text(&pair.source, "/spec/ignore").unwrap_or_default();
            if ignored
                .lines()
                .map(str::trim)
                .any(|line| matches!(line, "*" | "/*" | "**" | "*.yaml" | "/*.yaml" | FILE | ROOT_FILE))
            {
                fault(
                    format!("{workload}'s source drops {FILE}, in which the manifests are published (spec.ignore)"),
                    "leave flux.source.ignore out",
                );
            }
        }
    }
    said
}

/// [`FILE`], as an ignore rule that is bound to the root writes it.
const ROOT_FILE: &str = "/manifests.yaml";

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
        ] {
            let lists = [list(&format!("- runway_service_id: web\n  flux: {{{flux}}}\n"))];
            let findings = declared("web", Some("production"), &lists, &resolve([])).findings;
            assert!(findings.len() == 1 && findings[0].code == "not-looked-at", "{flux}: {findings:?}");
            assert!(findings[0].message.contains(word), "{}", findings[0].message);
        }
        for flux in ["path: ./", "source: {ref: {tag: production}}", "source: {ignore: '*.md'}"] {
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
        assert!(web.findings.is_empty() && web.prunes && web.sets_namespace.is_none());
        assert!(!ask("kept").prunes);
        assert_eq!(ask("placed").sets_namespace.as_deref(), Some("x"));
        assert_eq!(ask("early").findings[0].code, "not-in-environment");
        let unknown = ask("wed");
        assert_eq!(
            (unknown.findings[0].code, unknown.findings[0].hint.as_deref()),
            ("unknown-workload", Some("did you mean web?"))
        );
        assert!(declared("wed", None, &[], &settings).findings.is_empty(), "nothing could be read");
        assert!(declared("early", None, &lists, &settings).findings.is_empty());
    }
}
