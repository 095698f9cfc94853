//! The main job: declared, published, installed, deployed, applied, and back.

use crate::stage::{ENVIRONMENT, Stage};

/// Our inventory, a deploy artifact by the real flux, the parent pair: live Flux makes all four objects Ready, and status
/// says so with the digest that was pushed.
fn becomes_ready(runtime: &str) {
    let stage = Stage::new("ready", runtime);
    let id = format!("example-service-{runtime}");
    stage.declare(&[&id]);
    let digest = stage.deploy(&id, "1");
    stage.push(&[]).ok();
    stage.parent();
    for name in [&id, &stage.parent_name()] {
        stage.ns.wait_ready("ocirepository", name);
        stage.ns.wait_ready("kustomization", name);
    }
    let row = stage.wait_verdict(&id, "Ready");
    assert_eq!(row["expected"]["digest"], digest.as_str());
    assert_eq!(row["kustomization"]["appliedDigest"], digest.as_str());
    assert!(row.get("break").is_none(), "{row}");
    let states: Vec<&str> = row["links"].as_array().unwrap().iter().map(|link| link["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["holds"; 8], "{row}");

    let run = stage.all_ready(&["status", "--runtime", runtime, "-e", ENVIRONMENT, &id]);
    assert!(run.stdout.contains("Ready") && run.stdout.contains(digest.get(7..15).unwrap()), "{run}");
    let all = stage.all_ready(&["status", "--runtime", runtime, "-e", ENVIRONMENT]);
    assert!(all.stdout.contains(&stage.parent_name()), "{all}");
    // Read from the parents on the cluster: neither runtime nor environment has to be said.
    let found = stage.all_ready(&["status"]);
    assert_eq!(found.stdout.lines().count(), 3, "{found}");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_first_deploy_becomes_ready_on_gke() {
    becomes_ready("gke");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_first_deploy_becomes_ready_on_eks() {
    becomes_ready("eks");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_deleted_deploy_tag_is_never_ready() {
    let stage = Stage::new("tag-gone", "gke");
    stage.declare(&["svc"]);
    stage.deploy("svc", "1");
    stage.push(&[]).ok();
    stage.parent();
    stage.wait_verdict("svc", "Ready");

    // Flux looks again only after its interval: suspend nothing, just ask before it can have noticed.
    stage.ns.patch("ocirepository", "svc", &serde_json::json!({"metadata": {"annotations": {"scenario": "before"}}}));
    assert!(stage.bed.delete_tag(&stage.deploy_repository("svc"), ENVIRONMENT));
    let (rows, code) = stage.rows();
    assert_eq!(
        (rows["svc"]["verdict"].as_str(), rows["svc"]["break"]["link"].as_str()),
        (Some("Failed"), Some("deployed")),
        "{}",
        rows["svc"]
    );
    assert_eq!(code, Some(1));

    stage.ns.reconcile("ocirepository", "svc");
    stage.ns.wait_condition("ocirepository", "svc", "Ready", "False", None);
    let (rows, code) = stage.rows();
    assert_eq!(
        (rows["svc"]["verdict"].as_str(), rows["svc"]["break"]["link"].as_str()),
        (Some("Failed"), Some("deployed")),
        "{}",
        rows["svc"]
    );
    assert!(rows["svc"]["message"].as_str().unwrap().contains("still runs"), "{}", rows["svc"]);
    assert_eq!(code, Some(1));
    drop(stage.status(&["svc"]).exits(1));
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_new_deploy_is_not_ready_until_it_is_applied() {
    let stage = Stage::new("new-deploy", "gke");
    stage.declare(&["svc"]);
    let first = stage.deploy("svc", "1");
    stage.push(&[]).ok();
    stage.parent();
    stage.wait_verdict("svc", "Ready");

    // The Kustomization stands still, so that "fetched and not applied" can be seen.
    stage.ns.patch("kustomization", &stage.parent_name(), &serde_json::json!({"spec": {"suspend": true}}));
    stage.ns.patch("kustomization", "svc", &serde_json::json!({"spec": {"interval": "1h", "retryInterval": "1h"}}));
    stage.wait_until_looked_at("svc");
    let second = stage.deploy("svc", "2");
    assert_ne!(first, second);
    // From here on, at every moment, Ready may be said only of the second digest.
    let row = stage.ns.wait_for("the second deploy to be applied", runway_testkit::bed::DEADLINE, || {
        let (rows, _) = stage.rows();
        let row = rows["svc"].clone();
        assert_eq!(row["expected"]["digest"], second.as_str(), "{row}");
        let applied = row["kustomization"]["appliedDigest"] == second.as_str();
        assert!(applied || row["verdict"] != "Ready", "{row}");
        applied.then_some(row)
    });
    // Its interval was edited by hand under a suspended parent: Drifted or Outdated is the truth, and never the old digest.
    assert_ne!(row["verdict"], "Failed", "{row}");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn added_workloads_are_installed_and_removed_ones_pruned_on_gke() {
    added_and_removed("gke");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn added_workloads_are_installed_and_removed_ones_pruned_on_eks() {
    added_and_removed("eks");
}

fn added_and_removed(runtime: &str) {
    let stage = Stage::new("added", runtime);
    let (first, second) = (format!("first-{runtime}"), format!("second-{runtime}"));
    stage.declare(&[&first]);
    stage.deploy(&first, "1");
    stage.deploy(&second, "1");
    stage.push(&[]).ok();
    stage.parent();
    stage.wait_verdict(&first, "Ready");

    stage.declare(&[&first, &second]);
    let (rows, code) = stage.rows();
    assert_eq!(
        (rows[&second]["verdict"].as_str(), rows[&second]["break"]["link"].as_str()),
        (Some("Missing"), Some("published"))
    );
    assert_eq!(code, Some(1));
    let plan = stage.push(&[]).ok();
    assert!(plan.contains(&format!("+ {second}")), "{plan}");
    stage.wait_verdict(&second, "Ready");
    assert!(stage.ns.get_json("configmap", &second).is_some());
    drop(stage.all_ready(&["status", "--runtime", runtime, "-e", ENVIRONMENT]));

    stage.declare(&[&first]);
    let plan = stage.push(&[]).ok();
    assert!(plan.contains(&format!("- {second} (pruned")), "{plan}");
    stage.ns.wait_for("the removed workload to be pruned", runway_testkit::bed::DEADLINE, || {
        let gone = ["kustomization", "ocirepository", "configmap"].iter().all(|kind| stage.ns.get_json(kind, &second).is_none());
        let (rows, _) = stage.rows();
        assert!(rows.get(&second).is_none_or(|row| row["verdict"] != "Ready"), "{rows:?}");
        gone.then_some(())
    });
    stage.wait_verdict(&first, "Ready");
    let (rows, _) = stage.rows();
    assert!(!rows.contains_key(&second), "{rows:?}");
    assert!(stage.ns.get_json("configmap", &first).is_some());
}

impl Stage {
    /// Waits until kustomize-controller has seen the current spec.
    fn wait_until_looked_at(&self, name: &str) {
        self.ns.wait_for("the controller to look at the new spec", runway_testkit::bed::DEADLINE, || {
            let object = self.ns.get_json("kustomization", name)?;
            (object["status"]["observedGeneration"] == object["metadata"]["generation"]).then_some(())
        });
    }
}
