//! What the platform's lists say about a workload whose manifests are published.

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
    /// They set the namespace of everything.
    pub sets_namespace: bool,
}

/// Looks a workload up in all lists that could be read; without any, nothing is known and Runway's form is taken for granted.
pub fn declared(workload: &str, environment: Option<&str>, lists: &[Workloads], settings: &Settings) -> Declared {
    let mut said = Declared { findings: Vec::new(), prunes: true, sets_namespace: false };
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
    let specs: Vec<Value> = found
        .iter()
        .flat_map(|(list, item)| {
            let alone = Workloads { items: vec![(*item).clone()], defaults: list.defaults.clone(), file: list.file.clone() };
            objects::build(&alone, settings, environment).into_iter().map(|pair| pair.kustomization)
        })
        .collect();
    said.prunes = specs.iter().all(|object| object.pointer("/spec/prune").and_then(Value::as_bool) == Some(true));
    said.sets_namespace = specs.iter().all(|object| object.pointer("/spec/targetNamespace").is_some_and(|name| !name.is_null()));
    said
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
        assert!(web.findings.is_empty() && web.prunes && !web.sets_namespace);
        assert!(!ask("kept").prunes);
        assert!(ask("placed").sets_namespace);
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
