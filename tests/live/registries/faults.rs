//! Logins that are wrong, missing, too weak or over: the cause is named, the exit code is 2, and the tag stays.

use super::{Kind, Lane, PASSWORD, USER};
use crate::stage::ENVIRONMENT;
use runway_testkit::bed::docker_config;
use runway_testkit::fake::{Canned, Proxy, Site, Then};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A lane whose tag holds something, and something else to push.
fn published(kind: Kind, name: &str) -> Lane {
    let lane = Lane::new(kind, name);
    lane.stage.declare(&["svc"]);
    lane.stage.push(&[]).ok();
    lane.stage.declare(&["svc", "more"]);
    lane
}

/// A push, and a show unless reading is allowed, fail with these words.
#[track_caller]
fn refused(lane: &Lane, reads: bool, words: &[&str]) {
    let before = lane.tag(ENVIRONMENT);
    assert!(before.is_some());
    let show = lane.stage.env.run(["inventory", "show", "--runtime", "gke", "-e", ENVIRONMENT]);
    let push = lane.stage.push(&[]);
    for run in [&push].into_iter().chain((!reads).then_some(&show)) {
        assert_eq!(run.code, Some(2), "{run}");
        for word in words {
            assert!(run.stderr.contains(word), "{word:?} is not in\n{run}");
        }
    }
    assert!(!reads || show.code == Some(0), "{show}");
    for run in [&push, &show] {
        assert!(!run.to_string().contains("canary") && !run.to_string().contains(PASSWORD), "{run}");
    }
    assert_eq!(lane.tag(ENVIRONMENT), before, "{push}");
    println!("{push}");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_password_that_is_wrong_missing_or_for_something_else() {
    let mut lane = published(Kind::Basic, "fault-basic");
    lane.log_in(USER, "canary-of-a-wrong-one");
    refused(&lane, false, &["401", "wrong login", "DOCKER_AUTH_CONFIG", "docker login"]);
    let other = format!("{}/other", lane.host());
    lane.stage.env.var("DOCKER_AUTH_CONFIG", docker_config(&other, USER, PASSWORD));
    refused(&lane, false, &["401", "it wants a login", "no entry for"]);
    lane.stage.env.unset("DOCKER_AUTH_CONFIG");
    refused(&lane, false, &["401", "it wants a login", "DOCKER_AUTH_CONFIG (not set)"]);
    lane.stage.env.var("DOCKER_AUTH_CONFIG", "{\"auths\": canary");
    refused(&lane, false, &["DOCKER_AUTH_CONFIG"]);
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn an_authority_that_is_unknown() {
    let mut lane = published(Kind::Basic, "fault-ca");
    let ca = lane.secured().ca().to_owned();
    lane.stage.env.unset("SSL_CERT_FILE");
    refused(&lane, false, &["signed by an authority that is not trusted here", "--ca-file", "SSL_CERT_FILE="]);
    // Named on the command line instead, and both ways for show and push.
    let flag = ["--ca-file", ca.to_str().unwrap()];
    lane.stage.env.run([&["inventory", "show", "--runtime", "gke", "-e", ENVIRONMENT], &flag[..]].concat()).ok();
    lane.stage.push(&flag).ok();
    lane.stage.declare(&["svc", "most"]);
    lane.stage.env.var("SSL_CERT_FILE", "/nowhere/ca.pem");
    refused(&lane, false, &["SSL_CERT_FILE=/nowhere/ca.pem"]);
    // Plain http to a port that speaks TLS, as on loopback by default.
    lane.stage.env.var("SSL_CERT_FILE", &ca);
    lane.stage.env.unset("RUNWAY_REGISTRY_PLAIN_HTTP");
    refused(&lane, false, &["speaks TLS", "plainHttp"]);
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_token_that_does_not_allow_it() {
    let mut lane = published(Kind::Token, "fault-token");
    // May read, and may not write.
    lane.log_in("reader", "reader-canary");
    refused(&lane, true, &["insufficient scope", "may not write", "DOCKER_AUTH_CONFIG"]);
    // May do everything, elsewhere.
    lane.log_in("stranger", "stranger-canary");
    refused(&lane, false, &["insufficient scope", "may not"]);
    lane.log_in(USER, "canary-of-a-wrong-one");
    refused(&lane, false, &["401", "HTTP Basic: Access denied", "wrong login"]);
    lane.stage.env.unset("DOCKER_AUTH_CONFIG");
    refused(&lane, false, &["403", "access forbidden", "docker login"]);
    // Where everybody may read, no login is needed for that.
    let path = lane.path();
    lane.secured().tokens().open_to_all(&path);
    refused(&lane, true, &["docker login"]);
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_token_endpoint_with_bad_days() {
    let lane = published(Kind::Token, "fault-days");
    let turn = |status: u16, headers: &[(&str, &str)], body: &str| {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let canned = Canned { status, headers, body: body.to_owned() };
        lane.secured().tokens().turn(|knobs| knobs.canned = Some(canned));
    };
    turn(500, &[], "trouble");
    refused(&lane, false, &["500", "trouble"]);
    turn(429, &[("Retry-After", "3600")], "{\"errors\":[{\"code\":\"TOOMANYREQUESTS\",\"message\":\"slow down\"}]}");
    refused(&lane, false, &["429", "slow down", "3600 s"]);
    turn(403, &[], "{\"message\":\"not in this project\"}");
    refused(&lane, false, &["403", "not in this project"]);
    turn(200, &[], "<html><body>log in</body></html>");
    refused(&lane, false, &["no token from", "not the JSON"]);
    turn(302, &[("Location", "http://169.254.169.254/")], "");
    refused(&lane, false, &["redirects, and this is not followed"]);
    // And better ones: another field, a short life that is said, an endpoint that takes its time.
    lane.secured().tokens().turn(|knobs| {
        knobs.canned = None;
        knobs.access_token = true;
        knobs.expires_in = Some(1);
        knobs.delay = Duration::from_millis(300);
    });
    lane.stage.push(&[]).ok();
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_token_that_is_over() {
    let lane = published(Kind::Token, "fault-over");
    let tokens = lane.secured().tokens();
    // Over when it is given, always: asked for again once, not for ever.
    tokens.turn(|knobs| knobs.ttl = -3600);
    tokens.clear();
    refused(&lane, false, &["401", "expired token", "the clocks"]);
    assert!(tokens.log().len() <= 6, "{:?}", tokens.log());
    // The first one only: it is renewed.
    tokens.turn(|knobs| (knobs.ttl, knobs.expired) = (300, 1));
    lane.stage.push(&[]).ok();
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_token_that_ends_in_mid_push() {
    for for_good in [false, true] {
        let lane = Arc::new(published(Kind::Token, "fault-mid"));
        lane.secured().tokens().turn(|knobs| knobs.ttl = 3);
        let posts = AtomicUsize::new(0);
        let (there, tls) = (Arc::clone(&lane), lane.secured().tls());
        let proxy = Proxy::with_hook(lane.secured().port(), Some(tls), move |_, request, site| {
            // All tokens that were given so far end while the first upload waits.
            if site == Site::Before && request.method == "POST" && posts.fetch_add(1, Ordering::SeqCst) == 0 {
                there.secured().tokens().turn(|knobs| knobs.ttl = if for_good { -3600 } else { 300 });
                std::thread::sleep(Duration::from_millis(4500));
            }
            Then::GoOn
        });
        let before = lane.tag(ENVIRONMENT);
        let mut command = lane.stage.env.command();
        command.env("DOCKER_AUTH_CONFIG", docker_config(&proxy.address(), USER, PASSWORD));
        let to = format!("oci://{}/{}:{ENVIRONMENT}", proxy.address(), lane.path());
        command.args(["inventory", "push", "--runtime", "gke", "-e", ENVIRONMENT, "--to", &to]);
        let run = runway_testkit::command::run(command, b"", Duration::from_secs(60)).unwrap();
        println!("{run}\n{}", proxy.lines().join("\n"));
        assert!(proxy.lines().iter().any(|line| line.starts_with("POST") && line.ends_with(" 401")), "{:?}", proxy.lines());
        if for_good {
            assert!(run.code == Some(2) && run.stderr.contains("expired token: the one that https://localhost:"), "{run}");
            assert_eq!(lane.tag(ENVIRONMENT), before);
        } else {
            run.ok();
            assert_ne!(lane.tag(ENVIRONMENT), before);
        }
    }
}
