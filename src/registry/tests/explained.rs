//! Every failure in its own words.

use super::server::{Reply, Server, error};
use super::{all, artifact, client, login, repository, tag};
use runway_core::flux::reference::Repository;
use runway_core::problem::Class;

#[tokio::test]
async fn nobody_there() {
    let at = Repository::parse("registry.invalid/a/x").unwrap();
    let problem = client(&[]).head(&at, &tag("v1")).await.unwrap_err();
    let said = all(&problem);
    assert_eq!(problem.class, Class::Registry);
    assert!(
        said.starts_with("cannot read the tag 'v1' from registry.invalid: no address: the name of registry.invalid is not known"),
        "{said}"
    );
    assert!(said.contains("where: oci://registry.invalid/a/x:v1"), "{said}");

    let port = { std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port() };
    let at = Repository::parse(&format!("127.0.0.1:{port}/a/x")).unwrap();
    let said = all(&client(&[]).head(&at, &tag("v1")).await.unwrap_err());
    assert!(said.contains(&format!("connection refused: nothing listens on 127.0.0.1:{port}")), "{said}");
}

/// What a registry that answers everything with `reply` (after a basic login) makes of a list of tags.
async fn listing(reply: Reply) -> String {
    let server = Server::start(move |request| match request.header("authorization") {
        None => Reply::new(401).with("WWW-Authenticate", "Basic realm=x"),
        Some(_) => reply.clone(),
    });
    let (name, value) = login(&server, "runway", "s3cret");
    let said = all(&client(&[(name, &value)]).tags(&repository(&server, "g/x")).await.unwrap_err());
    assert!(said.starts_with("cannot list the tags on 127.0.0.1:"), "{said}");
    said
}

#[tokio::test]
async fn logins() {
    let wanted =
        Server::start(|_| error(401, "UNAUTHORIZED", "authentication required").with("WWW-Authenticate", "Basic realm=\"bed\""));
    let at = repository(&wanted, "g/x");
    let said = all(&client(&[]).tags(&at).await.unwrap_err());
    assert!(
        said.contains(
            "401 Unauthorized: UNAUTHORIZED: authentication required: it wants a login (basic): no login was found; looked in"
        ),
        "{said}"
    );
    let silent = Server::start(|_| Reply::new(401));
    let said = all(&client(&[]).tags(&repository(&silent, "g/x")).await.unwrap_err());
    assert!(said.contains("it wants a login (without saying how), and none of a kind that is known here"), "{said}");

    let said = listing(Reply::new(401).with("WWW-Authenticate", "Basic realm=x")).await;
    assert!(said.contains("wrong login: the login came from DOCKER_AUTH_CONFIG, entry '127.0.0.1:"), "{said}");
    let said = listing(error(403, "DENIED", "requested access to the resource is denied")).await;
    assert!(said.contains("403 Forbidden: DENIED: requested access"), "{said}");
    assert!(said.contains("hint: the login needs the right to read g/x"), "{said}");

    let ci = [("CI_REGISTRY", wanted.host.as_str()), ("CI_JOB_TOKEN", "glcbt-64_secret")];
    let denied = Server::start(|request| match request.header("authorization") {
        None => Reply::new(401).with("WWW-Authenticate", "Basic realm=x"),
        Some(_) => error(403, "DENIED", "no"),
    });
    let said = all(&client(&[("CI_REGISTRY", &denied.host), ci[1]]).tags(&repository(&denied, "g/x")).await.unwrap_err());
    assert!(said.contains("the login came from CI_JOB_TOKEN: ") || said.contains("the login came from CI_JOB_TOKEN\n"), "{said}");
    assert!(said.contains("hint: a job's token may read only in its own project"), "{said}");
    let said = all(&client(&ci).tags(&at).await.unwrap_err());
    assert!(said.contains("wrong login: the login came from CI_JOB_TOKEN") && !said.contains("glcbt"), "{said}");
}

#[tokio::test]
async fn answers() {
    for (reply, expected) in [
        (Reply::new(413), "the registry has no room for it"),
        (Reply::new(507), "the registry has no room for it"),
        (error(403, "DENIED", "Your project exceeded its storage quota"), "the registry has no room for it"),
        (error(412, "DENIED", "will exceed the configured upper limit of storage"), "the registry has no room for it"),
        (error(400, "MANIFEST_INVALID", "unknown media type: application/vnd.cncf.flux.config.v1+json"), "media type refused"),
        (
            error(400, "MANIFEST_INVALID", "manifest invalid: unexpected end of JSON input"),
            "does not take the manifest, for a reason",
        ),
        (error(400, "MANIFEST_INVALID", "manifest invalid: http: request body too large"), "the registry has no room for it"),
        (error(403, "DENIED", "the subscription of this group has expired"), "the login needs the right to read g/x"),
        (
            Reply::new(400).body("<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>"),
            "set registry.plainHttp: \"false\"",
        ),
        (error(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry"), "a blob that was uploaded a moment ago"),
        (error(404, "DENIED", "requested access is denied"), "hint: the login needs the right to read g/x"),
        (error(405, "DENIED", "tag is immutable"), "the registry's rules do not let this login read g/x"),
        (Reply::new(400).body("Client sent an HTTP request to an HTTPS server.\n"), "set registry.plainHttp: \"false\""),
        (Reply::new(418).body("teapot"), "answered 418 I'm a teapot: teapot"),
    ] {
        let said = listing(reply).await;
        assert!(said.contains(expected), "{expected}\n{said}");
        assert!(!said.contains("expired login"), "{said}");
        for other in ["the registry has no room", "media type refused", "uploaded a moment ago", "too many requests"] {
            assert_eq!(said.contains(other), expected.contains(other), "{other}\n{said}");
        }
    }
}

/// Storage says no in words of its own, and no login is what it lacks.
#[tokio::test]
async fn a_refusal_of_the_registry_s_storage() {
    let body = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
    for (status, hint) in [(403, "hint: try again: such addresses are good for a short time"), (503, "hint: it has trouble")] {
        let storage = Server::start(move |_| Reply::new(status).with("Content-Type", "application/xml").body(body));
        let to = format!("http://{}/key?X-Amz-Signature=abc", storage.host.replace("127.0.0.1", "localhost"));
        let server = Server::start(move |request| match request.header("authorization") {
            None => Reply::new(401).with("WWW-Authenticate", "Basic realm=x"),
            Some(_) => Reply::new(307).with("Location", to.clone()),
        });
        let (name, value) = login(&server, "runway", "s3cret");
        let said = all(&client(&[(name, &value)]).manifest(&repository(&server, "g/x"), &tag("v1")).await.unwrap_err());
        assert!(said.contains(": AccessDenied: Request has expired: that is where 127.0.0.1:"), "{said}");
        assert!(said.contains(hint), "{said}");
        for other in ["web page", "no login", "docker login", "X-Amz", "expired login", "needs the right"] {
            assert!(!said.contains(other), "{other}\n{said}");
        }
    }
}

#[tokio::test]
async fn not_there() {
    let server = Server::start(|_| error(404, "NAME_UNKNOWN", "repository name not known to registry"));
    let at = repository(&server, "g/x");
    assert_eq!(client(&[]).head(&at, &tag("v1")).await.unwrap(), None);
    assert_eq!(client(&[]).manifest(&at, &tag("v1")).await.unwrap(), None);
    let said = all(&client(&[]).tags(&at).await.unwrap_err());
    assert!(said.contains("NAME_UNKNOWN: repository name not known to registry: there is no repository g/x"), "{said}");
    let said = all(&client(&[]).upload(&at, &artifact("one"), None).await.unwrap_err());
    assert!(said.contains("there is no repository g/x, or this login may not see it"), "{said}");
    let blob = runway_core::artifact::manifest::Descriptor {
        media_type: String::new(),
        size: 1,
        digest: runway_core::artifact::Digest::of(b"x").to_string(),
    };
    let said = all(&client(&[]).blob(&at, &blob).await.unwrap_err());
    assert!(said.contains("the manifest is there, but a blob that it names is not"), "{said}");
    assert!(said.contains(&format!("where: oci://{at}@sha256:")), "{said}");
}

/// What a registry says of a tag that it has not: which of the two is missing, in its words, with something to do.
#[tokio::test]
async fn a_tag_and_a_repository_that_are_not_there_are_told_apart() {
    let why = async |reply: Reply| {
        let server = Server::start(move |_| reply.clone());
        let at = repository(&server, "g/x");
        assert_eq!(client(&[]).head(&at, &tag("v1")).await.unwrap(), None);
        all(&client(&[]).manifest_or_why(&at, &tag("v1")).await.unwrap().unwrap_err())
    };
    let said = why(error(404, "MANIFEST_UNKNOWN", "manifest unknown")).await;
    assert!(said.contains("404 Not Found: MANIFEST_UNKNOWN: manifest unknown: g/x has no tag v1\n"), "{said}");
    assert!(said.contains("hint: the tags that it has: kubectl runway inventory list oci://127.0.0.1:"), "{said}");
    let said = why(error(404, "NAME_UNKNOWN", "repository name not known to registry")).await;
    assert!(said.contains("NAME_UNKNOWN: repository name not known to registry: there is no repository g/x, or"), "{said}");
    assert!(said.contains("hint: check the path") && !said.contains("has no tag"), "{said}");
    // Harbor's one word for both.
    let said = why(error(404, "NOT_FOUND", "artifact g/x:v1 not found")).await;
    assert!(said.contains("either there is no repository g/x, or it has nothing of that name"), "{said}");
}

/// An ingress without a registry behind it answers 404 to everything: that says nothing about tags.
#[tokio::test]
async fn a_404_that_is_no_registry_s_is_no_answer() {
    let page = |content_type: &str, body: &str| Reply::new(404).with("Content-Type", content_type).body(body);
    for reply in [
        page("text/html", "<html><center>nginx</center></html>"),
        page("text/plain; charset=utf-8", "404 page not found\n"),
        page("application/json", r#"{"message":"404 Not Found"}"#),
        Reply::new(404),
    ] {
        let is_json = reply.headers.first().is_none_or(|(_, value)| value == "application/json");
        let server = Server::start(move |_| reply.clone());
        let (client, at) = (client(&[]), repository(&server, "g/x"));
        let mut problems = vec![client.manifest(&at, &tag("v1")).await.unwrap_err(), client.tags(&at).await.unwrap_err()];
        // A HEAD that says nothing is taken for what it says; a page is not.
        match client.head(&at, &tag("v1")).await {
            Ok(found) => assert!(is_json && found.is_none()),
            Err(problem) => problems.push(problem),
        }
        for problem in problems {
            let said = all(&problem);
            assert!(said.contains("no registry says so, and whether it is there is not known"), "{said}");
            assert!(said.contains("hint: an ingress or a proxy answers like this"), "{said}");
        }
        // A push relies on no such HEAD: a tag that was there when the plan was made is not taken for gone.
        let artifact = artifact("one");
        let problem = client.tag(&at, &artifact, "v1", Some(&artifact.layer.digest)).await.unwrap_err();
        assert_eq!(problem.class, Class::Registry, "{}", all(&problem));
    }
}

#[tokio::test]
async fn a_head_s_refusal_is_asked_again_for_its_words() {
    let server = Server::start(|_| error(403, "DENIED", "this project is archived"));
    let said = all(&client(&[]).head(&repository(&server, "g/x"), &tag("v1")).await.unwrap_err());
    assert!(said.contains("DENIED: this project is archived"), "{said}");
    assert_eq!(server.lines(), ["HEAD /v2/g/x/manifests/v1", "GET /v2/g/x/manifests/v1"]);
}

#[tokio::test]
async fn what_ends_the_asking_of_a_registry() {
    let ends = |problem: &runway_core::problem::Problem| crate::registry::ends_the_asking(problem);
    let nowhere = Repository::parse("registry.invalid/a/x").unwrap();
    assert!(ends(&client(&[]).head(&nowhere, &tag("v1")).await.unwrap_err()));
    let wrong = Server::start(|_| Reply::new(401).with("WWW-Authenticate", "Basic realm=x"));
    let (name, value) = login(&wrong, "runway", "s3cret");
    assert!(ends(&client(&[(name, &value)]).head(&repository(&wrong, "g/x"), &tag("v1")).await.unwrap_err()));
    let foreign = Server::start(|_| Reply::new(401).with("WWW-Authenticate", "Bearer realm=\"https://evil.example.net/\""));
    assert!(ends(&client(&[]).head(&repository(&foreign, "g/x"), &tag("v1")).await.unwrap_err()));
    // One repository's own trouble does not, whatever the registry says about it.
    for reply in [
        error(403, "DENIED", "wrong login: no"),
        error(404, "wrong login: ", ""),
        Reply::new(500).body("wrong login: x"),
        Reply::new(401).with("WWW-Authenticate", "Negotiate"),
    ] {
        let server = Server::start(move |_| reply.clone());
        let at = repository(&server, "g/token-login");
        assert!(!ends(&client(&[]).upload(&at, &artifact("one"), None).await.unwrap_err()));
    }
}
