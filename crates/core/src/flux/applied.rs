//! The ids of `status.inventory`: which objects a Kustomization has applied.

use super::object::AppliedObject;
use std::fmt;

/// An applied object's address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppliedId {
    /// Namespace; empty for kinds that live in none.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// API group; empty for the core group.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Version of the API under which it was applied.
    pub version: String,
}

impl AppliedId {
    /// Reads `<namespace>_<name>_<group>_<kind>`. In names `__` stands for `:`, which only RBAC's kinds may have
    /// (`fluxcd/cli-utils` `pkg/object/objmetadata.go`). Kustomize-controller once wrote entries without a name: those are
    /// no address.
    pub fn parse(entry: &AppliedObject) -> Option<Self> {
        let (namespace, rest) = entry.id.split_once('_')?;
        let (rest, kind) = rest.rsplit_once('_')?;
        let (name, group) = rest.rsplit_once('_')?;
        if name.is_empty() || kind.is_empty() || entry.v.is_empty() {
            return None;
        }
        Some(Self {
            namespace: namespace.to_owned(),
            name: name.replace("__", ":"),
            group: group.to_owned(),
            kind: kind.to_owned(),
            version: entry.v.clone(),
        })
    }

    /// `v1` or `group/version`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `namespace/name`, or the name alone.
    pub fn place(&self) -> String {
        if self.namespace.is_empty() { self.name.clone() } else { format!("{}/{}", self.namespace, self.name) }
    }
}

impl fmt::Display for AppliedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.place())
    }
}

#[cfg(test)]
mod tests {
    use super::{AppliedId, AppliedObject};

    fn parse(id: &str) -> Option<(String, String)> {
        let id = AppliedId::parse(&AppliedObject { id: id.to_owned(), v: "v1".to_owned() })?;
        Some((id.to_string(), id.api_version()))
    }

    #[test]
    fn ids() {
        for (id, shown, version) in [
            ("drill_svc__ConfigMap", "ConfigMap drill/svc", "v1"),
            ("drill_web_apps_Deployment", "Deployment drill/web", "apps/v1"),
            ("_drill__Namespace", "Namespace drill", "v1"),
            (
                "_system__node-proxier_rbac.authorization.k8s.io_ClusterRole",
                "ClusterRole system:node-proxier",
                "rbac.authorization.k8s.io/v1",
            ),
        ] {
            assert_eq!(parse(id), Some((shown.to_owned(), version.to_owned())), "{id}");
        }
        for bad in ["", "a", "a_b", "a_b_c", "__kyverno.io_ClusterPolicy"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
