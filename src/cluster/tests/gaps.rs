//! A server that refuses, lies, breaks off or says nothing: the reason is right and no secret comes out.

use super::server::{Reply, Server};
use super::{CANARY, Folder, budget, cluster_at, connect, flags, kubeconfig, nowhere, run};
use crate::clock::monotonic;
use crate::net::Budget;
use runway_core::observed::{Gap, Objects};
use serde_json::json;
use std::time::Duration;

/// What a namespace's objects are behind this script, after looking for the canary.
fn ask(script: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Result<Objects, Gap> {
    let server = Server::start(move |ask| script(&ask.target));
    let answer = run(async { cluster_at(&server.url).await.objects("apps").await });
    assert!(!format!("{answer:?}").contains(CANARY), "{answer:?}");
    answer
}

fn gap(script: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Gap {
    ask(script).unwrap_err()
}

fn status(code: u16, reason: &str, message: &str) -> Reply {
    Reply::Json(
        code,
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message}),
    )
}

fn empty() -> Reply {
    Reply::Json(200, json!({"kind": "XList", "metadata": {}, "items": []}))
}

#[test]
fn one_forbidden_kind_leaves_the_other() {
    let words = "kustomizations.kustomize.toolkit.fluxcd.io is forbidden: User \"jane\" cannot list resource \"kustomizations\" \
                 in API group \"kustomize.toolkit.fluxcd.io\" in the namespace \"apps\"";
    let objects =
        ask(move |target| if target.contains("kustomize") { status(403, "Forbidden", words) } else { empty() }).unwrap();
    assert!(objects.sources.unwrap().is_empty());
    assert_eq!(objects.kustomizations.unwrap_err(), Gap { reason: "Forbidden".into(), message: words.into() });
    let objects = ask(move |_| status(403, "Forbidden", words)).unwrap();
    assert!(objects.sources.is_err() && objects.kustomizations.is_err());
}

#[test]
fn nobody_is_a_gap_of_the_whole_cluster() {
    let gap =
        gap(
            |target| {
                if target.contains("kustomize") { status(401, "Unauthorized", &format!("bad token {CANARY}")) } else { empty() }
            },
        );
    assert_eq!(gap.reason, "Unauthorized");
    assert!(gap.message.contains("[redacted]") && gap.message.contains("user entry \"u\""), "{gap:?}");
    let gap = self::gap(|_| Reply::Text(401, "text/plain", "Unauthorized".into()));
    assert_eq!(gap.reason, "Unauthorized");
}

#[test]
fn what_is_no_kubernetes_answer_is_garbage() {
    let page = format!("<html>{CANARY}</html>");
    let wrong: Vec<(u16, &'static str, String)> = vec![
        (200, "text/html; charset=utf-8", page.clone()),
        (403, "text/html", page.clone()),
        (404, "text/html", page.clone()),
        (302, "text/plain", String::new()),
        (200, "application/json", page),
        (200, "application/json", format!("{{\"kind\": \"{CANARY}\"}}")),
        (200, "application/json", format!("{{\"kind\": \"XList\", \"items\": \"{CANARY}\"}}")),
        (200, "application/json", "{\"kind\": \"XList\", \"items\": [{}]}".into()),
        (200, "application/json", "{\"kind\": \"XList\", \"items\": []".into()),
        (200, "application/json", "{\"kind\": \"XList\", \"items\": []} trailing".into()),
        (200, "application/json", String::new()),
        (200, "application/json", "null".into()),
    ];
    for (code, kind, body) in wrong {
        let shown = body.clone();
        let gap = gap(move |_| Reply::Text(code, kind, body.clone()));
        assert_eq!(gap.reason, "Garbage", "{code} {shown}: {gap:?}");
        assert!(gap.message.starts_with("http://127.0.0.1:"), "{gap:?}");
    }
    let gap = gap(|_| Reply::Bytes(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()));
    assert_eq!(gap.reason, "Garbage", "{gap:?}");
}

#[test]
fn other_refusals_have_their_own_reasons() {
    for (code, reason) in [(429, "TooManyRequests"), (503, "ServerError"), (500, "ServerError"), (400, "Refused")] {
        let gap = gap(move |_| status(code, "X", &format!("words {CANARY}")));
        assert_eq!(gap.reason, reason);
        assert!(gap.message.contains("words [redacted]"), "{gap:?}");
    }
}

#[test]
fn a_body_that_breaks_off() {
    let gap = gap(|_| {
        let head =
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{\"kind\":\"XList\",\"items\":[";
        Reply::Bytes(head.as_bytes().to_vec())
    });
    assert_eq!(gap.reason, "ConnectionClosed", "{gap:?}");
    let gap = self::gap(|_| Reply::Bytes(Vec::new()));
    assert_eq!(gap.reason, "ConnectionClosed", "{gap:?}");
}

#[test]
fn silence_ends_with_the_budget() {
    let server = Server::start(|_| Reply::Hang);
    let folder = Folder::new();
    let mut given = flags(folder.write("config", kubeconfig(&server.url, "{}")));
    let started = monotonic();
    run(async {
        let short = Budget::new(Duration::from_secs(60), Duration::from_millis(200));
        let gap = connect(&given, None, &nowhere(), short).await.unwrap().objects("apps").await.unwrap_err();
        assert_eq!(gap.reason, "TimedOut");
        assert!(gap.message.contains("did not answer within 0.2 s"), "{gap:?}");
        given.request_timeout = Some(Duration::from_millis(100));
        let gap = connect(&given, None, &nowhere(), budget()).await.unwrap().objects("apps").await.unwrap_err();
        assert!(gap.reason == "TimedOut" && gap.message.contains("0.1 s"), "{gap:?}");
        let over = Budget::new(Duration::ZERO, Duration::from_secs(5));
        let gap = connect(&given, None, &nowhere(), over).await.unwrap().objects("apps").await.unwrap_err();
        assert!(gap.reason == "TimedOut" && gap.message.contains("time was up"), "{gap:?}");
    });
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_body_without_end_is_cut_off() {
    let server = Server::start(|ask| if ask.target.contains("source") { Reply::Endless } else { empty() });
    let objects = run(async {
        let mut cluster = cluster_at(&server.url).await;
        assert_eq!(cluster.max_list, 256 << 20);
        cluster.max_list = 8 << 20;
        cluster.objects("apps").await.unwrap()
    });
    let gap = objects.sources.unwrap_err();
    assert_eq!(gap.reason, "TooLarge");
    assert!(gap.message.contains("more than 8 MiB"), "{gap:?}");
    assert!(objects.kustomizations.unwrap().is_empty());
}

/// The limit is one for all pages, not one for each.
#[test]
fn a_list_of_endless_pages_is_cut_off() {
    let server = Server::start(|ask| {
        let next = format!("{}x", ask.target.rsplit_once("continue=").map_or("", |(_, token)| token));
        let padding = " ".repeat(1 << 20);
        let body = format!("{{\"kind\":\"XList\",\"metadata\":{{\"continue\":\"{next}\"}},{padding}\"items\":[]}}");
        Reply::Text(200, "application/json", body)
    });
    let gap = run(async {
        let mut cluster = cluster_at(&server.url).await;
        cluster.max_list = 3 << 20;
        cluster.objects("apps").await.unwrap().sources.unwrap_err()
    });
    assert_eq!(gap.reason, "TooLarge", "{gap:?}");
}

#[test]
fn a_password_is_not_repeated_in_any_form() {
    let server = Server::start(|ask| {
        let sent = ask.headers.lines().find(|line| line.to_lowercase().starts_with("authorization")).unwrap().to_owned();
        status(400, "X", &format!("{CANARY} {sent}"))
    });
    let folder = Folder::new();
    let file = folder.write("config", kubeconfig(&server.url, &format!("{{username: me, password: {CANARY}}}")));
    let gap = run(async { connect(&flags(file), None, &nowhere(), budget()).await.unwrap().objects("apps").await }).unwrap_err();
    assert!(gap.message.to_lowercase().ends_with("[redacted] authorization: basic [redacted]"), "{gap:?}");
}

#[test]
fn nobody_listens_or_the_name_is_unknown() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let gap = run(async { cluster_at(&format!("http://127.0.0.1:{port}")).await.objects("apps").await }).unwrap_err();
    assert_eq!(gap.reason, "ConnectionRefused");
    assert!(gap.message.starts_with(&format!("http://127.0.0.1:{port} refused the connection")), "{gap:?}");
    let gap = run(async { cluster_at("https://no-such-host.invalid").await.objects("apps").await }).unwrap_err();
    assert_eq!(gap.reason, "DNS", "{gap:?}");
    assert!(gap.message.contains("https://no-such-host.invalid"), "{gap:?}");
}

#[test]
fn a_proxy_that_refuses_is_named_and_its_password_is_not() {
    let proxy =
        Server::start(|_| Reply::Bytes(b"HTTP/1.1 407 Proxy Authentication Required\r\nconnection: close\r\n\r\n".to_vec()));
    let folder = Folder::new();
    let through = proxy.url.replace("http://", &format!("http://me:{CANARY}@"));
    let text = kubeconfig("https://example.org:6443", "{}").replace("server: ", &format!("proxy-url: '{through}', server: "));
    let file = folder.write("config", text);
    let gap = run(async { connect(&flags(file), None, &nowhere(), budget()).await.unwrap().objects("apps").await }).unwrap_err();
    assert_eq!(gap.reason, "Proxy", "{gap:?}");
    assert!(gap.message.contains("https://example.org:6443") && !gap.message.contains(CANARY), "{gap:?}");
    let ask = proxy.asked().pop().unwrap();
    assert_eq!((ask.method.as_str(), ask.target.as_str()), ("CONNECT", "example.org:6443"));
    assert!(ask.headers.to_lowercase().contains("proxy-authorization: basic "), "{}", ask.headers);
}

#[test]
fn a_fault_of_one_kind_leaves_the_other() {
    let objects = ask(|target| if target.contains("source") { status(500, "X", "etcd") } else { empty() }).unwrap();
    assert_eq!(objects.sources.unwrap_err().reason, "ServerError");
    assert!(objects.kustomizations.is_ok());
}

#[test]
fn a_single_object_may_be_forbidden_too() {
    let server = Server::start(|ask| {
        if ask.target.contains("source") {
            status(403, "Forbidden", "no")
        } else {
            Reply::Json(200, json!({"metadata": {"name": "a"}}))
        }
    });
    let objects: Objects = run(async { cluster_at(&server.url).await.workload("apps", &["a".to_owned()]).await }).unwrap();
    assert_eq!(objects.sources.unwrap_err().reason, "Forbidden");
    assert_eq!(objects.kustomizations.unwrap()[0].metadata.name, "a");
}
