//! What every cluster of the bed holds from the beginning: Flux's namespace and kinds, and the viewers' role.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::api::Api;
use super::cluster::{Options, START_LIMIT};
use super::state::{ClusterState, Ground};
use super::trouble::{Context as _, Result, Trouble};
use crate::command::{mortal, run};

/// Puts in what every cluster has: Flux's namespace, the kinds, and the viewers' role.
pub(crate) fn install(ground: &Ground, cluster: &ClusterState, api: &Api, options: Options) -> Result<()> {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "flux-system"}});
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "bed-viewer"},
        "rules": [{
            "apiGroups": ["source.toolkit.fluxcd.io", "kustomize.toolkit.fluxcd.io"],
            "resources": ["*"], "verbs": ["get", "list", "watch"],
        }],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "bed-viewers"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "bed-viewer"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "bed:viewers"}],
    });
    for (path, object) in [
        ("/api/v1/namespaces", namespace),
        ("/apis/rbac.authorization.k8s.io/v1/clusterroles", role),
        ("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding),
    ] {
        api.write("POST", path, "application/json", &object)?;
    }
    let mut kubectl = mortal(&ground.bin.join("kubectl"));
    kubectl.env_clear().env("HOME", &cluster.folder).env("KUBECONFIG", cluster.kubeconfig("admin"));
    kubectl.args(["apply", "--server-side", "-f"]).arg(&ground.crds);
    let applied = run(kubectl, b"", START_LIMIT).context(|| "kubectl apply of the kinds".to_owned())?;
    if applied.code != Some(0) {
        return Err(Trouble::new(format!("the kinds cannot be applied:\n{applied}")));
    }
    let mut served =
        vec![("source.toolkit.fluxcd.io", "v1", "ocirepositories"), ("kustomize.toolkit.fluxcd.io", "v1", "kustomizations")];
    if options.source_v1beta2 {
        serve_v1beta2(api)?;
        served.push(("source.toolkit.fluxcd.io", "v1beta2", "ocirepositories"));
    }
    wait_served(api, &served)
}

/// Adds the deprecated version to the kind, with the schema of `v1`, as the definitions of Flux 2.6 and 2.7 have it.
fn serve_v1beta2(api: &Api) -> Result<()> {
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/ocirepositories.source.toolkit.fluxcd.io";
    let kind = api.get(path)?.ok_or_else(|| Trouble::new("no OCIRepository kind"))?;
    let versions = kind.pointer("/spec/versions").and_then(Value::as_array).cloned().unwrap_or_default();
    let current = versions.into_iter().find(|version| version.get("name") == Some(&json!("v1")));
    let current = current.ok_or_else(|| Trouble::new("the OCIRepository kind has no v1"))?;
    let mut older = current.clone();
    if let Some(fields) = older.as_object_mut() {
        fields.insert("name".to_owned(), json!("v1beta2"));
        fields.insert("storage".to_owned(), json!(false));
        fields.insert("deprecated".to_owned(), json!(true));
        fields.insert("deprecationWarning".to_owned(), json!("v1beta2 OCIRepository is deprecated, upgrade to v1"));
    }
    // Not a PUT: the server is writing the kind's status meanwhile.
    let merge = json!({"spec": {"versions": [current, older]}});
    api.write("PATCH", path, "application/merge-patch+json", &merge).map(drop)
}

/// Waits until clients that ask for the server's kinds are told of these (group, version, plural).
fn wait_served(api: &Api, served: &[(&str, &str, &str)]) -> Result<()> {
    let deadline = Instant::now() + START_LIMIT;
    loop {
        let known = api.discover()?;
        let Some(missing) = served.iter().find(|wanted| !tells(&known, wanted)) else {
            return Ok(());
        };
        if Instant::now() >= deadline {
            return Err(Trouble::new(format!("{missing:?} is not served after {START_LIMIT:?}")));
        }
        thread::sleep(Duration::from_millis(50));
    }
}

fn tells(known: &Value, (group, version, plural): &(&str, &str, &str)) -> bool {
    let list = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let groups = list(known, "items").into_iter().filter(|item| item.pointer("/metadata/name") == Some(&json!(group)));
    let mut versions =
        groups.flat_map(|item| list(&item, "versions")).filter(|item| item.get("version") == Some(&json!(version)));
    versions.any(|item| list(&item, "resources").iter().any(|resource| resource.get("resource") == Some(&json!(plural))))
}
