//! `inventory build` and `inventory push` to a layout.

use super::platform;
use serde_json::Value;

const ONE: &str = "- runway_service_id: example-service-gke\n";

#[test]
fn build_prints_what_runway_publishes() {
    let mut env = platform(ONE);
    env.var("RUNWAY_SOURCE_API_VERSION", "v1beta2");
    let golden = include_str!("published.yaml");
    assert_eq!(env.run(["inventory", "build", "-e", "production"]).ok(), golden);
    env.unset("RUNWAY_SOURCE_API_VERSION");
    assert_eq!(env.run(["inventory", "build", "-e", "production"]).ok(), golden.replace("/v1beta2", "/v1"));
    let eks = env
        .run_with_stdin(["inventory", "build", "-f", "-", "--runtime", "eks", "-e", "staging"], "- name: example-service-eks\n")
        .ok();
    let expected = golden.replace("/v1beta2", "/v1").replace("-gke", "-eks").replace("tag: production", "tag: staging");
    assert_eq!(eks, expected);
}

#[test]
fn build_writes_a_folder() {
    let env = platform(ONE);
    let run = env.run(["inventory", "build", "-e", "production", "--output-dir", "out"]).exits(0);
    assert_eq!(run.stdout, "");
    let printed = env.run(["inventory", "build", "-e", "production"]).ok();
    assert_eq!(env.read("out/production/inventory.yaml"), printed);
}

/// The digest is a promise: the same input gives it on every machine. It changes only with the packer, and then every
/// published digest changes with it.
#[test]
fn the_golden_digest() {
    let env = platform(ONE);
    let push = |more: &[&str]| {
        let mut arguments = vec!["inventory", "push", "-e", "production", "--to", "layout:out", "-o", "json"];
        arguments.extend(more);
        serde_json::from_str::<Value>(&env.run(arguments).ok()).expect("JSON")
    };
    let first = push(&[]);
    assert_eq!(first["result"], "pushed");
    assert_eq!(first["digest"], "sha256:7b8eb48f9d2f7822bd31a6efb781fd21a98dd76ff3ee29353e40dffcc7aa4978");
    let again = push(&[]);
    assert_eq!((&again["result"], &again["digest"]), (&"unchanged".into(), &first["digest"]));
    // Another commit with equal content is no change; --force pushes it.
    assert_eq!(push(&["--revision", "main@sha1:abc"])["result"], "unchanged");
    let forced = push(&["--revision", "main@sha1:abc", "--force"]);
    assert_eq!(forced["result"], "pushed");
    assert_ne!(forced["digest"], first["digest"]);
}

#[test]
fn a_layout_reads_back() {
    let env = platform("- runway_service_id: a\n- runway_service_id: b\n");
    let built = env.run(["inventory", "build", "-e", "production"]).ok();
    env.run(["inventory", "push", "-e", "production", "--to", "layout:out"]).ok();
    assert_eq!(env.run(["inventory", "show", "layout:out", "-e", "production"]).ok(), built);
    let missing = env.run(["inventory", "show", "layout:out", "-e", "staging"]).exits(2);
    assert!(missing.stderr.contains("there is no such inventory"), "{missing}");
}

#[test]
fn dry_runs_and_refusals_write_nothing() {
    let env = platform("- runway_service_id: a\n- runway_service_id: b\n");
    let run = env.run(["inventory", "push", "-e", "production", "--to", "layout:out", "--dry-run"]).exits(0);
    assert!(run.stdout.contains("+ a") && run.stdout.contains("nothing was pushed"), "{run}");
    assert!(!env.work().join("out").exists());
    env.run(["inventory", "push", "-e", "production", "--to", "layout:out"]).ok();
    let index = env.read("out/index.json");
    env.write("config/runtimes/gke/workloads.yml", "- runway_service_id: c\n");
    let run = env.run(["inventory", "push", "-e", "production", "--to", "layout:out", "-o", "json"]).exits(5);
    let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(document["result"], "refused");
    assert_eq!(document["plan"]["removed"][0]["consequence"], "pruned");
    assert!(run.stderr.contains("--allow-removals 2"), "{run}");
    assert_eq!(env.read("out/index.json"), index);
}

#[test]
fn provenance_comes_from_ci_without_credentials() {
    let mut env = platform(ONE);
    env.var("CI_PROJECT_URL", "https://gitlab-ci-token:canary@gitlab.example.com/platform");
    env.var("CI_COMMIT_SHA", "0123456789012345678901234567890123456789").var("CI_COMMIT_REF_NAME", "main");
    env.var("CI_COMMIT_TIMESTAMP", "2026-01-02T03:04:05+01:00");
    let run = env.run(["inventory", "push", "-e", "production", "--to", "layout:out", "-o", "json"]).ok();
    let digest = serde_json::from_str::<Value>(&run).expect("JSON")["digest"].as_str().expect("a digest").to_owned();
    let manifest = env.read(format!("out/blobs/sha256/{}", digest.trim_start_matches("sha256:")));
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    let annotations = &manifest["annotations"];
    assert_eq!(annotations["org.opencontainers.image.source"], "https://gitlab.example.com/platform");
    assert_eq!(annotations["org.opencontainers.image.revision"], "main@sha1:0123456789012345678901234567890123456789");
    assert_eq!(annotations["org.opencontainers.image.created"], "2026-01-02T02:04:05Z");
}
