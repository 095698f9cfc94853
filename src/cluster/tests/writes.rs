//! Raw reads, server-side apply and patches.

use super::server::{Reply, Server};
use super::{all_text, cluster_at, run};
use crate::cluster::Address;
use serde_json::{Value, json};

fn script(target: &str, body: &str) -> Reply {
    match target.split('?').next().unwrap() {
        "/api/v1" => Reply::Json(
            200,
            json!({"resources": [{"name": "configmaps/x", "kind": "ConfigMap", "namespaced": true},
            {"name": "configmaps", "kind": "ConfigMap", "namespaced": true}, {"name": "namespaces", "kind": "Namespace"}]}),
        ),
        "/api/v1/namespaces/apps/configmaps/a" | "/api/v1/namespaces/a%2Fb" => {
            Reply::Json(200, serde_json::from_str(body).unwrap_or(Value::Null))
        }
        "/api/v1/namespaces/apps/configmaps/taken" => Reply::Json(
            409,
            json!({"kind": "Status", "code": 409, "reason": "Conflict", "message": "Apply failed with 1 conflict",
                "details": {"causes": [{"message": "conflict with \"kustomize-controller\"", "field": ".data.x"}]}}),
        ),
        "/version" => Reply::Json(200, json!({"gitVersion": "v1.37.2"})),
        "/broken" => Reply::Bytes(Vec::new()),
        _ => Reply::Text(404, "text/plain", "404 page not found".into()),
    }
}

fn map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "apps"}, "data": {"x": "1"}})
}

#[test]
fn raw_paths() {
    let server = Server::start(|ask| script(&ask.target, &ask.body));
    run(async {
        let cluster = cluster_at(&server.url).await;
        assert_eq!(cluster.get_raw("/version").await.unwrap().unwrap()["gitVersion"], "v1.37.2");
        assert_eq!(cluster.get_raw("/nothing").await.unwrap(), None);
        let problem = cluster.get_raw("/broken").await.unwrap_err();
        assert!(all_text(&problem).contains("cannot read /broken of one"), "{problem:?}");
        assert!(cluster.get_raw("no path").await.is_err());
    });
}

#[test]
fn applies_as_runway() {
    let server = Server::start(|ask| script(&ask.target, &ask.body));
    run(async {
        let cluster = cluster_at(&server.url).await;
        assert_eq!(cluster.apply(&map("a"), true, false).await.unwrap(), map("a"));
        let ask = server.asked().pop().unwrap();
        assert_eq!(ask.method, "PATCH");
        assert_eq!(
            ask.target,
            "/api/v1/namespaces/apps/configmaps/a?fieldManager=runway&fieldValidation=Strict&force=false&dryRun=All"
        );
        assert!(ask.headers.to_lowercase().contains("content-type: application/apply-patch+yaml"));
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a/b"}});
        assert_eq!(cluster.apply(&namespace, false, true).await.unwrap(), namespace);
        assert!(server.asked().pop().unwrap().target.ends_with("force=true"));
        let problem = cluster.apply(&map("taken"), false, false).await.unwrap_err();
        let text = all_text(&problem);
        assert!(text.contains(".data.x: conflict with") && text.contains("only force"), "{text}");
        let text = all_text(
            &cluster
                .apply(&json!({"apiVersion": "v1", "kind": "Unknown", "metadata": {"name": "a"}}), false, false)
                .await
                .unwrap_err(),
        );
        assert!(text.contains("does not serve v1 Unknown"), "{text}");
        assert!(cluster.apply(&json!({}), false, false).await.is_err());
    });
}

#[test]
fn patches_as_runway() {
    let server = Server::start(|ask| script(&ask.target, &ask.body));
    run(async {
        let cluster = cluster_at(&server.url).await;
        let address = Address::of(&map("a")).unwrap();
        let patch = json!({"data": {"x": null}});
        assert_eq!(cluster.merge_patch(&address, &patch, false).await.unwrap(), patch);
        let ask = server.asked().pop().unwrap();
        assert!(ask.target.ends_with("/a?fieldManager=runway&fieldValidation=Strict"), "{}", ask.target);
        assert!(ask.headers.to_lowercase().contains("content-type: application/merge-patch+json"));
        assert!(cluster.get_object(&address).await.unwrap().is_some());
        let absent = Address { name: "absent".into(), ..address };
        assert_eq!(cluster.get_object(&absent).await.unwrap(), None);
    });
}
