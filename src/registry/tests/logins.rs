//! Where logins come from: files, variables, helpers, in their order.

use super::super::logins::{Login, Logins};
use super::super::secret::Secret;
use super::server::{Reply, Server, error};
use super::{client, repository, tag};
use crate::net::Budget;
use runway_core::flux::reference::Repository;
use runway_core::problem::Problem;
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

fn budget() -> Budget {
    Budget::new(Duration::from_secs(20), Duration::from_secs(20))
}

/// `user password (from)`, or where it was looked for.
async fn find(variables: &[(&str, &str)], home: Option<&Path>, repository: &str) -> Result<String, Problem> {
    let variables: HashMap<&str, &str> = variables.iter().copied().collect();
    let logins = Logins::new(&|name| variables.get(name).map(|value| (*value).to_owned()), home, budget());
    Ok(match logins.find(&Repository::parse(repository).unwrap()).await? {
        Ok(found) => match found.login {
            Login::Basic { user, password } => format!("{user} {} ({})", password.expose(), found.from),
            Login::Bearer(token) => format!("bearer {} ({})", token.expose(), found.from),
            Login::Identity(token) => format!("identity {} ({})", token.expose(), found.from),
        },
        Err(looked) => looked.join(", "),
    })
}

fn entry(user: &str) -> String {
    format!(r#"{{"auths": {{"h": {{"username": "{user}", "password": "pw"}}}}}}"#)
}

fn write(path: &Path, text: &str) -> String {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::io::Write::write_all(&mut std::fs::File::create(path).unwrap(), text.as_bytes()).unwrap();
    path.display().to_string()
}

#[tokio::test]
async fn the_order_of_places() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let own = write(&at("auth.json"), &entry("file"));
    write(&at("docker/config.json"), &entry("docker"));
    write(&at("home/.docker/config.json"), &entry("home"));
    write(&at("run/containers/auth.json"), &entry("podman"));
    let text = entry("text");
    let (docker, run, home) = (at("docker").display().to_string(), at("run").display().to_string(), at("home"));
    let mut variables: Vec<(&str, &str)> = vec![
        ("REGISTRY_AUTH_FILE", &own),
        ("DOCKER_AUTH_CONFIG", &text),
        ("DOCKER_CONFIG", &docker),
        ("XDG_RUNTIME_DIR", &run),
        ("CI_REGISTRY", "h"),
        ("CI_REGISTRY_USER", "ci"),
        ("CI_REGISTRY_PASSWORD", "pw"),
        ("CI_JOB_TOKEN", "job"),
    ];
    let mut seen = Vec::new();
    let mut home = Some(home.as_path());
    for step in 0..8 {
        seen.push(find(&variables, home, "h/x").await.unwrap().split(' ').next().unwrap().to_owned());
        match step {
            0..=2 | 4 => drop(variables.remove(0)),
            3 => home = None,
            5 => variables.retain(|(name, _)| *name != "CI_REGISTRY_PASSWORD"),
            _ => variables.retain(|(name, _)| *name != "CI_REGISTRY"),
        }
    }
    assert_eq!(seen, ["file", "text", "docker", "home", "podman", "ci", "gitlab-ci-token", "REGISTRY_AUTH_FILE"]);
}

#[tokio::test]
async fn podman_s_file_of_this_session_and_the_one_that_stays() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let user = |said: String| said.split(' ').next().unwrap_or_default().to_owned();
    let (home, run, config) = (at("home"), at("run").display().to_string(), at("config").display().to_string());
    write(&home.join(".config/containers/auth.json"), &entry("stays"));
    write(&at("config/containers/auth.json"), &entry("config"));
    let said = find(&[("XDG_RUNTIME_DIR", &run)], Some(&home), "h/x").await.unwrap();
    assert!(said.starts_with("stays pw (") && said.contains("home/.config/containers/auth.json, entry 'h')"), "{said}");
    let both = [("XDG_RUNTIME_DIR", run.as_str()), ("XDG_CONFIG_HOME", config.as_str())];
    assert_eq!(user(find(&both, Some(&home), "h/x").await.unwrap()), "config");
    write(&at("run/containers/auth.json"), &entry("session"));
    assert_eq!(user(find(&both, Some(&home), "h/x").await.unwrap()), "session");
    // Without a folder of the session, podman's own place for this user.
    #[cfg(unix)]
    {
        let said = find(&[], None, "nobody.example.com/x").await.unwrap();
        let place = format!("/run/containers/{}/auth.json (", rustix::process::getuid().as_raw());
        assert!(said.contains(&place), "{said}");
    }
}

/// Whoever watches for hours has a login that is renewed in its file beside him.
#[tokio::test]
async fn a_login_that_was_refused_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|request| match request.header("authorization") {
        // base64("new:pw")
        Some("Basic bmV3OnB3") => error(404, "MANIFEST_UNKNOWN", "manifest unknown"),
        _ => Reply::new(401).with("WWW-Authenticate", "Basic realm=x"),
    });
    let host = &server.host;
    let file = write(&folder.path().join("auth.json"), &entry("old").replace("\"h\"", &format!("\"{host}\"")));
    let mut client = client(&[("REGISTRY_AUTH_FILE", &file)]);
    let at = repository(&server, "g/x");
    assert!(client.head(&at, &tag("v1")).await.is_err());
    write(&folder.path().join("auth.json"), &entry("new").replace("\"h\"", &format!("\"{host}\"")));
    // Not at once: thirty-two refusals are no reason to ask a helper thirty-two times.
    assert!(client.head(&at, &tag("v1")).await.is_err());
    client.exchange.logins.stale = Duration::ZERO;
    assert_eq!(client.head(&at, &tag("v1")).await.unwrap(), None);
}

#[tokio::test]
async fn what_the_caller_hands_in_comes_first_and_for_its_host_only() {
    let text = entry("text");
    let mut logins = Logins::new(&|name| (name == "DOCKER_AUTH_CONFIG").then(|| text.clone()), None, budget());
    logins.give("h".into(), Login::Bearer(Secret::new("mine")));
    let found = logins.find(&Repository::parse("h/x").unwrap()).await.unwrap().unwrap();
    assert_eq!((found.login, found.from.as_str()), (Login::Bearer(Secret::new("mine")), "the command line"));
    let looked = logins.find(&Repository::parse("other/x").unwrap()).await.unwrap().unwrap_err();
    assert_eq!(looked.first().map(String::as_str), Some("the command line (for h)"));
}

#[tokio::test]
async fn a_job_s_token_is_for_its_own_registry() {
    let job = [("CI_REGISTRY", "registry.gitlab.com"), ("CI_JOB_TOKEN", "t0ken")];
    assert_eq!(find(&job, None, "registry.gitlab.com/g/x").await.unwrap(), "gitlab-ci-token t0ken (CI_JOB_TOKEN)");
    let looked = find(&job, None, "evil.example.net/g/x").await.unwrap();
    assert!(looked.ends_with("CI_JOB_TOKEN (for registry.gitlab.com)") && !looked.contains("t0ken"), "{looked}");
    assert!(!find(&[("CI_JOB_TOKEN", "t0ken")], None, "registry.gitlab.com/g/x").await.unwrap().contains("t0ken"));
}

#[tokio::test]
async fn files_that_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str, text: &str| write(&folder.path().join(name), text);
    let broken = at("broken.json", r#"{"auths": {"h": "s3cret"}}"#);
    let problem = find(&[("REGISTRY_AUTH_FILE", &broken)], None, "h/x").await.unwrap_err();
    assert_eq!(problem.to_string(), "cannot read a login file: it is not the JSON of a login file (line 1, column 24)");
    assert_eq!(problem.place.unwrap().file, broken);
    let large = at("large.json", &" ".repeat((1 << 20) + 1));
    let problem = find(&[("REGISTRY_AUTH_FILE", &large)], None, "h/x").await.unwrap_err();
    assert!(problem.to_string().contains("larger than 1 MiB"), "{problem}");
    let empty = at("empty.json", "\n");
    assert!(find(&[("REGISTRY_AUTH_FILE", &empty)], None, "h/x").await.unwrap().contains("empty.json (not there)"));
    let folder_text = folder.path().display().to_string();
    assert!(find(&[("REGISTRY_AUTH_FILE", &folder_text)], None, "h/x").await.is_err());
    let odd = r#"{"auths": {"h": {"auth": "s3cret!"}}}"#;
    let problem = find(&[("DOCKER_AUTH_CONFIG", odd)], None, "h/x").await.unwrap_err();
    assert_eq!(problem.to_string(), "the entry 'h' of a login file cannot be read: its 'auth' is not base64");
    assert!(!format!("{problem:?}").contains("s3cret"));
}

#[tokio::test]
async fn a_broken_file_in_its_usual_place_stands_in_nobody_s_way() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let path = write(&home.join(".docker/config.json"), r#"{"auths": {"elsewhere": "#);
    let job = [("CI_REGISTRY", "h"), ("CI_JOB_TOKEN", "job")];
    assert_eq!(find(&job, Some(&home), "h/x").await.unwrap(), "gitlab-ci-token job (CI_JOB_TOKEN)");
    let looked = find(&[], Some(&home), "h/x").await.unwrap();
    assert!(looked.contains(&format!("{path} (passed over: it is not the JSON of a login file (line 1")), "{looked}");
    // It may hold a login for this host; and a file that somebody names is meant.
    write(&home.join(".docker/config.json"), r#"{"auths": {"https://H/v1/": "#);
    let own = home.join(".docker").display().to_string();
    let named = [("DOCKER_CONFIG", own.as_str()), job[0], job[1]];
    for (variables, home, at) in [(&job[..], Some(home.as_path()), "h/x"), (&named[..], None, "other/x")] {
        let problem = find(variables, home, at).await.unwrap_err();
        let said = super::all(&problem);
        assert!(said.contains("cannot read a login file") && said.contains("hint: mend it, or name another"), "{said}");
        assert!(said.contains(&format!("where: {path}")), "{said}");
    }
}

#[test]
fn nothing_is_shown_by_debug() {
    let shown = format!("{:?} {:?}", Login::basic("user", "s3cret"), Secret::new("s3cret"));
    assert_eq!(shown, "Login(…) Secret(…)");
}

#[cfg(unix)]
mod helpers {
    use super::{Problem, find, write};
    use std::os::unix::fs::PermissionsExt as _;

    /// Finds a login with this script as docker-credential-test.
    async fn ask(script: &str, config: &str) -> Result<String, Problem> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docker-credential-test");
        write(&path, &format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let folder = folder.path().display().to_string();
        find(&[("PATH", &format!("relative:{folder}")), ("DOCKER_AUTH_CONFIG", config)], None, "h/a/x").await
    }

    const OWN: &str = r#"{"credHelpers": {"h": "test"}}"#;
    const STORE: &str = r#"{"credsStore": "test", "auths": {"h": {}}}"#;

    #[tokio::test]
    async fn a_helper_gets_the_host_and_gives_the_login() {
        let script = r#"read -r host; echo "{\"Username\":\"$1-$host\",\"Secret\":\"pw\"}""#;
        for config in [OWN, STORE] {
            assert_eq!(
                ask(script, config).await.unwrap(),
                "get-h pw (docker-credential-test, which DOCKER_AUTH_CONFIG names)",
                "{config}"
            );
        }
        let script = r#"echo '{"ServerURL":"h","Username":"<token>","Secret":"refresh"}'"#;
        assert!(ask(script, OWN).await.unwrap().starts_with("identity refresh"));
    }

    #[tokio::test]
    async fn a_helper_without_a_login_is_passed_over() {
        let looked = ask("echo credentials not found in native keychain; exit 1", STORE).await.unwrap();
        assert!(looked.contains("docker-credential-test has no login for h"), "{looked}");
        let looked = ask("exit 0", r#"{"credsStore": "absent"}"#).await.unwrap();
        assert!(looked.contains("docker-credential-absent is not installed"), "{looked}");
        let problem = ask("exit 0", r#"{"credHelpers": {"h": "absent"}}"#).await.unwrap_err();
        assert!(problem.to_string().contains("docker-credential-absent is not installed"), "{problem}");
    }

    #[tokio::test]
    async fn a_helper_s_failure_is_told_without_its_stdout() {
        let cases = [
            (r"echo s3cret; printf 'no \033[31mkey\n' >&2; exit 2", "it ended with exit code 2: no \\u{1b}[31mkey"),
            ("echo s3cret", "its answer is not the JSON of a credential helper"),
            ("echo '{\"Username\":\"s3cret\"}'", "its answer is not the JSON of a credential helper"),
            ("while :; do echo s3cret; done", "it wrote more than 64 KiB"),
            ("kill -9 $$", "it ended with a signal"),
        ];
        for (script, expected) in cases {
            let problem = ask(script, OWN).await.unwrap_err();
            let said = super::super::all(&problem);
            assert!(said.contains(expected) && !said.contains("s3cret"), "{said}");
        }
        for name in ["../../bin/sh", "a b", ""] {
            let config = format!(r#"{{"credHelpers": {{"h": "{name}"}}}}"#);
            let said = ask("exit 0", &config).await.unwrap_err().to_string();
            assert!(said.contains("this is no helper's name"), "{said}");
        }
    }

    #[tokio::test]
    async fn a_helper_that_hangs_is_ended() {
        use super::super::super::helper::Helpers;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docker-credential-slow");
        write(&path, "#!/bin/sh\nsleep 600\n");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut helpers = Helpers::new(Some(folder.path().display().to_string()), super::budget());
        helpers.limit = std::time::Duration::from_millis(200);
        let problem = helpers.get("slow", "h", "FILE").await.unwrap_err();
        assert!(problem.to_string().contains("it gave no answer within 200 ms"), "{problem}");
    }

    #[tokio::test]
    async fn a_helper_has_no_more_time_than_there_is() {
        use super::super::super::helper::Helpers;
        use super::{Budget, Duration};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docker-credential-slow");
        write(&path, "#!/bin/sh\nexec sleep 600\n");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let start = crate::clock::monotonic();
        let budget = Budget::new(Duration::from_millis(400), Duration::from_secs(20));
        let helpers = Helpers::new(Some(folder.path().display().to_string()), budget);
        // Several add up to no more than all the time there is.
        for (host, words) in [("h", "it gave no answer within"), ("other", "the time for the whole command is over")] {
            let problem = helpers.get("slow", host, "FILE").await.unwrap_err();
            assert!(problem.to_string().contains(words), "{problem}");
        }
        assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    }

    #[tokio::test]
    async fn a_helper_is_asked_once_for_a_host() {
        use super::super::super::helper::{Helpers, Lookup};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docker-credential-count");
        let log = folder.path().join("log");
        let script = format!("#!/bin/sh\necho x >> {}\necho '{{\"Username\":\"u\",\"Secret\":\"p\"}}'\n", log.display());
        write(&path, &script);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let helpers = Helpers::new(Some(folder.path().display().to_string()), super::budget());
        let all = futures_util::future::join_all((0..20).map(|_| helpers.get("count", "h", "FILE"))).await;
        assert!(all.into_iter().all(|result| matches!(result, Ok(Lookup::Login(_)))));
        assert_eq!(std::fs::metadata(log).unwrap().len(), 2);
    }
}
