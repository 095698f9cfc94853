//! Every command that reads a registry, before every lie: an answer or an error in its time, within bounded memory, and the
//! password nowhere but at its registry. Over plain http and over TLS.

use super::{Deed, Hostile, LOGIN, PASSWORD, REPOSITORY, Reply, Scene, USER, each, is_clean, learnt_nothing, lure, platform};
use crate::fake::{Fake, kubeconfig, recorded};
use runway_testkit::bed::docker_config;
use runway_testkit::env::{Env, Run};
use runway_testkit::fake::Tls;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub(super) const CASE: &str = "with-parent/drifted-by-kubectl";
const DEPLOY: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: a\ndata:\n  value: \"1\"\n";

/// Commands that read, each in an environment in which it would otherwise answer.
const COMMANDS: [&[&str]; 15] = [
    &["inventory", "show", "--runtime", "gke", "-e", "production"],
    &["inventory", "diff", "--runtime", "gke", "-e", "production"],
    &["inventory", "list", "--runtime", "gke"],
    &["inventory", "pull", "--runtime", "gke", "-e", "production", "--output-dir", "out"],
    &["inventory", "push", "--runtime", "gke", "-e", "production", "--dry-run"],
    &["inventory", "verify", "--runtime", "gke", "-e", "production", "--artifacts"],
    &["deploy", "show", "a", "-e", "production"],
    &["deploy", "list", "a"],
    &["deploy", "pull", "a", "-e", "production", "--output-dir", "out"],
    &["deploy", "diff", "a", "-e", "production", "-f", "deploy.yaml"],
    &["deploy", "push", "a", "-e", "production", "-f", "deploy.yaml", "--dry-run"],
    &["status", "--runtime", "gke", "-e", "production", "-n", "drifted-by-kubectl"],
    &["explain", "svc", "--runtime", "gke", "-e", "production", "-n", "drifted-by-kubectl"],
    &["snapshot", "save", "saved", "--runtime", "gke", "-e", "production", "-n", "drifted-by-kubectl"],
    &["doctor", "registry", "a", "-e", "production", "--read-only"],
];

type Lie = Arc<dyn Fn(Reply) -> Deed + Send + Sync>;

/// Lies by their names; each is told at every request that carries the login.
fn lies(lure: u16) -> Vec<(&'static str, Lie)> {
    let flood = || "x".repeat(1 << 16);
    vec![
        ("endless", Arc::new(move |reply| Deed::Endless(reply.body(flood())))),
        ("chunks", Arc::new(Deed::EndlessChunks)),
        ("promise", Arc::new(|reply| Deed::Lying(reply, 9_000_000_000))),
        ("head", Arc::new(|_| Deed::EndlessHead)),
        ("silence", Arc::new(|_| Deed::Silence)),
        ("slow", Arc::new(|reply| Deed::Slow(reply, Duration::from_secs(1)))),
        ("cut", Arc::new(|reply| Deed::Short(reply, 40))),
        (
            "digest",
            Arc::new(|reply| {
                let other = format!("sha256:{}", "0".repeat(64));
                Deed::Answer(reply.without("Docker-Content-Digest").with("Docker-Content-Digest", other))
            }),
        ),
        ("colours", Arc::new(|_| Deed::Answer(Reply::error(403, "\u{1b}[31mDENIED", "\u{1b}]0;title\u{7} no\u{202e}on")))),
        ("storm", Arc::new(|_| Deed::Answer(Reply::error(429, "TOOMANYREQUESTS", "slow down").with("Retry-After", "3600")))),
        ("trouble", Arc::new(|_| Deed::Answer(Reply::error(503, "UNAVAILABLE", "not now")))),
        ("echo", Arc::new(|_| Deed::Answer(Reply::error(401, "UNAUTHORIZED", &format!("{PASSWORD} {LOGIN}"))))),
        ("echo-json", Arc::new(|_| Deed::Answer(Reply::new(200).body(format!("\"Basic {LOGIN} {PASSWORD}\""))))),
        (
            "echo-tags",
            Arc::new(|_| {
                Deed::Answer(
                    Reply::new(200)
                        .body(format!("{{\"tags\":\"{PASSWORD}\",\"schemaVersion\":\"{LOGIN}\",\"layers\":\"{PASSWORD}\"}}")),
                )
            }),
        ),
        ("echo-host", Arc::new(|_| Deed::Answer(Reply::new(302).with("Location", format!("http://{PASSWORD}.localhost:1/"))))),
        ("page", Arc::new(|_| Deed::Answer(Reply::new(200).with("Content-Type", "text/html").body("<html>log in</html>")))),
        ("elsewhere", Arc::new(move |_| Deed::Answer(Reply::new(307).with("Location", format!("http://127.0.0.1:{lure}/x"))))),
        ("metadata", Arc::new(|_| Deed::Answer(Reply::new(302).with("Location", "http://169.254.169.254/latest")))),
        ("loop", Arc::new(|_| Deed::Answer(Reply::new(302).with("Location", "/v2/round")))),
        (
            "realm",
            Arc::new(move |_| {
                let realm = format!("Bearer realm=\"http://127.0.0.1:{lure}/token\",service=\"s\"");
                Deed::Answer(Reply::new(401).with("WWW-Authenticate", realm))
            }),
        ),
        (
            "page-link",
            Arc::new(move |reply| Deed::Answer(reply.with("Link", format!("<http://127.0.0.1:{lure}/v2/?n=1>; rel=\"next\"")))),
        ),
    ]
}

/// What holds of every answer, whatever it is.
#[track_caller]
fn bears(run: &Run, what: &str) {
    is_clean(run);
    assert!(matches!(run.code, Some(0..=3)), "{what}: {run}");
    assert!(!run.stderr.contains("panicked"), "{what}: {run}");
    assert!(run.took < Duration::from_secs(12), "{what}: {:?}\n{run}", run.took);
    assert!(run.peak.is_none_or(|bytes| bytes < super::MEMORY), "{what}: {:?} bytes\n{run}", run.peak);
    assert!(run.code == Some(0) || !run.stderr.is_empty() || !run.stdout.is_empty(), "{what}: without a word");
}

/// An environment with a cluster that runs what the registry at this address should have.
pub(super) fn prepared(env: &mut Env, address: &str) -> Fake {
    env.write("deploy.yaml", DEPLOY);
    let text = serde_json::to_string(&recorded(CASE)).unwrap();
    let text = text.replace("localhost:5050/b2/drifted-by-kubectl", &format!("{address}/r"));
    let fake = Fake::start(serde_json::from_str(&text).unwrap(), "\0");
    let file = env.write("kubeconfig", kubeconfig(&[("cluster", &fake.url)]));
    env.var("KUBECONFIG", file);
    fake
}

#[test]
fn without_a_lie_every_command_answers() {
    let scene = Scene::published(|_, reply| Deed::Answer(reply));
    let (address, mut env) = (scene.registry.address(), scene.env);
    let _fake = prepared(&mut env, &address);
    drop(env.run(["deploy", "push", "a", "-e", "production", "-f", "deploy.yaml"]).exits(0));
    for arguments in COMMANDS {
        let run = env.run(arguments);
        bears(&run, &arguments.join(" "));
        // The cluster runs something else than what was published here, which is no trouble with the registry.
        assert!(matches!(run.code, Some(0 | 1)) && !run.stderr.contains("error:"), "{arguments:?} {run}");
    }
    assert!(scene.registry.has_seen(LOGIN) && scene.registry.store().tag(REPOSITORY, "production").is_some());
}

#[test]
fn every_command_bears_every_lie() {
    let lure = lure();
    each(lies(lure.port()), |(name, lie)| {
        let scene = Scene::honest(move |_, reply| lie(reply));
        drop(scene.push(&[]).exits(0));
        scene.env.write("deploy.yaml", DEPLOY);
        drop(scene.env.run(["deploy", "push", "a", "-e", "production", "-f", "deploy.yaml"]).exits(0));
        let mut scene = scene.lie();
        let address = scene.registry.address();
        let _fake = prepared(&mut scene.env, &address);
        for arguments in COMMANDS {
            let run = scene.env.run([arguments, &["--timeout", "1s"]].concat());
            bears(&run, &format!("{name}: {}", arguments.join(" ")));
        }
    });
    learnt_nothing(&lure);
}

/// What a registry says of itself does not change what the cluster says: the rows are there, and the trouble is told.
#[test]
fn status_says_what_the_cluster_says_and_that_the_registry_does_not() {
    for (name, lie) in lies(1).into_iter().filter(|(name, _)| matches!(*name, "silence" | "trouble" | "echo" | "head" | "cut")) {
        let mut scene = Scene::published(move |_, reply| lie(reply));
        let address = scene.registry.address();
        let _fake = prepared(&mut scene.env, &address);
        let run =
            scene.env.run(["status", "--runtime", "gke", "-e", "production", "-n", "drifted-by-kubectl", "--timeout", "3s"]);
        bears(&run, name);
        assert_eq!(run.code, Some(1), "{name}: {run}");
        for row in ["gke-inventory ", "svc ", "other "] {
            assert!(run.stdout.contains(row), "{name}: {row}\n{run}");
        }
        assert!(run.stderr.contains("warning:"), "{name}: {run}");
    }
}

#[test]
fn over_tls_it_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let tls = Tls::make(folder.path(), &["localhost"]);
    let lure = Arc::new(Hostile::with_tls(Some(tls.clone()), |_, _| Deed::Answer(Reply::new(200).body("{\"token\":\"lure\"}"))));
    let port = lure.port();
    let mut all = lies(port);
    // Over TLS a stranger can be https as well, which alone is no reason to tell it anything.
    all.push((
        "elsewhere-tls",
        Arc::new(move |_| Deed::Answer(Reply::new(307).with("Location", format!("https://localhost:{port}/x")))),
    ));
    all.push((
        "realm-tls",
        Arc::new(move |_| {
            let realm = format!("Bearer realm=\"https://127.0.0.1:{port}/token\",service=\"s\"");
            Deed::Answer(Reply::new(401).with("WWW-Authenticate", realm))
        }),
    ));
    each(all, |(name, lie)| {
        let lies = Arc::new(AtomicBool::new(false));
        let lying = Arc::clone(&lies);
        let registry = Hostile::with_tls(Some(tls.clone()), move |request, reply| match request.header("authorization") {
            None => Deed::Answer(Reply::error(401, "UNAUTHORIZED", "log in").with("WWW-Authenticate", "Basic realm=\"bed\"")),
            Some(_) if lying.load(Ordering::SeqCst) => lie(reply),
            Some(_) => Deed::Answer(reply),
        });
        let mut env = platform(&registry.address());
        env.var("RUNWAY_REGISTRY_PLAIN_HTTP", "false").var("SSL_CERT_FILE", folder.path().join("ca.crt"));
        env.var("DOCKER_AUTH_CONFIG", docker_config(&registry.address(), USER, PASSWORD));
        drop(super::push(&env, &[]).exits(0));
        lies.store(true, Ordering::SeqCst);
        for arguments in COMMANDS.iter().filter(|arguments| matches!(arguments, ["inventory" | "doctor", ..])) {
            let run = env.run([arguments, &["--timeout", "1s"][..]].concat());
            bears(&run, &format!("{name}: {}", arguments.join(" ")));
        }
        env.write("config/runtimes/gke/workloads.yml", "- runway_service_id: a\n- runway_service_id: b\n");
        let before = registry.store().tag(REPOSITORY, "production");
        let run = super::push(&env, &["--timeout", "3s"]);
        bears(&run, &format!("{name}: inventory push"));
        assert!(run.code == Some(0) || registry.store().tag(REPOSITORY, "production") == before, "{name}: {run}");
    });
    learnt_nothing(&lure);
}
