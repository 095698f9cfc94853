//! The files of `ci-tasks/` as GitLab reads them; `ci_jobs.rs` and `tests/live/deploys.rs` run their jobs.

use runway_testkit::ci::{Pipeline, Template};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

fn text(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ci-tasks").join(file)).unwrap()
}

fn template(file: &str) -> Template {
    Template::read(&text(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

const SERVICE: &str = "service-project/helm-chart.yml";
const PLATFORM: &str = "provisioner/inventory.yml";

fn service(more: &[(&str, Value)]) -> Result<Pipeline, String> {
    let required = [("runway_service_id", json!("web")), ("runway_version", json!("v1.2.3"))];
    template(SERVICE).render(&[&required[..], more].concat())
}

#[test]
fn two_inputs_are_enough_for_a_service() {
    assert_eq!(template(SERVICE).required(), ["runway_service_id", "runway_version"]);
    assert_eq!(template(PLATFORM).required(), ["runway_version"]);
    let jobs = service(&[]).unwrap();
    let build = jobs.job("Build web").unwrap();
    assert!(build["image"].as_str().unwrap().ends_with("/kubectl-runway:v1.2.3"));
    assert_eq!(build["variables"]["DEPLOY_ENVIRONMENTS"], "staging production");
}

#[test]
fn inputs_cannot_reach_a_shell() {
    for (input, value) in [
        ("chart", "x; rm -rf /"),
        ("chart", "$(id)"),
        ("values", "a.yaml `id`"),
        ("environments", "staging;id"),
        ("namespace", "a b"),
        ("context", "x$y"),
        ("context", "x;y"),
        ("app_version", "1\nid"),
        ("app_version", "$(id)"),
        ("app_version", "`id`"),
        ("chart_version", "1 --set x"),
        ("timeout", "forever"),
        ("runtime", "gke eks"),
        ("job_suffix", "\n"),
        ("wait", "sometimes"),
    ] {
        assert!(service(&[(input, json!(value))]).is_err(), "{input}: {value}");
    }
    assert!(template(SERVICE).render(&[("runway_service_id", json!("../x")), ("runway_version", json!("v1.0.0"))]).is_err());
    // Their texts stand in variables, images and stages; never in a script.
    for (file, jobs) in
        [(SERVICE, service(&[]).unwrap()), (PLATFORM, template(PLATFORM).render(&[("runway_version", json!("v1.0.0"))]).unwrap())]
    {
        let body = text(file);
        for script in body.split("  script:\n").skip(1) {
            let script = script.split("\n  artifacts:").next().unwrap();
            assert!(!script.contains("$[[") && !script.contains("set -x"), "{file}");
        }
        for (name, job) in &jobs.jobs {
            for line in job["script"].as_array().unwrap() {
                let run = std::process::Command::new("/bin/sh").args(["-n", "-c", line.as_str().unwrap()]).output().unwrap();
                assert!(run.status.success(), "{name}: {}", String::from_utf8_lossy(&run.stderr));
            }
        }
    }
}

#[test]
fn no_job_runs_twice() {
    let all = [service(&[]).unwrap(), template(PLATFORM).render(&[("runway_version", json!("v1.0.0"))]).unwrap()];
    let with = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs
            .iter()
            .chain(&[("CI_DEFAULT_BRANCH", "main")])
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    };
    for jobs in &all {
        // A branch with a merge request has two pipelines; only one of them may have jobs.
        assert!(jobs.selected(&with(&[("CI_PIPELINE_SOURCE", "push"), ("CI_COMMIT_BRANCH", "topic")])).unwrap().is_empty());
        let reviewed = jobs.selected(&with(&[("CI_PIPELINE_SOURCE", "merge_request_event")])).unwrap();
        assert!(
            !reviewed.is_empty() && reviewed.iter().all(|name| !name.starts_with("Deploy") && !name.starts_with("Upload")),
            "{reviewed:?}"
        );
        let deployed = jobs.selected(&with(&[("CI_PIPELINE_SOURCE", "push"), ("CI_COMMIT_BRANCH", "main")])).unwrap();
        assert_eq!(deployed.len(), jobs.jobs.len());
        for (others, why) in [
            (
                &[("CI_PIPELINE_SOURCE", "schedule"), ("CI_COMMIT_BRANCH", "main")][..],
                "a schedule would publish what somebody took back",
            ),
            (&[("CI_PIPELINE_SOURCE", "push"), ("CI_COMMIT_TAG", "v1")], "a tag is of a commit that has had its pipeline"),
            (&[("CI_PIPELINE_SOURCE", "schedule"), ("CI_COMMIT_BRANCH", "topic")], "a schedule of another branch"),
        ] {
            assert!(jobs.selected(&with(others)).unwrap().is_empty(), "{why}");
        }
        // Of a fork, which has a default branch too, the merge request's pipeline is like any other one's.
        let forked = [("CI_PIPELINE_SOURCE", "merge_request_event"), ("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "fork/x")];
        assert_eq!(jobs.selected(&with(&forked)).unwrap(), reviewed);
        // Started by hand, by another pipeline or by the API, the default branch is deployed as by a push.
        for source in ["web", "api", "pipeline", "trigger"] {
            assert_eq!(jobs.selected(&with(&[("CI_PIPELINE_SOURCE", source), ("CI_COMMIT_BRANCH", "main")])).unwrap(), deployed);
        }
        // Whatever pushes, one at a time, never an old one after a newer one, and never ended by a newer pipeline.
        for (name, job) in jobs.jobs.iter().filter(|(name, _)| name.starts_with("Deploy") || name.starts_with("Upload")) {
            assert!(job["resource_group"].as_str().is_some_and(|group| group.starts_with("runway")), "{name}");
            assert!(job["environment"]["name"].as_str().is_some_and(|name| name.starts_with("runway")), "{name}");
            assert_eq!(job["interruptible"], false, "{name}");
        }
        for (name, job) in &jobs.jobs {
            assert!(job["timeout"].is_string(), "{name}");
        }
    }
}

#[test]
fn what_runways_services_include_fits() {
    // As a public service of Runway has it.
    let jobs = service(&[("runtime", json!("gke")), ("app_version", json!("${CI_COMMIT_SHORT_SHA}"))]).unwrap();
    let build = jobs.job("Build web").unwrap();
    assert_eq!(
        (&build["variables"]["DEPLOY_RUNTIME"], &build["variables"]["DEPLOY_APP_VERSION"]),
        (&"gke".into(), &"${CI_COMMIT_SHORT_SHA}".into())
    );
}

#[test]
fn a_file_can_be_included_twice() {
    let names = |jobs: Pipeline| -> Vec<String> { jobs.jobs.into_iter().map(|(name, _)| name).collect() };
    let platform =
        |suffix: &str| template(PLATFORM).render(&[("runway_version", json!("v1.0.0")), ("job_suffix", json!(suffix))]).unwrap();
    for [one, other] in
        [[service(&[]).unwrap(), service(&[("job_suffix", json!(" (eu)"))]).unwrap()], [platform(""), platform(" 2")]]
    {
        let (one, other) = (names(one), names(other));
        assert!(one.iter().all(|name| !other.contains(name)), "{one:?} {other:?}");
    }
}
