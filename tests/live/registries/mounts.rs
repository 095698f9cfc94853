//! A push to another place than the usual one: blobs that the registry has already are mounted, not sent.

use super::{Kind, Lane, PASSWORD, USER};
use crate::stage::Stage;
use runway_testkit::bed::{Handle, docker_config};
use runway_testkit::fake::Proxy;

const PLAIN: &str = "source: {secretRef: \"\", insecure: true}\nparent: {secretRef: \"\"}\n";

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn blobs_of_the_usual_repository_are_mounted() {
    let bed = Handle::connect();
    let base = bed.repository_base("mounts");
    let direct = base.clone();
    let (host, path) = base.split_once('/').expect("a path");
    let proxy = Proxy::start(host.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port"), None);
    let base = format!("{}/{path}", proxy.address());
    let stage = Stage::at(bed, "mounts", "gke", base.clone(), PLAIN);
    stage.declare(&["a", "b"]);
    stage.push(&[]).ok();
    let usual = stage.bed.tag_digest(&format!("{direct}/provisioner/gke-inventory"), "production");

    proxy.clear();
    stage.push(&["--to", &format!("oci://{base}/mirror:copy")]).ok();
    let copied = stage.bed.tag_digest(&format!("{direct}/mirror"), "copy");
    assert!(usual.is_some() && copied == usual, "{copied:?}");
    let lines = proxy.lines();
    let begun: Vec<&String> = lines.iter().filter(|line| line.starts_with("POST ")).collect();
    assert!(begun.len() == 2 && begun.iter().all(|line| line.contains("mount=sha256") && line.ends_with(" 201")), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.starts_with("PUT ") && line.contains("/blobs/")), "{lines:#?}");

    // What the usual place does not hold is sent, in the upload that was begun by asking for it.
    stage.declare(&["a", "b", "c"]);
    proxy.clear();
    stage.push(&["--to", &format!("oci://{base}/mirror:copy")]).ok();
    let lines = proxy.lines();
    let count = |what: &str| lines.iter().filter(|line| line.starts_with(what)).count();
    assert_eq!(count("POST "), 2, "{lines:#?}");
    assert!(
        lines.iter().any(|line| line.starts_with("POST ") && line.contains("mount=") && line.ends_with(" 202")),
        "{lines:#?}"
    );
    assert!(lines.iter().any(|line| line.starts_with("PUT ") && line.contains("/blobs/")), "{lines:#?}");
}

/// A mount needs the right to read the usual repository, which a token for both gives; without it, the push goes its usual way.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn who_may_not_read_the_usual_repository_still_pushes() {
    let mut lane = Lane::new(Kind::Token, "mount-token");
    lane.stage.declare(&["svc"]);
    let proxy = Proxy::start(lane.secured().port(), Some(lane.secured().tls()));
    let host = proxy.address();
    let path = lane.stage.base.split_once('/').expect("a path").1.to_owned();
    lane.stage.env.var("RUNWAY_REGISTRY_BASE", format!("{host}/{path}"));
    lane.stage.env.var("DOCKER_AUTH_CONFIG", docker_config(&host, USER, PASSWORD));
    lane.stage.push(&[]).ok();
    proxy.clear();
    lane.stage.push(&["--to", &format!("oci://{host}/{path}/mirror:copy")]).ok();
    let pushed = lane.secured().tag_digest(&format!("{path}/mirror"), "copy");
    assert!(pushed.is_some() && pushed == lane.tag("production"), "{pushed:?}");
    let lines = proxy.lines();
    let mounted = |line: &&String| line.starts_with("POST ") && line.contains("mount=sha256") && line.ends_with(" 201");
    assert_eq!(lines.iter().filter(mounted).count(), 2, "{lines:#?}");
    assert!(!lines.iter().any(|line| line.starts_with("PUT ") && line.contains("/blobs/")), "{lines:#?}");
    // This one may write elsewhere, and may not read the usual repository.
    lane.stage.env.var("DOCKER_AUTH_CONFIG", docker_config(&host, "stranger", "stranger-canary"));
    let run = lane.stage.push(&["--to", &format!("oci://{host}/elsewhere/mirror:copy")]);
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(lane.secured().tag_digest("elsewhere/mirror", "copy"), pushed);
}
