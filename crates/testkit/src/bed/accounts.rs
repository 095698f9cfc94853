//! Service accounts of a test, with tokens that end when the test wants.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::kube::Kube;
use super::namespace::Ns;
use crate::fake::jwt::Signer;

impl Ns {
    /// Makes a service account that may read Flux's objects everywhere, and nothing else.
    #[track_caller]
    pub fn reader(&self, name: &str) {
        let namespace = self.name();
        self.apply(
            &json!({"apiVersion": "v1", "kind": "List", "items": [
                {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}},
                {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": format!("{namespace}-{name}")},
                    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "bed-viewer"},
                    "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}]},
            ]})
            .to_string(),
        );
    }

    /// A token of a service account, as the API server itself would sign it: good from an hour ago until so long from now, or
    /// until so long before now.
    ///
    /// # Panics
    ///
    /// Panics when there is no such account.
    #[track_caller]
    pub fn token_of(&self, account: &str, left: Result<Duration, Duration>) -> String {
        let kube: &Kube = self.kube();
        let object = self.get_json("serviceaccount", account).expect("a service account");
        let uid = object.pointer("/metadata/uid").and_then(Value::as_str).expect("an id");
        let now = SystemTime::now();
        let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let end = match left {
            Ok(left) => now + left,
            Err(over) => now - over,
        };
        Signer::read(&kube.bed().ground.pki("service-accounts.key")).sign(&json!({
            "iss": "https://localhost", "aud": ["https://localhost"],
            "iat": seconds(now - Duration::from_secs(3600)), "nbf": seconds(now - Duration::from_secs(3600)), "exp": seconds(end),
            "sub": format!("system:serviceaccount:{}:{account}", self.name()),
            "kubernetes.io": {"namespace": self.name(), "serviceaccount": {"name": account, "uid": uid}},
        }))
    }
}
