//! How many requests a command makes, beside flux and oras, by the log of a proxy. Questions for a login and for tokens count too.

use super::{Kind, Lane, PASSWORD, USER};
use crate::stage::ENVIRONMENT;
use runway_testkit::bed::docker_config;
use runway_testkit::command;
use runway_testkit::env::Run;
use runway_testkit::fake::{DelayProxy, Proxy};
use std::time::Duration;

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn no_more_requests_than_flux_on_plain_http() {
    compare(Kind::Plain, "count-plain");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn no_more_requests_than_flux_with_tokens() {
    compare(Kind::Token, "count-token");
}

/// Counts what comes through a proxy to a lane's registry.
struct Counter {
    lane: Lane,
    proxy: Proxy,
}

impl Counter {
    fn new(kind: Kind, name: &str) -> Self {
        let lane = Lane::new(kind, name);
        let port = lane.host().rsplit(':').next().unwrap().parse().unwrap();
        let proxy = Proxy::start(port, lane.secured.as_ref().map(runway_testkit::bed::Secured::tls));
        Self { lane, proxy }
    }

    fn repository(&self, tool: &str) -> String {
        format!("{}/{}-{tool}", self.proxy.address(), self.lane.path())
    }

    /// What a command asks of the registry and of its token endpoint.
    fn count(&self, what: &str, act: impl FnOnce()) -> usize {
        self.proxy.clear();
        let tokens = self.lane.secured.as_ref().map(runway_testkit::bed::Secured::tokens);
        let before = tokens.map_or(0, |tokens| tokens.log().len());
        act();
        let asked = tokens.map_or(0, |tokens| tokens.log().len()) - before;
        let lines = self.proxy.lines();
        println!("{what}: {} requests and {asked} for tokens", lines.len());
        lines.len() + asked
    }

    fn ours(&self, arguments: &[&str]) {
        let mut command = self.lane.stage.env.command();
        command.args(arguments).env("DOCKER_AUTH_CONFIG", docker_config(&self.proxy.address(), USER, PASSWORD));
        drop(command::run(command, b"", Duration::from_secs(60)).unwrap().exits(0));
    }

    fn push(&self, tag: &str) {
        let to = format!("oci://{}:{tag}", self.repository("ours"));
        self.ours(&["inventory", "push", "--runtime", "gke", "-e", ENVIRONMENT, "--to", &to]);
    }

    fn flux(&self, folder: &str, tag: &str) -> Run {
        let url = format!("oci://{}:{tag}", self.repository("flux"));
        let source = ["--source=https://example.com/x", "--revision=main", "--reproducible"];
        self.lane.flux(&[&["push", "artifact", &url, "--path", folder], &source[..]].concat()).exits(0)
    }

    fn oras(&self, file: &str, tag: &str) -> Run {
        let to = format!("{}:{tag}", self.repository("oras"));
        self.lane.oras(&["push", "--disable-path-validation", &to, file]).exits(0)
    }
}

fn compare(kind: Kind, name: &str) {
    let counter = Counter::new(kind, name);
    let lane = &counter.lane;
    lane.stage.declare(&["a", "b"]);
    let folder = lane.folder("tree");
    lane.stage.env.run(["inventory", "build", "--runtime", "gke", "-e", ENVIRONMENT, "--output-dir", &folder]).ok();
    let file = format!("{folder}/{ENVIRONMENT}/inventory.yaml");
    let flux = ["v1", "v1", "v2"].map(|tag| counter.count(&format!("flux push {tag}"), || drop(counter.flux(&folder, tag))));
    let oras = ["v1", "v1", "v2"].map(|tag| counter.count(&format!("oras push {tag}"), || drop(counter.oras(&file, tag))));
    let ours = ["v1", "v1", "v2"].map(|tag| counter.count(&format!("our push {tag}"), || counter.push(tag)));
    let from = format!("oci://{}:v1", counter.repository("ours"));
    let show = counter.count("our show", || counter.ours(&["inventory", "show", &from, "-e", ENVIRONMENT]));
    let out = lane.folder("out");
    let pull = counter.count("flux pull", || {
        let url = format!("oci://{}:v1", counter.repository("flux"));
        drop(lane.flux(&["pull", "artifact", &url, "--output", &out]).exits(0));
    });
    // A token for reading before one for writing: a plan that ends with "unchanged" never holds the right to write. And the tag
    // is looked at before and after, which flux does not.
    let plus = if kind == Kind::Plain { 0 } else { 2 };
    assert!(ours[0] <= flux[0] + plus && ours[1] <= flux[1] && show <= pull, "{ours:?} {show}, flux {flux:?} {pull}");
    // Another tag for the same: the looks before and after. oras knows by one HEAD that the manifest is there, and looks at no blob
    // and no tag.
    assert!(ours[2] <= flux[2] + 2 + plus, "{ours:?}, flux {flux:?}");
    assert!(ours[0] <= oras[0] + 3 + plus && ours[1] <= oras[1] && ours[2] <= oras[2] + 5 + plus, "{ours:?}, oras {oras:?}");
}

/// 50 ms to the registry and back: what counts is how many requests wait for each other.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_registry_that_is_far_away() {
    let lane = Lane::new(Kind::Plain, "far");
    lane.stage.declare(&["a", "b"]);
    let far = DelayProxy::start(lane.host().rsplit(':').next().unwrap().parse().unwrap(), Duration::from_millis(50));
    let repository = format!("localhost:{}/{}", far.port(), lane.path());
    let reference = format!("oci://{repository}:{ENVIRONMENT}");
    let push = || lane.stage.push(&["--to", &reference]).exits(0).took;
    let show = || lane.stage.env.run(["inventory", "show", &reference, "-e", ENVIRONMENT]).exits(0).took;
    let (new, again, show) = (push(), push(), show());
    let folder = lane.folder("tree");
    lane.stage.env.run(["inventory", "build", "--runtime", "gke", "-e", ENVIRONMENT, "--output-dir", &folder]).ok();
    let url = format!("oci://{repository}-flux:v1");
    let flux = || {
        let source = ["--source=https://example.com/x", "--revision=main", "--reproducible"];
        lane.flux(&[&["push", "artifact", &url, "--path", &folder], &source[..]].concat()).exits(0).took
    };
    let (flux_new, flux_again) = (flux(), flux());
    println!("at 50 ms: our push {new:?}, again {again:?}, show {show:?}; flux push {flux_new:?}, again {flux_again:?}");
    // Ten round trips for a new artifact, two for the same again, three for a look; the rest is the machine's.
    assert!(new >= Duration::from_millis(400) && again >= Duration::from_millis(100), "{new:?} {again:?}");
    assert!(
        new < Duration::from_secs(3) && again < Duration::from_secs(2) && show < Duration::from_secs(2),
        "{new:?} {again:?} {show:?}"
    );
}
