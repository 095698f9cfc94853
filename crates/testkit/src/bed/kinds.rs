//! Where the objects of a kind are in the API.

/// The path of a kind's list, or of one object of it.
///
/// The kind is one of the short names below, singular or plural, in any case; or `GROUP/VERSION/PLURAL` for any other.
///
/// # Panics
///
/// Panics on an unknown kind.
pub(crate) fn path(kind: &str, namespace: &str, name: Option<&str>) -> String {
    let (group, plural) = resource(kind);
    let root = if group.contains('/') { format!("/apis/{group}") } else { format!("/api/{group}") };
    let place = if namespace.is_empty() { String::new() } else { format!("/namespaces/{namespace}") };
    let object = name.map(|name| format!("/{name}")).unwrap_or_default();
    format!("{root}{place}/{plural}{object}")
}

fn resource(kind: &str) -> (String, String) {
    if let Some((group, plural)) = kind.rsplit_once('/') {
        return (group.to_owned(), plural.to_owned());
    }
    let lower = kind.to_ascii_lowercase();
    let singular = match lower.as_str() {
        "ocirepositories" => "ocirepository",
        "gitrepositories" => "gitrepository",
        other => other.strip_suffix('s').unwrap_or(other),
    };
    let group = match singular {
        "kustomization" => "kustomize.toolkit.fluxcd.io/v1",
        "ocirepository" | "gitrepository" => "source.toolkit.fluxcd.io/v1",
        "namespace" | "configmap" | "secret" | "serviceaccount" | "service" | "pod" | "event" => "v1",
        "deployment" | "statefulset" | "daemonset" | "replicaset" => "apps/v1",
        "job" | "cronjob" => "batch/v1",
        "crd" => {
            return ("apiextensions.k8s.io/v1".to_owned(), "customresourcedefinitions".to_owned());
        }
        _ => {
            panic!("the test bed does not know the kind {kind:?}: write it as GROUP/VERSION/PLURAL")
        }
    };
    let plural = singular.strip_suffix('y').map_or_else(|| format!("{singular}s"), |stem| format!("{stem}ies"));
    (group.to_owned(), plural)
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn paths() {
        assert_eq!(path("Kustomization", "a", Some("b")), "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/a/kustomizations/b");
        assert_eq!(path("ocirepositories", "", None), "/apis/source.toolkit.fluxcd.io/v1/ocirepositories");
        assert_eq!(path("configmaps", "a", None), "/api/v1/namespaces/a/configmaps");
        assert_eq!(path("namespace", "", Some("x")), "/api/v1/namespaces/x");
        assert_eq!(
            path("rbac.authorization.k8s.io/v1/clusterroles", "", Some("x")),
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/x"
        );
        assert_eq!(path("v1/limitranges", "a", None), "/api/v1/namespaces/a/limitranges");
    }
}
