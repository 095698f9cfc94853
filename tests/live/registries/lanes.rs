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

/// Build, push, push again, show, diff, list, pull, a dry run, a check of artifacts; and the same of what services publish.
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
    let missing = inventory("verify", &["--artifacts"]);
    assert!(missing.code == Some(1) && missing.stdout.contains("deploy"), "{missing}");
    for id in ["svc", "more"] {
        services(lane, id);
    }
    drop(inventory("verify", &["--artifacts"]).exits(0));
}

/// What a service publishes: push, push again, show, diff, list, pull.
fn services(lane: &Lane, id: &str) {
    let env = &lane.stage.env;
    let manifest = format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {id}\n  namespace: {}\n", lane.stage.ns.name());
    env.write("deploy.yaml", &manifest);
    let run = |command: &str, more: &[&str]| env.run([&["deploy", command, id, "-e", ENVIRONMENT], more].concat());
    let file = ["-f", "deploy.yaml"];
    let results = ["pushed", "unchanged"].map(|expected| {
        let receipt: Value = serde_json::from_str(&run("push", &[&file[..], &["-o", "json"]].concat()).ok()).expect("JSON");
        assert_eq!(receipt["result"], expected, "{receipt}");
        receipt["digest"].clone()
    });
    assert_eq!(results[0], results[1]);
    assert!(run("show", &[]).ok().contains(&format!("name: {id}")));
    assert_eq!(run("diff", &file).code, Some(0));
    assert!(run("list", &[]).ok().contains(ENVIRONMENT));
    let folder = lane.folder(&format!("pulled-{id}"));
    run("pull", &["--output-dir", &folder]).ok();
    assert!(std::fs::read_dir(&folder).is_ok_and(|entries| entries.count() > 0), "{folder} is empty");
}

/// source-controller reads the inventory and the workload's artifact by the `secretRef` and `certSecretRef` of our settings; status,
/// which reads the same registry, says Ready of what was deployed.
fn becomes_ready(lane: &Lane) {
    let stage = &lane.stage;
    stage.declare(&["svc"]);
    stage.push(&[]).ok();
    let digest = deploy(lane, "svc");
    authority(lane);
    let login = docker_config(lane.host(), USER, PASSWORD);
    stage.ns.apply(
        &json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "registry-login"}, "type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": login}})
            .to_string(),
    );
    let name = stage.parent_name();
    let parent = stage.env.run(["bootstrap", "--runtime", "gke", "-e", ENVIRONMENT]).ok();
    assert_eq!(parent.matches("certSecretRef:\n    name: registry-ca\n").count(), 1, "{parent}");
    stage.ns.apply(&parent);
    for name in ["svc", &name] {
        stage.ns.wait_ready("ocirepository", name);
        stage.ns.wait_ready("kustomization", name);
    }
    let row = stage.wait_verdict("svc", "Ready");
    assert_eq!(row["expected"]["digest"], digest.as_str(), "{row}");
    drop(stage.all_ready(&["status", "--runtime", &stage.runtime, "-e", ENVIRONMENT, "svc"]));
}

/// The Secret of the settings' `certSecretRef`.
pub(super) fn authority(lane: &Lane) {
    let ca = std::fs::read_to_string(lane.secured().ca()).unwrap();
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "registry-ca"}, "stringData": {"ca.crt": ca}});
    lane.stage.ns.apply(&secret.to_string());
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
