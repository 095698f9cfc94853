//! Registries that lie, stall, flood and lure: for each a clear error within its time and within bounded memory, and the
//! password nowhere but at the registry that it is for.

mod commands;
mod doctor;
mod logins;
mod proxies;
mod reading;
mod receipts;
mod waiting;
mod writing;

use runway_testkit::bed::docker_config;
use runway_testkit::env::{Env, Run};
use runway_testkit::fake::{Deed, Hostile, Reply, Request};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const USER: &str = "runway";
/// Looked for in everything that is said, and in everything that others receive.
const PASSWORD: &str = "canary-of-a-password-4711";
/// `base64(USER:PASSWORD)`.
const LOGIN: &str = "cnVud2F5OmNhbmFyeS1vZi1hLXBhc3N3b3JkLTQ3MTE=";
const REPOSITORY: &str = "r/provisioner/gke-inventory";
/// More than the program needs, and less than any flood.
const MEMORY: u64 = 64 << 20;

/// A platform repository, and a registry that wants a login and lies when it is told to.
struct Scene {
    registry: Hostile,
    env: Env,
    lies: Arc<AtomicBool>,
}

impl Scene {
    /// A registry that behaves, until [`Scene::lie`].
    fn honest(lie: impl Fn(&Request, Reply) -> Deed + Send + Sync + 'static) -> Self {
        let lies = Arc::new(AtomicBool::new(false));
        let lying = Arc::clone(&lies);
        let registry = Hostile::start(move |request, reply| match request.header("authorization") {
            None if !request.path().starts_with("/open/") => Deed::Answer(
                Reply::error(401, "UNAUTHORIZED", "authentication required").with("WWW-Authenticate", "Basic realm=\"bed\""),
            ),
            _ if lying.load(Ordering::SeqCst) => lie(request, reply),
            _ => Deed::Answer(reply),
        });
        let env = platform(&registry.address());
        Self { registry, env, lies }
    }

    /// The same, where an inventory has been published before the lies begin.
    fn published(lie: impl Fn(&Request, Reply) -> Deed + Send + Sync + 'static) -> Self {
        let scene = Self::honest(lie);
        scene.push(&[]).ok();
        scene.lie()
    }

    /// From here on it lies.
    fn lie(self) -> Self {
        self.lies.store(true, Ordering::SeqCst);
        self.registry.clear();
        self
    }

    fn push(&self, more: &[&str]) -> Run {
        push(&self.env, more)
    }

    fn show(&self, more: &[&str]) -> Run {
        show(&self.env, more)
    }

    /// What the tag holds, past all lies.
    fn tag(&self) -> Option<String> {
        self.registry.store().tag(REPOSITORY, "production")
    }

    /// Another list of workloads, so that there is something to push.
    fn change(&self) {
        self.env.write("config/runtimes/gke/workloads.yml", "- runway_service_id: a\n- runway_service_id: b\n");
    }
}

fn platform(registry: &str) -> Env {
    let mut env = super::platform("- runway_service_id: a\n");
    env.write(
        "kubectl-runway.yaml",
        format!("registry: {{base: \"{registry}/r\"}}\nsource: {{secretRef: \"\", insecure: true}}\n"),
    );
    env.var("DOCKER_AUTH_CONFIG", docker_config(registry, USER, PASSWORD));
    // Where a panic says more, it says too much: it is looked for.
    env.var("RUST_BACKTRACE", "1");
    env
}

fn push(env: &Env, more: &[&str]) -> Run {
    env.run([&["inventory", "push", "--runtime", "gke", "-e", "production"], more].concat())
}

fn show(env: &Env, more: &[&str]) -> Run {
    env.run([&["inventory", "show", "--runtime", "gke", "-e", "production"], more].concat())
}

/// What holds of every answer to a lie: exit code, words, time, memory, and no secret.
#[track_caller]
fn holds(run: &Run, code: i32, words: &[&str], within: Duration) {
    assert_eq!(run.code, Some(code), "{run}");
    for word in words {
        assert!(run.stderr.contains(word), "{word:?} is not in\n{run}");
    }
    assert!(!run.stderr.contains("panicked"), "{run}");
    assert!(run.took < within, "{:?}\n{run}", run.took);
    assert!(run.peak.is_none_or(|bytes| bytes < MEMORY), "{:?} bytes of memory\n{run}", run.peak);
    is_clean(run);
}

/// No secret, and nothing that moves a terminal's cursor.
#[track_caller]
fn is_clean(run: &Run) {
    for secret in [PASSWORD, LOGIN] {
        assert!(!run.stdout.contains(secret) && !run.stderr.contains(secret), "{run}");
    }
    let control = |c: char| c.is_control() && c != '\n';
    assert!(!run.stdout.contains(control) && !run.stderr.contains(control), "{:?}", run.stderr);
}

/// A server that must not learn anything: it keeps what it gets and answers all with a welcome.
fn lure() -> Arc<Hostile> {
    Arc::new(Hostile::start(|_, _| Deed::Answer(Reply::new(200).body("{\"token\":\"lure\"}"))))
}

#[track_caller]
fn learnt_nothing(lure: &Hostile) {
    for secret in [PASSWORD, LOGIN, "uthorization:"] {
        assert!(!lure.has_seen(secret), "{:?}", lure.received());
    }
}

/// Runs a check for each case, all at the same time: most of them wait.
fn each<T: Send>(cases: impl IntoIterator<Item = T>, check: impl Fn(T) + Sync) {
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| check(case));
        }
    });
}

const SOON: Duration = Duration::from_secs(8);

#[test]
fn the_canary_is_the_login() {
    let config = docker_config("x", USER, PASSWORD);
    assert!(config.contains(LOGIN), "{config}");
    // The honest half of the fake is a registry for all that follows, and the login does arrive there.
    let scene = Scene::published(|_, reply| Deed::Answer(reply));
    assert!(scene.tag().is_some());
    let shown = scene.show(&[]);
    assert!(scene.registry.has_seen(LOGIN));
    assert!(shown.ok().contains("name: a"));
    scene.lie().push(&[]).ok();
}

/// A workloads.yml with so many workloads.
fn list_of(count: usize) -> String {
    (0..count).map(|n| format!("- runway_service_id: w{n}")).collect::<Vec<_>>().join("\n")
}
