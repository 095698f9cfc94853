//! Lies about where a login goes: the realm of a challenge, and what a token endpoint answers.

use super::{Deed, Hostile, LOGIN, PASSWORD, Reply, SOON, holds, learnt_nothing, lure, platform, push, show};
use runway_testkit::env::{Env, Run};
use std::sync::{Arc, Mutex};

/// A registry that names this challenge, and an endpoint on its own host.
fn registry(
    challenge: impl Fn(&str) -> String + Send + Sync + 'static,
    token: impl Fn() -> Deed + Send + Sync + 'static,
) -> Hostile {
    Hostile::start(move |request, reply| {
        let host = request.header("host").unwrap_or_default();
        match request.path() {
            "/token" => token(),
            _ if request.header("authorization").is_none_or(|value| !value.starts_with("Bearer good")) => Deed::Answer(
                Reply::error(401, "UNAUTHORIZED", "authentication required").with("WWW-Authenticate", challenge(host)),
            ),
            _ => Deed::Answer(reply),
        }
    })
}

fn bearer(host: &str) -> String {
    format!("Bearer realm=\"http://{host}/token\",service=\"s\",scope=\"repository:r:pull\"")
}

#[test]
fn a_foreign_realm_learns_nothing() {
    let lure = lure();
    let port = lure.port();
    for realm in [
        format!("http://127.0.0.1:{port}/token"),
        format!("https://127.0.0.1:{port}/token"),
        format!("http://runway:pw@localhost:{port}/token"),
        format!("http://[::ffff:127.0.0.1]:{port}/token"),
        "http://evil.example.net/token".to_owned(),
        "https://localhost.evil.example.net/token".to_owned(),
        "file:///etc/passwd".to_owned(),
        "/token".to_owned(),
        String::new(),
    ] {
        let named = realm.clone();
        let registry = registry(move |_| format!("Bearer realm=\"{named}\",service=\"s\""), || Deed::Answer(Reply::new(200)));
        let env = platform(&registry.address());
        for run in [show(&env, &[]), push(&env, &[])] {
            holds(&run, 2, &["token endpoint is not trusted"], SOON);
        }
        assert!(!registry.has_seen(LOGIN), "{realm}: {:?}", registry.lines());
    }
    learnt_nothing(&lure);
    assert_eq!(lure.lines().len(), 0);
}

#[test]
fn a_token_endpoint_that_sends_the_login_on() {
    let lure = lure();
    for status in [301, 302, 307, 308] {
        let to = format!("http://127.0.0.1:{}/token", lure.port());
        let registry = registry(bearer, move || Deed::Answer(Reply::new(status).with("Location", to.clone())));
        let env = platform(&registry.address());
        holds(&show(&env, &[]), 2, &["redirects, and this is not followed"], SOON);
    }
    learnt_nothing(&lure);
    assert_eq!(lure.lines().len(), 0);
}

#[test]
fn tokens_that_are_none() {
    for (body, words) in [
        (r#"{"token":"good\nX-Evil: 1"}"#, "characters that no token has"),
        (r#"{"token":"good\u0000"}"#, "characters that no token has"),
        (r#"{"token":""}"#, "holds no token"),
        (r#"{"token":7}"#, "not the JSON"),
        ("{}", "holds no token"),
        ("<html>log in</html>", "not the JSON"),
        ("", "not the JSON"),
    ] {
        let registry = registry(bearer, move || Deed::Answer(Reply::new(200).body(body)));
        let env = platform(&registry.address());
        holds(&show(&env, &[]), 2, &["no token from", words], SOON);
        holds(&push(&env, &[]), 2, &["no token from", words], SOON);
        assert!(!registry.has_seen("X-Evil"));
    }
}

#[test]
fn a_token_endpoint_that_floods_stalls_or_repeats() {
    let flood = registry(bearer, || Deed::Endless(Reply::new(200).body("{".repeat(1 << 16))));
    holds(&show(&platform(&flood.address()), &[]), 2, &["larger than 64 KiB"], SOON);
    let silent = registry(bearer, || Deed::Silence);
    holds(&show(&platform(&silent.address()), &["--timeout", "2s"]), 2, &["no complete answer"], SOON);
    let cut = registry(bearer, || Deed::Cut);
    holds(&show(&platform(&cut.address()), &[]), 2, &["broke"], SOON);
    let storm = registry(bearer, || Deed::Answer(Reply::error(429, "TOOMANYREQUESTS", "slow down").with("Retry-After", "1")));
    holds(&show(&platform(&storm.address()), &[]), 2, &["429", "slow down"], SOON);
    assert!(storm.lines().len() <= 5, "{:?}", storm.lines());
    let echo = registry(bearer, || Deed::Answer(Reply::error(401, "UNAUTHORIZED", &format!("not {PASSWORD} nor {LOGIN}"))));
    holds(&show(&platform(&echo.address()), &[]), 2, &["401", "wrong login"], SOON);
}

#[test]
fn a_registry_that_never_takes_a_token_is_asked_no_more_than_twice() {
    let given = Arc::new(Mutex::new(0));
    let count = Arc::clone(&given);
    let registry = registry(
        |host| format!("{},error=\"invalid_token\"", bearer(host)),
        move || {
            *count.lock().unwrap() += 1;
            Deed::Answer(Reply::new(200).body(r#"{"token":"bad-but-canary-of-a-token"}"#))
        },
    );
    let run = show(&platform(&registry.address()), &[]);
    holds(&run, 2, &["invalid token"], SOON);
    assert!(!run.to_string().contains("canary-of-a-token"), "{run}");
    assert!(*given.lock().unwrap() <= 2, "{:?}", registry.lines());
}

/// A registry that wants a login, and takes any.
fn asking() -> Hostile {
    Hostile::start(|request, reply| match request.header("authorization") {
        None => Deed::Answer(Reply::error(401, "X", "log in").with("WWW-Authenticate", "Basic realm=\"x\"")),
        Some(_) => Deed::Answer(reply),
    })
}

/// Two registries that want a login, the first that of the settings; without any login at hand.
fn of_two() -> (Hostile, Hostile, Env) {
    let (usual, other) = (asking(), asking());
    let mut env = platform(&usual.address());
    env.unset("DOCKER_AUTH_CONFIG");
    (usual, other, env)
}

/// A command with a password on standard input.
fn told(env: &Env, line: &[&str]) -> Run {
    let more = ["--registry-token-stdin", "--registry-user", super::USER];
    env.run_with_stdin([line, &more].concat(), PASSWORD)
}

/// Two places of one registry need one token; of two registries nobody can tell whose it is, and neither gets it.
#[test]
fn a_token_on_standard_input_is_for_one_registry() {
    let (usual, other, env) = of_two();
    let run = |line: &[&str]| told(&env, &[&["inventory"], line, &["-e", "production"]].concat());
    let to = format!("oci://{}/a/x:v1", other.address());
    run(&["push", "--runtime", "gke", "--to", &to]).ok();
    run(&["pull", &to, "--output-dir", "out"]).ok();
    for new in [&to, "out"] {
        other.clear();
        run(&["diff", new, &to]).ok();
        assert!(other.has_seen(LOGIN), "{new}");
    }
    other.clear();
    let done = run(&["diff", "published", &to, "--runtime", "gke"]);
    holds(&done, 2, &["several registries are asked", &usual.address(), &other.address(), "docker login"], SOON);
    assert!(other.lines().is_empty() && usual.lines().is_empty(), "{:?}", other.lines());
}

/// A token on standard input is for the registry that the command names, and for the settings' where it names none.
#[test]
fn a_token_on_standard_input_goes_where_the_command_goes() {
    let (usual, other, env) = of_two();
    let run = |line: &[&str]| told(&env, line);
    let to = format!("oci://{}/a/x:v1", other.address());
    run(&["inventory", "push", "--runtime", "gke", "-e", "production", "--to", &to]).ok();
    for line in [
        &["inventory", "show", &to, "-e", "production"][..],
        &["inventory", "list", &to],
        &["inventory", "pull", &to, "-e", "production", "--output-dir", "out"],
        &["inventory", "diff", "--runtime", "gke", "-e", "production", "local", &to],
        &[
            "deploy",
            "diff",
            "a",
            "-e",
            "production",
            "-f",
            "deploy.yaml",
            "--with",
            &format!("oci://{}/a/none:v1", other.address()),
        ],
    ] {
        env.write("deploy.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: a}\n");
        let done = run(line);
        super::is_clean(&done);
        assert!(matches!(done.code, Some(0 | 1)), "{done}");
    }
    assert!(other.has_seen(LOGIN) && usual.lines().is_empty(), "{:?}", usual.lines());
    // For the settings' registry alone, where another one is asked: said, and not sent.
    run(&["inventory", "push", "--runtime", "gke", "-e", "production"]).ok();
    assert!(usual.has_seen(LOGIN));
    env.write(
        "kubectl-runway.yaml",
        format!(
            "registry: {{base: \"{}/r\"}}\nartifacts: {{deploy: \"{}/{{workload}}\"}}\nsource: {{insecure: true}}\n",
            usual.address(),
            other.address()
        ),
    );
    other.clear();
    let done = run(&["inventory", "verify", "--runtime", "gke", "-e", "production", "--artifacts"]);
    super::is_clean(&done);
    assert!(done.to_string().contains(&format!("the command line (for {})", usual.address())), "{done}");
    learnt_nothing(&other);
}

#[test]
fn standard_input_is_read_once() {
    let env = platform("localhost:1");
    for line in [
        &["inventory", "push", "-f", "-", "--runtime", "gke", "-e", "production"][..],
        &["inventory", "verify", "--file=-", "--runtime", "gke", "-e", "production", "--artifacts"],
        &["deploy", "push", "a", "-f", "-", "-e", "production"],
        &["inventory", "diff", "-", "published", "--runtime", "gke", "-e", "production"],
        &["inventory", "verify", "-", "-e", "production"],
    ] {
        let run = env.run_with_stdin([line, &["--registry-token-stdin"]].concat(), PASSWORD);
        holds(&run, 2, &["error: - and --registry-token-stdin both read standard input", "hint: "], SOON);
    }
}

#[test]
fn a_stranger_that_asks_for_a_login_gets_none() {
    // A login for one registry is not for another port of the same host, and not for the same port of another name.
    let stranger = Hostile::start(|_, _| {
        Deed::Answer(Reply::error(401, "UNAUTHORIZED", "log in").with("WWW-Authenticate", "Basic realm=\"x\""))
    });
    let mut env = platform("localhost:1");
    env.write("kubectl-runway.yaml", format!("registry: {{base: \"{}/r\"}}\n", stranger.address()));
    holds(&show(&env, &[]), 2, &["it wants a login", "no entry for"], SOON);
    env.write("kubectl-runway.yaml", format!("registry: {{base: \"127.0.0.1:{}/r\"}}\n", stranger.port()));
    env.var("DOCKER_AUTH_CONFIG", super::docker_config(&stranger.address(), super::USER, PASSWORD));
    holds(&show(&env, &[]), 2, &["it wants a login", "no entry for"], SOON);
    learnt_nothing(&stranger);
}

/// Waits for the program with everything that it may wait for besides the network.
#[test]
fn what_gives_a_login_has_no_more_time_than_the_command() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;
    let registry = Hostile::start(|_, _| {
        Deed::Answer(Reply::error(401, "UNAUTHORIZED", "log in").with("WWW-Authenticate", "Basic realm=\"x\""))
    });
    // A helper that never answers, and one more for the next file.
    let mut env = platform(&registry.address());
    let helper = env.write("../bin/docker-credential-slow", "#!/bin/sh\nexec /bin/sleep 600\n");
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    env.var("DOCKER_AUTH_CONFIG", r#"{"credsStore":"slow"}"#);
    holds(&show(&env, &["--timeout", "1s"]), 2, &["docker-credential-slow", "no answer within"], Duration::from_secs(4));
    // A FIFO that nobody writes to, in all places where files are named.
    let fifo = env.work().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for (name, code) in [("REGISTRY_AUTH_FILE", 2), ("SSL_CERT_FILE", 2)] {
        let mut env = platform(&registry.address());
        env.unset("DOCKER_AUTH_CONFIG")
            .var(name, &fifo)
            .var("RUNWAY_REGISTRY_PLAIN_HTTP", if name == "SSL_CERT_FILE" { "false" } else { "auto" });
        holds(&show(&env, &["--timeout", "1s"]), code, &["it is no regular file"], Duration::from_secs(4));
    }
    let run = show(&platform(&registry.address()), &["--ca-file", &fifo.display().to_string()]);
    holds(&run, 2, &["it is no regular file"], Duration::from_secs(4));
}

#[test]
fn a_wrong_basic_login_is_sent_once() {
    let registry = Hostile::start(|_, _| {
        Deed::Answer(Reply::error(401, "UNAUTHORIZED", "log in").with("WWW-Authenticate", "Basic realm=\"x\""))
    });
    let env = platform(&registry.address());
    env.write("config/runtimes/gke/workloads.yml", super::list_of(200));
    let run = env.run(["inventory", "verify", "--runtime", "gke", "-e", "production", "--artifacts"]);
    assert!(run.to_string().contains("wrong login: "), "{run}");
    let sent = registry.received().iter().filter(|request| request.header("authorization").is_some()).count();
    assert_eq!(sent, 1, "{:?}", registry.lines());
}

#[test]
fn a_password_in_a_reference_is_not_repeated() {
    let env = platform("localhost:1");
    let secret = format!("oci://user:{PASSWORD}@localhost:1/a/x:v1");
    let commands: [&[&str]; 3] = [
        &["inventory", "show", &secret, "-e", "production"],
        &["inventory", "push", "--runtime", "gke", "-e", "production", "--to", &secret],
        &["doctor", "registry", &secret],
    ];
    for arguments in commands {
        holds(&env.run(arguments), 2, &["***@localhost:1/a/x:v1", "docker login"], SOON);
    }
}

#[test]
fn a_token_on_standard_input_has_an_end() {
    let env = platform("localhost:1");
    let show = ["inventory", "show", "--runtime", "gke", "-e", "production", "--registry-token-stdin"];
    holds(&env.run_with_stdin(show, "x".repeat((64 << 10) + 1)), 2, &["it has more than 64 KiB"], SOON);
}
