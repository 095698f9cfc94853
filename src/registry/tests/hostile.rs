//! Registries that lie about sizes, digests and addresses.

use super::server::{Reply, Request, Server};
use super::{all, artifact, client, login, repository, tag, within};
use crate::clock;
use runway_core::artifact::Digest;
use runway_core::artifact::manifest::Descriptor;
use runway_core::flux::reference::Target;
use runway_core::problem::Problem;
use std::sync::Arc;
use std::time::Duration;

fn descriptor(bytes: &[u8]) -> Descriptor {
    Descriptor { media_type: String::new(), size: bytes.len() as u64, digest: Digest::of(bytes).to_string() }
}

/// A registry that wants `runway:s3cret` and then does as it is told.
fn guarded(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |request| match request.header("authorization") {
        Some(_) => answer(request),
        None => Reply::new(401).with("WWW-Authenticate", "Basic realm=\"bed\""),
    })
}

#[tokio::test]
async fn a_redirect_to_another_host_loses_the_login() {
    let storage = Arc::new(Server::start(|_| Reply::new(200).body("content")));
    let elsewhere = format!("http://{}/key?signature=abc", storage.host);
    let registry = guarded(move |_| Reply::new(307).with("Location", elsewhere.clone()));
    let (name, value) = login(&registry, "runway", "s3cret");
    let bytes = client(&[(name, &value)]).blob(&repository(&registry, "a/x"), &descriptor(b"content")).await.unwrap();
    assert_eq!(bytes, b"content");
    let asked = &storage.requests()[0];
    assert_eq!((asked.line().as_str(), asked.header("authorization")), ("GET /key?signature=abc", None));

    // On its own host the login stays.
    let registry = guarded(|request| match request.path.as_str() {
        "/moved" => Reply::new(200).body("content"),
        _ => Reply::new(302).with("Location", "/moved"),
    });
    let (name, value) = login(&registry, "runway", "s3cret");
    client(&[(name, &value)]).blob(&repository(&registry, "a/x"), &descriptor(b"content")).await.unwrap();
    assert!(registry.requests().last().unwrap().header("authorization").is_some());
}

#[tokio::test]
async fn redirects_that_are_not_followed() {
    let cases = [
        ("/round", "it is the 6th in a row"),
        ("http://169.254.169.254/latest?token=s3cret", "http://169.254.169.254/latest is plain http"),
        ("http://user:pw@127.0.0.1/x", "carries a user name or a password"),
        ("file:///etc/passwd", "its scheme is file"),
        ("http://[", "it is no address"),
    ];
    for (location, expected) in cases {
        let registry = Server::start(move |_| Reply::new(302).with("Location", location));
        let said = all(&client(&[]).tags(&repository(&registry, "a/x")).await.unwrap_err());
        assert!(said.contains(expected) && said.contains("redirects, and this is not followed"), "{said}");
        assert!(!said.contains("s3cret") && !said.contains("user:pw"), "{said}");
        assert_eq!(registry.lines().len(), if location == "/round" { 6 } else { 1 });
    }
    let registry = Server::start(|_| Reply::new(302));
    assert!(all(&client(&[]).tags(&repository(&registry, "a/x")).await.unwrap_err()).contains("it names no address"));
}

#[tokio::test]
async fn a_refusal_by_the_storage_is_no_challenge_of_the_registry() {
    let evil = Server::start(|_| Reply::new(401).with("WWW-Authenticate", "Basic realm=\"give me\""));
    let elsewhere = format!("http://{}/", evil.host);
    let registry = Server::start(move |_| Reply::new(302).with("Location", elsewhere.clone()));
    let (name, value) = login(&registry, "runway", "s3cret");
    let problem = client(&[(name, &value)]).tags(&repository(&registry, "a/x")).await.unwrap_err();
    assert!(all(&problem).contains(&format!("{} answered 401", evil.host)), "{}", all(&problem));
    assert_eq!((registry.lines().len(), evil.lines().len()), (1, 1));
    assert_eq!(evil.requests()[0].header("authorization"), None);
}

#[tokio::test]
async fn uploads_are_not_sent_just_anywhere() {
    let foreign = Server::start(|_| Reply::new(201));
    let cases = [
        (Reply::new(202), "accepts an upload and does not say where (no Location)"),
        (Reply::new(202).with("Location", format!("http://{}/up", foreign.host)), "is another host, over plain http"),
        (Reply::new(202).with("Location", "http://10.1.2.3/up"), "http://10.1.2.3/up is plain http"),
        (Reply::new(202).with("Location", "gopher://x/"), "its scheme is gopher"),
    ];
    for (reply, expected) in cases {
        let registry = Server::start(move |request| if request.method == "POST" { reply.clone() } else { Reply::new(404) });
        let said = all(&client(&[]).upload(&repository(&registry, "a/x"), &artifact("one"), None).await.unwrap_err());
        assert!(said.contains(expected) && said.contains("cannot upload the artifact"), "{said}");
    }
    assert_eq!(foreign.lines().len(), 0);
    // A bare word is a path beside the request's own.
    let registry = Server::start(|request| {
        match (request.method.as_str(), request.path.starts_with("/v2/a/x/blobs/uploads/next?digest=")) {
            ("POST", _) => Reply::new(202).with("Location", "next"),
            ("PUT", true) => Reply::new(201),
            ("PUT", false) if request.path.starts_with("/v2/a/x/manifests/") => Reply::new(201),
            _ => Reply::new(404),
        }
    });
    client(&[]).upload(&repository(&registry, "a/x"), &artifact("one"), None).await.unwrap();
}

#[tokio::test]
async fn bodies_without_an_end_are_left() {
    let flood = |status| Server::start(move |_| Reply { endless: true, ..Reply::new(status).body("x".repeat(65_536)) });
    let registry = flood(200);
    let (client, at) = (client(&[]), repository(&registry, "a/x"));
    let said = |problem: &Problem| all(problem);
    let problem = client.manifest(&at, &tag("v1")).await.unwrap_err();
    assert!(said(&problem).contains("is larger than 4 MiB"), "{}", said(&problem));
    let problem = client.tags(&at).await.unwrap_err();
    assert!(said(&problem).contains("is larger than 8 MiB"), "{}", said(&problem));
    let problem = client.blob(&at, &descriptor(b"content")).await.unwrap_err();
    assert!(said(&problem).contains("is larger than 7 bytes"), "{}", said(&problem));
    let asked = registry.lines().len();
    let huge = Descriptor { size: 257 << 20, ..descriptor(b"") };
    let problem = client.blob(&at, &huge).await.unwrap_err();
    assert!(said(&problem).contains("more than 16 MiB are not read"), "{}", said(&problem));
    assert_eq!(registry.lines().len(), asked);

    let registry = flood(403);
    let problem = client.tags(&repository(&registry, "a/x")).await.unwrap_err();
    assert!(said(&problem).contains("403 Forbidden: xxx") && said(&problem).len() < 2000, "{}", said(&problem).len());

    let registry = flood(200);
    let realm = format!("Bearer realm=\"http://{}/token\"", registry.host);
    let registry = Server::start(move |_| Reply::new(401).with("WWW-Authenticate", realm.clone()));
    let problem = client.tags(&repository(&registry, "a/x")).await.unwrap_err();
    assert!(said(&problem).contains("is larger than 64 KiB"), "{}", said(&problem));
}

#[tokio::test]
async fn a_promised_length_is_not_believed() {
    let registry =
        Server::start(|_| Reply { cut: Some(3), ..Reply::new(200).with("Content-Length", "9000000000").body("abcdef") });
    let problem = client(&[]).manifest(&repository(&registry, "a/x"), &tag("v1")).await.unwrap_err();
    assert!(all(&problem).contains("broke"), "{}", all(&problem));
}

#[tokio::test]
async fn digests_are_checked() {
    let ours = artifact("one");
    let body = ours.manifest.bytes.clone();
    let wrong = Digest::of(b"wrong").to_string();
    let answers = move |named: Option<String>, body: Vec<u8>| {
        Server::start(move |_| match &named {
            Some(named) => Reply::new(200).with("Docker-Content-Digest", named.clone()).body(body.clone()),
            None => Reply::new(200).body(body.clone()),
        })
    };
    let by_digest = Target::Digest(ours.manifest.digest.to_string());

    let registry = answers(Some(wrong.clone()), body.clone());
    let at = repository(&registry, "a/x");
    let said = all(&client(&[]).manifest(&at, &tag("v1")).await.unwrap_err());
    assert!(said.contains(&format!("has another digest: {} instead of {wrong}", ours.manifest.digest)), "{said}");
    let said = all(&client(&[]).head(&at, &by_digest).await.unwrap_err());
    assert!(said.contains("answers with another manifest"), "{said}");

    let registry = answers(None, b"{}".to_vec());
    let said = all(&client(&[]).manifest(&repository(&registry, "a/x"), &by_digest).await.unwrap_err());
    assert!(said.contains("has another digest"), "{said}");
    let said = all(&client(&[]).blob(&repository(&registry, "a/x"), &descriptor(b"ab")).await.unwrap_err());
    assert!(said.contains("has another digest"), "{said}");
    let said = all(&client(&[]).blob(&repository(&registry, "a/x"), &descriptor(b"abc")).await.unwrap_err());
    assert!(said.contains("it has 2 bytes, the manifest says 3"), "{said}");
    let sha512 = Descriptor { digest: format!("sha512:{}", "a".repeat(128)), ..descriptor(b"") };
    let said = all(&client(&[]).blob(&repository(&registry, "a/x"), &sha512).await.unwrap_err());
    assert!(said.contains("not a sha256 digest"), "{said}");

    for named in ["nonsense", "sha256:ABC", ""] {
        let registry = answers(Some(named.to_owned()), body.clone());
        let said = all(&client(&[]).head(&repository(&registry, "a/x"), &tag("v1")).await.unwrap_err());
        assert!(said.contains("names a digest that is not a sha256 digest"), "{said}");
    }

    // A registry that names none is asked for the manifest itself.
    let registry = answers(None, body.clone());
    let head = client(&[]).head(&repository(&registry, "a/x"), &tag("v1")).await.unwrap().unwrap();
    assert_eq!((head.digest, head.size), (ours.manifest.digest.clone(), Some(body.len() as u64)));
    assert_eq!(registry.lines(), ["HEAD /v2/a/x/manifests/v1", "GET /v2/a/x/manifests/v1"]);

    // One that stores something else is told on.
    let registry = Server::start(move |request| match request.method.as_str() {
        "PUT" => Reply::new(201).with("Docker-Content-Digest", wrong.clone()),
        _ => Reply::new(404),
    });
    let said = all(&client(&[]).tag(&repository(&registry, "a/x"), &ours, "v1", None).await.unwrap_err());
    assert!(said.contains("has stored it under another digest"), "{said}");
}

#[tokio::test]
async fn tags_come_in_pages_of_the_registry_s_own() {
    let page = |link: String, tags: &str| Reply::new(200).with("Link", link).body(format!(r#"{{"name":"a/x","tags":{tags}}}"#));
    let registry = Server::start(move |request| {
        let host = request.header("host").unwrap();
        match request.path.as_str() {
            "/v2/a/x/tags/list?n=1000" => page(
                "<https://other.example.net/>; rel=\"first\", </v2/a/x/tags/list?last=b,c&n=2>; rel=\"next\"".into(),
                r#"["a","b"]"#,
            ),
            "/v2/a/x/tags/list?last=b,c&n=2" => {
                page(format!("<http://{host}/v2/a/x/tags/list?last=d>; rel=next"), r#"["c","d","..","-e","\u001b[31m"]"#)
            }
            "/v2/a/x/tags/list?last=d" => Reply::new(200).body(r#"{"name":"a/x","tags":null}"#),
            _ => Reply::new(500),
        }
    });
    let tags = client(&[]).tags(&repository(&registry, "a/x")).await.unwrap();
    assert_eq!(tags, ["a", "b", "c", "d"]);
    for (link, expected) in [
        ("<https://evil.example.net/x?key=s3cret>; rel=\"next\"", "https://evil.example.net/x is another host"),
        ("</v2/a/x/tags/list?n=1000>; rel=\"next\"", "is the same page again"),
        ("<http://[>; rel=\"next\"", "it is no address"),
    ] {
        let registry = Server::start(move |_| page(link.into(), "[]"));
        let said = all(&client(&[]).tags(&repository(&registry, "a/x")).await.unwrap_err());
        assert!(said.contains(expected) && !said.contains("s3cret"), "{said}");
    }
    let registry = Server::start(move |request| page(format!("<{}1>; rel=\"next\"", request.path), "[]"));
    let said = all(&client(&[]).tags(&repository(&registry, "a/x")).await.unwrap_err());
    assert!(said.contains("more than 1000 pages of tags"), "{said}");
    let registry = Server::start(|_| Reply::new(200).body("[]"));
    let said = all(&client(&[]).tags(&repository(&registry, "a/x")).await.unwrap_err());
    assert!(said.contains("its answer is not a list of tags"), "{said}");
}

#[tokio::test]
async fn silence_ends_in_time() {
    let registry = Server::start(|_| Reply { delay: Duration::from_secs(5), ..Reply::new(200) });
    let start = clock::monotonic();
    let problem = within(Duration::from_millis(300), &[]).head(&repository(&registry, "a/x"), &tag("v1")).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(2));
    assert!(all(&problem).contains("gave no complete answer within 0.3 s"), "{}", all(&problem));
}

#[tokio::test]
async fn no_time_is_left() {
    let registry = Server::start(|_| Reply::new(404));
    let problem = within(Duration::ZERO, &[]).head(&repository(&registry, "a/x"), &tag("v1")).await.unwrap_err();
    assert!(all(&problem).contains("the time for the whole command is over"), "{}", all(&problem));
}

#[tokio::test]
async fn what_is_no_manifest_or_no_reference_is_said_so() {
    let registry = Server::start(|_| Reply::new(200).body("<html>hello"));
    let said = all(&client(&[]).manifest(&repository(&registry, "a/x"), &tag("v1")).await.unwrap_err());
    assert!(said.contains("the manifest cannot be read"), "{said}");
    for target in [tag("../../x"), tag(""), Target::Digest("sha256:12".into())] {
        assert!(client(&[]).head(&repository(&registry, "a/x"), &target).await.is_err());
    }
    assert_eq!(registry.lines().len(), 1);
    // An old manifest that does not say its type is what the registry says it is.
    let registry = Server::start(|_| {
        Reply::new(200).with("Content-Type", "application/vnd.oci.image.index.v1+json; charset=utf-8").body("{}")
    });
    let fetched = client(&[]).manifest(&repository(&registry, "a/x"), &tag("v1")).await.unwrap().unwrap();
    assert!(fetched.manifest.content().unwrap_err().to_string().contains("index"));
}

#[tokio::test]
async fn what_could_not_be_read_again_is_not_written() {
    let registry = Server::start(|_| Reply::new(404));
    let mut ours = artifact("one");
    ours.layer.bytes = vec![0; (16 << 20) + 1];
    let said = all(&client(&[]).upload(&repository(&registry, "a/x"), &ours, None).await.unwrap_err());
    assert!(said.contains("16777217 bytes, packed; more than 16 MiB could not be read again"), "{said}");
    assert!(said.contains("hint: nothing was uploaded"), "{said}");
    assert_eq!(registry.lines().len(), 0);
}
