//! verify against the real thing: the API server's own word, and what a registry holds.

use crate::stage::{ENVIRONMENT, Stage};
use serde_json::{Value, json};

/// The release that the bed runs; `tests/testbed` pins controllers v1.9.
const BED: &str = "2.9";

/// Fields of both kinds, of which the API server takes some.
fn specs() -> Vec<(&'static str, Value)> {
    let source = |field: &str, value: Value| {
        let mut spec = json!({"interval": "5m0s", "url": "oci://localhost/a"});
        spec[field] = value;
        ("OCIRepository", spec)
    };
    let kustomization = |field: &str, value: Value| {
        let mut spec = json!({"interval": "5m0s", "prune": true, "sourceRef": {"kind": "OCIRepository", "name": "a"}});
        spec[field] = value;
        ("Kustomization", spec)
    };
    vec![
        source("timeout", json!("90s")),
        source("timeout", json!("1h")),
        source("interval", json!("1.5h")),
        source("interval", json!("1d")),
        source("interval", json!(300)),
        source("interval", json!("5")),
        source("provider", json!("aws")),
        source("provider", json!("amazon")),
        source("verify", json!({"secretRef": {"name": "x"}})),
        source("verify", json!({"provider": "gpg"})),
        source("secretRef", json!({})),
        source("insecure", json!("true")),
        source("ref", json!({"tags": "x"})),
        source("layerSelector", json!({"operation": "copy"})),
        source("url", json!("https://localhost/a")),
        source("ignored", json!("x")),
        kustomization("timeout", json!("1h30m")),
        kustomization("timeout", json!("5 m")),
        kustomization("wait", json!(true)),
        kustomization("wait", json!("yes")),
        kustomization("prune", json!(null)),
        kustomization("path", json!(8)),
        kustomization("dependsOn", json!([{"name": "b"}])),
        kustomization("dependsOn", json!([{"names": "b"}])),
        kustomization("targetNamespace", json!("")),
        kustomization("deletionPolicy", json!("Orphan")),
        kustomization("deletionPolicy", json!("Orphaned")),
        kustomization("postBuild", json!({"substitute": {"a": "b"}})),
        kustomization("postBuild", json!({"substitute": {"a": 1}})),
        kustomization("patches", json!([{"patch": "x", "target": {"kind": "Pod"}}])),
        kustomization("patches", json!([{"target": {"kind": "Pod"}}])),
        kustomization("kubeConfig", json!({"secretRef": {"name": "x"}})),
        kustomization("kubeConfig", json!({})),
        kustomization("images", json!([{"newTag": "x"}])),
        kustomization("healthChecks", json!([{"kind": "Pod", "name": "x"}])),
        kustomization("healthChecks", json!([{"apiVersion": "v1", "kind": "Pod", "name": "x"}])),
        kustomization("sourceRef", json!({"kind": "HelmRepository", "name": "x"})),
        kustomization("suspend", json!(true)),
    ]
}

/// What is wrong between objects: an API server is asked about one.
const OF_MANY: [&str; 3] = ["depends-on-missing", "unpaired-object", "source-ref-missing"];

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn our_schemas_say_what_the_api_server_says() {
    let stage = Stage::new("schemas", "gke");
    let mut counts = [0, 0];
    for (kind, spec) in specs() {
        let group = if kind == "OCIRepository" { "source" } else { "kustomize" };
        let object = json!({
            "apiVersion": format!("{group}.toolkit.fluxcd.io/v1"), "kind": kind,
            "metadata": {"name": "a", "namespace": stage.ns.name()}, "spec": spec,
        });
        let file = stage.env.write(format!("out/{ENVIRONMENT}/inventory.yaml"), object.to_string());
        let file = file.to_str().expect("UTF-8");
        let theirs = stage.ns.kube().kubectl(["create", "--dry-run=server", "--validate=strict", "-f", file]);
        let ours = stage.env.run(["inventory", "verify", "out", "-e", ENVIRONMENT, "--flux-version", BED, "-o", "json"]);
        let report: Value = serde_json::from_str(&ours.stdout).expect("JSON");
        let refused: Vec<&Value> = report["items"]
            .as_array()
            .expect("items")
            .iter()
            .filter(|item| item["severity"] == "error" && !OF_MANY.contains(&item["code"].as_str().unwrap_or_default()))
            .collect();
        assert_eq!(refused.is_empty(), theirs.code == Some(0), "{object}\nours: {refused:?}\ntheirs: {theirs}");
        counts[usize::from(refused.is_empty())] += 1;
    }
    assert!(counts[0] > 15 && counts[1] > 12, "{counts:?}");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_cluster_is_asked_and_nothing_is_stored() {
    let stage = Stage::new("rehearse", "gke");
    stage.declare(&["a", "b"]);
    let verify = |more: &[&str]| stage.env.run([&["inventory", "verify", "-e", ENVIRONMENT], more].concat());
    assert_eq!(verify(&["--server-dry-run"]).exits(0).stdout, "");
    let context = stage.ns.kube().name().to_owned();
    assert_eq!(verify(&["--context", &context]).exits(0).stdout, "", "a context is asked without another word");
    assert_eq!(verify(&["--context", "*"]).exits(0).stdout, "");
    assert!(stage.ns.list_json("ocirepositories").is_empty() && stage.ns.list_json("kustomizations").is_empty());
    let run = verify(&["--context", &context, "-n", "not-there"]).exits(1);
    assert_eq!(run.stdout.matches(&format!("the cluster {context} refuses ")).count(), 4, "{run}");

    let run = verify(&["--server-dry-run", "-n", "not-there"]).exits(1);
    assert_eq!(run.stdout.matches("error[dry-run-refused]").count(), 4, "{run}");
    assert!(run.stdout.contains("not-there") && run.stdout.contains("workloads.yml:1:22"), "{run}");

    // The kind is served in v1 only: what the offline check would need --flux-version for, the cluster says by itself.
    let settings = stage.env.read("kubectl-runway.yaml");
    stage.env.write("kubectl-runway.yaml", settings.replace("source: {", "source: {apiVersion: v1beta2, "));
    let run = verify(&["--server-dry-run"]).exits(1);
    assert!(run.stdout.contains("does not serve source.toolkit.fluxcd.io/v1beta2"), "{run}");

    // Not to be allowed to ask is no answer.
    let run = verify(&["--server-dry-run", "--as", "nobody-at-all"]).exits(2);
    assert!(run.stderr.contains("nobody-at-all"), "{run}");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn deploy_artifacts_are_asked_for() {
    let stage = Stage::new("asked", "gke");
    stage.declare(&["a", "b"]);
    stage.deploy("a", "1");
    let verify = || stage.env.run(["inventory", "verify", "-e", ENVIRONMENT, "--artifacts", "-o", "json"]);
    let codes = |text: &str| -> Vec<(String, String)> {
        let report: Value = serde_json::from_str(text).expect("JSON");
        let text = |item: &Value, key: &str| item[key].as_str().unwrap_or_default().to_owned();
        report["items"].as_array().expect("items").iter().map(|item| (text(item, "workload"), text(item, "code"))).collect()
    };
    assert_eq!(codes(&verify().exits(1).stdout), [("b".to_owned(), "artifact-missing".to_owned())]);

    let note = stage.env.write("note.txt", "no manifests");
    let folder = note.parent().and_then(|folder| folder.to_str()).expect("a folder");
    let reference = format!("{}:{ENVIRONMENT}", stage.deploy_repository("b"));
    stage
        .bed
        .oras(["push", "--plain-http", "--disable-path-validation", &reference, &format!("{folder}/note.txt:text/plain")])
        .ok();
    assert_eq!(codes(&verify().exits(1).stdout), [("b".to_owned(), "artifact-type".to_owned())]);

    stage.deploy("b", "1");
    assert_eq!(codes(&verify().exits(0).stdout), []);
}

/// The parent lists in its status whatever it has applied, and etcd takes requests up to a size: a little below what we
/// reckon, the API server stores it; a little above, it does not. The object is written as the controller writes it.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn we_warn_of_an_inventory_that_etcd_cannot_hold() {
    let stage = Stage::new("etcd", "gke");
    let namespace = stage.ns.name().to_owned();
    let id = |n: usize| format!("example-service-{n:06}-gke");
    let parent = json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": {"name": "gke-inventory", "namespace": namespace},
        "spec": {"suspend": true, "interval": "10m0s", "path": "./production", "prune": true, "sourceRef": {"kind": "OCIRepository", "name": "gke-inventory"}},
    });
    stage.ns.apply(&parent.to_string());
    let stored = |count: usize| {
        let entries: Vec<Value> = (0..count)
            .flat_map(|n| {
                [
                    format!("{}_kustomize.toolkit.fluxcd.io_Kustomization", id(n)),
                    format!("{}_source.toolkit.fluxcd.io_OCIRepository", id(n)),
                ]
            })
            .map(|rest| json!({"id": format!("{namespace}_{rest}"), "v": "v1"}))
            .collect();
        let status = json!({
            "apiVersion": parent["apiVersion"], "kind": "Kustomization", "metadata": parent["metadata"],
            "status": {"inventory": {"entries": entries}},
        });
        let file = stage.env.write("status.json", status.to_string());
        let file = file.to_str().expect("UTF-8");
        let flags =
            ["apply", "--server-side", "--force-conflicts", "--subresource=status", "--field-manager=kustomize-controller"];
        stage.ns.kube().kubectl([&flags[..], &["-f", file]].concat())
    };
    let warned = |count: usize| {
        let ids: Vec<String> = (0..count).map(id).collect();
        stage.declare(&ids.iter().map(String::as_str).collect::<Vec<_>>());
        let run = stage.env.run(["inventory", "verify", "-e", ENVIRONMENT, "-o", "json"]).exits(0);
        let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
        let stored = |item: &&Value| {
            item["code"] == "inventory-size" && item["message"].as_str().is_some_and(|text| text.contains("etcd"))
        };
        report["items"].as_array().expect("items").iter().find(stored).map(Value::to_string)
    };
    let reckoned = |count: usize| {
        runway_core::verify::declared::parent_bytes((0..count).map(id).collect::<Vec<_>>().iter().map(String::as_str), &namespace)
    };
    let limit = 1_572_864;
    let most = (1..9_000).rev().find(|count| reckoned(*count) < limit).expect("some fit");

    let below = most - most / 200;
    let run = stored(below);
    assert!(run.code == Some(0), "{below} workloads, reckoned {}: {run}", reckoned(below));
    assert!(warned(below).is_some_and(|text| text.contains("can no longer be stored")), "{below}");
    let above = most + most / 200;
    let run = stored(above);
    assert!(
        run.code != Some(0) && run.stderr.contains("request is too large"),
        "{above} workloads, reckoned {}: {run}",
        reckoned(above)
    );
    assert!(warned(above).is_some_and(|text| text.contains("cannot store")), "{above}");
    assert_eq!(warned(most / 2), None);
}
