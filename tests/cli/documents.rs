//! Documents for machines: valid by the published schemas, and the report formats hold what they should.

use super::fake::{Fake, folder, kubeconfig, refusing};
use super::{env, platform};
use serde_json::Value;
use std::path::Path;

pub(crate) fn schema(name: &str) -> jsonschema::Validator {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{name}.schema.json"));
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

#[track_caller]
pub(crate) fn valid(schema: &jsonschema::Validator, text: &str) -> Value {
    let document: Value = serde_json::from_str(text).unwrap();
    let errors: Vec<String> = schema.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{}\n{text}", errors.join("\n"));
    document
}

#[test]
fn every_status_document_is_valid() {
    let schema = schema("status-report");
    for group in ["alone", "with-parent"] {
        for entry in std::fs::read_dir(folder(group)).unwrap() {
            let path = entry.unwrap().path();
            let run =
                env().run(["status", "--snapshot", path.to_str().unwrap(), "--runtime", "gke", "-e", "production", "-o", "json"]);
            valid(&schema, &run.stdout);
        }
    }
    let (good, dead) = (Fake::recorded("with-parent/drifted-by-kubectl"), refusing());
    let mut env = env();
    let file = env.write("kubeconfig", kubeconfig(&[("good", &good.url), ("dead", &dead)]));
    env.var("KUBECONFIG", file);
    let run = env.run(["status", "--all-contexts", "--objects", "-n", "drifted-by-kubectl", "--no-registry", "-o", "json"]);
    let document = valid(&schema, &run.stdout);
    assert_eq!(document["items"].as_array().unwrap().last().unwrap()["workload"], "*");
    for spoiled in ["verdict", "links", "cluster"] {
        let mut document = document.clone();
        document["items"][0].as_object_mut().unwrap().remove(spoiled);
        assert!(!schema.is_valid(&document), "{spoiled} may be absent");
    }
    let mut wrong = document;
    wrong["items"][0]["verdict"] = "Fine".into();
    assert!(!schema.is_valid(&wrong), "any verdict would do");
}

#[test]
fn push_results_are_valid() {
    let schema = schema("push-result");
    let env = platform("- runway_service_id: a\n- runway_service_id: b\n- runway_service_id: c\n");
    for more in [&["--dry-run"][..], &[], &[]] {
        let run =
            env.run([&["inventory", "push", "-e", "production", "--to", "layout:out", "-o", "json"], more].concat()).exits(0);
        valid(&schema, &run.stdout);
    }
    env.write("config/runtimes/gke/workloads.yml", "- runway_service_id: a\n");
    let run =
        env.run(["inventory", "push", "-e", "production", "--to", "layout:out", "-o", "json", "--allow-removals", "2"]).exits(0);
    assert_eq!(valid(&schema, &run.stdout)["plan"]["removed"].as_array().unwrap().len(), 2);
}

#[test]
fn verify_reports_are_valid() {
    let schema = schema("verify-report");
    let clean = platform("- runway_service_id: a\n").run(["inventory", "verify", "-o", "json"]).exits(0);
    assert_eq!(valid(&schema, &clean.stdout)["items"].as_array().unwrap().len(), 0);
    let env = platform("- runway_service_id: A_b\n- runway_service_id: web\n  regons: [x]\n");
    let document = valid(&schema, &env.run(["inventory", "verify", "-o", "json"]).exits(1).stdout);
    assert_eq!(document["summary"], serde_json::json!({"workloads": 2, "errors": 1, "warnings": 1}));
    for spoiled in ["code", "severity", "file", "message"] {
        let mut wrong = document.clone();
        wrong["items"][0].as_object_mut().unwrap().remove(spoiled);
        assert!(!schema.is_valid(&wrong), "{spoiled} may be absent");
    }
    for (key, value) in [("severity", Value::from("bad")), ("line", Value::from(0))] {
        let mut wrong = document.clone();
        wrong["items"][0][key] = value;
        assert!(!schema.is_valid(&wrong), "{key} may be anything");
    }
    // Broken text, a folder of what was built, and a deploy artifact's manifests.
    env.write("config/runtimes/gke/workloads.yml", "- runway_service_id: [a\n");
    valid(&schema, &env.run(["inventory", "verify", "-o", "json"]).exits(1).stdout);
    env.write("out/production/inventory.yaml", "kind: [\n");
    valid(&schema, &env.run(["inventory", "verify", "out", "-e", "production", "-o", "json"]).exits(1).stdout);
    env.write("bad.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n");
    let run = env.run(["deploy", "verify", "a", "-e", "production", "-f", "bad.yaml", "-o", "json"]).exits(1);
    assert!(!valid(&schema, &run.stdout)["items"].as_array().unwrap().is_empty());
}

#[test]
fn lists_of_tags_are_valid() {
    let schema = schema("tag-list");
    let env = platform("- runway_service_id: a\n");
    for environment in ["staging", "production"] {
        env.run(["inventory", "push", "-e", environment, "--to", "layout:out", "--source", "https://example.com/p"]).ok();
    }
    let document = valid(&schema, &env.run(["inventory", "list", "layout:out", "-o", "json"]).ok());
    assert_eq!((document["items"].as_array().unwrap().len(), &document["summary"]), (2, &serde_json::json!({"total": 2})));
    let mut wrong = document.clone();
    wrong["items"][0]["digest"] = "abc".into();
    assert!(!schema.is_valid(&wrong), "any digest would do");
    let same = env.run(["deploy", "list", "a", "layout:out", "-o", "json"]).ok();
    assert_eq!(valid(&schema, &same), document);
}

/// Editors hold a list against the schema, and the program against its own rules: of these they say the same.
#[test]
fn the_schema_of_lists_takes_what_verify_takes() {
    let schema = schema("workloads");
    for (text, good) in [
        ("- runway_service_id: a\n", true),
        ("- {name: a, project_id: 12, regions: [us-east1], groups: [g], members: [m], exclude_name_suffix: true}\n", true),
        ("- runway_service_id: a\n  environments: [staging]\n", true),
        ("- runway_service_id: a\n  environments: {staging: {flux: {interval: 1m}}}\n", true),
        (
            "- runway_service_id: a\n  flux: {prune: false, dependsOn: [{name: b}], source: {timeout: 90s, insecure: true}}\n- runway_service_id: b\n",
            true,
        ),
        ("workloads:\n- runway_service_id: a\ndefaults: {flux: {interval: 7m}}\n", true),
        ("inventory:\n- runway_service_id: a\n", true),
        ("- runway_service_id: A_b\n", false),
        ("- project_id: 12\n", false),
        ("- runway_service_id: a\n  regions: us-east1\n", false),
        ("- runway_service_id: a\n  flux: {interval: 5}\n", false),
        ("- runway_service_id: a\n  flux: {source: {timeout: 1h}}\n", false),
        ("- runway_service_id: a\n  flux: {prune: maybe}\n", false),
        ("- runway_service_id: a\n  flux: {dependsOn: [{names: b}]}\n", false),
        ("- runway_service_id: a\n  environments: 5\n", false),
        ("workloads: {a: b}\n", false),
        ("just a text\n", false),
    ] {
        let (documents, _) = runway_core::yaml::documents("x", text, runway_core::yaml::Limits::default());
        let value = runway_core::yaml::value::to_json(&documents[0]);
        let errors: Vec<String> = schema.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert_eq!(errors.is_empty(), good, "{text}{errors:?}");
        let run = platform(text).run(["inventory", "verify"]);
        assert_eq!(run.code, Some(i32::from(!good)), "{text}{run}");
    }
}

#[test]
fn diff_reports_are_valid() {
    let schema = schema("diff-report");
    let env = platform("- runway_service_id: a\n- runway_service_id: b\n");
    drop(env.run(["inventory", "build", "--runtime", "gke", "-e", "production", "--output-dir", "old"]).exits(0));
    env.write(
        "config/runtimes/gke/workloads.yml",
        "- runway_service_id: a\n  flux: {interval: 7m, wait: true}\n- runway_service_id: c\n",
    );
    let run = env.run(["inventory", "diff", "local", "old", "--runtime", "gke", "-e", "production", "-o", "json"]).exits(1);
    let document = valid(&schema, &run.stdout);
    let changes: Vec<&str> = document["items"].as_array().unwrap().iter().map(|item| item["change"].as_str().unwrap()).collect();
    assert_eq!(changes, ["added", "removed", "changed"], "{run}");
    assert_eq!(document["items"][2]["fields"].as_array().unwrap().len(), 2, "{run}");
    let same = env.run(["inventory", "diff", "old", "old", "--runtime", "gke", "-e", "production", "-o", "json"]).exits(0);
    assert_eq!(valid(&schema, &same.stdout)["items"].as_array().unwrap().len(), 0);
    for spoiled in ["change", "fields"] {
        let mut wrong = document.clone();
        wrong["items"][2][spoiled] = "whatever".into();
        assert!(!schema.is_valid(&wrong), "{spoiled} may be anything");
    }
    // A deploy artifact's objects, against nothing at all.
    let config = |name: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: a}}\n");
    env.write("deploy.yaml", config("x"));
    let push = ["deploy", "push", "a", "-e", "production", "-f", "deploy.yaml", "--to", "layout:deployed"];
    drop(env.run(push).exits(0));
    env.write("deploy.yaml", config("z"));
    let run = env
        .run(["deploy", "diff", "a", "--with", "layout:deployed", "-e", "production", "-f", "deploy.yaml", "-o", "json"])
        .exits(1);
    let document = valid(&schema, &run.stdout);
    assert!(document["items"][0]["object"].is_string() && document["items"].as_array().unwrap().len() == 2, "{run}");
}

#[test]
fn a_name_that_is_nowhere_may_be_meant_otherwise() {
    let path = folder(CASE);
    for command in ["status", "explain", "tree"] {
        let run = env().run([command, "othre", "--snapshot", &path, "--runtime", "gke", "-e", "production"]).exits(1);
        assert!(run.stderr.contains("there is no workload othre; did you mean other?"), "{run}");
        let run = env().run([command, "zzzz", "--snapshot", &path, "--runtime", "gke", "-e", "production"]).exits(1);
        assert!(!run.stderr.contains("did you mean"), "{run}");
    }
}

/// A case with a Ready, a Suspended parent and a Missing row.
const CASE: &str = "with-parent/parent-suspended";

fn status(formats: &[&str]) -> runway_testkit::env::Run {
    let path = folder(CASE);
    let mut arguments = vec!["status", "--snapshot", &path, "--runtime", "gke", "-e", "production"];
    arguments.extend(formats.iter().flat_map(|format| ["-o", format]));
    env().run(arguments).exits(1)
}

#[test]
fn names_go_into_other_commands() {
    assert_eq!(status(&["name"]).stdout, "parent/gke-inventory\nworkload/svc\nworkload/other\nworkload/added\n");
}

#[test]
fn junit_has_a_case_for_each_row() {
    let text = status(&["junit"]).stdout;
    assert!(text.contains("<testsuite name=\"parent-suspended\" tests=\"4\" failures=\"2\" errors=\"0\""), "{text}");
    assert!(text.contains("<testcase name=\"svc\" classname=\"parent-suspended.gke.production\"/>"), "{text}");
    assert!(text.contains("<failure type=\"Missing\" message=\""), "{text}");
    assert!(text.contains("next: "), "{text}");
}

#[test]
fn markdown_is_a_table() {
    let text = status(&["markdown"]).stdout;
    assert!(text.starts_with("**3 workloads: 1 Missing, 2 Ready**\n\n| cluster |"), "{text}");
    assert!(text.contains("| `parent-suspended` | `added` | ❌ Missing | parent | "), "{text}");
    assert!(text.lines().skip(2).all(|line| line.starts_with('|') && line.ends_with('|')), "{text}");
}

#[test]
fn several_formats_at_once() {
    let env = env();
    let path = folder(CASE);
    let run = env
        .run([
            "status",
            "--snapshot",
            &path,
            "--runtime",
            "gke",
            "-e",
            "production",
            "-o",
            "junit=report.xml",
            "-o",
            "json=a.json",
            "-o",
            "table",
        ])
        .exits(1);
    assert!(run.stdout.starts_with("WORKLOAD"), "{run}");
    assert!(env.read("report.xml").starts_with("<?xml") && env.read("a.json").starts_with('{'));
}

#[test]
fn reconcile_results_are_valid() {
    let schema = schema("reconcile-result");
    let good = Fake::recorded("with-parent/drifted-by-kubectl");
    let mut env = env();
    let file = env.write("kubeconfig", kubeconfig(&[("good", &good.url)]));
    env.var("KUBECONFIG", file);
    let run = env.run(["reconcile", "--all", "--with-parent", "--dry-run", "-n", "drifted-by-kubectl", "-o", "json"]).exits(0);
    let document = valid(&schema, &run.stdout);
    assert_eq!(
        (document["result"].as_str(), document["items"][0]["kind"].as_str()),
        (Some("planned"), Some("parent")),
        "{document}"
    );
    assert_eq!(document["items"][0]["patches"].as_array().unwrap().len(), 2);
    let run = env.run(["reconcile", "svz", "-n", "drifted-by-kubectl"]).exits(2);
    assert!(run.stderr.contains("hint: did you mean svc?"), "{run}");
    let run = env.run(["reconcile", "nobody", "-n", "drifted-by-kubectl"]).exits(2);
    assert!(run.stderr.contains("there is no workload nobody"), "{run}");
}
