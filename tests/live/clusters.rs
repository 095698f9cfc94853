//! Status over live clusters: several at once, and faults that only a look at the right place shows.

use crate::stage::{ENVIRONMENT, Stage};
use runway_testkit::bed::{DEADLINE, Handle, Options, merge_kubeconfig};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// A stage with one workload that is Ready.
pub(crate) fn ready(name: &str) -> Stage {
    let stage = Stage::new(name, "gke");
    make_ready(&stage);
    stage
}

pub(crate) fn make_ready(stage: &Stage) {
    stage.declare(&["svc"]);
    stage.arrive("svc");
    // The first interval brings no news any more: what a scenario changes is the only change.
    stage.wait_verdict(&stage.parent_name(), "Ready");
}

/// Declares svc with an interval so long that Flux does not look again by itself, and makes it Ready.
pub(crate) fn ready_and_left_alone(name: &str) -> Stage {
    let stage = Stage::new(name, "gke");
    stage.env.write("config/runtimes/gke/workloads.yml", "- runway_service_id: svc\n  flux: {interval: 1h, retryInterval: 1h}\n");
    stage.arrive("svc");
    stage
}

/// (verdict, break, reason) of a row.
pub(crate) fn said(row: &Value) -> (&str, &str, &str) {
    (row["verdict"].as_str().unwrap_or(""), row["break"]["link"].as_str().unwrap_or(""), row["reason"].as_str().unwrap_or(""))
}

/// The rows of a run by cluster and workload.
pub(crate) fn rows(text: &str) -> BTreeMap<(String, String), Value> {
    let document: Value = serde_json::from_str(text).expect(text);
    let key = |item: &Value, key: &str| item[key].as_str().unwrap_or_default().to_owned();
    let items = document["items"].as_array().cloned().unwrap_or_default();
    items.into_iter().map(|item| ((key(&item, "cluster"), key(&item, "workload")), item)).collect()
}

fn parent_suspended(stage: &Stage, suspend: bool) {
    stage.ns.patch("kustomization", &stage.parent_name(), &json!({"spec": {"suspend": suspend}}));
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
#[expect(clippy::disallowed_methods, reason = "how long it takes is what is tested")]
fn three_clusters_at_once_one_hangs_and_one_refuses() {
    let stage = ready("three");
    let mut second = stage.bed.cluster("second");
    second.create_namespace(stage.ns.name());
    second.apply(&stage.parent_yaml());
    let hang = TcpListener::bind("127.0.0.1:0").expect("a port");
    let hanging = format!("https://{}", hang.local_addr().expect("an address"));
    std::thread::spawn(move || hang.incoming().collect::<Vec<_>>());

    let both = merge_kubeconfig(&[("prod-a", stage.ns.kube(), "admin"), ("prod-b", &second, "admin")]);
    let mut config: Value = serde_json::from_str(&both).expect("JSON");
    for (list, entry) in [
        ("clusters", json!({"name": "prod-slow", "cluster": {"server": hanging, "insecure-skip-tls-verify": true}})),
        ("contexts", json!({"name": "prod-slow", "context": {"cluster": "prod-slow", "user": "prod-a"}})),
    ] {
        config[list].as_array_mut().expect("a list").push(entry);
    }
    let file = stage.env.write("many", config.to_string());
    let many = |more: &[&str]| {
        let kubeconfig = file.to_str().expect("UTF-8");
        let mut arguments = vec!["--kubeconfig", kubeconfig, "--request-timeout", "3s", "-o", "json"];
        arguments.extend(more);
        stage.status(&arguments)
    };
    // Flux looks at the parents every ten seconds, and while it looks they are Reconciling, which is an exit with 1: the answer
    // that counts is the first one between two looks.
    let settled = |more: &[&str], code: i32| {
        let run = stage.ns.wait_for("an answer between two looks of Flux", DEADLINE, || {
            let start = Instant::now();
            let run = many(more);
            assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
            (run.code != Some(1)).then_some(run)
        });
        run.exits(code)
    };
    second.wait_for("both clusters to be Ready", DEADLINE, || {
        (many(&["--context", "prod-a", "--context", "prod-b"]).code == Some(0)).then_some(())
    });

    let run = settled(&["--all-contexts"], 3);
    let found = rows(&run.stdout);
    let row = |cluster: &str, name: &str| found[&(cluster.to_owned(), name.to_owned())].clone();
    for cluster in ["prod-a", "prod-b"] {
        assert_eq!(said(&row(cluster, "svc")).0, "Ready", "{run}");
        assert_eq!(said(&row(cluster, "gke-inventory")).0, "Ready", "{run}");
    }
    assert_eq!(said(&row("prod-slow", "svc")), ("Unreachable", "", "TimedOut"), "{run}");
    // One look at the registry: the same digest is expected everywhere.
    assert_eq!(row("prod-a", "svc")["expected"], row("prod-b", "svc")["expected"]);

    // The same by name, which asks no lists.
    drop(settled(&["svc", "--context", "prod-a", "--context", "prod-b"], 0));

    second.stop("kube-apiserver");
    let run = settled(&["--context", "prod-a", "--context", "prod-b"], 3);
    let found = rows(&run.stdout);
    assert_eq!(said(&found[&("prod-b".to_owned(), "svc".to_owned())]), ("Unreachable", "", "ConnectionRefused"), "{run}");
    drop(many(&["--context", "prod-b"]).exits(2));
    second.start_again("kube-apiserver");

    second.patch("kustomization", stage.ns.name(), "svc", &json!({"spec": {"suspend": true}}));
    let run = many(&["--all-contexts"]).exits(1);
    assert_eq!(said(&rows(&run.stdout)[&("prod-b".to_owned(), "svc".to_owned())]).0, "Suspended", "{run}");
}

/// The recorded case with-parent/object-deleted-by-hand.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn an_object_deleted_by_hand_is_seen_with_objects_only() {
    let stage = ready_and_left_alone("deleted-object");
    let kind = format!("ConfigMap {}/svc", stage.ns.name());
    stage.ns.delete("configmap", "svc");
    assert_eq!(said(&stage.rows().0["svc"]).0, "Ready", "Flux has not looked since");
    let run = stage.status(&["--objects", "-o", "json"]).exits(1);
    let row = rows(&run.stdout).into_iter().find(|((_, name), _)| name == "svc").expect("a row").1;
    assert_eq!(said(&row), ("Failed", "healthy", "ObjectMissing"), "{row}");
    assert_eq!(row["message"], format!("{kind} is absent"));
    for command in ["explain", "tree"] {
        let run = stage.env.run([command, "svc", "--runtime", "gke", "-e", ENVIRONMENT]).exits(1);
        assert!(run.stdout.contains(&kind), "{run}");
    }
    // What `next` says repairs it.
    stage.ns.reconcile("kustomization", "svc");
    stage
        .ns
        .wait_for("the object to come back", DEADLINE, || (stage.status(&["svc", "--objects"]).code == Some(0)).then_some(()));
    assert!(stage.ns.get_json("configmap", "svc").is_some());
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn what_a_user_may_not_read_is_unknown_and_said() {
    let stage = ready_and_left_alone("forbidden-objects");
    stage.ns.delete("configmap", "svc");
    let viewer = stage.ns.kube().as_user("viewer").kubeconfig();
    let run = stage.status(&["--objects", "-o", "json", "--kubeconfig", viewer.to_str().expect("UTF-8")]).exits(0);
    let row = rows(&run.stdout).into_iter().find(|((_, name), _)| name == "svc").expect("a row").1;
    assert_eq!((&row["links"][7]["state"], &row["objects"][0]["health"]), (&"unknown".into(), &"Unknown".into()), "{row}");
    assert!(row["links"][7]["evidence"].as_str().expect("text").contains("forbidden"), "{row}");
}

/// The recorded case with-parent/drifted-by-kubectl.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn an_edit_by_kubectl_is_drift_until_the_parent_repairs_it() {
    let stage = ready("drift");
    parent_suspended(&stage, true);
    let edit = [
        "patch",
        "ocirepository",
        "svc",
        "-n",
        stage.ns.name(),
        "--field-manager=kubectl-edit",
        "--type=merge",
        "-p",
        r#"{"spec":{"interval":"1h0m0s"}}"#,
    ];
    stage.ns.kube().kubectl(edit).ok();
    let (found, code) = stage.rows();
    assert_eq!((said(&found["svc"]), code), (("Drifted", "installed", "FieldsDiffer"), Some(1)), "{}", found["svc"]);
    let message = found["svc"]["message"].as_str().expect("a message");
    for words in ["spec.interval", "1h0m0s", "published 10s", "by kubectl-edit"] {
        assert!(message.contains(words), "{words}: {message}");
    }
    parent_suspended(&stage, false);
    stage.wait_verdict("svc", "Ready");
    let source = stage.ns.get_json("ocirepository", "svc").expect("the source");
    assert_eq!(source["spec"]["interval"], "10s");
}

/// The recorded case with-parent/parent-suspended.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_suspended_parent_holds_new_workloads_back() {
    let stage = ready("held-back");
    parent_suspended(&stage, true);
    stage.declare(&["svc", "added"]);
    stage.deploy("added", "1");
    stage.push(&[]).ok();
    let row = stage.wait_verdict("added", "Missing");
    assert_eq!(row["break"]["link"], "parent", "{row}");
    assert!(row["message"].as_str().expect("text").contains("suspended"), "{row}");
    let (found, code) = stage.rows();
    assert_eq!((said(&found["svc"]).0, said(&found["gke-inventory"]).0, code), ("Ready", "Suspended", Some(1)));
    // With a workload named only that one decides; the parent is a warning.
    let run = stage.status(&["svc"]).exits(0);
    assert!(run.stderr.contains("the parent gke-inventory") && run.stderr.contains("is Suspended"), "{run}");
    parent_suspended(&stage, false);
    stage.wait_verdict("added", "Ready");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_cycle_of_dependencies_has_failed() {
    let stage = Stage::new("cycle", "gke");
    let list = "- runway_service_id: a\n  flux: {dependsOn: [{name: b}]}\n- runway_service_id: b\n  flux: {dependsOn: [{name: free}]}\n- runway_service_id: c\n  flux: {dependsOn: [{name: a}]}\n- runway_service_id: free\n";
    stage.env.write("config/runtimes/gke/workloads.yml", list);
    for id in ["a", "b", "c", "free"] {
        stage.deploy(id, "1");
    }
    // Ours refuses a circle, so it is closed by hand and pushed by somebody else's tool.
    stage.env.run(["inventory", "build", "--runtime", "gke", "-e", ENVIRONMENT, "--output-dir", "out"]).ok();
    let text = stage.env.read("out/production/inventory.yaml");
    let circle = text.replace("- name: free\n", "- name: a\n");
    assert_ne!(text, circle, "{text}");
    stage.env.write("out/production/inventory.yaml", circle);
    stage.bed.push_folder(&stage.inventory_repository(), ENVIRONMENT, &stage.env.work().join("out"));
    stage.parent();
    for id in ["a", "b"] {
        let row = stage.wait_verdict(id, "Failed");
        assert_eq!(said(&row), ("Failed", "applied", "DependencyNotReady"), "{row}");
        let run = stage.status(&[id, "-o", "json"]).exits(1);
        let named = rows(&run.stdout).into_values().next().expect("a row");
        assert_eq!(said(&named), said(&row), "by GETs alone: {run}");
    }
    stage.wait_verdict("free", "Ready");
    // It is not in the circle, but what it waits for can never come.
    let (found, _) = stage.rows();
    assert_ne!(said(&found["c"]).0, "Ready");
    assert!(found["c"]["message"].as_str().expect("text").contains("a, which is Failed"), "{}", found["c"]);
}

/// The recorded case with-parent/generation-ahead.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_stopped_controller_is_never_ready() {
    let bed = Handle::connect();
    let mut cluster = bed.cluster_with("stopped", Options { apart: true, ..Options::default() });
    let ns = cluster.namespace("stopped");
    let stage = Stage::on(bed, ns, "stopped", "gke");
    make_ready(&stage);
    a_source_of_another_namespace_is_denied(&stage);
    cluster.stop("kustomize-controller");

    // A newer artifact is fetched and not applied.
    let digest = stage.deploy("svc", "2");
    let row = stage.wait_verdict("svc", "Outdated");
    assert_eq!(row["expected"]["digest"], digest.as_str());
    stage.ns.wait_for("the source to fetch it", DEADLINE, || {
        let (found, code) = stage.rows();
        assert_ne!((said(&found["svc"]).0, code), ("Ready", Some(0)), "{}", found["svc"]);
        (said(&found["svc"]) == ("Outdated", "applied", "NewRevision")).then_some(())
    });

    // A newer spec that nobody has looked at.
    stage.env.write("config/runtimes/gke/workloads.yml", "- runway_service_id: svc\n  flux: {interval: 20s}\n");
    stage.push(&[]).ok();
    stage.ns.patch("kustomization", "svc", &json!({"spec": {"interval": "20s"}}));
    let (found, code) = stage.rows();
    assert_eq!((said(&found["svc"]), code), (("Reconciling", "applied", "GenerationNotLookedAt"), Some(1)), "{}", found["svc"]);
    assert!(found["svc"]["message"].as_str().expect("text").contains("is kustomize-controller running?"), "{}", found["svc"]);

    cluster.start_again("kustomize-controller");
    stage.wait_verdict("svc", "Ready");
}

/// Somebody's own tool published a Kustomization that takes what another tenant has fetched.
fn a_source_of_another_namespace_is_denied(stage: &Stage) {
    let mut objects = stage.built();
    let kustomization = objects.iter_mut().find(|object| object["kind"] == "Kustomization").expect("one is built");
    kustomization["spec"]["sourceRef"]["namespace"] = "flux-system".into();
    stage.publish(&objects);
    let row = stage.ns.wait_for("svc to be denied", DEADLINE, || {
        let (found, _) = stage.rows();
        (said(&found["svc"]).2 == "AccessDenied").then(|| found["svc"].clone())
    });
    assert_eq!(said(&row), ("Stalled", "applied", "AccessDenied"), "{row}");
    assert!(stage.paste_next(&row).contains("cross-namespace references have been blocked"), "{row}");
    stage.push(&[]).ok();
    stage.wait_verdict("svc", "Ready");
    stage.wait_verdict(&stage.parent_name(), "Ready");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn only_the_older_version_is_served() {
    let bed = Handle::connect();
    let mut cluster = bed.cluster_with("older", Options { source_v1beta2: true, ..Options::default() });
    let ns = cluster.namespace("older");
    let stage = Stage::on(bed, ns, "older", "gke");
    make_ready(&stage);
    for controller in ["kustomize-controller", "source-controller"] {
        cluster.stop(controller);
    }
    let name = "ocirepositories.source.toolkit.fluxcd.io";
    let kind = cluster.get_json("crd", "", name).expect("the kind");
    let versions: Vec<Value> = kind["spec"]["versions"]
        .as_array()
        .expect("versions")
        .iter()
        .map(|version| {
            let mut version = version.clone();
            version["served"] = json!(version["name"] == "v1beta2");
            version
        })
        .collect();
    cluster.patch("crd", "", name, &json!({"spec": {"versions": versions}}));
    let path = format!("/apis/source.toolkit.fluxcd.io/v1/namespaces/{}/ocirepositories", stage.ns.name());
    cluster.wait_for("v1 to be gone", DEADLINE, || (cluster.kubectl(["get", "--raw", &path]).code != Some(0)).then_some(()));

    let (found, code) = stage.rows();
    assert_eq!((said(&found["svc"]).0, code), ("Ready", Some(0)), "{}", found["svc"]);
    drop(stage.status(&["svc"]).exits(0));
    // And it still tells the truth: the registry moves on, nobody fetches.
    stage.deploy("svc", "2");
    let (found, _) = stage.rows();
    assert_eq!(said(&found["svc"]), ("Outdated", "fetched", "NewRevision"), "{}", found["svc"]);
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn absent_kinds_are_not_missing_objects() {
    let bed = Handle::connect();
    let cluster = bed.cluster_with("bare", Options { flux: false, ..Options::default() });
    let ns = cluster.namespace("bare");
    let stage = Stage::on(bed, ns, "bare", "gke");
    stage.declare(&["svc"]);
    stage.deploy("svc", "1");
    stage.push(&[]).ok();
    let (found, _) = stage.rows();
    assert_eq!(said(&found["svc"]), ("Missing", "installed", "ObjectAbsent"), "{}", found["svc"]);
    // Both are put there by hand, where no controller runs.
    for object in stage.built() {
        stage.ns.apply(&object.to_string());
    }
    let (found, code) = stage.rows();
    assert_eq!((said(&found["svc"]), code), (("Reconciling", "fetched", "NotLookedAt"), Some(1)), "{}", found["svc"]);
    stage.explained("svc", &found["svc"]);
    stage.paste_next(&found["svc"]);
    for name in ["ocirepositories.source.toolkit.fluxcd.io", "kustomizations.kustomize.toolkit.fluxcd.io"] {
        cluster.kubectl(["delete", "crd", name]).ok();
    }
    let found = cluster.wait_for("the kinds to be gone", DEADLINE, || {
        let (found, code) = stage.rows();
        assert_eq!(code, Some(1));
        (said(&found["svc"]).0 == "Unknown").then_some(found)
    });
    assert_eq!(said(&found["svc"]), ("Unknown", "", "NotInstalled"), "{}", found["svc"]);
    let run = stage.status(&["svc", "-o", "json"]).exits(1);
    assert_eq!(said(rows(&run.stdout).values().next().expect("a row")).2, "NotInstalled", "{run}");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn pods_in_trouble_are_named() {
    let stage = Stage::new("pods", "gke");
    stage.declare(&["svc"]);
    let namespace = stage.ns.name();
    let deployment = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: {namespace}}}\nspec:\n  replicas: 1\n  selector: {{matchLabels: {{app: web}}}}\n  template:\n    metadata: {{labels: {{app: web}}}}\n    spec: {{containers: [{{name: app, image: example.com/app}}]}}\n"
    );
    stage.bed.push_deploy(&stage.deploy_repository("svc"), ENVIRONMENT, &[("web.yaml", &deployment)]);
    stage.push(&[]).ok();
    stage.parent();
    stage.wait_verdict("svc", "Ready");
    // Nothing runs Pods here: health is played by their status, which only these two kinds may have patched.
    let replicas = |ready: i64| {
        json!({"status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": ready, "availableReplicas": ready,
        "conditions": [{"type": "Available", "status": "True"}, {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}]}})
    };
    stage.ns.kube().patch_status("deployment", namespace, "web", &replicas(0));
    stage.ns.apply("apiVersion: v1\nkind: Pod\nmetadata: {name: web-1, labels: {app: web}}\nspec: {containers: [{name: app, image: example.com/app}]}\n");
    let look = || {
        let run = stage.status(&["svc", "--objects", "-o", "json"]);
        rows(&run.stdout).into_values().next().expect("a row")
    };
    for (reason, phase) in [("ImagePullBackOff", "Pending"), ("CrashLoopBackOff", "Running")] {
        let waiting = json!({"status": {"phase": phase, "containerStatuses": [{"name": "app", "image": "x", "imageID": "", "ready": false, "restartCount": 3,
            "state": {"waiting": {"reason": reason, "message": "back-off"}}}]}});
        stage.ns.kube().patch_status("pod", namespace, "web-1", &waiting);
        let row = look();
        assert_eq!(said(&row), ("Reconciling", "healthy", "ObjectInProgress"), "{row}");
        assert_eq!(row["objects"][0]["pods"][0]["reason"], reason, "{row}");
        assert!(row["message"].as_str().expect("text").contains(&format!("Pod web-1: {reason}")), "{row}");
    }
    stage.ns.kube().patch_status("deployment", namespace, "web", &replicas(1));
    assert_eq!(said(&look()).0, "Ready");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_saved_snapshot_is_judged_as_the_cluster_was() {
    let stage = ready("saved");
    stage.bed.delete_tag(&stage.deploy_repository("svc"), ENVIRONMENT);
    // Flux would look again every ten seconds; both looks must see the same.
    for kind in ["kustomization", "ocirepository"] {
        for name in ["gke-inventory", "svc"] {
            stage.ns.patch(kind, name, &json!({"spec": {"suspend": true}}));
        }
    }
    std::thread::sleep(Duration::from_secs(2));
    let live = stage.env.run(["status", "-o", "json"]).exits(1);
    stage.env.run(["snapshot", "save", "saved"]).ok();
    let saved = stage.env.run(["status", "--snapshot", "saved", "-o", "json"]).exits(1);
    // What to do next names the cluster of a snapshot: whoever reads it may be anywhere.
    let items = |text: &str| {
        let mut items = serde_json::from_str::<Value>(text).expect("JSON")["items"].clone();
        let broken = items.as_array_mut().into_iter().flatten().filter_map(|item| item.get_mut("break")?.as_object_mut());
        let next: Vec<Value> = broken.filter_map(|broken| broken.remove("next")).collect();
        (items, next)
    };
    let (live, saved) = (items(&live.stdout), items(&saved.stdout));
    assert_eq!(live.0, saved.0);
    let named = Value::from(saved.1).to_string().replace(" --context bed", "");
    assert_eq!(Value::from(live.1).to_string(), named);
    let answers: Value = serde_json::from_str(&stage.env.read("saved/registry.json")).expect("JSON");
    assert_eq!(answers[format!("{}:{ENVIRONMENT}", stage.deploy_repository("svc"))], Value::Null);
    assert_eq!(answers.as_object().expect("a map").len(), 2);
}
