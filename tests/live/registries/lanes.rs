//! Every command, and live Flux, on each registry.

use super::{Kind, Lane, PASSWORD, USER};
use crate::stage::ENVIRONMENT;
use runway_testkit::bed::docker_config;
use serde_json::{Value, json};

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn every_command_on_plain_http() {
    every_command(&Lane::new(Kind::Plain, "lane-plain"));
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn every_command_with_a_password() {
    let lane = Lane::new(Kind::Basic, "lane-basic");
    every_command(&lane);
    becomes_ready(&lane);
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn every_command_with_tokens() {
    let lane = Lane::new(Kind::Token, "lane-token");
    every_command(&lane);
    becomes_ready(&lane);
    // One login for a push was enough, and the rights that were asked for are those that are needed.
    lane.secured().tokens().clear();
    lane.stage.declare(&["svc", "more", "most"]);
    lane.stage.push(&[]).ok();
    let asked = lane.secured().tokens().log();
    let scopes: Vec<String> =
        asked.iter().flat_map(|asked| asked.scopes.clone()).filter(|scope| scope.contains("inventory")).collect();
    assert!(scopes.len() <= 3 && scopes.iter().any(|scope| scope.contains("push")), "{asked:?}");
    assert!(asked.iter().all(|asked| asked.status == 200 && !asked.line.contains(PASSWORD)), "{asked:?}");
}

/// Build, push, push again, show, diff, list, pull, a dry run.
fn every_command(lane: &Lane) {
    let stage = &lane.stage;
    stage.declare(&["svc"]);
    let planned = stage.push(&["--dry-run"]).ok();
    assert!(planned.contains("svc"), "{planned}");
    assert_eq!(lane.tag(ENVIRONMENT), None);
    let receipt = |run: String| serde_json::from_str::<Value>(&run).expect("JSON");
    let pushed = receipt(stage.push(&["-o", "json"]).ok());
    assert_eq!(pushed["result"], "pushed");
    assert_eq!(lane.tag(ENVIRONMENT).as_deref(), pushed["digest"].as_str());
    let again = receipt(stage.push(&["-o", "json"]).ok());
    assert_eq!((&again["result"], &again["digest"]), (&json!("unchanged"), &pushed["digest"]));
    assert_eq!(lane.show(ENVIRONMENT), lane.build());
    stage.declare(&["svc", "more"]);
    let more = receipt(stage.push(&["-o", "json"]).ok());
    assert_eq!(more["result"], "pushed");
    let inventory = |command: &str, more: &[&str]| {
        stage.env.run([&["inventory", command, "--runtime", "gke", "-e", ENVIRONMENT], more].concat())
    };
    assert_eq!(inventory("diff", &[]).code, Some(0));
    let listed = inventory("list", &[]).ok();
    assert!(listed.contains(ENVIRONMENT), "{listed}");
    let folder = lane.folder("pulled-by-us");
    inventory("pull", &["--output-dir", &folder]).ok();
    assert_eq!(stage.env.read(format!("{folder}/{ENVIRONMENT}/inventory.yaml")), lane.build());
    assert_eq!(lane.tag(ENVIRONMENT).as_deref(), more["digest"].as_str());
    assert_eq!(lane.show(ENVIRONMENT), lane.build());
}

/// source-controller reads the inventory by `secretRef` and `certSecretRef`, and the workload's artifact by the login; status,
/// which reads the same registry, says Ready of what was deployed.
fn becomes_ready(lane: &Lane) {
    let stage = &lane.stage;
    stage.declare(&["svc"]);
    stage.push(&[]).ok();
    let digest = deploy(lane, "svc");
    let ca = std::fs::read_to_string(lane.secured().ca()).unwrap();
    let login = docker_config(lane.host(), USER, PASSWORD);
    stage.ns.apply(
        &json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "registry-login"}, "type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": login}})
            .to_string(),
    );
    stage.ns.apply(
        &json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "registry-ca"}, "stringData": {"ca.crt": ca}})
            .to_string(),
    );
    let name = stage.parent_name();
    let source = |name: &str, repository: &str| {
        json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "OCIRepository", "metadata": {"name": name},
            "spec": {
                "interval": "10s", "url": format!("oci://{repository}"), "ref": {"tag": ENVIRONMENT},
                "secretRef": {"name": "registry-login"}, "certSecretRef": {"name": "registry-ca"},
            },
        })
    };
    stage.ns.apply(&source(&name, &stage.inventory_repository()).to_string());
    let parent = json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": {"name": name},
        "spec": {
            "interval": "10s", "path": format!("./{ENVIRONMENT}"), "prune": true,
            "sourceRef": {"kind": "OCIRepository", "name": name},
        },
    });
    stage.ns.apply(&parent.to_string());
    // The workload's artifact as well, with a check of the certificate.
    stage.ns.apply(&source("checked", &stage.deploy_repository("svc")).to_string());
    stage.ns.wait_ready("ocirepository", "checked");
    for name in ["svc", &name] {
        stage.ns.wait_ready("ocirepository", name);
        stage.ns.wait_ready("kustomization", name);
    }
    let row = stage.wait_verdict("svc", "Ready");
    assert_eq!(row["expected"]["digest"], digest.as_str(), "{row}");
    drop(stage.all_ready(&["status", "--runtime", &stage.runtime, "-e", ENVIRONMENT, "svc"]));
}

/// Pushes a deploy artifact by the real flux; gives its digest.
pub(super) fn deploy(lane: &Lane, id: &str) -> String {
    let folder = lane.folder(&format!("deploy-{id}"));
    let manifest = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {id}\n  namespace: {}\ndata:\n  value: \"1\"\n",
        lane.stage.ns.name()
    );
    std::fs::write(format!("{folder}/configmap.yaml"), manifest).unwrap();
    let url = format!("oci://{}:{ENVIRONMENT}", lane.stage.deploy_repository(id));
    let answer = lane.flux(&[
        "push",
        "artifact",
        &url,
        "--path",
        &folder,
        "--source=https://example.com/x",
        "--revision=main",
        "--reproducible",
        "-o=json",
    ]);
    let answer: Value = serde_json::from_str(&answer.ok()).expect("JSON");
    answer["digest"].as_str().expect("a digest").to_owned()
}
