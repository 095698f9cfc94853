//! Waiting, watching, and asking Flux to look: on real controllers, with the races that real waits get wrong.

use crate::background::Background;
use crate::stage::{ENVIRONMENT, Stage};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Time in which something must not happen.
const QUIET: Duration = Duration::from_secs(3);

impl Stage {
    /// Declares one workload with overrides, and makes the parent apply it.
    fn installed(name: &str, flux: &str) -> Self {
        let stage = Self::new(name, "gke");
        stage.declare_with("svc", flux);
        stage.push(&[]).ok();
        stage.parent();
        stage
    }

    fn declare_with(&self, id: &str, flux: &str) {
        let list = format!("- runway_service_id: {id}\n  project_id: 1\n  flux: {flux}\n");
        self.env.write("config/runtimes/gke/workloads.yml", list);
    }

    /// `status --wait` of the workload, in the background.
    fn wait(&self, more: &[&str]) -> Background {
        let wait = [&["svc", "--wait", "-o", "json"], more].concat();
        Background::start(&self.env, &self.status_line(&wait))
    }

    fn deploy_file(&self, text: &str) -> String {
        self.bed.push_deploy(&self.deploy_repository("svc"), ENVIRONMENT, &[("objects.yaml", text)])
    }

    fn deployment(&self) -> String {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: svc, namespace: {}}}\nspec:\n  selector: {{matchLabels: {{app: svc}}}}\n  template:\n    metadata: {{labels: {{app: svc}}}}\n    spec: {{containers: [{{name: a, image: example.com/a:1}}]}}\n",
            self.ns.name()
        )
    }

    fn wait_deployment(&self) {
        self.ns.wait_for("the Deployment", runway_testkit::bed::DEADLINE, || self.ns.get_json("deployment", "svc").map(drop));
    }
}

fn row(run: &runway_testkit::env::Run) -> Value {
    let document: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"));
    document["items"][0].clone()
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_slow_rollout_is_waited_for() {
    let stage = Stage::installed("slow", "{wait: true, timeout: 2m}");
    let digest = stage.deploy_file(&stage.deployment());
    // `--timeout` limits each question, not the wait.
    let mut wait = stage.wait(&["--timeout", "3s"]);
    stage.wait_deployment();
    std::thread::sleep(2 * QUIET);
    assert!(wait.is_running(), "the Deployment is not available: {}", wait.text());
    stage.becomes_available("svc");
    let run = wait.end().exits(0);
    assert_eq!(
        (row(&run)["verdict"].as_str(), row(&run)["kustomization"]["appliedDigest"].as_str()),
        (Some("Ready"), Some(digest.as_str()))
    );
    assert!(run.stderr.contains("svc Reconciling") && run.stderr.contains("svc Ready with"), "{run}");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_broken_push_ends_the_wait_with_its_reason() {
    let stage = Stage::installed("broken", "{interval: 10s}");
    stage.deploy("svc", "1");
    drop(stage.wait(&[]).end().exits(0));
    stage.deploy_file("kind: [\n");
    let begun = Instant::now();
    let run = stage.wait(&["--grace", "3s"]).end().exits(1);
    assert!(begun.elapsed() < Duration::from_secs(60), "fast, and not at the deadline: {:?}", begun.elapsed());
    assert_eq!((row(&run)["verdict"].as_str(), row(&run)["reason"].as_str()), (Some("Failed"), Some("BuildFailed")), "{run}");
    assert!(run.stderr.contains("will not become Ready") && run.stderr.contains("next: "), "{run}");
    // The failure of before blocks no repair: it stands there when the next wait begins.
    let repaired = stage.deploy("svc", "2");
    let run = stage.wait(&["--grace", "1s"]).end().exits(0);
    assert_eq!(row(&run)["source"]["digest"], repaired.as_str());
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn what_recovers_within_the_grace_is_waited_for() {
    let stage = Stage::installed("recovers", "{interval: 5s}");
    let elsewhere = format!("{}-later", stage.ns.name());
    stage.deploy_file(&format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: svc, namespace: {elsewhere}}}\n"));
    let mut wait = stage.wait(&["--grace", "2m"]);
    wait.until("svc Failed");
    stage.ns.kube().create_namespace(&elsewhere);
    let run = wait.end().exits(0);
    assert!(run.stderr.contains("svc Ready with"), "{run}");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_newer_push_is_waited_for_instead() {
    let stage = Stage::installed("superseded", "{interval: 5s}");
    stage.deploy_file("kind: [\n");
    let mut wait = stage.wait(&["--grace", "3m"]);
    wait.until("svc Failed");
    let newer = stage.deploy("svc", "2");
    let run = wait.end().exits(0);
    assert_eq!(row(&run)["kustomization"]["appliedDigest"], newer.as_str());
    assert!(run.stderr.contains("superseded"), "{run}");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn an_artifact_without_the_path_fails() {
    let stage = Stage::installed("pathless", "{path: ./nowhere, interval: 5s}");
    stage.deploy("svc", "1");
    for more in [&["--grace", "3s"][..], &["--grace", "3s", "--trigger"][..]] {
        let run = stage.wait(more).end().exits(1);
        assert_eq!(
            (row(&run)["verdict"].as_str(), row(&run)["reason"].as_str()),
            (Some("Failed"), Some("ArtifactFailed")),
            "{run}"
        );
        assert!(run.stderr.contains("path not found"), "{run}");
    }
    // A push that has the path is waited for, though lastAttemptedRevision never moved.
    let repaired = stage.bed.push_deploy(
        &stage.deploy_repository("svc"),
        ENVIRONMENT,
        &[(
            "nowhere/a.yaml",
            &format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: svc, namespace: {}}}\n", stage.ns.name()),
        )],
    );
    let run = stage.wait(&["--grace", "1s"]).end().exits(0);
    assert_eq!(row(&run)["kustomization"]["appliedDigest"], repaired.as_str());
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn the_deadline_ends_what_is_still_on_its_way() {
    let stage = Stage::installed("late", "{wait: true, timeout: 3m}");
    stage.deploy_file(&stage.deployment());
    stage.wait_deployment();
    let run = stage.wait(&["--wait-timeout", "4s"]).end().exits(4);
    assert_eq!(row(&run)["verdict"], "Reconciling", "the document is printed all the same: {run}");
    assert!(run.stderr.contains("is not Ready after 4s"), "{run}");
    stage.becomes_available("svc");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_suspended_workload_fails_at_once() {
    let stage = Stage::installed("suspended", "{interval: 10s}");
    stage.deploy("svc", "1");
    drop(stage.wait(&[]).end().exits(0));
    stage.ns.patch("kustomization", "svc", &json!({"spec": {"suspend": true}}));
    stage.deploy("svc", "2");
    let begun = Instant::now();
    let run = stage.wait(&[]).end().exits(1);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert!(run.stderr.contains("suspended") && run.stderr.contains("resume kustomization svc"), "{run}");
}

/// Flux would look again in an hour: the old success is no success, and the request brings the new one.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn an_old_success_is_not_believed_and_a_trigger_brings_the_new_one() {
    let stage = Stage::installed("trigger", "{interval: 1h, source: {interval: 1h}}");
    stage.deploy("svc", "1");
    drop(stage.wait(&["--trigger"]).end().exits(0));
    let second = stage.deploy("svc", "2");
    let run = stage.wait(&["--wait-timeout", "5s"]).end().exits(4);
    assert_eq!(row(&run)["verdict"], "Outdated", "{run}");
    let run = stage.wait(&["--trigger"]).end().exits(0);
    assert_eq!(row(&run)["kustomization"]["appliedDigest"], second.as_str());
    // All of them, the parent too.
    drop(stage.status(&["--wait", "--wait-timeout", "1m"]).exits(0));
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn reconcile_proves_that_flux_has_looked() {
    let stage = Stage::installed("reconcile", "{interval: 1h, source: {interval: 1h}}");
    stage.deploy("svc", "1");
    drop(stage.wait(&["--trigger"]).end().exits(0));
    let second = stage.deploy("svc", "2");
    let planned = stage.env.run(["reconcile", "svc", "--dry-run"]).ok();
    assert!(planned.contains("reconcile.fluxcd.io/requestedAt") && planned.matches("# ").count() == 2, "{planned}");

    let run = stage.env.run(["reconcile", "svc", "--with-parent", "-o", "json"]).exits(0);
    let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(document["result"], "handled");
    assert_eq!((document["items"][0]["kind"].as_str(), document["items"][1]["workload"].as_str()), (Some("parent"), Some("svc")));
    assert!(document["items"][1]["revision"].as_str().unwrap().ends_with(&second), "{document}");
    let token = document["items"][1]["requestedAt"].as_str().unwrap();
    for kind in ["ocirepository", "kustomization"] {
        let object = stage.ns.get_json(kind, "svc").expect("it is there");
        assert_eq!(object["status"]["lastHandledReconcileAt"], token, "{object}");
        let managers: Vec<&str> = object["metadata"]["managedFields"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|fields| fields.to_string().contains("requestedAt"))
            .map(|fields| fields["manager"].as_str().unwrap())
            .collect();
        assert_eq!(managers, ["runway"], "{object}");
    }
    drop(stage.env.run(["reconcile", "--all"]).exits(0));

    stage.ns.patch("ocirepository", "svc", &json!({"spec": {"suspend": true}}));
    let before = stage.ns.get_json("kustomization", "svc").unwrap()["metadata"]["annotations"].clone();
    let run = stage.env.run(["reconcile", "svc"]).exits(5);
    assert!(run.stderr.contains("svc is suspended (its source)") && run.stderr.contains("resume source oci svc"), "{run}");
    assert_eq!(stage.ns.get_json("kustomization", "svc").unwrap()["metadata"]["annotations"], before);
    drop(stage.env.run(["reconcile", "nobody"]).exits(2));
}

/// A stage on a cluster of its own, whose servers can be stopped.
fn own_cluster(name: &str) -> (Stage, runway_testkit::bed::Cluster) {
    let mut stage = Stage::new(name, "gke");
    let cluster = stage.bed.cluster(name);
    let namespace = stage.ns.name().to_owned();
    stage.ns = cluster.namespace(name);
    stage.env.var("KUBECONFIG", cluster.kubeconfig());
    let settings = stage.env.read("kubectl-runway.yaml").replace(&namespace, stage.ns.name());
    stage.env.write("kubectl-runway.yaml", settings);
    (stage, cluster)
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_watch_survives_the_api_server_and_ends_as_it_is_told() {
    let (stage, mut cluster) = own_cluster("watch");
    stage.declare(&["svc"]);
    stage.deploy("svc", "1");
    stage.push(&[]).ok();
    stage.parent();
    let mut watch = Background::start(&stage.env, &["status", "-w", "--runtime", "gke", "-e", ENVIRONMENT]);
    watch.until_out(|out| out.lines().any(|line| line.starts_with("svc") && line.contains("Ready")));
    assert!(watch.out().starts_with("WORKLOAD"), "{}", watch.text());

    cluster.stop("kube-apiserver");
    watch.until("gives no answer");
    std::thread::sleep(QUIET);
    assert!(watch.is_running());
    cluster.start_again("kube-apiserver");
    watch.until("answers again");
    assert_eq!(watch.err().matches("gives no answer").count(), 1, "said once: {}", watch.text());

    let second = stage.deploy("svc", "2");
    let short = second["sha256:".len()..][..8].to_owned();
    watch.until_out(|out| out.lines().any(|line| line.starts_with("svc") && line.contains("Ready") && line.contains(&short)));
    assert_eq!(watch.out().matches("WORKLOAD").count(), 1, "the heads once: {}", watch.text());
    watch.signal(Signal::INT);
    drop(watch.end().exits(130));

    let mut watch = Background::start(&stage.env, &["status", "-w", "--runtime", "gke", "-e", ENVIRONMENT]);
    watch.until_out(|out| out.contains("svc"));
    watch.close_out();
    drop(watch.end().exits(0));

    // Nobody handles a request when the controller is away.
    cluster.stop("kustomize-controller");
    let run = stage.env.run(["reconcile", "svc", "--wait-timeout", "5s"]).exits(4);
    assert!(run.stderr.contains("kustomize-controller has not handled it"), "{run}");
}

/// The wait goes on through an API server's restart, and never ends on what was known before.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_wait_survives_the_api_server() {
    let (stage, mut cluster) = own_cluster("wait-restart");
    stage.declare(&["svc"]);
    stage.deploy("svc", "1");
    stage.push(&[]).ok();
    stage.parent();
    drop(stage.wait(&[]).end().exits(0));
    cluster.stop("kube-apiserver");
    let second = stage.deploy("svc", "2");
    let mut wait = stage.wait(&[]);
    wait.until("gives no answer");
    std::thread::sleep(QUIET);
    assert!(wait.is_running(), "{}", wait.text());
    cluster.start_again("kube-apiserver");
    let run = wait.end().exits(0);
    assert_eq!(row(&run)["kustomization"]["appliedDigest"], second.as_str());
}
