//! Other people's tools read what we push, and we read what they push.

use crate::stage::{ENVIRONMENT, Stage};
use serde_json::Value;

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn flux_and_oras_read_our_inventory() {
    let stage = Stage::new("peers", "gke");
    stage.declare(&["a", "b"]);
    let run =
        stage.push(&["-o", "json", "--source", "https://user:canary@example.com/platform.git", "--revision", "main@sha1:abc"]);
    let receipt: Value = serde_json::from_str(&run.ok()).expect("JSON");
    let digest = receipt["digest"].as_str().expect("a digest");
    assert_eq!(receipt["result"], "pushed");
    assert_eq!(stage.bed.tag_digest(&stage.inventory_repository(), ENVIRONMENT).as_deref(), Some(digest));

    let url = format!("oci://{}:{ENVIRONMENT}", stage.inventory_repository());
    let folder = stage.env.work().join("pulled");
    std::fs::create_dir(&folder).expect("a folder");
    stage.bed.flux(["pull", "artifact", &url, "--output", folder.to_str().unwrap(), "--insecure-registry"]).ok();
    let built = stage.env.run(["inventory", "build", "--runtime", "gke", "-e", ENVIRONMENT]).ok();
    assert_eq!(stage.env.read(folder.join("production/inventory.yaml")), built);

    let list =
        stage.bed.flux(["list", "artifacts", &format!("oci://{}", stage.inventory_repository()), "--insecure-registry"]).ok();
    assert!(
        list.contains(digest) && list.contains("main@sha1:abc") && list.contains("https://example.com/platform.git"),
        "{list}"
    );
    assert!(!list.contains("canary"), "a credential became an annotation: {list}");

    let reference = format!("{}:{ENVIRONMENT}", stage.inventory_repository());
    let manifest = stage.bed.oras(["manifest", "fetch", "--plain-http", &reference]).ok();
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.cncf.flux.config.v1+json");
    assert_eq!(manifest["layers"][0]["mediaType"], "application/vnd.cncf.flux.content.v1.tar+gzip");
    stage.bed.oras(["pull", "--plain-http", &reference, "--output", folder.join("oras").to_str().unwrap()]).ok();
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn we_read_what_flux_pushed() {
    let stage = Stage::new("theirs", "eks");
    stage.declare(&["a", "b"]);
    let built = stage.env.run(["inventory", "build", "--runtime", "eks", "-e", ENVIRONMENT, "--output-dir", "out"]);
    assert_eq!(built.code, Some(0), "{built}");
    stage.bed.push_folder(&stage.inventory_repository(), ENVIRONMENT, &stage.env.work().join("out"));

    let ours = stage.env.run(["inventory", "build", "--runtime", "eks", "-e", ENVIRONMENT]).ok();
    let theirs = stage.env.run(["inventory", "show", "--runtime", "eks", "-e", ENVIRONMENT]).ok();
    assert_eq!(ours, theirs);
    // The same content, whoever packed it: nothing to push.
    let run = stage.push(&["-o", "json"]).ok();
    let receipt: Value = serde_json::from_str(&run).expect("JSON");
    assert_eq!(receipt["result"], "unchanged", "{receipt}");
}
