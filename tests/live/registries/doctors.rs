//! `doctor registry` on each registry, with logins of each kind; and a registry that wants a client certificate.

use super::{Kind, Lane, PASSWORD, USER};
use crate::stage::{ENVIRONMENT, Stage};
use runway_testkit::bed::Handle;
use runway_testkit::env::Run;
use serde_json::{Value, json};

fn doctor(lane: &Lane, more: &[&str]) -> Run {
    let run = lane.stage.env.run([&["doctor", "registry", "--runtime", "gke", "-e", ENVIRONMENT], more].concat());
    println!("{run}");
    assert!(!run.to_string().contains(PASSWORD) && !run.to_string().contains("canary"), "{run}");
    run
}

/// The messages of the steps that failed, by their names.
fn failed(run: &Run) -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}\n{run}"));
    let items = document["items"].as_array().expect("items").iter();
    let text = |item: &Value, key: &str| item[key].as_str().expect("a text").to_owned();
    items.filter(|item| item["state"] == "failed").map(|item| (text(item, "check"), text(item, "message"))).collect()
}

/// Ends with this code, and with these steps failed, each with these words.
#[track_caller]
fn fails(lane: &Lane, more: &[&str], code: i32, expected: &[(&str, &str)]) {
    let run = doctor(lane, &[&["-o", "json"], more].concat());
    let found = failed(&run);
    assert_eq!(run.code, Some(code), "{run}");
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, expected.iter().map(|(name, _)| *name).collect::<Vec<_>>(), "{run}");
    for ((name, message), (_, words)) in found.iter().zip(expected) {
        assert!(message.contains(words), "{words:?} is not in what is said of {name}\n{run}");
    }
}

/// All is allowed, and neither the tag nor the list of tags has changed.
#[track_caller]
fn is_well(lane: &Lane, words: &[&str]) {
    let before = lane.tag(ENVIRONMENT);
    let text = doctor(lane, &[]).ok();
    for word in words {
        assert!(text.contains(word), "{word:?} is not in\n{text}");
    }
    assert!(text.contains("allowed; an upload was begun and ended, and nothing was stored"), "{text}");
    assert_eq!(lane.tag(ENVIRONMENT), before);
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_doctor_on_plain_http() {
    let lane = Lane::new(Kind::Plain, "doctor-plain");
    is_well(&lane, &["plain http since it is this machine", "no login is wanted", "there is no production yet"]);
    lane.stage.declare(&["svc"]);
    lane.stage.push(&[]).ok();
    is_well(&lane, &["allowed; production is sha256:"]);
    assert_eq!(lane.stage.env.run(["doctor", "registry", "svc", "-e", ENVIRONMENT]).code, Some(0));
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_doctor_with_a_password() {
    let mut lane = Lane::new(Kind::Basic, "doctor-basic");
    lane.stage.declare(&["svc"]);
    lane.stage.push(&[]).ok();
    let entry = format!("a user and a password from DOCKER_AUTH_CONFIG, entry '{}'", lane.host());
    is_well(&lane, &[&entry, "trusted: SSL_CERT_FILE=", "basic: a user and a password", "token     skipped"]);
    lane.log_in(USER, "canary-of-a-wrong-one");
    fails(&lane, &[], 1, &[("pull", "wrong login"), ("push", "wrong login")]);
    lane.stage.env.unset("DOCKER_AUTH_CONFIG");
    fails(&lane, &["--read-only"], 1, &[("pull", "no login was found")]);
    let ca = lane.secured().ca().display().to_string();
    lane.stage.env.unset("SSL_CERT_FILE");
    fails(&lane, &[], 2, &[("tls", "signed by an authority that is not trusted here")]);
    lane.log_in(USER, PASSWORD);
    assert!(doctor(&lane, &["--ca-file", &ca]).ok().contains("the system's certificate authorities, --ca-file"));
    lane.secured.as_mut().expect("a registry").registry().stop();
    fails(&lane, &[], 2, &[("connect", "nothing listens")]);
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_doctor_with_tokens() {
    let mut lane = Lane::new(Kind::Token, "doctor-token");
    lane.stage.declare(&["svc"]);
    lane.stage.push(&[]).ok();
    is_well(&lane, &["bearer: tokens for container_registry from https://localhost:", "allows pull and push"]);
    // May read, and may not write: the token says so before the registry does.
    lane.log_in("reader", "reader-canary");
    fails(&lane, &[], 1, &[("push", "insufficient scope: the login may not write")]);
    assert!(doctor(&lane, &[]).stdout.contains("the one that was given allows pull\n"));
    fails(&lane, &["--read-only"], 0, &[]);
    lane.log_in("stranger", "stranger-canary");
    fails(&lane, &[], 1, &[("pull", "insufficient scope"), ("push", "insufficient scope")]);
    lane.log_in(USER, "canary-of-a-wrong-one");
    fails(&lane, &[], 1, &[("token", "HTTP Basic: Access denied"), ("pull", "wrong login"), ("push", "wrong login")]);
    lane.stage.env.unset("DOCKER_AUTH_CONFIG");
    fails(&lane, &[], 1, &[("token", "access forbidden"), ("pull", "access forbidden"), ("push", "access forbidden")]);
    lane.log_in(USER, PASSWORD);
    lane.secured().tokens().turn(|knobs| knobs.ttl = -3600);
    fails(&lane, &[], 1, &[("pull", "expired token"), ("push", "expired token")]);
    let asked = lane.secured().tokens().log();
    assert!(asked.iter().all(|asked| !asked.line.contains(PASSWORD)), "{asked:?}");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_registry_that_wants_a_client_certificate() {
    let bed = Handle::connect();
    let (secured, certificate, key) = bed.mutual_registry("mutual");
    let base = format!("{}/mutual", secured.address());
    let mut stage = Stage::at(bed, "mutual", "gke", base, "source: {secretRef: \"\", interval: 10s}\n");
    stage.env.var("RUNWAY_REGISTRY_PLAIN_HTTP", "false").var("RUNWAY_REGISTRY_CA_FILE", secured.ca());
    let mut lane = Lane { stage, kind: Kind::Basic, secured: Some(secured) };
    lane.stage.declare(&["svc"]);
    let run = lane.stage.push(&[]).exits(2);
    assert!(run.stderr.contains("wants a client certificate") && run.stderr.contains("--cert-file"), "{run}");
    fails(&lane, &[], 2, &[("tls", "wants a client certificate")]);
    // By flags, by variables, and by the folder that podman reads.
    let flags = [["--cert-file", certificate.to_str().unwrap()], ["--key-file", key.to_str().unwrap()]].concat();
    lane.stage.push(&flags).ok();
    assert!(doctor(&lane, &flags).ok().contains("; a client certificate is at hand: "));
    lane.stage.env.var("RUNWAY_REGISTRY_CERT_FILE", &certificate).var("RUNWAY_REGISTRY_KEY_FILE", &key);
    assert_eq!(lane.show(ENVIRONMENT), lane.build());
    lane.stage.env.unset("RUNWAY_REGISTRY_KEY_FILE");
    let run = lane.stage.push(&[]).exits(2);
    assert!(run.stderr.contains("registry.certFile is set, and registry.keyFile is not"), "{run}");
    lane.stage.env.unset("RUNWAY_REGISTRY_CERT_FILE").unset("RUNWAY_REGISTRY_CA_FILE");
    let folder = lane.stage.env.home().join(".config/containers/certs.d").join(lane.host());
    std::fs::create_dir_all(&folder).unwrap();
    for (from, name) in [(certificate.as_path(), "client.cert"), (key.as_path(), "client.key"), (lane.secured().ca(), "ca.crt")] {
        std::fs::copy(from, folder.join(name)).unwrap();
    }
    lane.stage.declare(&["svc", "more"]);
    lane.stage.push(&[]).ok();
    assert_eq!(lane.show(ENVIRONMENT), lane.build());
    // And live Flux by the same pair.
    let text = |path: &std::path::Path| std::fs::read_to_string(path).unwrap();
    lane.stage.ns.apply(
        &json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "pair"}, "stringData": {
            "ca.crt": text(lane.secured().ca()), "tls.crt": text(&certificate), "tls.key": text(&key)}})
        .to_string(),
    );
    lane.stage.ns.apply(
        &json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "OCIRepository", "metadata": {"name": "mutual"}, "spec": {
            "interval": "10s", "url": format!("oci://{}", lane.stage.inventory_repository()), "ref": {"tag": ENVIRONMENT}, "certSecretRef": {"name": "pair"}}})
        .to_string(),
    );
    lane.stage.ns.wait_ready("ocirepository", "mutual");
}
