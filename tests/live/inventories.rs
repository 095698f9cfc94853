//! Publishing, seen on clusters: what a change touches, what it does not, and what a cluster refuses.

use crate::stage::{ENVIRONMENT, Stage};
use runway_testkit::bed::{DEADLINE, Options};
use serde_json::{Value, json};

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn bootstrap_applies_what_its_check_accepts() {
    let stage = Stage::new("bootstrap", "gke");
    stage.declare(&["svc"]);
    stage.deploy("svc", "1");
    stage.push(&[]).ok();
    let bootstrap = |more: &[&str]| {
        let mut arguments = vec!["bootstrap", "--runtime", "gke", "-e", ENVIRONMENT];
        arguments.extend(more);
        stage.env.run(arguments)
    };
    let absent = bootstrap(&["--check"]).exits(1);
    assert!(absent.stdout.contains("is absent"), "{absent}");
    drop(bootstrap(&["--apply", "--dry-run"]).exits(0));
    assert!(stage.ns.get_json("ocirepository", "gke-inventory").is_none(), "a dry run changed the cluster");
    bootstrap(&["--apply"]).ok();
    let source = stage.ns.get_json("ocirepository", "gke-inventory").expect("it was applied");
    let managers: Vec<&Value> =
        source["metadata"]["managedFields"].as_array().unwrap().iter().map(|entry| &entry["manager"]).collect();
    assert!(managers.contains(&&json!("runway")), "{managers:?}");
    bootstrap(&["--check"]).ok();
    stage.wait_verdict("svc", "Ready");

    stage.ns.patch("kustomization", "gke-inventory", &json!({"spec": {"interval": "1h"}}));
    let differs = bootstrap(&["--check"]).exits(1);
    assert!(differs.stdout.contains("spec.interval: 1h -> 10m0s"), "{differs}");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn one_changed_workload_reconciles_alone() {
    let stage = Stage::new("one-changes", "gke");
    stage.declare(&["a", "b"]);
    stage.deploy("a", "1");
    stage.deploy("b", "1");
    stage.push(&[]).ok();
    stage.parent();
    stage.wait_verdict("a", "Ready");
    stage.wait_verdict("b", "Ready");
    let generation =
        |name: &str| stage.ns.get_json("kustomization", name).expect("it is there")["metadata"]["generation"].clone();
    let source = stage.ns.get_json("ocirepository", "b").expect("it is there");
    let (before_a, before_b) = (generation("a"), generation("b"));

    stage
        .env
        .write("config/runtimes/gke/workloads.yml", "- runway_service_id: a\n  flux: {timeout: 2m}\n- runway_service_id: b\n");
    let text = stage.env.run(["inventory", "diff", "--runtime", "gke", "-e", ENVIRONMENT]).exits(1).stdout;
    assert!(text.contains("~ a\n") && text.contains("spec.timeout: absent -> 2m") && !text.contains("~ b"), "{text}");
    stage.push(&[]).ok();
    stage.ns.wait_for("the change to arrive", DEADLINE, || (generation("a") != before_a).then_some(()));
    stage.wait_verdict("a", "Ready");
    assert_eq!(generation("b"), before_b);
    let after = stage.ns.get_json("ocirepository", "b").expect("it is there");
    assert_eq!(after["status"]["conditions"], source["status"]["conditions"], "its sibling was touched");
    let same = stage.env.run(["inventory", "diff", "--runtime", "gke", "-e", ENVIRONMENT]).exits(0);
    assert_eq!(same.stdout, "", "{same}");
    let cluster = format!("cluster:{}", stage.ns.kube().name());
    let same = stage.env.run(["inventory", "diff", "--runtime", "gke", "-e", ENVIRONMENT, "local", &cluster]).exits(0);
    assert_eq!(same.stdout, "", "{same}");
}

/// Flux 2.8 and later serve only v1: one v1beta2 document blocks the whole inventory.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn v1beta2_is_refused_where_only_v1_is_served() {
    let mut stage = Stage::new("old-api", "gke");
    stage.declare(&["svc"]);
    stage.deploy("svc", "1");
    stage.env.var("RUNWAY_SOURCE_API_VERSION", "v1beta2");
    stage.push(&[]).ok();
    stage.parent();
    let parent = stage.wait_verdict("gke-inventory", "Failed");
    assert!(parent["message"].as_str().unwrap().contains("v1beta2"), "{parent}");
    let (rows, code) = stage.rows();
    assert_eq!(
        (rows["svc"]["verdict"].as_str(), rows["svc"]["break"]["link"].as_str(), code),
        (Some("Missing"), Some("parent"), Some(1))
    );
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn v1beta2_works_where_both_are_served() {
    let mut stage = Stage::new("both-apis", "eks");
    let cluster = stage.bed.cluster_with("both-apis", Options { source_v1beta2: true, ..Options::default() });
    stage.ns = cluster.namespace("both-apis");
    stage.env.var("KUBECONFIG", cluster.kubeconfig()).var("RUNWAY_NAMESPACE", stage.ns.name());
    stage.declare(&["svc"]);
    stage.deploy("svc", "1");
    stage.env.var("RUNWAY_SOURCE_API_VERSION", "v1beta2");
    stage.push(&[]).ok();
    stage.parent();
    let row = stage.wait_verdict("svc", "Ready");
    assert_eq!(row["links"][3]["state"], "holds", "{row}");
}

/// Somebody suspended a workload on the cluster, then it is removed: its objects stay, and the plan said so.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_suspended_workload_that_is_removed_is_orphaned() {
    let stage = Stage::new("orphan", "gke");
    stage.declare(&["keep", "paused"]);
    stage.deploy("keep", "1");
    stage.deploy("paused", "1");
    stage.push(&[]).ok();
    stage.parent();
    stage.wait_verdict("keep", "Ready");
    stage.wait_verdict("paused", "Ready");
    stage.ns.patch("kustomization", "paused", &json!({"spec": {"suspend": true}}));

    stage.declare(&["keep"]);
    let context = stage.ns.kube().name().to_owned();
    let plan = stage.push(&["--dry-run", "--context", &context]).exits(0).stdout;
    assert!(plan.contains("- paused (orphaned"), "{plan}");
    stage.push(&["--context", &context]).ok();
    stage
        .ns
        .wait_for("the Kustomization to go", DEADLINE, || stage.ns.get_json("kustomization", "paused").is_none().then_some(()));
    assert!(stage.ns.get_json("configmap", "paused").is_some(), "what it applied did not stay");
    stage.wait_verdict("keep", "Ready");
}
