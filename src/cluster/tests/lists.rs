//! Lists and single objects that come as they should, in whichever version.

use super::server::{Ask, Reply, Server};
use super::{CANARY, cluster_at, run};
use serde_json::{Value, json};

fn item(name: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "apps", "generation": 1}, "spec": {"suspend": true}})
}

fn list(kind: &str, names: &[&str], next: &str) -> Reply {
    let items: Vec<Value> = names.iter().map(|name| item(name)).collect();
    Reply::Json(200, json!({"kind": format!("{kind}List"), "apiVersion": "x/v1", "metadata": {"continue": next}, "items": items}))
}

fn not_found(details: &Value) -> Reply {
    Reply::Json(
        404,
        json!({"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404,
        "message": "x not found", "details": details}),
    )
}

fn nothing_here() -> Reply {
    Reply::Text(404, "text/plain; charset=utf-8", "404 page not found\n".into())
}

fn names<T>(objects: &[runway_core::flux::object::Object<T>]) -> Vec<&str> {
    objects.iter().map(|object| object.metadata.name.as_str()).collect()
}

#[test]
fn two_pages_of_one_kind_and_none_of_the_other() {
    let server = Server::start(|ask| match ask.target.as_str() {
        "/apis/source.toolkit.fluxcd.io/v1/namespaces/apps/ocirepositories?limit=500" => {
            list("OCIRepository", &["a", "b"], "to/ken==")
        }
        "/apis/source.toolkit.fluxcd.io/v1/namespaces/apps/ocirepositories?limit=500&continue=to%2Fken%3D%3D" => {
            list("OCIRepository", &["c"], "")
        }
        "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/apps/kustomizations?limit=500" => {
            Reply::Json(200, json!({"kind": "KustomizationList", "items": null}))
        }
        other => panic!("{other}"),
    });
    let objects = run(async { cluster_at(&server.url).await.objects("apps").await }).unwrap();
    let sources = objects.sources.unwrap();
    assert_eq!(names(&sources), ["a", "b", "c"]);
    assert_eq!((sources[0].api_version.as_str(), sources[0].kind.as_str()), ("source.toolkit.fluxcd.io/v1", "OCIRepository"));
    assert!(sources[2].suspended());
    assert!(objects.kustomizations.unwrap().is_empty());
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    for Ask { method, headers, .. } in asked {
        let headers = headers.to_lowercase();
        assert_eq!(method, "GET");
        assert!(headers.contains(&format!("authorization: bearer {CANARY}")), "{headers}");
        assert!(headers.contains("user-agent: kubectl-runway/") && headers.contains("accept-encoding: gzip"), "{headers}");
    }
}

#[test]
fn every_namespace_is_asked_when_none_is_named() {
    let server = Server::start(|_| list("X", &[], ""));
    run(async { cluster_at(&server.url).await.objects("").await }).unwrap();
    assert!(server.targets().contains(&"/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations?limit=500".to_owned()));
}

#[test]
fn a_namespace_cannot_lead_elsewhere() {
    let server = Server::start(|_| list("X", &[], ""));
    run(async { cluster_at(&server.url).await.objects("../a?b#c%").await }).unwrap();
    assert!(server.targets().iter().all(|target| target.contains("/namespaces/..%2Fa%3Fb%23c%25/")), "{:?}", server.targets());
}

#[test]
fn a_forgotten_page_starts_the_list_again_in_one_piece() {
    let server = Server::start(|ask| {
        if ask.target.contains("continue=") {
            return Reply::Json(410, json!({"kind": "Status", "reason": "Expired", "code": 410, "message": "too old"}));
        }
        if ask.target.contains("limit=") { list("X", &["a"], "more") } else { list("X", &["a", "b"], "") }
    });
    let objects = run(async { cluster_at(&server.url).await.objects("apps").await }).unwrap();
    assert_eq!(names(&objects.sources.unwrap()), ["a", "b"]);
    assert_eq!(names(&objects.kustomizations.unwrap()), ["a", "b"]);
    assert_eq!(server.asked().len(), 6);
}

#[test]
fn a_token_that_leads_to_itself_ends() {
    let server = Server::start(|_| list("X", &["a"], "same"));
    let gap = run(async { cluster_at(&server.url).await.objects("apps").await }).unwrap_err();
    assert!(gap.reason == "Garbage" && gap.message.contains("never ends"), "{gap:?}");
}

/// Flux 2.0 to 2.5: the source group has v1, but not for this kind.
#[test]
fn the_version_that_is_served_is_found_once() {
    let server = Server::start(|ask| match ask.target.as_str() {
        "/apis/source.toolkit.fluxcd.io" => Reply::Json(
            200,
            json!({"kind": "APIGroup", "versions": [{"version": "v1"}, {"version": "v1beta2"}, {"version": "v1beta1"}]}),
        ),
        target if target.contains("/v1/namespaces/apps/ocirepositories") => nothing_here(),
        target if target.contains("/v1beta2/namespaces/apps/ocirepositories") => list("OCIRepository", &["a"], ""),
        _ => list("Kustomization", &["a"], ""),
    });
    run(async {
        let cluster = cluster_at(&server.url).await;
        let sources = cluster.objects("apps").await.unwrap().sources.unwrap();
        assert_eq!(sources[0].api_version, "source.toolkit.fluxcd.io/v1beta2");
        let before = server.asked().len();
        cluster.objects("apps").await.unwrap();
        assert_eq!(server.asked().len() - before, 2, "{:?}", server.targets());
    });
}

#[test]
fn a_kind_that_no_version_serves_is_not_installed() {
    let server = Server::start(|ask| match ask.target.as_str() {
        "/apis/source.toolkit.fluxcd.io" => Reply::Json(200, json!({"kind": "APIGroup", "versions": [{"version": "v1beta1"}]})),
        target if target.contains("source.toolkit") => nothing_here(),
        target if target.starts_with("/apis/kustomize.toolkit.fluxcd.io/v1/") => nothing_here(),
        _ => not_found(&json!({})),
    });
    let objects = run(async { cluster_at(&server.url).await.objects("apps").await }).unwrap();
    let source = objects.sources.unwrap_err();
    assert_eq!(source.reason, "NotInstalled");
    assert!(source.message.starts_with("Flux's OCIRepository API is not installed on this cluster"), "{source:?}");
    assert!(source.message.contains("v1beta1"), "{source:?}");
    assert_eq!(objects.kustomizations.unwrap_err().reason, "NotInstalled");
}

#[test]
fn single_objects_in_the_order_of_their_names_without_the_absent() {
    let server = Server::start(|ask| {
        let (folder, name) = ask.target.rsplit_once('/').unwrap();
        match (folder.contains("/v1/"), name) {
            (_, "source.toolkit.fluxcd.io") => Reply::Json(200, json!({"versions": [{"version": "v1beta2"}]})),
            (true, _) if folder.contains("ocirepositories") => nothing_here(),
            (_, "gone") => not_found(&json!({"name": "gone", "kind": "kustomizations"})),
            _ => Reply::Json(200, item(name)),
        }
    });
    let wanted: Vec<String> = (0..40).map(|number| format!("n{number}")).chain(["gone".to_owned()]).collect();
    let objects = run(async { cluster_at(&server.url).await.workload("apps", &wanted).await }).unwrap();
    let sources = objects.sources.unwrap();
    assert_eq!(names(&sources), wanted[..40]);
    assert_eq!(sources[0].api_version, "source.toolkit.fluxcd.io/v1beta2");
    assert_eq!(names(&objects.kustomizations.unwrap()), wanted[..40]);
}

#[test]
fn a_compressed_list_is_read() {
    let body = json!({"kind": "XList", "items": [item("a")]}).to_string();
    let packed = gzip(body.as_bytes());
    let server = Server::start(move |_| {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            packed.len()
        );
        Reply::Bytes([head.as_bytes(), &packed].concat())
    });
    let objects = run(async { cluster_at(&server.url).await.objects("apps").await }).unwrap();
    assert_eq!(names(&objects.sources.unwrap()), ["a"]);
}

/// gzip with one stored block, so that the test needs no compressor.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend(bytes);
    out.extend((!crc).to_le_bytes());
    out.extend(u32::from(length).to_le_bytes());
    out
}
