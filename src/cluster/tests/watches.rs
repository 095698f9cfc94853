//! Mirrors: one list, watches that go on where they stood, and what happens when they cannot.

use super::server::{Ask, Reply, Server};
use super::{cluster_at, run};
use crate::cluster::Mirror;
use runway_core::observed::{Gap, Observed};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

fn object(name: &str, version: u32, suspend: bool) -> Value {
    json!({"apiVersion": "g/v1", "kind": "X", "metadata": {"name": name, "namespace": "apps", "resourceVersion": version.to_string()},
        "spec": {"suspend": suspend}})
}

fn list(names: &[&str], version: u32) -> Reply {
    let items: Vec<Value> = names.iter().map(|name| object(name, 1, false)).collect();
    Reply::Json(200, json!({"kind": "XList", "metadata": {"resourceVersion": version.to_string()}, "items": items}))
}

/// A watch with these events, which the server then ends.
fn events(events: &[(&str, Value)]) -> Reply {
    let lines: Vec<String> =
        events.iter().map(|(kind, object)| format!("{}\n", json!({"type": kind, "object": object}))).collect();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
    Reply::Bytes(format!("{head}{}", lines.concat()).into_bytes())
}

fn is_watch(ask: &Ask) -> bool {
    ask.target.contains("watch=1")
}

fn is_sources(ask: &Ask) -> bool {
    ask.target.contains("ocirepositories")
}

/// Keeps a mirror of the server until what it observes is as wanted; gives what was asked.
fn until(script: impl Fn(&Ask) -> Reply + Send + Sync + 'static, is: impl Fn(&Observed) -> bool) -> Vec<Ask> {
    let server = Server::start(script);
    run(async {
        let cluster = cluster_at(&server.url).await;
        let changed = Notify::new();
        let mirror = Mirror::new(&cluster, "one", "apps", &changed);
        let seen = async {
            while !mirror.observed(&is) {
                changed.notified().await;
            }
        };
        tokio::select! {
            _ = mirror.keep() => {}
            ended = tokio::time::timeout(Duration::from_secs(30), seen) => ended.unwrap(),
        }
    });
    server.asked()
}

fn names(observed: &Observed) -> Vec<String> {
    let objects = observed.objects.as_ref().ok().and_then(|objects| objects.sources.as_ref().ok());
    objects.into_iter().flatten().map(|object| object.metadata.name.clone()).collect()
}

fn gap(observed: &Observed) -> Option<&Gap> {
    observed.objects.as_ref().err()
}

#[test]
fn a_list_and_then_watches_that_go_on_where_they_stood() {
    let watches = AtomicUsize::new(0);
    let asked = until(
        move |ask| match (is_watch(ask), is_sources(ask)) {
            (false, true) => list(&["b", "a"], 10),
            (false, false) => list(&[], 10),
            (true, false) => Reply::Hang,
            (true, true) => match watches.fetch_add(1, Ordering::SeqCst) {
                0 => events(&[
                    ("ADDED", object("c", 11, false)),
                    ("MODIFIED", object("a", 12, true)),
                    ("BOOKMARK", object("", 15, false)),
                ]),
                1 => events(&[("DELETED", object("b", 16, false))]),
                _ => Reply::Hang,
            },
        },
        |observed| names(observed) == ["a", "c"],
    );
    let sources: Vec<&Ask> = asked.iter().filter(|ask| is_sources(ask)).collect();
    let lists = sources.iter().filter(|ask| !is_watch(ask)).count();
    assert_eq!(lists, 1, "nothing is listed twice: {sources:?}");
    let from: Vec<bool> = sources
        .iter()
        .filter(|ask| is_watch(ask))
        .zip([10, 15])
        .map(|(ask, at)| ask.target.ends_with(&format!("resourceVersion={at}")))
        .collect();
    assert_eq!(from, [true, true], "{sources:?}");
    let watch = sources.iter().find(|ask| is_watch(ask)).unwrap();
    assert!(watch.target.contains("allowWatchBookmarks=true") && watch.target.contains("timeoutSeconds="), "{watch:?}");
    assert!(watch.headers.to_lowercase().contains("accept-encoding: identity"), "{watch:?}");
}

#[test]
fn what_the_server_has_forgotten_is_listed_anew() {
    let lists = AtomicUsize::new(0);
    let watches = AtomicUsize::new(0);
    let expired = json!({"kind": "Status", "status": "Failure", "reason": "Expired", "code": 410, "message": "too old"});
    let asked = until(
        move |ask| match (is_watch(ask), is_sources(ask)) {
            (_, false) if is_watch(ask) => Reply::Hang,
            (_, false) => list(&[], 10),
            (false, true) => match lists.fetch_add(1, Ordering::SeqCst) {
                0 => list(&["a"], 10),
                1 => list(&["b"], 20),
                _ => list(&["c"], 30),
            },
            // Once as an event, once as the whole answer.
            (true, true) => match watches.fetch_add(1, Ordering::SeqCst) {
                0 => events(&[("ERROR", expired.clone())]),
                1 => Reply::Json(410, expired.clone()),
                _ => Reply::Hang,
            },
        },
        |observed| names(observed) == ["c"],
    );
    assert_eq!(asked.iter().filter(|ask| is_sources(ask) && !is_watch(ask)).count(), 3);
}

#[test]
fn without_an_answer_nothing_of_before_is_told() {
    let (watches, seen) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let asked = until(
        move |ask| match (is_watch(ask), is_sources(ask)) {
            (false, _) => list(&["a"], 10),
            (true, false) => Reply::Hang,
            (true, true) => match watches.fetch_add(1, Ordering::SeqCst) {
                0 | 1 => Reply::Json(503, json!({"kind": "Status", "code": 503, "message": "etcd is away"})),
                _ => events(&[("ADDED", object("b", 11, false))]),
            },
        },
        move |observed| {
            if let Some(gap) = gap(observed).filter(|gap| gap.reason != "NotAsked") {
                assert!(gap.message.contains("etcd is away"), "{gap:?}");
                seen.fetch_add(1, Ordering::SeqCst);
            }
            names(observed) == ["a", "b"] && seen.load(Ordering::SeqCst) > 0
        },
    );
    assert_eq!(asked.iter().filter(|ask| is_sources(ask) && !is_watch(ask)).count(), 1, "it goes on where it stood");
}

#[test]
fn what_is_forbidden_for_one_kind_leaves_the_other() {
    until(
        |ask| match (is_watch(ask), is_sources(ask)) {
            (true, true) => Reply::Json(403, json!({"kind": "Status", "code": 403, "message": "cannot watch"})),
            (true, false) => Reply::Hang,
            (false, _) => list(&["a"], 10),
        },
        |observed| {
            observed.objects.as_ref().is_ok_and(|objects| {
                objects.sources.as_ref().is_err_and(|gap| gap.reason == "Forbidden" && gap.message.contains("cannot watch"))
                    && objects.kustomizations.as_ref().is_ok_and(|list| list.len() == 1)
            })
        },
    );
}

#[test]
fn an_event_without_an_end_is_not_kept() {
    let watches = AtomicUsize::new(0);
    until(
        move |ask| match (is_watch(ask), is_sources(ask)) {
            (false, _) => list(&["a"], 10),
            (true, false) => Reply::Hang,
            (true, true) => match watches.fetch_add(1, Ordering::SeqCst) {
                0 => Reply::Endless,
                _ => Reply::Hang,
            },
        },
        |observed| gap(observed).is_some_and(|gap| gap.reason == "Garbage" && gap.message.contains("8 MiB")),
    );
}
