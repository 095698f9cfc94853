//! Settings: what is empty, and what is shown of them.

use super::documents::{schema, valid};
use super::env;
use super::fake::{Fake, kubeconfig};

#[test]
fn what_cannot_be_empty_is_refused_with_its_place() {
    for (text, place) in [
        ("environments: []\n", "kubectl-runway.yaml:1:15"),
        ("runtimes: []\n", "kubectl-runway.yaml:1:11"),
        ("namespace: \"\"\n", "kubectl-runway.yaml:1:12"),
        ("namespace:\n", "kubectl-runway.yaml:1:1"),
    ] {
        let env = env();
        env.write("kubectl-runway.yaml", text);
        let run = env.run(["config", "view"]).exits(2);
        assert!(run.stderr.contains(place) && run.stderr.contains("empty"), "{run}");
    }
    for flag in ["-n", "-e", "--runtime"] {
        let run = env().run(["config", "view", flag, ""]).exits(2);
        assert!(run.stderr.contains("is empty"), "{run}");
    }
    let mut env = env();
    env.var("RUNWAY_REGISTRY_BASE", "user:s3cret@h/x");
    let run = env.run(["config", "view"]).exits(2);
    assert!(run.stderr.contains("RUNWAY_REGISTRY_BASE") && !run.stderr.contains("s3cret"), "{run}");
}

#[test]
fn a_variable_that_is_set_to_nothing_takes_a_secret_away() {
    let mut env = super::platform("- runway_service_id: a\n");
    env.write("kubectl-runway.yaml", "source: {secretRef: mine}\nnamespace: mine\n");
    let build = |env: &runway_testkit::env::Env| env.run(["inventory", "build", "-e", "production"]).ok();
    assert!(build(&env).contains("secretRef:\n    name: mine\n"));
    env.var("RUNWAY_SOURCE_SECRET_REF", "").var("RUNWAY_NAMESPACE", "").var("RUNWAY_ENVIRONMENTS", "").var("RUNWAY_RUNTIME", "");
    let text = build(&env);
    assert!(!text.contains("secretRef") && text.contains("namespace: mine\n"), "{text}");
    let view = env.run(["config", "view", "--show-origin"]).ok();
    assert!(view.contains("variable RUNWAY_SOURCE_SECRET_REF") && !view.contains("variable RUNWAY_NAMESPACE"), "{view}");
}

#[test]
fn the_clusters_are_shown_with_where_they_come_from() {
    let env = env();
    env.write("kubectl-runway.yaml", "clusters:\n- {name: eu, context: gke-eu, labels: {tier: canary}}\n- context: us\n");
    let text = env.run(["config", "view", "--show-origin"]).ok();
    let line = text.lines().find(|line| line.starts_with("clusters")).unwrap();
    assert!(line.contains("eu,us") && line.ends_with("kubectl-runway.yaml:2:3"), "{text}");

    let schema = schema("settings");
    let document = valid(&schema, &env.run(["config", "view", "-o", "json"]).ok());
    let items = document["items"].as_array().unwrap();
    let clusters = items.iter().find(|item| item["key"] == "clusters").unwrap();
    assert_eq!((&clusters["value"][0]["context"], &clusters["origin"]), (&"gke-eu".into(), &"kubectl-runway.yaml:2:3".into()));
    assert_eq!(document["summary"], serde_json::json!({"total": items.len(), "set": 1}));
    valid(&schema, &super::env().run(["config", "view", "-o", "json"]).ok());
    for spoiled in ["key", "value", "origin"] {
        let mut wrong = document.clone();
        wrong["items"][0].as_object_mut().unwrap().remove(spoiled);
        assert!(!schema.is_valid(&wrong), "{spoiled} may be absent");
    }
}

#[test]
fn requests_are_told_when_that_is_asked_for() {
    let server = Fake::recorded("with-parent/drifted-by-kubectl");
    let mut env = env();
    let file = env.write("kubeconfig", kubeconfig(&[("a", &server.url)]));
    env.var("KUBECONFIG", file);
    let status = |more: &[&str]| {
        let arguments = ["status", "-n", "drifted-by-kubectl", "--no-registry", "--runtime", "gke", "-e", "production"];
        env.run([&arguments, more].concat())
    };
    let quiet = status(&[]);
    assert!(!quiet.stderr.contains("GET "), "{quiet}");
    let host = server.url.strip_prefix("http://").unwrap();
    for flags in [&["-v"][..], &["-v", "-v"], &["-vv"], &["--verbose"]] {
        let run = status(&[flags, &["--token", "s3cret-token"]].concat());
        assert_eq!((run.code, &run.stdout), (quiet.code, &quiet.stdout), "{run}");
        let path = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/drifted-by-kubectl/kustomizations";
        let line = run
            .stderr
            .lines()
            .find(|line| line.starts_with(&format!("GET {host}{path} 200 ")))
            .unwrap_or_else(|| panic!("{run}"));
        assert!(line.ends_with(" ms"), "{line}");
        assert!(!run.stderr.contains("s3cret-token") && !run.stderr.contains("limit="), "{run}");
    }
}
