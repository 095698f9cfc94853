//! Status where logins are wrong or over: Flux's, and our own.

use super::{Kind, Lane, PASSWORD, USER, lanes};
use crate::clusters::{rows, said};
use crate::stage::ENVIRONMENT;
use runway_testkit::bed::{DEADLINE, docker_config};
use serde_json::{Value, json};

/// Puts a Secret in the place of one; its type cannot be changed.
fn secret(lane: &Lane, name: &str, kind: &str, key: &str, login: &str) {
    lane.stage.ns.delete("secret", name);
    let object =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": kind, "stringData": {key: login}});
    lane.stage.ns.apply(&object.to_string());
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_pull_secret_of_the_wrong_type_and_one_that_is_over() {
    const JSON: &str = "kubernetes.io/dockerconfigjson";
    let mut lane = Lane::new(Kind::Basic, "pull-secret");
    let good = docker_config(lane.host(), USER, PASSWORD);
    let over = docker_config(lane.host(), USER, "it-was-this-last-year");
    lanes::authority(&lane);
    secret(&lane, "parent-login", JSON, ".dockerconfigjson", &good);
    // All that is needed is in it, in a form that source-controller does not read.
    secret(&lane, "registry-login", "Opaque", "config.json", &good);
    let stage = &lane.stage;
    stage.declare(&["svc"]);
    stage.push(&[]).ok();
    let digest = lanes::deploy(&lane, "svc");
    let parent = stage.env.run(["bootstrap", "--runtime", "gke", "-e", ENVIRONMENT]).ok();
    assert_eq!(parent.matches("name: registry-login").count(), 1, "{parent}");
    stage.ns.apply(&parent.replace("name: registry-login", "name: parent-login"));
    let row = stage.wait_verdict("svc", "Failed");
    assert_eq!(said(&row), ("Failed", "fetched", "OCIArtifactPullFailed"), "{row}");
    assert!(row["message"].as_str().expect("text").contains("UNAUTHORIZED"), "the registry's own words: {row}");
    let next = row["break"]["next"].as_array().expect("commands");
    let look = next.iter().filter_map(Value::as_str).find(|it| it.contains("get secret registry-login")).expect("the Secret");
    let words: Vec<&str> = look.trim_start_matches("kubectl ").split(' ').map(|word| word.trim_matches('\'')).collect();
    let shown = stage.ns.kube().kubectl(words).ok();
    assert!(shown.contains("Opaque") && !shown.contains("auths"), "its type, and no login: {shown}");

    secret(&lane, "registry-login", JSON, ".dockerconfigjson", &good);
    stage.ns.reconcile("ocirepository", "svc");
    let row = stage.wait_verdict("svc", "Ready");
    assert_eq!(row["source"]["digest"], digest.as_str());

    // The login ends one day: what was fetched stays, and runs on.
    secret(&lane, "registry-login", JSON, ".dockerconfigjson", &over);
    stage.ns.reconcile("ocirepository", "svc");
    let row = stage.wait_verdict("svc", "Failed");
    assert_eq!(said(&row), ("Failed", "fetched", "OCIArtifactPullFailed"), "{row}");
    assert_eq!(row["kustomization"]["appliedDigest"], digest.as_str(), "it still runs: {row}");
    secret(&lane, "registry-login", JSON, ".dockerconfigjson", &good);
    stage.ns.reconcile("ocirepository", "svc");
    stage.wait_verdict("svc", "Ready");

    // And now our own: the registry's links are unknown, said once; Flux's last look counts.
    lane.log_in(USER, "it-was-this-last-year");
    let stage = &lane.stage;
    let run = stage.ns.wait_for("Flux between two looks", DEADLINE, || {
        let run = stage.status(&["-o", "json"]);
        (run.code == Some(0)).then_some(run)
    });
    let row = rows(&run.stdout).into_iter().find(|((_, name), _)| name == "svc").expect("a row").1;
    let deployed =
        row["links"].as_array().expect("links").iter().find(|link| link["link"] == "deployed").expect("a link").clone();
    assert_eq!((said(&row).0, deployed["state"].as_str()), ("Ready", Some("unknown")), "{row}");
    assert!(
        deployed["evidence"].as_str().expect("text").contains("401") || deployed["evidence"].to_string().contains("refused"),
        "{row}"
    );
    assert!(!run.to_string().contains("it-was-this-last-year"), "{run}");
}
