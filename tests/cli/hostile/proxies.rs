//! Proxies that the environment names: they lead to registries, see no login of theirs, and show none of their own.
//!
//! No proxy leads to this machine, so that the registries here have names that only the proxies know.

use super::{Deed, Hostile, LOGIN, Reply, SOON, USER, holds, is_clean, platform, push, show};
use runway_testkit::bed::docker_config;
use runway_testkit::env::{Env, Run};
use runway_testkit::fake::{ForwardProxy, SocksProxy, Tls};

const NAME: &str = "registry.runway.test";
const SECRET: &str = "canary-of-a-proxy-0815";
/// `base64("walter:" + SECRET)`.
const ENCODED: &str = "d2FsdGVyOmNhbmFyeS1vZi1hLXByb3h5LTA4MTU=";

struct Scene {
    registry: Hostile,
    proxy: ForwardProxy,
    env: Env,
    // The authority's file is in it.
    _folder: tempfile::TempDir,
}

/// A registry that wants a login, behind a proxy that wants another; `variable` names the proxy.
fn scene(tls: bool, variable: &str) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let both = Tls::make(folder.path(), &[NAME]);
    let registry = Hostile::with_tls(tls.then_some(both), |request, reply| {
        Deed::Answer(match request.header("authorization") {
            None => Reply::error(401, "UNAUTHORIZED", "log in").with("WWW-Authenticate", "Basic realm=\"bed\""),
            Some(_) => reply,
        })
    });
    let proxy = ForwardProxy::start(registry.port(), Some(&format!("walter:{SECRET}")));
    let mut env = platform(NAME);
    env.var("DOCKER_AUTH_CONFIG", docker_config(NAME, USER, super::PASSWORD));
    env.var("SSL_CERT_FILE", folder.path().join("ca.crt"));
    env.var(variable, format!("http://walter:{SECRET}@127.0.0.1:{}", proxy.port()));
    Scene { registry, proxy, env, _folder: folder }
}

#[track_caller]
fn tells_nothing(run: &Run) {
    is_clean(run);
    for secret in [SECRET, ENCODED, "walter"] {
        assert!(!run.stdout.contains(secret) && !run.stderr.contains(secret), "{run}");
    }
}

#[track_caller]
fn refused(run: &Run, words: &[&str]) {
    holds(run, 2, words, SOON);
    tells_nothing(run);
}

#[test]
fn https_goes_through_a_tunnel_with_the_proxy_s_own_login() {
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let scene = scene(true, variable);
        for run in [push(&scene.env, &[]), show(&scene.env, &[])] {
            tells_nothing(&run);
            drop(run.exits(0));
        }
        let lines = scene.proxy.lines();
        assert!(!lines.is_empty() && lines.iter().all(|line| line == &format!("CONNECT {NAME}:443")), "{lines:?}");
        assert!(scene.proxy.has_seen(ENCODED) && !scene.proxy.has_seen(LOGIN) && !scene.proxy.has_seen("\r\nuthorization"));
        assert!(scene.registry.has_seen(LOGIN) && !scene.registry.has_seen(ENCODED));
        assert!(!scene.registry.has_seen("roxy-"));
    }
}

#[test]
fn plain_http_is_asked_for_by_its_whole_address() {
    let scene = scene(false, "HTTP_PROXY");
    let run = push(&scene.env, &["--plain-http"]);
    tells_nothing(&run);
    drop(run.exits(0));
    let lines = scene.proxy.lines();
    assert!(lines.iter().all(|line| line.contains(&format!(" http://{NAME}/v2/"))) && !lines.is_empty(), "{lines:?}");
    assert!(scene.proxy.has_seen(ENCODED) && !scene.registry.has_seen(ENCODED) && scene.registry.has_seen(LOGIN));
}

#[test]
fn no_proxy_and_this_machine_are_asked_directly() {
    let mut scene = scene(true, "HTTPS_PROXY");
    for except in [NAME, ".runway.test", "other.test, runway.test", "*"] {
        scene.env.var("NO_PROXY", except);
        refused(&show(&scene.env, &[]), &["no address", NAME]);
    }
    assert_eq!(scene.proxy.lines().len(), 0);
    scene.env.var("NO_PROXY", "other.test,10.0.0.0/8");
    push(&scene.env, &[]).ok();
    assert!(!scene.proxy.lines().is_empty());
    // A registry on this machine, whatever the variables say.
    scene.proxy.clear();
    let open = Hostile::start(|_, reply| Deed::Answer(reply));
    scene.env.unset("NO_PROXY").var("HTTP_PROXY", format!("http://127.0.0.1:{}", scene.proxy.port()));
    scene.env.write("kubectl-runway.yaml", format!("registry: {{base: \"{}/r\"}}\n", open.address()));
    push(&scene.env, &[]).ok();
    assert_eq!(scene.proxy.lines().len(), 0);
}

#[test]
fn a_proxy_that_is_not_there_or_lets_nobody_through_is_named_without_its_login() {
    let mut scene = scene(true, "HTTPS_PROXY");
    let port = scene.proxy.port();
    scene.env.var("HTTPS_PROXY", format!("http://walter:{SECRET}-wrong@127.0.0.1:{port}"));
    let words = format!("no way through the proxy: the proxy 127.0.0.1:{port} (HTTPS_PROXY) wants a login, or another one");
    for run in [show(&scene.env, &[]), push(&scene.env, &[])] {
        refused(&run, &[&words, "HOST:PORT"]);
    }
    scene.env.var("HTTPS_PROXY", format!("http://walter:{SECRET}@127.0.0.1:1"));
    refused(&show(&scene.env, &[]), &["nothing listens on the proxy 127.0.0.1:1 (HTTPS_PROXY)", "unless NO_PROXY names it"]);
    scene.env.var("HTTPS_PROXY", format!("http://walter:{SECRET}@proxy.invalid:3128"));
    refused(&show(&scene.env, &[]), &["the name of the proxy proxy.invalid:3128 (HTTPS_PROXY) is not known"]);
    // One that says no to the tunnel itself.
    let wall = Hostile::start(|_, _| Deed::Answer(Reply::new(403).body("blocked by policy")));
    scene.env.var("HTTPS_PROXY", format!("http://walter:{SECRET}@127.0.0.1:{}", wall.port()));
    let named = format!("the proxy 127.0.0.1:{} (HTTPS_PROXY)", wall.port());
    let words = format!("no way through the proxy: {named} makes no tunnel to {NAME} (it answered 403 Forbidden)");
    refused(&show(&scene.env, &[]), &[&words, "ask whoever runs it"]);
    assert!(wall.lines().len() <= 2 && wall.has_seen(ENCODED), "{:?}", wall.lines());
    let away = Hostile::start(|_, _| Deed::Answer(Reply::new(502).body("bad gateway")));
    scene.env.var("HTTPS_PROXY", format!("http://127.0.0.1:{}", away.port()));
    refused(&show(&scene.env, &[]), &["(it answered 502 Bad Gateway)", &format!("it does not reach {NAME} itself")]);
    assert!(away.lines().len() <= 2, "{:?}", away.lines());
    // One that says nothing is named.
    let silent = Hostile::start(|_, _| Deed::Silence);
    scene.env.var("HTTPS_PROXY", format!("http://walter:{SECRET}@127.0.0.1:{}", silent.port()));
    let words = format!("is asked through the proxy 127.0.0.1:{} (HTTPS_PROXY)", silent.port());
    refused(&show(&scene.env, &["--timeout", "2s"]), &["gave no complete answer within", &words]);
    // One that is spoken to in TLS, and does not know it; plain http would show the login to it.
    scene.env.var("HTTPS_PROXY", format!("https://walter:{SECRET}@127.0.0.1:{}", wall.port()));
    let run = show(&scene.env, &[]);
    refused(
        &run,
        &[&format!("no way through the proxy: no connection to {NAME} came about through {named}"), "begins with https://"],
    );
    assert!(!run.stderr.contains("plain"), "{run}");
    let run = scene.env.run(["doctor", "registry", "--runtime", "gke", "-e", "production"]);
    tells_nothing(&run);
    assert!(run.stdout.contains("tls       failed"), "{run}");
    let mut plain = self::scene(false, "HTTP_PROXY");
    plain.env.var("HTTP_PROXY", format!("http://127.0.0.1:{}", plain.proxy.port()));
    refused(&show(&plain.env, &["--plain-http"]), &["407", "no way through the proxy: "]);
}

#[test]
fn a_socks_proxy_leads_there_and_resolves_the_name() {
    for variable in ["ALL_PROXY", "HTTPS_PROXY"] {
        let mut scene = scene(true, variable);
        let socks = SocksProxy::start(scene.registry.port(), ("walter", SECRET));
        scene.env.var(variable, format!("socks5h://walter:{SECRET}@127.0.0.1:{}", socks.port()));
        for run in [push(&scene.env, &[]), show(&scene.env, &[])] {
            tells_nothing(&run);
            drop(run.exits(0));
        }
        assert!(!socks.asked().is_empty() && socks.asked().iter().all(|at| at == &format!("{NAME}:443")), "{:?}", socks.asked());
        assert!(scene.registry.has_seen(LOGIN));
        scene.env.var(variable, format!("socks5h://walter:{SECRET}-wrong@127.0.0.1:{}", socks.port()));
        refused(&show(&scene.env, &[]), &[&format!("through the proxy 127.0.0.1:{} ({variable})", socks.port())]);
    }
}

#[test]
fn a_variable_that_names_no_proxy_is_told() {
    let mut scene = scene(true, "HTTPS_PROXY");
    for value in [format!("://walter:{SECRET}@@"), format!("http://walter:{SECRET}@bad host:1")] {
        scene.env.var("HTTPS_PROXY", value);
        refused(&show(&scene.env, &[]), &["error: the variable HTTPS_PROXY names no proxy", "write http://HOST:PORT"]);
    }
    // Where none is wanted, it is no matter.
    scene.env.var("NO_PROXY", NAME);
    refused(&show(&scene.env, &[]), &["no address"]);
}

#[test]
fn the_doctor_names_the_proxy_and_its_variable() {
    let mut scene = scene(true, "HTTPS_PROXY");
    let doctor = |env: &Env| {
        let run = env.run(["doctor", "registry", "--runtime", "gke", "-e", "production"]);
        tells_nothing(&run);
        run
    };
    let text = doctor(&scene.env).ok();
    let port = scene.proxy.port();
    assert!(text.contains(&format!("127.0.0.1:{port}, by HTTPS_PROXY, with a login")), "{text}");
    assert!(text.contains("allowed; an upload was begun"), "{text}");
    scene.env.var("HTTPS_PROXY", format!("http://127.0.0.1:{port}"));
    let run = doctor(&scene.env).exits(2);
    assert!(run.stdout.contains("tls       failed") && run.stdout.contains("auth      skipped"), "{run}");
    assert!(run.stderr.contains("wants a login, or another one"), "{run}");
    scene.env.var("NO_PROXY", NAME);
    assert!(doctor(&scene.env).exits(2).stdout.contains("none: NO_PROXY names it"));
}
