//! Tokens: how many are asked for, when they are renewed, and to whom a login goes.

use super::bed::{Bed, Rules, start};
use super::server::{Reply, Server};
use super::{all, artifact, client, login, repository, tag};
use crate::registry::{Client, Login, Secret};
use futures_util::future::join_all;
use std::time::Duration;

const ASKED: &str = "GET /jwt/auth?service=container_registry&scope=repository%3A";

fn logged_in(bed: &Bed) -> Client {
    let (name, value) = login(&bed.registry, "runway", "s3cret");
    client(&[(name, &value)])
}

#[tokio::test]
async fn a_push_takes_one_token_for_reading_and_one_for_writing() {
    let bed = start(Rules::default());
    let (client, repository, artifact) = (logged_in(&bed), repository(&bed.registry, "g/x"), artifact("one"));
    assert_eq!(client.head(&repository, &tag("v1")).await.unwrap(), None);
    assert_eq!(bed.registry.lines().len(), 2);
    client.upload(&repository, &artifact, None).await.unwrap();
    client.tag(&repository, &artifact, "v1", None).await.unwrap();
    client.head(&repository, &tag("v1")).await.unwrap().unwrap();
    assert_eq!(bed.endpoint.lines(), [format!("{ASKED}g%2Fx%3Apull"), format!("{ASKED}g%2Fx%3Apull%2Cpush")]);
    assert_eq!(bed.store.tag("g/x", "v1"), Some(artifact.manifest.digest));
    // The password goes to the endpoint only, tokens to the registry only.
    let sent = |server: &Server| -> Vec<String> {
        server.requests().iter().filter_map(|request| request.header("authorization").map(str::to_owned)).collect()
    };
    assert!(sent(&bed.endpoint).iter().all(|text| text == "Basic cnVud2F5OnMzY3JldA=="));
    assert!(sent(&bed.registry).iter().all(|text| text.starts_with("Bearer token-")));
}

/// The right to read where the blobs are is asked for with the mount; whoever has it not pushes as ever.
#[tokio::test]
async fn a_mount_takes_a_token_for_both_repositories() {
    for (may_mount, refuses_mounts) in [(true, false), (false, false), (false, true)] {
        let bed = start(Rules { may_mount, refuses_mounts, ..Rules::default() });
        let (client, artifact) = (logged_in(&bed), artifact("one"));
        let (usual, mirror) = (repository(&bed.registry, "g/usual"), repository(&bed.registry, "g/mirror"));
        bed.store.put("g/usual", "v1", &artifact);
        client.upload(&mirror, &artifact, Some(&usual)).await.unwrap();
        client.tag(&mirror, &artifact, "v1", None).await.unwrap();
        assert_eq!(bed.store.tag("g/mirror", "v1"), Some(artifact.manifest.digest));
        let both = format!("{ASKED}g%2Fmirror%3Apull%2Cpush&scope=repository%3Ag%2Fusual%3Apull");
        assert_eq!(bed.endpoint.lines(), [format!("{ASKED}g%2Fmirror%3Apull%2Cpush"), both], "{may_mount} {refuses_mounts}");
        let lines = bed.registry.lines();
        let sent = lines.iter().filter(|line| line.starts_with("PUT /v2/g/mirror/blobs/")).count();
        assert_eq!(sent, if may_mount { 0 } else { 2 }, "{lines:#?}");
    }
}

#[tokio::test]
async fn thirty_two_at_once_ask_once_per_scope_and_meet_one_challenge() {
    let bed = start(Rules::default());
    let client = logged_in(&bed);
    let one = repository(&bed.registry, "g/x");
    let target = tag("v1");
    join_all((0..32).map(|_| client.head(&one, &target))).await.into_iter().for_each(|result| assert_eq!(result.unwrap(), None));
    assert_eq!(bed.endpoint.lines(), [format!("{ASKED}g%2Fx%3Apull")]);
    assert_eq!(bed.registry.lines().len(), 33);
    bed.endpoint.forget();
    let many: Vec<_> = (0..32).map(|n| repository(&bed.registry, &format!("g/w{n}"))).collect();
    join_all(many.iter().map(|repository| client.head(repository, &target)))
        .await
        .into_iter()
        .for_each(|result| assert!(result.is_ok()));
    assert_eq!(bed.endpoint.lines().len(), 32);
    assert_eq!(bed.registry.lines().len(), 65);
}

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    let bed = start(Rules::default());
    let (name, value) = login(&bed.registry, "runway", "wr0ng-pass");
    let (client, target) = (client(&[(name, &value)]), tag("v1"));
    let many: Vec<_> = (0..32).map(|n| repository(&bed.registry, &format!("g/w{n}"))).collect();
    let results = join_all(many.iter().map(|repository| client.head(repository, &target))).await;
    assert_eq!(bed.endpoint.lines().len(), 1);
    for (result, repository) in results.into_iter().zip(&many) {
        let said = all(&result.unwrap_err());
        assert!(said.contains("401 Unauthorized: UNAUTHORIZED: HTTP Basic: Access denied."), "{said}");
        assert!(said.contains("wrong login: the login came from DOCKER_AUTH_CONFIG, entry '"), "{said}");
        assert!(said.contains(&format!("where: oci://{repository}:v1")), "{said}");
        assert!(!said.contains("wr0ng-pass"), "{said}");
    }
}

#[tokio::test]
async fn a_token_is_renewed_before_its_end() {
    // Taken for over after three quarters of its life.
    let bed = start(Rules { expires_in: Some(2.0), ..Rules::default() });
    let (client, repository) = (logged_in(&bed), repository(&bed.registry, "g/x"));
    client.head(&repository, &tag("v1")).await.unwrap();
    client.head(&repository, &tag("v1")).await.unwrap();
    let at_once = bed.endpoint.lines().len();
    assert_eq!(at_once, 1);
    tokio::time::sleep(Duration::from_millis(1600)).await;
    client.head(&repository, &tag("v1")).await.unwrap();
    assert_eq!(bed.endpoint.lines().len(), at_once + 1);
    // One 401 at the very beginning, and never again.
    assert_eq!(bed.registry.lines().len(), 4);
}

#[tokio::test]
async fn a_token_that_is_not_taken_is_renewed_once() {
    let bed = start(Rules { first_good: 2, ..Rules::default() });
    let (client, repository) = (logged_in(&bed), repository(&bed.registry, "g/x"));
    assert_eq!(client.head(&repository, &tag("v1")).await.unwrap(), None);
    assert_eq!(bed.endpoint.lines().len(), 2);
    // It ends in the middle of the work: one more.
    bed.rules.lock().unwrap().first_good = 3;
    assert_eq!(client.head(&repository, &tag("v1")).await.unwrap(), None);
    assert_eq!(bed.endpoint.lines().len(), 3);
    // It never works: one more, and the explanation.
    bed.rules.lock().unwrap().first_good = 1000;
    let said = all(&client.tags(&repository).await.unwrap_err());
    assert_eq!(bed.endpoint.lines().len(), 4);
    assert!(said.contains("invalid token: the registry does not take the token that http://"), "{said}");
}

#[tokio::test]
async fn a_token_without_the_right_is_explained_and_not_renewed() {
    let bed = start(Rules { may_push: false, ..Rules::default() });
    let (client, repository) = (logged_in(&bed), repository(&bed.registry, "g/x"));
    let problem = client.upload(&repository, &artifact("one"), None).await.unwrap_err();
    let said = all(&problem);
    assert!(said.contains("cannot upload the artifact to "), "{said}");
    assert!(said.contains("401 Unauthorized: UNAUTHORIZED: authentication required"), "{said}");
    assert!(said.contains("insufficient scope: the login may not write g/x"), "{said}");
    assert!(said.contains("hint: the login needs the right to write g/x"), "{said}");
    assert_eq!(bed.endpoint.lines().len(), 1);
}

#[tokio::test]
async fn nobody_is_logged_in() {
    let bed = start(Rules::default());
    let (client, repository) = (client(&[("DOCKER_CONFIG", "/does/not/exist")]), repository(&bed.registry, "g/x"));
    let said = all(&client.head(&repository, &tag("v1")).await.unwrap_err());
    assert!(said.contains("403 Forbidden: DENIED: access forbidden"), "{said}");
    assert!(
        said.contains(
            "no login was found; looked in REGISTRY_AUTH_FILE (not set), DOCKER_AUTH_CONFIG (not set), \
             /does/not/exist/config.json (not there), /run/containers/"
        ),
        "{said}"
    );
    assert!(said.contains(&format!("hint: log in with `docker login {}`", bed.registry.host)), "{said}");
    // A public repository needs a token, and no login.
    bed.rules.lock().unwrap().login = None;
    let client = super::client(&[]);
    assert_eq!(client.head(&repository, &tag("v1")).await.unwrap(), None);
    assert_eq!(bed.endpoint.requests().iter().find_map(|request| request.header("authorization").map(str::to_owned)), None);
}

#[tokio::test]
async fn an_identity_token_is_posted_and_a_registry_token_goes_straight_to_the_registry() {
    let bed = start(Rules::default());
    let repository = repository(&bed.registry, "g/x");
    let given = |login| client(&[]).with_login(bed.registry.host.clone(), login);
    let with_identity = given(Login::Identity(Secret::new("refresh me&=")));
    assert_eq!(with_identity.head(&repository, &tag("v1")).await.unwrap(), None);
    let asked = &bed.endpoint.requests()[0];
    assert_eq!((asked.line().as_str(), asked.header("authorization")), ("POST /jwt/auth", None));
    assert_eq!(
        String::from_utf8_lossy(&asked.body),
        "grant_type=refresh_token&refresh_token=refresh+me%26%3D&client_id=kubectl-runway&service=container_registry&scope=repository%3Ag%2Fx%3Apull"
    );
    bed.endpoint.forget();
    bed.registry.forget();
    let direct = given(Login::Bearer(Secret::new("token-pull-7")));
    assert_eq!(direct.head(&repository, &tag("v1")).await.unwrap(), None);
    assert_eq!(bed.endpoint.lines().len(), 0);
    assert_eq!(bed.registry.requests()[1].header("authorization"), Some("Bearer token-pull-7"));
    // Not taken: said, and not asked for ever.
    bed.registry.forget();
    let said = all(&given(Login::Bearer(Secret::new("n0nsense"))).head(&repository, &tag("v1")).await.unwrap_err());
    assert!(said.contains("the login came from the command line") && !said.contains("n0nsense"), "{said}");
    assert!(bed.registry.lines().len() <= 4, "{:?}", bed.registry.lines());
}

#[tokio::test]
async fn a_realm_elsewhere_gets_nothing() {
    let evil = Server::start(|_| Reply::new(200).body(r#"{"token":"x"}"#));
    // The registry's host is 127.0.0.1; `localhost` is another one by name, and that is what counts.
    for realm in [evil.host.replace("127.0.0.1", "http://localhost"), "https://evil.example.net/auth".to_owned(), String::new()] {
        let bed = start(Rules { realm: Some(realm.clone()), ..Rules::default() });
        let said = all(&logged_in(&bed).head(&repository(&bed.registry, "g/x"), &tag("v1")).await.unwrap_err());
        assert!(said.contains(&format!("its token endpoint is not trusted: {realm}")), "{said}");
        assert!(said.contains("hint: no login was sent there"), "{said}");
    }
    assert_eq!(evil.lines().len(), 0);
}

/// A GitLab whose registry has a domain of its own: its endpoint gets the login when the user has named it.
#[tokio::test]
async fn a_realm_elsewhere_that_was_allowed_gets_the_login() {
    let bed = start(Rules::default());
    let realm = format!("http://{}/jwt/auth", bed.endpoint.host.replace("127.0.0.1", "localhost"));
    bed.rules.lock().unwrap().realm = Some(realm);
    let at = repository(&bed.registry, "g/x");
    let said = all(&logged_in(&bed).head(&at, &tag("v1")).await.unwrap_err());
    let host = bed.endpoint.host.replace("127.0.0.1", "localhost");
    assert!(said.contains(&format!("allow it: registry.tokenHosts: [\"{host}\"]")), "{said}");
    assert_eq!(bed.endpoint.lines().len(), 0);
    for allowed in [host, "localhost".to_owned()] {
        let client = logged_in(&bed).with_token_hosts(vec!["elsewhere.example.net".to_owned(), allowed]);
        assert_eq!(client.head(&at, &tag("v1")).await.unwrap(), None);
    }
    assert!(bed.endpoint.requests().iter().all(|request| request.header("authorization").is_some()));
}

#[tokio::test]
async fn an_endpoint_that_is_asked_without_a_login_may_send_on() {
    let there = start(Rules { login: None, ..Rules::default() });
    // `localhost` is another host by name.
    let to = format!("http://{}/jwt/auth", there.endpoint.host.replace("127.0.0.1", "localhost"));
    let answer = move |_: &super::server::Request| Some(Reply::new(307).with("Location", to.clone()));
    let bed = start(Rules { login: None, answer: Box::new(answer), ..Rules::default() });
    let at = repository(&bed.registry, "g/x");
    assert_eq!(client(&[]).head(&at, &tag("v1")).await.unwrap(), None);
    let said = all(&logged_in(&bed).head(&at, &tag("v1")).await.unwrap_err());
    assert!(said.contains("is another host, and the request carries a login"), "{said}");
    assert!(there.endpoint.requests().iter().all(|request| request.header("authorization").is_none()));
}

#[tokio::test]
async fn an_access_token_without_its_user_is_told_how_to_have_one() {
    let registry = Server::start(|request| {
        let challenge = format!("Bearer realm=\"http://{}/t\",service=\"s\"", request.header("host").unwrap());
        Reply::new(401).with("WWW-Authenticate", challenge)
    });
    let client = client(&[]).with_login(registry.host.clone(), Login::Bearer(Secret::new("glpat-0123")));
    let said = all(&client.head(&repository(&registry, "g/x"), &tag("v1")).await.unwrap_err());
    assert!(said.contains("without --registry-user it is taken as the registry's own token; add --registry-user NAME"), "{said}");
    assert!(!said.contains("glpat"), "{said}");
}

#[tokio::test]
async fn the_endpoint_s_own_words() {
    let cases: [(Reply, &str, usize); 8] = [
        (Reply::new(403).body(r#"{"message":"account is blocked"}"#), "403 Forbidden: account is blocked", 1),
        (
            Reply::new(429).with("Retry-After", "9999").body(r#"{"details":"slow down"}"#),
            "too many requests: try again in 9999 s",
            1,
        ),
        (Reply::new(500).body("boom"), "500 Internal Server Error (3 times): boom", 3),
        (Reply::new(404).body("<html>not here"), "404 Not Found: a web page, not a registry's answer", 1),
        (Reply::new(200).body("<html>sign in"), "its answer is not the JSON of a token endpoint", 1),
        (Reply::new(200).body("{}"), "its answer holds no token", 1),
        (Reply::new(200).body(r#"{"token":"a\r\nX-Evil: 1"}"#), "its token has characters that no token has", 1),
        (Reply::new(302).with("Location", "https://elsewhere.example.net/"), "elsewhere.example.net/ is another host", 1),
    ];
    for (reply, expected, asked) in cases {
        let bed = start(Rules { answer: Box::new(move |_| Some(reply.clone())), ..Rules::default() });
        let said = all(&logged_in(&bed).head(&repository(&bed.registry, "g/x"), &tag("v1")).await.unwrap_err());
        assert!(said.contains(expected), "{expected}\n{said}");
        assert!(said.contains("cannot read the tag 'v1' from 127.0.0.1:"), "{said}");
        assert_eq!(bed.endpoint.lines().len(), asked, "{said}");
    }
}

#[tokio::test]
async fn a_registry_that_renames_repositories_is_asked_for_its_own_scope() {
    for (scope, works) in [
        ("repository:virtual/g/x:pull", true),
        ("repository:virtual/g/x:pull,push", false),
        ("repository:virtual/g/x:*", false),
        ("registry:catalog:*", false),
        ("registry:virtual/g/x:pull", false),
        ("repository:g/x:pull", false),
        ("repository:virtual/g/x:pull repository:other:pull", false),
    ] {
        let endpoint = Server::start(|request| {
            let right = if request.path.contains("virtual") { "good" } else { "poor" };
            Reply::new(200).body(format!(r#"{{"token":"{right}"}}"#))
        });
        let challenge = format!(r#"Bearer realm="http://{}/t",scope="{scope}",error="insufficient_scope""#, endpoint.host);
        let registry = Server::start(move |request| match request.header("authorization") {
            Some("Bearer good") => Reply::new(404),
            _ => Reply::new(401).with("WWW-Authenticate", challenge.clone()),
        });
        let result = client(&[]).head(&repository(&registry, "g/x"), &tag("v1")).await;
        assert_eq!(result.is_ok(), works, "{scope}");
        let mut expected = vec!["GET /t?scope=repository%3Ag%2Fx%3Apull"];
        if works {
            expected.push("GET /t?scope=repository%3Ag%2Fx%3Apull&scope=repository%3Avirtual%2Fg%2Fx%3Apull");
        }
        assert_eq!(endpoint.lines(), expected, "{scope}");
    }
}

#[tokio::test]
async fn logins_that_cannot_be_sent() {
    let bed = start(Rules::default());
    let at = repository(&bed.registry, "g/x");
    let given = |login| client(&[]).with_login(bed.registry.host.clone(), login);
    let said = all(&given(Login::Bearer(Secret::new("to\nken"))).head(&at, &tag("v1")).await.unwrap_err());
    assert!(said.contains("the login has characters that cannot be sent"), "{said}");
    let basic = Server::start(|_| Reply::new(401).with("WWW-Authenticate", "Basic realm=x"));
    let client = client(&[]).with_login(basic.host.clone(), Login::Identity(Secret::new("refresh")));
    let said = all(&client.head(&repository(&basic, "g/x"), &tag("v1")).await.unwrap_err());
    assert!(said.contains("is an identity token, and this registry wants a user and a password"), "{said}");
}

#[tokio::test]
async fn logins_of_one_host_are_kept_apart_by_path() {
    let endpoint = Server::start(|request| {
        let login =
            request.header("authorization").unwrap_or_default().trim_start_matches("Basic ").trim_end_matches('=').to_owned();
        Reply::new(200).body(format!(r#"{{"token":"for-{login}"}}"#))
    });
    let challenge = format!(r#"Bearer realm="http://{}/t""#, endpoint.host);
    let registry = Server::start(move |request| match request.header("authorization") {
        Some(_) => Reply::new(404),
        _ => Reply::new(401).with("WWW-Authenticate", challenge.clone()),
    });
    let host = &registry.host;
    let config = format!(
        r#"{{"auths": {{"{host}/a": {{"username": "a", "password": "1"}}, "{host}/b": {{"username": "b", "password": "2"}}}}}}"#
    );
    let client = client(&[("DOCKER_AUTH_CONFIG", &config)]);
    for name in ["a/x", "b/x", "c/x"] {
        client.head(&repository(&registry, name), &tag("v1")).await.unwrap();
    }
    let sent: Vec<_> =
        registry.requests().iter().filter_map(|request| request.header("authorization").map(str::to_owned)).collect();
    // base64("a:1"), base64("b:2"), and none.
    assert_eq!(sent, ["Bearer for-YTox", "Bearer for-Yjoy", "Bearer for-"]);
}

#[tokio::test]
async fn a_redirect_on_the_endpoint_s_own_host_keeps_the_login() {
    let answer = |request: &super::server::Request| {
        (!request.path.starts_with("/new")).then(|| Reply::new(302).with("Location", "/new?scope=push"))
    };
    let bed = start(Rules { answer: Box::new(answer), ..Rules::default() });
    assert_eq!(logged_in(&bed).head(&repository(&bed.registry, "g/x"), &tag("v1")).await.unwrap(), None);
    assert!(bed.endpoint.requests()[1].header("authorization").is_some());
}

#[tokio::test]
async fn whoever_repeats_a_secret_is_not_quoted() {
    let echo = |request: &super::server::Request| {
        let login = request.header("authorization").unwrap_or_default().to_owned();
        Some(Reply::new(403).body(format!("you sent {login} and s3cret")))
    };
    let bed = start(Rules { answer: Box::new(echo), ..Rules::default() });
    let said = all(&logged_in(&bed).head(&repository(&bed.registry, "g/x"), &tag("v1")).await.unwrap_err());
    assert!(said.contains("you sent Basic [secret] and [secret]"), "{said}");
    let registry = Server::start(|request| match request.header("authorization") {
        Some(login) => Reply::new(403).body(format!("{}no: {login}", "x".repeat(385))),
        None => Reply::new(401).with("WWW-Authenticate", "Basic realm=x"),
    });
    let (name, value) = login(&registry, "runway", "s3cret");
    let said = all(&client(&[(name, &value)]).tags(&repository(&registry, "g/x")).await.unwrap_err());
    assert!(said.contains("xno: Basic [secr…") && !said.contains("cnVud"), "{said}");
    // A password that is a word does not show by what is missing from our own.
    let (name, value) = login(&registry, "runway", "login");
    let said = all(&client(&[(name, &value)]).tags(&repository(&registry, "g/x")).await.unwrap_err());
    assert!(said.contains("the login came from"), "{said}");
}
