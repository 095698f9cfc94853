//! Publishing, seen on clusters: what a change touches, what it does not, and what a cluster refuses.

use crate::stage::{ENVIRONMENT, Stage};
use runway_testkit::bed::{DEADLINE, Options};
use serde_json::{Value, json};
use std::collections::BTreeMap;

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
    // Within the scenario nothing is looked at again but by a change.
    let settings = stage.env.read("kubectl-runway.yaml");
    stage.env.write("kubectl-runway.yaml", settings.replace("kustomization: {interval: 1m}", "kustomization: {interval: 1h}"));
    stage.declare(&["a", "b"]);
    stage.deploy("a", "1");
    stage.deploy("b", "1");
    stage.push(&[]).ok();
    stage.parent();
    stage.wait_verdict("a", "Ready");
    stage.wait_verdict("b", "Ready");
    let generation =
        |name: &str| stage.ns.get_json("kustomization", name).expect("it is there")["metadata"]["generation"].clone();
    let conditions = |kind: &str| stage.ns.get_json(kind, "b").expect("it is there")["status"]["conditions"].clone();
    let sibling = (conditions("ocirepository"), conditions("kustomization"));
    assert!(sibling.1.as_array().is_some_and(|conditions| !conditions.is_empty()), "{sibling:?}");
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
    assert_eq!((conditions("ocirepository"), conditions("kustomization")), sibling, "its sibling was touched");
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
    // Said before anything is published: offline for a release that is named, and by the cluster itself.
    let verify = |more: &[&str]| stage.env.run([&["inventory", "verify", "-e", ENVIRONMENT], more].concat()).exits(1);
    let run = verify(&["--flux-version", "2.9"]);
    assert!(run.stdout.contains("error[api-version]: Flux 2.9 does not serve v1beta2"), "{run}");
    let run = verify(&["--server-dry-run"]);
    assert!(run.stdout.contains("error[dry-run-refused]") && run.stdout.contains("v1beta2"), "{run}");
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

/// What is on the cluster: each object of the two kinds, and what the workloads have applied, with what changes when they do.
fn on_the_cluster(stage: &Stage) -> BTreeMap<String, (Value, Value)> {
    let of = |kind: &'static str| {
        let list = stage.ns.list_json(kind).into_iter();
        list.map(move |object| {
            let metadata = &object["metadata"];
            let name = metadata["name"].as_str().unwrap_or_default();
            // A ConfigMap has no generation; its content is what changes.
            let state = if object["data"].is_null() { metadata["generation"].clone() } else { object["data"].clone() };
            (format!("{kind} {name}"), (metadata["uid"].clone(), state))
        })
    };
    let all = of("ocirepositories").chain(of("kustomizations")).chain(of("configmaps"));
    all.filter(|(name, _)| !name.ends_with("kube-root-ca.crt")).collect()
}

/// A list that would empty the cluster: refused, and neither the tag nor the cluster changes. What is let through, Flux prunes,
/// and nothing else.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn what_the_guard_refuses_reaches_no_cluster() {
    let stage = Stage::new("guard", "gke");
    let all = ["a", "b", "c", "d"];
    stage.declare(&all);
    for id in all {
        stage.deploy(id, "1");
    }
    stage.push(&[]).ok();
    stage.parent();
    for id in all {
        stage.wait_verdict(id, "Ready");
    }
    let tag = || stage.env.run(["inventory", "list", "--runtime", "gke", "-o", "json"]).ok();
    let (published, before) = (tag(), on_the_cluster(&stage));
    assert_eq!(before.len(), 2 * 5 + 4, "{before:?}");

    let list = |ids: &[&str]| ids.iter().map(|id| format!("- runway_service_id: {id}\n")).collect::<Vec<_>>().concat();
    let other = "config/runtimes/eks/workloads.yml";
    stage.env.write(other, list(&["e", "f", "g", "h"]));
    stage.env.write("one.yml", list(&["e"]));
    stage.env.write("half.yml", list(&["a", "b"]));
    for (file, words) in [
        (other, "everything that is published"),
        ("one.yml", "everything that is published"),
        ("half.yml", "2 of 4 workloads that are published"),
    ] {
        let run = stage.push(&["-f", file]).exits(5);
        assert!(run.stderr.contains(words) && run.stdout.contains("nothing was pushed"), "{run}");
        assert_eq!(tag(), published, "{file}");
        // The parent looks once more, and finds what it had.
        stage.env.run(["reconcile", "gke-inventory"]).ok();
        assert_eq!(on_the_cluster(&stage), before, "{file}");
    }

    let plan = stage.push(&["-f", "half.yml", "--allow-removals", "2"]).exits(0).stdout;
    assert!(plan.contains("- c (pruned") && plan.contains("- d (pruned") && plan.contains("0 added, 2 removed"), "{plan}");
    let kept = || before.iter().filter(|(name, _)| !name.ends_with(" c") && !name.ends_with(" d"));
    let left = stage.ns.wait_for("Flux to prune what was removed", DEADLINE, || {
        let now = on_the_cluster(&stage);
        (now.len() <= kept().count()).then_some(now)
    });
    let kept: BTreeMap<String, (Value, Value)> = kept().map(|(name, state)| (name.clone(), state.clone())).collect();
    assert_eq!(left, kept, "another object went, or changed");
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
