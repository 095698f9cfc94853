//! Logins and tokens whose time is over are told as that, and not as wrong ones.

use super::bed::{Rules, start};
use super::server::{Reply, Server, error};
use super::{all, client, login, repository, tag};
use crate::registry::{Login, Secret};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A token that ended at this second.
fn over(end: u64) -> String {
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(format!(r#"{{"exp":{end}}}"#)))
}

fn answer(body: String, status: u16) -> Rules {
    let answer = Box::new(move |_: &super::server::Request| Some(Reply::new(status).body(body.clone())));
    Rules { answer, ..Rules::default() }
}

#[tokio::test]
async fn a_token_of_the_endpoint() {
    for (end, words) in [(1_700_000_000, "ended at 2023-11-14T22:13:20Z"), (4_000_000_000, "invalid token: ")] {
        let bed = start(answer(format!(r#"{{"token":"{}"}}"#, over(end)), 200));
        let (name, value) = login(&bed.registry, "runway", "s3cret");
        let said = all(&client(&[(name, &value)]).head(&repository(&bed.registry, "g/x"), &tag("v1")).await.unwrap_err());
        assert!(said.contains(words), "{said}");
        assert_eq!(said.contains("expired token: the one that http://"), end < 2_000_000_000, "{said}");
        assert!(!said.contains("e30."), "{said}");
    }
}

#[tokio::test]
async fn a_token_that_is_the_login() {
    let server = Server::start(|_| {
        Reply::new(401).with("WWW-Authenticate", "Bearer realm=\"http://127.0.0.1/x\",error=\"invalid_token\"")
    });
    let (wrong, user) = ("wrong login: the login came from the command line", "add --registry-user NAME");
    let ended = "expired login: the login came from the command line, a token that ended at 2023-11-14T22:13:20Z";
    for (token, words, hint) in [
        (over(1_700_000_000), ended, "hint: hand in a new one"),
        (over(4_000_000_000), wrong, user),
        ("opaque-token".to_owned(), wrong, user),
    ] {
        let client = client(&[]).with_login(server.host.clone(), Login::Bearer(Secret::new(token.clone())));
        let said = all(&client.head(&repository(&server, "g/x"), &tag("v1")).await.unwrap_err());
        assert!(said.contains(words) && said.contains(hint), "{said}");
        assert!(!said.contains(&token), "{said}");
    }
}

#[tokio::test]
async fn a_refresh_token_and_a_password() {
    let said = |rules: Rules, config: String| async move {
        let bed = start(rules);
        let config = config.replace("HOST", &bed.registry.host);
        let client = client(&[("DOCKER_AUTH_CONFIG", &config)]);
        all(&client.head(&repository(&bed.registry, "g/x"), &tag("v1")).await.unwrap_err())
    };
    let identity = r#"{"auths": {"HOST": {"identitytoken": "refresh-canary"}}}"#.to_owned();
    let gone = answer(r#"{"error":"invalid_grant","error_description":"unknown token"}"#.to_owned(), 400);
    let text = said(gone, identity).await;
    assert!(text.contains("expired login: the login came from DOCKER_AUTH_CONFIG") && text.contains("docker login"), "{text}");
    let password = r#"{"auths": {"HOST": {"username": "u", "password": "password-canary"}}}"#.to_owned();
    let old = answer(r#"{"errors":[{"code":"UNAUTHORIZED","message":"your password has expired"}]}"#.to_owned(), 401);
    let text = said(old, password).await;
    assert!(text.contains("expired login: ") && !text.contains("canary"), "{text}");
}

#[tokio::test]
async fn what_a_registry_says_of_a_basic_login() {
    for status in [401, 403] {
        let server = Server::start(move |request| match request.header("authorization") {
            None => Reply::new(401).with("WWW-Authenticate", "Basic realm=x"),
            // As a cloud's registry words it, whose logins live for twelve hours.
            Some(_) => error(status, "DENIED", "Your authorization token has expired. Reauthenticate and try again."),
        });
        let (name, value) = login(&server, "AWS", "twelve-hours");
        let said = all(&client(&[(name, &value)]).tags(&repository(&server, "g/x")).await.unwrap_err());
        assert!(said.contains("expired login: the login came from DOCKER_AUTH_CONFIG"), "{said}");
        // Said of somebody who has sent none, it is about something else.
        let said = all(&client(&[]).tags(&repository(&server, "g/x")).await.unwrap_err());
        assert!(!said.contains("expired login"), "{said}");
    }
    let ci = Server::start(|request| match request.header("authorization") {
        None => Reply::new(401).with("WWW-Authenticate", "Basic realm=x"),
        Some(_) => Reply::new(401),
    });
    let said = all(&client(&[("CI_REGISTRY", &ci.host), ("CI_JOB_TOKEN", "job-canary")])
        .tags(&repository(&ci, "g/x"))
        .await
        .unwrap_err());
    assert!(said.contains("wrong login: ") && said.contains("hint: a job's login is over when its job is"), "{said}");
}
