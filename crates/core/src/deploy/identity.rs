//! What makes two documents the same object, and whether an object lies in a namespace.

use std::fmt;

/// Group, kind, namespace and name: versions of one object are one object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// The API group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The namespace; empty when none is written.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl fmt::Display for Identity {
    /// `Kind/namespace/name`, as Flux's own messages have it; kinds that Kubernetes does not bring say their group.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if !self.group.is_empty() && !is_built_in(&self.group) {
            write!(f, ".{}", self.group)?;
        }
        if !self.namespace.is_empty() {
            write!(f, "/{}", self.namespace)?;
        }
        write!(f, "/{}", self.name)
    }
}

/// Where objects of a kind lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// In a namespace.
    Namespaced,
    /// In the cluster.
    Cluster,
    /// Only the cluster knows: a custom resource.
    Unknown,
}

/// Groups that Kubernetes itself serves, with those of their kinds that lie in the cluster.
const BUILT_IN: &[(&str, &[&str])] = &[
    ("", &["ComponentStatus", "Namespace", "Node", "PersistentVolume"]),
    (
        "admissionregistration.k8s.io",
        &[
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
    ),
    ("apiextensions.k8s.io", &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io", &["APIService"]),
    ("apps", &[]),
    ("autoscaling", &[]),
    ("batch", &[]),
    ("certificates.k8s.io", &["CertificateSigningRequest", "ClusterTrustBundle"]),
    ("coordination.k8s.io", &[]),
    ("discovery.k8s.io", &[]),
    ("events.k8s.io", &[]),
    ("flowcontrol.apiserver.k8s.io", &["FlowSchema", "PriorityLevelConfiguration"]),
    ("networking.k8s.io", &["IPAddress", "IngressClass", "ServiceCIDR"]),
    ("node.k8s.io", &["RuntimeClass"]),
    ("policy", &[]),
    ("rbac.authorization.k8s.io", &["ClusterRole", "ClusterRoleBinding"]),
    ("resource.k8s.io", &["DeviceClass", "DeviceTaintRule", "ResourceSlice"]),
    ("scheduling.k8s.io", &["PriorityClass"]),
    ("storage.k8s.io", &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"]),
];

fn is_built_in(group: &str) -> bool {
    BUILT_IN.iter().any(|(name, _)| *name == group)
}

/// Where objects of a kind lie, as far as it can be known without a cluster.
pub fn scope(group: &str, kind: &str) -> Scope {
    match BUILT_IN.iter().find(|(name, _)| *name == group) {
        Some((_, cluster)) if cluster.contains(&kind) => Scope::Cluster,
        Some(_) => Scope::Namespaced,
        None => Scope::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::{Identity, Scope, scope};

    fn shown(group: &str, namespace: &str) -> String {
        let (group, namespace) = (group.to_owned(), namespace.to_owned());
        Identity { group, kind: "Service".to_owned(), namespace, name: "web".to_owned() }.to_string()
    }

    #[test]
    fn shown_as_flux_shows_it() {
        assert_eq!(shown("", "shop"), "Service/shop/web");
        assert_eq!(shown("apps", ""), "Service/web");
        assert_eq!(shown("serving.knative.dev", "shop"), "Service.serving.knative.dev/shop/web");
    }

    #[test]
    fn scopes() {
        assert_eq!(scope("", "ConfigMap"), Scope::Namespaced);
        assert_eq!(scope("", "Namespace"), Scope::Cluster);
        assert_eq!(scope("rbac.authorization.k8s.io", "Role"), Scope::Namespaced);
        assert_eq!(scope("monitoring.coreos.com", "ServiceMonitor"), Scope::Unknown);
    }
}
