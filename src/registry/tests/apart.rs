//! Every way to fail has words of its own and something to do: no two of them read alike.

use super::bed::{Rules, start};
use super::secure::{Authority, GOOD};
use super::server::{Reply, Request, Server, error};
use super::{all, artifact, client, login, repository, tag, within};
use crate::net::Budget;
use crate::registry::{Client, Files, Options};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use runway_core::artifact::Digest;
use runway_core::artifact::manifest::Descriptor;
use runway_core::flux::reference::Repository;
use runway_core::problem::Problem;
use runway_core::settings::PlainHttp;
use std::time::Duration;

/// What is done, and the words that only this failure has.
type Told = (&'static str, Problem);

async fn read(client: &Client, at: &Repository) -> Problem {
    client.head(at, &tag("v1")).await.unwrap_err()
}

/// What a registry answers to everything once a login is there.
async fn answered(reply: Reply, push: bool) -> Problem {
    let server = Server::start(move |request: &Request| match request.header("authorization") {
        None => Reply::new(401).with("WWW-Authenticate", "Basic realm=x"),
        Some(_) => reply.clone(),
    });
    let (name, value) = login(&server, "runway", "s3cret");
    let (client, at) = (client(&[(name, &value)]), repository(&server, "g/x"));
    if push { client.upload(&at, &artifact("one"), None).await.unwrap_err() } else { client.tags(&at).await.unwrap_err() }
}

/// What storage says to which a registry leads.
async fn stored() -> Problem {
    let storage = Server::start(|_| Reply::new(403).body("<Error><Code>AccessDenied</Code></Error>"));
    let to = format!("http://{}/key", storage.host);
    let server = Server::start(move |_| Reply::new(307).with("Location", to.clone()));
    client(&[]).manifest(&repository(&server, "g/x"), &tag("v1")).await.unwrap_err()
}

/// What a registry says about a tag that it has not.
async fn missing(reply: Reply) -> Problem {
    let server = Server::start(move |_| reply.clone());
    client(&[]).manifest_or_why(&repository(&server, "g/x"), &tag("v1")).await.unwrap().unwrap_err()
}

/// A registry with a token endpoint that has these rules.
async fn ruled(rules: Rules, push: bool) -> Problem {
    let bed = start(rules);
    let (name, value) = login(&bed.registry, "runway", "s3cret");
    let (client, at) = (client(&[(name, &value)]), repository(&bed.registry, "g/x"));
    if push { client.upload(&at, &artifact("one"), None).await.unwrap_err() } else { read(&client, &at).await }
}

fn given(status: u16, body: &str) -> Rules {
    let body = body.to_owned();
    Rules { answer: Box::new(move |_| Some(Reply::new(status).body(body.clone()))), ..Rules::default() }
}

async fn connections() -> Vec<Told> {
    let nowhere = Repository::parse("registry.invalid/a/x").unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let closed = Repository::parse(&format!("127.0.0.1:{port}/a/x")).unwrap();
    let silent = Server::start(|_| Reply { delay: Duration::from_secs(3), ..Reply::new(200) });
    let cut = Server::start(|_| Reply { cut: Some(2), ..Reply::new(200).body("{\"tags\":[]}") });
    let endless = Server::start(|_| Reply { endless: true, ..Reply::new(200).body("x".repeat(1 << 16)) });
    let away = Server::start(|_| Reply::new(302).with("Location", "http://10.0.0.1/x"));
    let nonsense = Server::start(|_| Reply::new(200).body("[]"));
    let elsewhere =
        Server::start(|_| Reply::new(200).with("Link", "<https://evil.example.net/x>; rel=\"next\"").body("{\"tags\":[]}"));
    let round =
        Server::start(|request| Reply::new(200).with("Link", format!("<{}>; rel=\"next\"", request.path)).body("{\"tags\":[]}"));
    let many: Vec<String> = (0..=2_000).map(|n| format!("\"t{n}\"")).collect();
    let many = Server::start(move |_| Reply::new(200).body(format!("{{\"tags\":[{}]}}", many.join(","))));
    let large = Descriptor { media_type: String::new(), size: 1 << 40, digest: Digest::of(b"x").to_string() };
    let other = Server::start(|_| {
        Reply::new(200).with("Docker-Content-Digest", format!("sha256:{}", "0".repeat(64))).body("{\"schemaVersion\":2}")
    });
    vec![
        ("no address: the name of", read(&client(&[]), &nowhere).await),
        ("nothing listens on", read(&client(&[]), &closed).await),
        ("gave no complete answer within", read(&within(Duration::from_millis(300), &[]), &repository(&silent, "g/x")).await),
        ("broke", client(&[]).tags(&repository(&cut, "g/x")).await.unwrap_err()),
        ("is larger than", client(&[]).tags(&repository(&endless, "g/x")).await.unwrap_err()),
        ("redirects, and this is not followed", read(&client(&[]), &repository(&away, "g/x")).await),
        ("is not a list of tags", client(&[]).tags(&repository(&nonsense, "g/x")).await.unwrap_err()),
        ("is not followed: https://evil", client(&[]).tags(&repository(&elsewhere, "g/x")).await.unwrap_err()),
        ("there are more than 2000 tags", client(&[]).tags(&repository(&many, "g/x")).await.unwrap_err()),
        ("is the same page again", client(&[]).tags(&repository(&round, "g/x")).await.unwrap_err()),
        ("more than 16 MiB are not read", client(&[]).blob(&repository(&nonsense, "g/x"), &large).await.unwrap_err()),
        ("has another digest", client(&[]).manifest(&repository(&other, "g/x"), &tag("v1")).await.unwrap_err()),
    ]
}

async fn handshakes() -> Vec<Told> {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let unreadable = Client::new(Options {
        plain_http: PlainHttp::Never,
        budget: Budget::new(Duration::from_secs(20), Duration::from_secs(10)),
        variables: &|name| (name == "SSL_CERT_DIR").then(|| "/does/not/exist".to_owned()),
        home: None,
        files: Files::default(),
    });
    let (unreadable, nowhere) = (unreadable.unwrap(), Repository::parse("localhost:1/a/x").unwrap());
    let ask = async |config: Option<rustls::ServerConfig>, files: Files| {
        let server = config.map_or_else(|| Server::start(|_| Reply::new(404)), |config| Server::tls(config, |_| Reply::new(404)));
        let options = Options {
            plain_http: PlainHttp::Never,
            budget: Budget::new(Duration::from_secs(20), Duration::from_secs(10)),
            variables: &|_| None,
            home: None,
            files,
        };
        read(&Client::new(options).unwrap(), &repository(&server, "a/x")).await
    };
    let trusting = || Files { authorities: Some(ours.file()), pair: None };
    // It serves something else than HTTP behind its TLS.
    let mut mail = ours.server("localhost", GOOD, false);
    mail.alpn_protocols = vec![b"smtp".to_vec()];
    let stranger = Files { pair: Some(theirs.pair("theirs")), ..trusting() };
    vec![
        (
            "is signed by an authority that is not trusted here",
            ask(Some(ours.server("localhost", GOOD, false)), Files::default()).await,
        ),
        ("has expired", ask(Some(ours.server("localhost", (2020, 2021), false)), trusting()).await),
        ("is not valid yet", ask(Some(ours.server("localhost", (2110, 2120), false)), trusting()).await),
        ("is for another name", ask(Some(ours.server("other.example.com", GOOD, false)), trusting()).await),
        ("does not speak it", ask(None, trusting()).await),
        ("the handshake with ", ask(Some(mail), trusting()).await),
        ("cannot be made", read(&unreadable, &nowhere).await),
        ("wants a client certificate", ask(Some(ours.server("localhost", GOOD, true)), trusting()).await),
        ("does not take the client certificate", ask(Some(ours.server("localhost", GOOD, true)), stranger).await),
    ]
}

async fn refusals() -> Vec<Told> {
    let basic = || Reply::new(401).with("WWW-Authenticate", "Basic realm=x");
    let wanted = Server::start(move |_| basic());
    let odd = Server::start(|_| Reply::new(401).with("WWW-Authenticate", "Negotiate"));
    let foreign = Server::start(|_| Reply::new(401).with("WWW-Authenticate", "Bearer realm=\"https://evil.example.net/\""));
    vec![
        ("no login was found", read(&client(&[]), &repository(&wanted, "g/x")).await),
        ("none of a kind that is known here", read(&client(&[]), &repository(&odd, "g/x")).await),
        ("its token endpoint is not trusted", read(&client(&[]), &repository(&foreign, "g/x")).await),
        ("wrong login: ", answered(basic(), false).await),
        ("expired login: ", answered(error(403, "DENIED", "authorization token expired; reauthenticate"), false).await),
        (
            "403 Forbidden: DENIED: requested access is denied",
            answered(error(403, "DENIED", "requested access is denied"), false).await,
        ),
        (
            "there is no repository g/x, or this login may not see it",
            answered(error(404, "NAME_UNKNOWN", "repository name not known"), true).await,
        ),
        ("the tags that it has", missing(error(404, "MANIFEST_UNKNOWN", "manifest unknown")).await),
        ("or it has nothing of that name", missing(error(404, "NOT_FOUND", "artifact not found")).await),
        ("no registry says so", answered(Reply::new(404).body("<html>"), false).await),
        ("too many requests", answered(error(429, "TOOMANYREQUESTS", "slow down").with("Retry-After", "900"), false).await),
        ("has no room for it", answered(error(403, "DENIED", "your project exceeded its storage quota"), true).await),
        (
            "does not take the manifest, for a reason of its own",
            answered(error(400, "MANIFEST_INVALID", "manifest invalid"), true).await,
        ),
        ("that is where ", stored().await),
        ("media type refused", answered(error(400, "MANIFEST_INVALID", "unknown media type"), true).await),
        ("a blob that was uploaded a moment ago", answered(error(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown"), true).await),
        ("the registry's rules do not let this login", answered(error(405, "DENIED", "tag is immutable"), false).await),
        ("the registry has trouble", answered(Reply::new(503), false).await),
        (
            "the registry speaks TLS",
            answered(Reply::new(400).body("Client sent an HTTP request to an HTTPS server."), false).await,
        ),
        ("the proxy wants a login", answered(Reply::new(407), false).await),
    ]
}

async fn tokens() -> Vec<Told> {
    let over = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(r#"{"exp":1700000000}"#));
    let wrong = r#"{"errors":[{"code":"UNAUTHORIZED","message":"HTTP Basic: Access denied"}]}"#;
    vec![
        ("insufficient scope: ", ruled(Rules { may_push: false, ..Rules::default() }, true).await),
        ("invalid token: ", ruled(Rules { first_good: 1000, ..Rules::default() }, false).await),
        ("expired token: ", ruled(given(200, &format!(r#"{{"token":"{over}"}}"#)), false).await),
        ("HTTP Basic: Access denied", ruled(given(401, wrong), false).await),
        ("403 Forbidden: this project is closed", ruled(given(403, r#"{"message":"this project is closed"}"#), false).await),
        ("the token endpoint has trouble", ruled(given(500, "trouble"), false).await),
        ("is not the JSON of a token endpoint", ruled(given(200, "<html>"), false).await),
    ]
}

#[tokio::test]
async fn no_two_failures_read_alike() {
    let parts = [Box::pin(connections()).await, handshakes().await, Box::pin(refusals()).await, tokens().await];
    let told: Vec<(&str, String, Problem)> =
        parts.into_iter().flatten().map(|(words, problem)| (words, all(&problem), problem)).collect();
    assert_eq!(told.len(), 48);
    for (words, text, problem) in &told {
        assert!(text.contains(words), "{words:?} is not in\n{text}");
        assert!(!problem.causes.is_empty() && !problem.hints.is_empty() && problem.place.is_some(), "{words}\n{text}");
        for (other, _, _) in told.iter().filter(|(other, _, _)| other != words) {
            // A wrong login at the registry and one at its token endpoint are the same thing at two doors.
            let same = *other == "wrong login: " && *words == "HTTP Basic: Access denied";

            assert!(same || !text.contains(other), "{other:?} is in\n{text}");
        }
    }
}
