//! Reading and writing, without a login and with a basic one.

use super::server::{Reply, Request, Server};
use super::store::Store;
use super::{all, artifact, client, login, repository, tag};
use futures_util::future::join_all;
use runway_core::artifact::Digest;
use runway_core::flux::reference::Target;
use runway_core::problem::Class;
use std::sync::Arc;

fn plain() -> (Arc<Store>, Server) {
    serve(Store::default())
}

fn serve(store: Store) -> (Arc<Store>, Server) {
    let store = Arc::new(store);
    let handler = Arc::clone(&store);
    (store, Server::start(move |request| handler.handle(request)))
}

fn guarded(request: &Request, store: &Store) -> Reply {
    // base64("runway:s3cret")
    match request.header("authorization") {
        Some("Basic cnVud2F5OnMzY3JldA==") => store.handle(request),
        _ => Reply::new(401).with("WWW-Authenticate", "Basic realm=\"bed\""),
    }
}

#[tokio::test]
async fn writes_and_reads_back() {
    let (store, server) = plain();
    let (client, repository, artifact) = (client(&[]), repository(&server, "a/x"), artifact("one"));
    assert_eq!(client.head(&repository, &tag("v1")).await.unwrap(), None);
    assert!(client.tags(&repository).await.is_err());
    client.upload(&repository, &artifact, None).await.unwrap();
    assert_eq!(store.tag("a/x", "v1"), None);
    assert!(store.has("a/x", &artifact.manifest.digest));
    client.tag(&repository, &artifact, "v1", None).await.unwrap();
    assert_eq!(store.tag("a/x", "v1").as_ref(), Some(&artifact.manifest.digest));

    let head = client.head(&repository, &tag("v1")).await.unwrap().unwrap();
    assert_eq!((&head.digest, head.size), (&artifact.manifest.digest, Some(artifact.manifest.bytes.len() as u64)));
    assert_eq!(head.media_type, "application/vnd.oci.image.manifest.v1+json");
    let fetched = client.manifest(&repository, &tag("v1")).await.unwrap().unwrap();
    assert_eq!(fetched.bytes, artifact.manifest.bytes);
    let by_digest = client.manifest(&repository, &Target::Digest(head.digest.to_string())).await.unwrap().unwrap();
    assert_eq!(by_digest, fetched);
    let layer = client.blob(&repository, fetched.manifest.content().unwrap()).await.unwrap();
    assert_eq!(layer, artifact.layer.bytes);
    assert_eq!(client.tags(&repository).await.unwrap(), ["v1"]);
}

#[tokio::test]
async fn asks_no_more_than_it_must() {
    let (store, server) = plain();
    let (client, repository, old) = (client(&[]), repository(&server, "a/x"), artifact("one"));
    store.put("a/x", "v1", &old);
    client.head(&repository, &tag("v1")).await.unwrap().unwrap();
    assert_eq!(server.lines(), ["HEAD /v2/a/x/manifests/v1"]);
    server.forget();
    client.upload(&repository, &old, None).await.unwrap();
    assert_eq!(server.lines().iter().filter(|line| line.starts_with("HEAD")).count(), 2);
    assert_eq!(server.lines().len(), 3, "{:?}", server.lines());
    server.forget();
    client.tag(&repository, &old, "v2", None).await.unwrap();
    assert_eq!(server.lines(), ["HEAD /v2/a/x/manifests/v2", "PUT /v2/a/x/manifests/v2"]);
}

#[tokio::test]
async fn a_tag_that_somebody_moved_is_left_alone() {
    let (store, server) = plain();
    let (client, repository) = (client(&[]), repository(&server, "a/x"));
    let (old, theirs, ours) = (artifact("old"), artifact("theirs"), artifact("ours"));
    store.put("a/x", "v1", &theirs);
    client.upload(&repository, &ours, None).await.unwrap();
    for expected in [Some(&old.manifest.digest), None] {
        let problem = client.tag(&repository, &ours, "v1", expected).await.unwrap_err();
        assert_eq!(problem.class, Class::Refused);
        assert!(all(&problem).contains(theirs.manifest.digest.as_str()), "{}", all(&problem));
        assert!(all(&problem).contains(&format!("where: oci://{}/a/x:v1", server.host)));
    }
    assert_eq!(store.tag("a/x", "v1"), Some(theirs.manifest.digest.clone()));
    // A tag that has vanished has been moved, too; one that holds ours already is what was wanted.
    let problem = client.tag(&repository, &ours, "gone", Some(&old.manifest.digest)).await.unwrap_err();
    assert_eq!(problem.class, Class::Refused);
    client.tag(&repository, &ours, "v1", Some(&theirs.manifest.digest)).await.unwrap();
    client.tag(&repository, &ours, "v1", Some(&old.manifest.digest)).await.unwrap();
}

#[tokio::test]
async fn a_basic_login_is_sent_when_asked_for_and_from_then_on() {
    let store = Arc::new(Store::default());
    let handler = Arc::clone(&store);
    let server = Server::start(move |request| guarded(request, &handler));
    let (name, value) = login(&server, "runway", "s3cret");
    let (client, repository, artifact) = (client(&[(name, &value)]), repository(&server, "a/x"), artifact("one"));
    assert_eq!(client.head(&repository, &tag("v1")).await.unwrap(), None);
    assert_eq!(server.lines(), ["HEAD /v2/a/x/manifests/v1"; 2]);
    assert_eq!(server.requests()[0].header("authorization"), None);
    server.forget();
    client.upload(&repository, &artifact, None).await.unwrap();
    client.tag(&repository, &artifact, "v1", None).await.unwrap();
    assert!(server.requests().iter().all(|request| request.header("authorization").is_some()));
    assert_eq!(store.tag("a/x", "v1"), Some(Digest::of(&artifact.manifest.bytes)));
    let agent = server.requests()[0].header("user-agent").map(str::to_owned);
    assert_eq!(agent, Some(format!("kubectl-runway/{}", env!("CARGO_PKG_VERSION"))));
}

#[tokio::test]
async fn locations_in_all_forms_and_registries_that_take_pieces_only() {
    for (relative, only_pieces) in [(true, false), (false, true), (true, true)] {
        let (store, server) = serve(Store { relative, only_pieces, ..Store::default() });
        let (client, repository, artifact) = (client(&[]), repository(&server, "a/x"), artifact("one"));
        client.upload(&repository, &artifact, None).await.unwrap();
        assert!(store.has("a/x", &artifact.manifest.digest));
        assert_eq!(server.lines().iter().any(|line| line.starts_with("PATCH")), only_pieces);
    }
}

#[tokio::test]
async fn a_wrong_basic_login_is_tried_once_and_a_good_one_side_by_side() {
    for (password, sent) in [("wr0ng", 1), ("s3cret", 64)] {
        let store = Arc::new(Store::default());
        let server = Server::start(move |request| guarded(request, &store));
        let (name, value) = login(&server, "runway", password);
        let (client, target) = (client(&[(name, &value)]), tag("v1"));
        let many: Vec<_> = (0..32).map(|n| repository(&server, &format!("a/w{n}"))).collect();
        // Two rounds, as a wait has them.
        for round in 0..2 {
            let results = join_all(many.iter().map(|repository| client.head(repository, &target))).await;
            for (result, repository) in results.into_iter().zip(&many) {
                match result {
                    Ok(found) => assert_eq!((found, password), (None, "s3cret")),
                    Err(problem) => {
                        let said = all(&problem);
                        assert!(said.contains("wrong login: the login came from DOCKER_AUTH_CONFIG"), "{round}: {said}");
                        assert!(said.contains(&format!("where: oci://{repository}:v1")), "{said}");
                    }
                }
            }
        }
        let with = server.requests().iter().filter(|request| request.header("authorization").is_some()).count();
        assert_eq!(with, sent, "{password}");
    }
}

/// A password that is changed while something is followed is not sent for ever.
#[tokio::test]
async fn a_login_that_is_not_taken_any_more_is_left() {
    let count = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::start(move |request| match request.header("authorization") {
        Some(_) if count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 2 => Reply::new(404),
        _ => Reply::new(401).with("WWW-Authenticate", "Basic realm=x"),
    });
    let (name, value) = login(&server, "runway", "s3cret");
    let (client, at) = (client(&[(name, &value)]), repository(&server, "a/x"));
    for round in 0..12 {
        assert_eq!(client.head(&at, &tag("v1")).await.is_ok(), round < 2, "{round}");
    }
    let with = server.requests().iter().filter(|request| request.header("authorization").is_some()).count();
    assert_eq!(with, 2 + 3 + 1);
}
