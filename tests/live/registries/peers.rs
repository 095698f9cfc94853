//! Other people's clients read what we push, and we read what they push, on each registry.

use super::{Kind, Lane, PASSWORD, USER};
use crate::stage::ENVIRONMENT;
use oci_client::client::{Certificate, CertificateEncoding, ClientConfig, ClientProtocol};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use serde_json::Value;
use std::process::Command;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const LAYER: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";
const CONFIG: &str = "application/vnd.cncf.flux.config.v1+json";

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn peers_on_plain_http() {
    peers(Kind::Plain, "peers-plain");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn peers_with_a_password() {
    peers(Kind::Basic, "peers-basic");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn peers_with_tokens() {
    peers(Kind::Token, "peers-token");
}

fn peers(kind: Kind, name: &str) {
    let lane = Lane::new(kind, name);
    lane.stage.declare(&["a", "b"]);
    lane.stage.push(&[]).ok();
    flux(&lane);
    oras(&lane);
    foreign_client(&lane);
    skopeo(&lane);
}

fn flux(lane: &Lane) {
    let repository = lane.stage.inventory_repository();
    let folder = lane.folder("flux");
    lane.flux(&["pull", "artifact", &format!("oci://{repository}:{ENVIRONMENT}"), "--output", &folder]).ok();
    assert_eq!(lane.stage.env.read(format!("{folder}/{ENVIRONMENT}/inventory.yaml")), lane.build());

    let url = format!("oci://{repository}:flux");
    lane.flux(&["push", "artifact", &url, "--path", &folder, "--source=https://example.com/x", "--revision=main"]).ok();
    assert_eq!(lane.show("flux"), lane.build());
    // The same content, whoever packed it.
    let run = lane.stage.push(&["--to", &url, "-o", "json"]).ok();
    let receipt: Value = serde_json::from_str(&run).expect("JSON");
    assert_eq!(receipt["result"], "unchanged");
    // A tag that flux sets on what we pushed.
    lane.flux(&["tag", "artifact", &format!("oci://{repository}:{ENVIRONMENT}"), "--tag=tagged"]).ok();
    assert_eq!(lane.tag("tagged"), lane.tag(ENVIRONMENT));
    assert_eq!(lane.show("tagged"), lane.build());
}

fn oras(lane: &Lane) {
    let repository = lane.stage.inventory_repository();
    let reference = format!("{repository}:{ENVIRONMENT}");
    let manifest: Value = serde_json::from_str(&lane.oras(&["manifest", "fetch", &reference]).ok()).expect("JSON");
    assert_eq!(
        (manifest["config"]["mediaType"].as_str(), manifest["layers"][0]["mediaType"].as_str()),
        (Some(CONFIG), Some(LAYER))
    );
    let layer = manifest["layers"][0]["digest"].as_str().expect("a digest");
    let folder = lane.folder("oras");
    let file = format!("{folder}/layer.tgz");
    lane.oras(&["blob", "fetch", &format!("{repository}@{layer}"), "--output", &file]).ok();
    std::fs::write(format!("{folder}/config.json"), "{}").unwrap();
    let (config, layer) = (format!("{folder}/config.json:{CONFIG}"), format!("{file}:{LAYER}"));
    lane.oras(&["push", "--disable-path-validation", "--config", &config, &format!("{repository}:oras"), &layer]).ok();
    assert_eq!(lane.show("oras"), lane.build());
}

fn skopeo(lane: &Lane) {
    let present = Command::new("/usr/bin/skopeo").arg("--version").output().is_ok_and(|output| output.status.success());
    if !present {
        println!("SKIPPED: skopeo did not read what we push: it is not installed (apt-get install skopeo)");
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "skopeo must not be missing where CI=true");
        return;
    }
    let repository = lane.stage.inventory_repository();
    let folder = lane.folder("skopeo");
    let layout = format!("oci:{folder}/layout:{ENVIRONMENT}");
    let creds = format!("{USER}:{PASSWORD}");
    let flags = |side: &str| match lane.kind {
        Kind::Plain => vec![format!("--{side}-tls-verify=false")],
        Kind::Basic | Kind::Token => vec![format!("--{side}-creds={creds}")],
    };
    let copy = |flags: &[String], from: &str, to: &str| {
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        lane.peer("skopeo", &[&["--insecure-policy", "copy", "--quiet"], flags.as_slice(), &[from, to]].concat()).ok();
    };
    copy(&flags("src"), &format!("docker://{repository}:{ENVIRONMENT}"), &layout);
    copy(&flags("dest"), &layout, &format!("docker://{repository}:skopeo"));
    assert_eq!(lane.tag("skopeo"), lane.tag(ENVIRONMENT));
    assert_eq!(lane.show("skopeo"), lane.build());
    // The layout that it wrote, and one that we write for it.
    let source = format!("layout:{folder}/layout:{ENVIRONMENT}");
    assert_eq!(lane.stage.env.run(["inventory", "show", &source, "-e", ENVIRONMENT]).ok(), lane.build());
    lane.stage.push(&["--to", &format!("layout:{folder}/ours:{ENVIRONMENT}")]).ok();
    copy(&flags("dest"), &format!("oci:{folder}/ours:{ENVIRONMENT}"), &format!("docker://{repository}:ours"));
    assert_eq!(lane.tag("ours"), lane.tag(ENVIRONMENT));
}

fn foreign_client(lane: &Lane) {
    let certificates = lane
        .secured
        .as_ref()
        .map(|secured| Certificate { encoding: CertificateEncoding::Pem, data: std::fs::read(secured.ca()).unwrap() });
    let (protocol, auth) = match lane.kind {
        Kind::Plain => (ClientProtocol::Http, RegistryAuth::Anonymous),
        Kind::Basic | Kind::Token => (ClientProtocol::Https, RegistryAuth::Basic(USER.to_owned(), PASSWORD.to_owned())),
    };
    drop(rustls::crypto::ring::default_provider().install_default());
    let config =
        ClientConfig { protocol, extra_root_certificates: certificates.into_iter().collect(), ..ClientConfig::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let repository = lane.stage.inventory_repository();
    runtime.block_on(async {
        let client = Client::try_from(config).unwrap();
        let ours: Reference = format!("{repository}:{ENVIRONMENT}").parse().unwrap();
        let pulled = client.pull(&ours, &auth, vec![LAYER]).await.unwrap();
        assert_eq!(pulled.digest, lane.tag(ENVIRONMENT));
        assert_eq!(pulled.config.media_type, CONFIG);
        let theirs: Reference = format!("{repository}:foreign").parse().unwrap();
        client.push(&theirs, &pulled.layers, pulled.config.clone(), &auth, pulled.manifest.clone()).await.unwrap();
        let (_, digest) = client.pull_manifest_raw(&theirs, &auth, &[MANIFEST]).await.unwrap();
        assert_eq!(Some(digest), lane.tag("foreign"));
    });
    assert_eq!(lane.show("foreign"), lane.build());
}
