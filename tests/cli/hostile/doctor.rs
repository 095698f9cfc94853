//! `doctor registry` before registries of all kinds: what it says, and that it neither writes nor tells.

use super::{
    Deed, Hostile, LOGIN, REPOSITORY, Reply, Request, SOON, Scene, each, holds, is_clean, learnt_nothing, lure, platform,
};
use crate::documents::{schema, valid};
use runway_testkit::env::{Env, Run};
use runway_testkit::fake::Tls;
use serde_json::Value;
use std::time::Duration;

fn doctor(env: &Env, more: &[&str]) -> Run {
    env.run([&["doctor", "registry", "--runtime", "gke", "-e", "production"], more].concat())
}

/// The states by step, of a document that is as the schema says.
fn states(run: &Run) -> Vec<(String, String)> {
    let document = valid(&schema("doctor-report"), &run.stdout);
    let text = |item: &Value, key: &str| item[key].as_str().unwrap().to_owned();
    document["items"].as_array().unwrap().iter().map(|item| (text(item, "check"), text(item, "state"))).collect()
}

fn failed(run: &Run) -> Vec<String> {
    states(run).into_iter().filter(|(_, state)| state == "failed").map(|(check, _)| check).collect()
}

#[test]
fn all_is_well_and_nothing_is_written() {
    let scene = Scene::published(|_, reply| Deed::Answer(reply));
    let (before, blobs) = (scene.tag(), scene.registry.store().blobs());
    let run = doctor(&scene.env, &[]);
    is_clean(&run);
    let host = scene.registry.address();
    let text = run.ok();
    for line in [
        format!("oci://{host}/{REPOSITORY}:production\n"),
        format!("address   ok        http://{host}, plain http since it is this machine"),
        format!("login     ok        a user and a password from DOCKER_AUTH_CONFIG, entry '{host}'"),
        "proxy     ok        none: this machine is reached directly".to_owned(),
        "auth      ok        basic: a user and a password".to_owned(),
        "token     skipped   none is needed".to_owned(),
        format!("pull      ok        allowed; production is {}", before.as_deref().unwrap()),
        "push      ok        allowed; an upload was begun".to_owned(),
    ] {
        assert!(text.contains(&line), "{line}\n{text}");
    }
    let lines = scene.registry.lines();
    assert!(
        lines.iter().any(|line| line.starts_with("POST ")) && lines.iter().any(|line| line.starts_with("DELETE ")),
        "{lines:?}"
    );
    assert!(!lines.iter().any(|line| line.starts_with("PUT ") || line.starts_with("PATCH ")), "{lines:?}");
    assert_eq!((scene.tag(), scene.registry.store().blobs()), (before, blobs));

    scene.registry.clear();
    let run = doctor(&scene.env, &["--read-only", "-o", "json"]).exits(0);
    assert_eq!(states(&run).last().unwrap(), &("push".to_owned(), "skipped".to_owned()));
    assert!(scene.registry.lines().iter().all(|line| line.starts_with("GET ") || line.starts_with("HEAD ")));
}

#[test]
fn the_place_of_a_login_is_named_and_never_the_login() {
    let scene = Scene::published(|_, reply| Deed::Answer(reply));
    let (host, config) =
        (scene.registry.address(), runway_testkit::bed::docker_config(&scene.registry.address(), super::USER, super::PASSWORD));
    let mut env = scene.env;
    env.unset("DOCKER_AUTH_CONFIG");
    let run = doctor(&env, &["-o", "json"]);
    assert_eq!((run.code, failed(&run)), (Some(1), vec!["pull".to_owned(), "push".to_owned()]));
    assert!(run.stderr.contains("docker login"), "{run}");
    env.write("../home/.docker/config.json", &config);
    let said = |env: &Env, words: &str| {
        let run = doctor(env, &[]);
        is_clean(&run);
        assert!(run.stdout.contains(words), "{words}\n{run}");
        run
    };
    drop(said(&env, "/.docker/config.json, entry '").exits(0));
    env.write("../home/.docker/config.json", format!(r#"{{"credHelpers": {{"{host}": "canary"}}}}"#));
    let run = said(&env, "docker-credential-canary is not installed");
    assert_eq!(run.code, Some(1), "{run}");
    env.write("../home/.docker/config.json", "{}");
    env.var("CI_REGISTRY", &host).var("CI_JOB_TOKEN", super::PASSWORD);
    drop(said(&env, "a user and a password from CI_JOB_TOKEN"));
    // A login on standard input is for the registry that is asked about.
    let run = env.run_with_stdin(
        ["doctor", "registry", &format!("oci://{host}/r/x"), "--registry-token-stdin", "--registry-user", super::USER],
        super::PASSWORD,
    );
    is_clean(&run);
    assert!(run.ok().contains("a user and a password from the command line"));
}

#[test]
fn what_is_refused_is_an_answer_and_silence_is_none() {
    let refusing = |method: &'static str, status: u16| {
        Scene::published(move |request: &Request, reply| {
            let no = request.method == method && request.path() != "/v2/";
            Deed::Answer(if no { Reply::error(status, "DENIED", "not today") } else { reply })
        })
    };
    let run = doctor(&refusing("POST", 403).env, &["-o", "json"]);
    assert_eq!((run.code, failed(&run)), (Some(1), vec!["push".to_owned()]), "{run}");
    assert!(run.stderr.contains("the login needs the right to write"), "{run}");
    let run = doctor(&refusing("DELETE", 405).env, &[]);
    assert!(run.ok().contains("allowed; an upload was begun, which the registry forgets by itself"));
    let nobody = platform("localhost:1");
    let run = doctor(&nobody, &["-o", "json"]);
    assert_eq!((run.code, failed(&run)), (Some(2), vec!["connect".to_owned()]), "{run}");
    holds(&run, 2, &["nothing listens on localhost:1"], SOON);
    // Not a registry at all.
    let page = Hostile::start(|_, _| Deed::Answer(Reply::new(404).body("<html>hello</html>")));
    let run = doctor(&platform(&page.address()), &["-o", "json"]);
    assert_eq!((run.code, failed(&run)), (Some(2), vec!["auth".to_owned()]), "{run}");
    holds(&run, 2, &["knows no /v2/"], SOON);
}

#[test]
fn a_door_of_another_kind_than_the_repository_s() {
    let asks = || Reply::error(401, "UNAUTHORIZED", "log in").with("WWW-Authenticate", "Basic realm=\"bed\"");
    // Everybody comes in, and is asked who he is at the repository.
    let open = Hostile::start(move |request, reply| {
        let asked = request.path() != "/v2/" && request.header("authorization").is_none();
        Deed::Answer(if asked { asks() } else { reply })
    });
    let text = doctor(&platform(&open.address()), &[]).ok();
    assert!(text.contains("auth      ok        basic: a user and a password; none at the door, /v2/"), "{text}");
    let tokens = Hostile::start(move |request, reply| {
        let realm = format!("Bearer realm=\"http://{}/token\",service=\"s\"", request.header("host").unwrap_or_default());
        Deed::Answer(match request.path() {
            "/token" => Reply::new(200).body("{\"token\":\"t\"}"),
            "/v2/" => reply,
            _ if request.header("authorization").is_none() => Reply::error(401, "X", "x").with("WWW-Authenticate", realm),
            _ => reply,
        })
    });
    let text = doctor(&platform(&tokens.address()), &[]).ok();
    assert!(text.contains("auth      ok        bearer: tokens for s from http://localhost:"), "{text}");
    assert!(text.contains("token     ok        one was given"), "{text}");
    // Nobody comes in at the door, and the repository answers.
    for status in [403, 404, 503] {
        let shut = Hostile::start(move |request, reply| {
            Deed::Answer(if request.path() == "/v2/" { Reply::new(status).body("<html>no") } else { reply })
        });
        let run = doctor(&platform(&shut.address()), &["-o", "json"]);
        assert_eq!((run.code, failed(&run)), (Some(1), vec!["auth".to_owned()]), "{run}");
        assert!(run.stderr.contains("Flux and docker ask for /v2/ first"), "{run}");
    }
}

/// TLS is well only where there was TLS.
#[test]
fn no_tls_is_no_trusted_tls() {
    // One that closes in the handshake.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let mut env = platform(&format!("localhost:{port}"));
    env.var("RUNWAY_REGISTRY_PLAIN_HTTP", "false");
    let run = doctor(&env, &["-o", "json"]);
    assert_eq!((run.code, failed(&run)), (Some(2), vec!["tls".to_owned()]), "{run}");
    let folder = tempfile::tempdir().unwrap();
    let tls = Tls::make(folder.path(), &["localhost"]);
    let registry = Hostile::with_tls(Some(tls), |_, reply| Deed::Answer(reply));
    let mut env = platform(&registry.address());
    env.var("RUNWAY_REGISTRY_PLAIN_HTTP", "false").var("SSL_CERT_DIR", "/nowhere");
    let run = doctor(&env, &["-o", "json"]);
    assert_eq!((run.code, failed(&run)), (Some(2), vec!["tls".to_owned()]), "{run}");
    holds(&run, 2, &["SSL_CERT_DIR=/nowhere: No such file", "hint: "], SOON);
    // The folder counts by itself, and beside a file that does not help.
    env.var("SSL_CERT_DIR", folder.path());
    assert!(doctor(&env, &[]).ok().contains(&format!("trusted: SSL_CERT_DIR={}", folder.path().display())));
    let other = tempfile::tempdir().unwrap();
    drop(Tls::make(other.path(), &["localhost"]));
    env.var("SSL_CERT_FILE", other.path().join("ca.crt"));
    let text = doctor(&env, &[]).ok();
    assert!(text.contains("ca.crt, SSL_CERT_DIR="), "{text}");
    env.unset("SSL_CERT_DIR");
    assert_eq!(failed(&doctor(&env, &["-o", "json"])), ["tls"]);
}

type Act = fn() -> Deed;

#[test]
fn whatever_a_registry_does_it_ends_in_time_and_tells_nothing() {
    let deeds: [(&str, Act); 9] = [
        ("endless", || Deed::Endless(Reply::new(200).body("x".repeat(1 << 16)))),
        ("chunks", || Deed::EndlessChunks(Reply::new(200))),
        ("lying", || Deed::Lying(Reply::new(200).body("{}"), 9_000_000_000)),
        ("head", || Deed::EndlessHead),
        ("silence", || Deed::Silence),
        ("cut", || Deed::Cut),
        ("bytes", || Deed::Bytes(b"\x1b[2J\x1b]0;canary\x07 nonsense\r\n\r\n".to_vec())),
        ("storm", || Deed::Answer(Reply::error(429, "TOOMANYREQUESTS", "slow\u{1b}[31m down").with("Retry-After", "3600"))),
        ("loop", || Deed::Answer(Reply::new(307).with("Location", "/v2/"))),
    ];
    // At the door, at the manifest, and at the upload.
    let places: [fn(&Request) -> bool; 3] = [
        |request| request.path() == "/v2/",
        |request| request.path().contains("/manifests/"),
        |request| request.path().contains("/uploads/"),
    ];
    let cases = places.into_iter().enumerate().flat_map(|place| deeds.into_iter().map(move |deed| (place, deed)));
    each(cases, |((number, place), (name, deed))| {
        let registry = Hostile::start(move |request, reply| match request.header("authorization") {
            _ if place(request) => deed(),
            None => Deed::Answer(Reply::error(401, "UNAUTHORIZED", "log in").with("WWW-Authenticate", "Basic realm=\"bed\"")),
            Some(_) => Deed::Answer(reply),
        });
        let run = doctor(&platform(&registry.address()), &["--timeout", "3s", "-o", "json"]);
        is_clean(&run);
        // A door that is shut with an answer keeps nobody from the repository behind it.
        let door = if name == "storm" { 1 } else { 2 };
        let expected = if number == 0 { (door, "auth") } else { (1, if number == 1 { "pull" } else { "push" }) };
        assert_eq!(run.code, Some(expected.0), "{name} {run}");
        assert!(failed(&run).contains(&expected.1.to_owned()), "{name} {run}");
        assert!(run.took < Duration::from_secs(10), "{name} {:?}", run.took);
        assert!(run.peak.is_none_or(|bytes| bytes < super::MEMORY), "{name} {:?}", run.peak);
    });
}

#[test]
fn neither_a_foreign_realm_nor_a_foreign_upload_learns_the_login() {
    let lure = lure();
    let to = format!("http://127.0.0.1:{}", lure.port());
    let realm = format!("Bearer realm=\"{to}/token\",service=\"s\"");
    let registry = Hostile::start(move |_, _| Deed::Answer(Reply::new(401).with("WWW-Authenticate", realm.clone())));
    let run = doctor(&platform(&registry.address()), &["-o", "json"]);
    assert_eq!((run.code, failed(&run)), (Some(2), vec!["auth".to_owned()]), "{run}");
    holds(&run, 2, &["token endpoint is not trusted"], SOON);
    assert!(!registry.has_seen(LOGIN));
    let scene = Scene::published(move |request, reply| {
        Deed::Answer(if request.method == "POST" {
            reply.without("Location").with("Location", format!("{to}/upload"))
        } else {
            reply
        })
    });
    let run = doctor(&scene.env, &["-o", "json"]);
    assert_eq!((run.code, failed(&run)), (Some(1), vec!["push".to_owned()]), "{run}");
    learnt_nothing(&lure);
    assert_eq!(lure.lines().len(), 0);
}
