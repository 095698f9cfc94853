//! What is asked again, and what is not.

use super::server::{Reply, Request, Server, error};
use super::store::Store;
use super::{all, artifact, client, repository, tag, within};
use crate::clock;
use crate::net::Budget;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A registry whose first answers to `method` are replaced.
fn failing(method: &'static str, first: usize, failure: Reply) -> (Arc<Store>, Server) {
    let (store, count) = (Arc::new(Store::default()), AtomicUsize::new(0));
    let handler = Arc::clone(&store);
    let answer = move |request: &Request| {
        if request.method == method && count.fetch_add(1, Ordering::SeqCst) < first {
            failure.clone()
        } else {
            handler.handle(request)
        }
    };
    (store, Server::start(answer))
}

#[tokio::test]
async fn reading_is_repeated_twice() {
    for status in [408, 429, 500, 502, 503, 504] {
        let (store, server) = failing("HEAD", 2, Reply::new(status));
        store.put("a/x", "v1", &artifact("one"));
        assert!(client(&[]).head(&repository(&server, "a/x"), &tag("v1")).await.unwrap().is_some());
        assert_eq!(server.lines().len(), 3);
        let (_, server) = failing("HEAD", 9, Reply::new(status));
        let said = all(&client(&[]).head(&repository(&server, "a/x"), &tag("v1")).await.unwrap_err());
        assert!(said.contains(&format!("answered {status}")) && said.contains("(3 times)"), "{said}");
        assert_eq!(server.lines().len(), 3);
    }
    for status in [400, 403, 405, 501] {
        let (store, server) = failing("GET", 9, Reply::new(status));
        store.put("a/x", "v1", &artifact("one"));
        let result = client(&[]).tags(&repository(&server, "a/x")).await;
        assert!(all(&result.unwrap_err()).contains(&format!("answered {status}")));
        assert_eq!(server.lines().len(), 1);
    }
}

#[tokio::test]
async fn a_broken_connection_is_made_again() {
    let (store, server) = failing("GET", 2, Reply { cut: Some(2), ..Reply::new(200).body("{\"tags\":[]}") });
    store.put("a/x", "v1", &artifact("one"));
    assert_eq!(client(&[]).tags(&repository(&server, "a/x")).await.unwrap(), ["v1"]);
    assert_eq!(server.lines().len(), 3);
}

#[tokio::test]
async fn retry_after_is_honoured_within_the_budget() {
    let (store, server) = failing("GET", 1, Reply::new(429).with("Retry-After", "1"));
    store.put("a/x", "v1", &artifact("one"));
    let start = clock::monotonic();
    client(&[]).tags(&repository(&server, "a/x")).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    let (_, server) = failing("GET", 9, error(429, "TOOMANYREQUESTS", "slow down").with("Retry-After", "60"));
    let start = clock::monotonic();
    let said = all(&within(Duration::from_secs(30), &[]).tags(&repository(&server, "a/x")).await.unwrap_err());
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(said.contains("TOOMANYREQUESTS: slow down") && said.contains("too many requests: try again in 60 s"), "{said}");
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn blobs_and_manifests_by_digest_are_written_again() {
    // Config and layer are written side by side; the failures hit whoever comes first.
    for (method, failure) in
        [("PUT", Reply::new(502)), ("POST", Reply::new(503)), ("PUT", Reply { cut: Some(0), ..Reply::new(201).body("xx") })]
    {
        let (store, server) = failing(method, 2, failure);
        let ours = artifact("one");
        client(&[]).upload(&repository(&server, "a/x"), &ours, None).await.unwrap();
        assert!(store.has("a/x", &ours.manifest.digest), "{method}");
    }
    let (store, count) = (Arc::new(Store::default()), AtomicUsize::new(0));
    let handler = Arc::clone(&store);
    let server = Server::start(move |request| {
        let is_manifest = request.method == "PUT" && request.path.contains("/manifests/");
        if is_manifest && count.fetch_add(1, Ordering::SeqCst) < 2 { Reply::new(504) } else { handler.handle(request) }
    });
    client(&[]).upload(&repository(&server, "a/x"), &artifact("one"), None).await.unwrap();
    assert_eq!(server.lines().iter().filter(|line| line.contains("/manifests/")).count(), 3);
    let (_, server) = failing("PUT", 99, error(503, "UNAVAILABLE", "not now"));
    let said = all(&client(&[]).upload(&repository(&server, "a/x"), &artifact("one"), None).await.unwrap_err());
    assert!(said.contains("503 Service Unavailable (3 times): UNAVAILABLE: not now"), "{said}");
    assert!(server.lines().iter().filter(|line| line.starts_with("PUT")).count() <= 6);
}

#[tokio::test]
async fn a_tag_is_set_once_and_a_lost_answer_is_looked_up() {
    let ours = artifact("one");
    // The registry does nothing and says so.
    let (store, server) = failing("PUT", 1, Reply::new(503));
    store.put("a/x", "old", &ours);
    let said = all(&client(&[]).tag(&repository(&server, "a/x"), &ours, "v1", None).await.unwrap_err());
    assert!(said.contains("the tag did not point to the new artifact a moment later"), "{said}");
    assert_eq!(server.lines().iter().filter(|line| line.starts_with("PUT")).count(), 1);
    // It does it, and the answer is lost.
    let store = Arc::new(Store::default());
    let handler = Arc::clone(&store);
    let server = Server::start(move |request| match request.method.as_str() {
        "PUT" => Reply { cut: Some(1), ..handler.handle(request).body("xx") },
        _ => handler.handle(request),
    });
    client(&[]).tag(&repository(&server, "a/x"), &ours, "v1", None).await.unwrap();
    assert_eq!(server.lines(), ["HEAD /v2/a/x/manifests/v1", "PUT /v2/a/x/manifests/v1", "HEAD /v2/a/x/manifests/v1"]);
    assert_eq!(store.tag("a/x", "v1"), Some(ours.manifest.digest));
}

/// Work without an end has no time to lose either: a pause is at most as long as one question.
#[tokio::test]
async fn retry_after_is_no_reason_to_stand_still() {
    for method in ["GET", "POST"] {
        let (_, server) = failing(method, 99, Reply::new(429).with("Retry-After", "3600"));
        let mut client = within(Duration::from_secs(1), &[]);
        client.exchange.transport.budget = client.exchange.transport.budget.endless();
        let at = repository(&server, "a/x");
        let start = clock::monotonic();
        let asked = async {
            if method == "GET" { client.tags(&at).await.map(drop) } else { client.upload(&at, &artifact("one"), None).await }
        };
        let said = all(&tokio::time::timeout(Duration::from_secs(5), asked).await.unwrap().unwrap_err());
        assert!(said.contains("try again in 3600 s") && start.elapsed() < Duration::from_secs(4), "{said}");
    }
}

/// One request has its limit; a large body on a slow line has the time that it needs, and an answer that is coming has all.
#[tokio::test]
async fn slow_lines_have_the_time_that_they_need() {
    let layer = vec![7; 12 << 20];
    let server = Server::start_slow(8 << 20, |request| match request.method.as_str() {
        "PUT" => Reply::new(201),
        "POST" => Reply::new(202).with("Location", "/v2/a/x/blobs/uploads/1"),
        "GET" => Reply { slow: true, ..Reply::new(200).body("{\"tags\":[\"v1\"]}") },
        _ => Reply::new(404),
    });
    let mut ours = artifact("one");
    ours.layer.bytes = layer;
    let mut client = client(&[]);
    client.exchange.transport.budget = Budget::new(Duration::from_secs(30), Duration::from_millis(500));
    let start = clock::monotonic();
    client.upload(&repository(&server, "a/x"), &ours, None).await.unwrap();
    assert!(start.elapsed() > Duration::from_millis(700), "{:?}", start.elapsed());
    let start = clock::monotonic();
    assert_eq!(client.tags(&repository(&server, "a/x")).await.unwrap(), ["v1"]);
    assert!(start.elapsed() > Duration::from_millis(700), "{:?}", start.elapsed());
    // What is followed without an end gives each answer the time of a question.
    client.exchange.transport.budget = client.exchange.transport.budget.endless();
    let said = all(&client.tags(&repository(&server, "a/x")).await.unwrap_err());
    assert!(said.contains("gave no complete answer within 0."), "{said}");
}
