//! Pods that run, are slow, crash, or find no image: a cluster with Kubernetes' own controllers, its scheduler and a simulated
//! node. Nobody patches a status here.

use crate::background::Background;
use crate::clusters::{rows, said};
use crate::stage::{ENVIRONMENT, Stage};
use runway_testkit::bed::{Cluster, DEADLINE, Handle, Options};
use serde_json::Value;

fn stage(name: &str) -> (Stage, Cluster) {
    let bed = Handle::connect();
    let cluster = bed.cluster_with(name, Options { pods: true, ..Options::default() });
    let ns = cluster.namespace(name);
    (Stage::on(bed, ns, name, "gke"), cluster)
}

impl Stage {
    /// Pushes a Deployment of this image; gives the digest.
    fn deploy_image(&self, id: &str, image: &str, more: &str) -> String {
        let namespace = self.ns.name();
        let text = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {id}, namespace: {namespace}}}\nspec:\n  replicas: 2\n{more}  selector: {{matchLabels: {{app: {id}}}}}\n  template:\n    metadata: {{labels: {{app: {id}}}}}\n    spec: {{containers: [{{name: app, image: \"example.com/{image}:1\"}}]}}\n"
        );
        self.bed.push_deploy(&self.deploy_repository(id), ENVIRONMENT, &[("deployment.yaml", &text)])
    }

    fn declare_each(&self, list: &str) {
        self.env.write("config/runtimes/gke/workloads.yml", list);
        self.push(&[]).ok();
    }

    /// The row of a workload with its objects.
    fn looked_at(&self, id: &str) -> Value {
        let run = self.status(&[id, "--objects", "-o", "json"]);
        rows(&run.stdout).into_values().next().expect("a row")
    }
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn pods_that_crash_or_find_no_image() {
    let (stage, _cluster) = stage("pods");
    // Of these four, Flux waits for the last two.
    stage.declare_each(
        "- runway_service_id: absent\n- runway_service_id: crashes\n- runway_service_id: fine\n  flux: {wait: true, timeout: 1m}\n- runway_service_id: waited\n  flux: {wait: true, timeout: 10s, retryInterval: 10s}\n",
    );
    stage.deploy_image("fine", "fine", "");
    stage.deploy_image("absent", "absent", "");
    stage.deploy_image("crashes", "crashes", "");
    stage.deploy_image("waited", "absent", "");
    stage.parent();
    stage.wait_verdict("fine", "Ready");
    assert_eq!(said(&stage.looked_at("fine")).0, "Ready", "running Pods are healthy");

    // Flux is content with what it applied; the Pods are not.
    for (id, reason) in [("absent", "ImagePullBackOff"), ("crashes", "CrashLoopBackOff")] {
        stage.wait_verdict(id, "Ready");
        let row = stage.ns.wait_for(&format!("{id} to be {reason}"), DEADLINE, || {
            Some(stage.looked_at(id)).filter(|row| row["objects"][0]["pods"][0]["reason"] == reason)
        });
        // Kubernetes gives a rollout ten minutes: until then it is on its way, whatever its Pods say.
        assert_eq!(said(&row), ("Reconciling", "healthy", "ObjectInProgress"), "{row}");
        assert_eq!(row["objects"][0]["pods"].as_array().map(Vec::len), Some(2), "{row}");
        for command in ["tree", "explain"] {
            let run = stage.env.run([command, id, "--runtime", "gke", "-e", ENVIRONMENT]).exits(1);
            assert!(run.stdout.contains(reason) && run.stdout.contains(&format!("Pod {id}-")), "{run}");
        }
    }
    let tree = stage.env.run(["tree", "crashes", "--runtime", "gke", "-e", ENVIRONMENT]).exits(1);
    assert!(tree.stdout.contains("Back-off restarting failed container"), "the last event: {tree}");
    // Kubernetes itself gives up on a rollout in the end; here at once, since the deadline is over.
    stage.deploy_image("crashes", "crashes", "  progressDeadlineSeconds: 1\n");
    let row = stage.ns.wait_for("the rollout to be given up", DEADLINE, || {
        Some(stage.looked_at("crashes")).filter(|row| said(row).0 == "Failed")
    });
    assert_eq!(said(&row), ("Failed", "healthy", "ObjectFailed"), "{row}");

    let row = stage.wait_verdict("waited", "Failed");
    assert_eq!(said(&row), ("Failed", "healthy", "HealthCheckFailed"), "{row}");
    assert_eq!(row["links"][6]["state"], "holds", "it was applied: {row}");
    // A better image ends it, without anybody touching the cluster.
    let wait = Background::start(&stage.env, &stage.status_line(&["waited", "--wait", "--trigger", "-o", "json"]));
    let better = stage.deploy_image("waited", "fine", "");
    let run = wait.end().exits(0);
    let row = rows(&run.stdout).into_values().next().expect("a row");
    assert_eq!(row["kustomization"]["appliedDigest"], better.as_str(), "{run}");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_rollout_takes_its_time_and_is_waited_for() {
    let (mut stage, _cluster) = stage("rollout");
    stage.env.limit(DEADLINE);
    stage.declare_each("- runway_service_id: svc\n  flux: {wait: true, timeout: 20s, retryInterval: 10s}\n");
    stage.deploy_image("svc", "slow", "");
    stage.parent();
    let run = stage.status(&["svc", "--wait", "--wait-timeout", "2m"]).exits(0);
    assert!(run.stderr.contains("svc Reconciling at healthy") || run.stderr.contains("svc Reconciling at applied"), "{run}");
    assert_eq!(said(&stage.looked_at("svc")).0, "Ready");

    // The next one finds no image: the old Pods serve on, and the wait says what became of the new one.
    let broken = stage.deploy_image("svc", "absent", "");
    let wait = ["svc", "--wait", "--trigger", "--grace", "5s", "--wait-timeout", "3m", "-o", "json"];
    let run = stage.status(&wait).exits(1);
    let row = rows(&run.stdout).into_values().next().expect("a row");
    assert_eq!(said(&row), ("Failed", "healthy", "HealthCheckFailed"), "{run}");
    assert_eq!(row["source"]["digest"], broken.as_str());
    assert!(run.stderr.contains("will not become Ready") && run.stderr.contains("next: "), "{run}");
}
