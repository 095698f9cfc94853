//! The table of all scalar and list keys: path, shape, default, meaning. Documentation and variables come from it.

/// What a key's value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Any text.
    Text,
    /// `true` or `false`.
    Bool,
    /// `auto`, `true` or `false`.
    Auto,
    /// A whole number.
    Number,
    /// A duration in Flux's grammar.
    Duration,
    /// A name that is an RFC 1123 label, or nothing.
    Name,
    /// A list of names.
    Names,
    /// A list of hosts, each with its port or without; it may be empty.
    Hosts,
    /// A list of names, each with `{workload}` where the workload's id belongs; it may be empty.
    Patterns,
}

/// A key.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its path in the file, such as `registry.base`.
    pub path: &'static str,
    /// What it may be.
    pub shape: Shape,
    /// Its default; for lists, words with commas between.
    pub default: &'static str,
    /// What it is for, in one line.
    pub doc: &'static str,
}

impl Key {
    /// The environment variable that sets it: `RUNWAY_` and the path in upper snake case.
    pub fn variable(&self) -> String {
        let mut name = String::from("RUNWAY_");
        for c in self.path.chars() {
            match c {
                '.' => name.push('_'),
                c if c.is_ascii_uppercase() => {
                    name.push('_');
                    name.push(c);
                }
                c => name.push(c.to_ascii_uppercase()),
            }
        }
        name
    }

    /// Whether nothing is a value of its own, as its help says: then a variable that is set and empty says that.
    pub fn has_none(&self) -> bool {
        self.doc.ends_with("empty = none")
    }
}

const fn key(path: &'static str, shape: Shape, default: &'static str, doc: &'static str) -> Key {
    Key { path, shape, default, doc }
}

/// Every key, in the order of the documentation. The defaults are what Runway publishes.
pub const KEYS: &[Key] = &[
    key(
        "registry.base",
        Shape::Text,
        "registry.gitlab.com/gitlab-com/gl-infra/platform/runway",
        "host[:port]/path that all artifacts lie below, without a scheme",
    ),
    key("registry.plainHttp", Shape::Auto, "auto", "plain http: auto (on loopback only), true (always), false (never)"),
    key("registry.caFile", Shape::Text, "", "a PEM file with certificate authorities to trust too; default of --ca-file"),
    key("registry.certFile", Shape::Text, "", "a client certificate in PEM form; default of --cert-file"),
    key("registry.keyFile", Shape::Text, "", "the key of registry.certFile; default of --key-file"),
    key(
        "registry.tokenHosts",
        Shape::Hosts,
        "",
        "hosts whose token endpoints get logins too, when a registry of another domain names them; such as gitlab.example.net",
    ),
    key("artifacts.inventory", Shape::Text, "{base}/provisioner/{runtime}-inventory", "where inventories lie"),
    key("artifacts.deploy", Shape::Text, "{base}/deployments/{workload}/deploy", "where deploy artifacts lie"),
    key("namespace", Shape::Name, "runway-provisioner", "namespace of the Flux objects"),
    key("runtime", Shape::Name, "", "default of --runtime"),
    key("environment", Shape::Name, "", "default of --environment"),
    key("source.apiVersion", Shape::Text, "v1", "version of the OCIRepository API that is written: v1 or v1beta2"),
    key("source.interval", Shape::Duration, "5m0s", "how often Flux looks at the registry"),
    key("source.secretRef", Shape::Name, "registry-reader", "pull secret of the workloads' sources; empty = none"),
    key(
        "source.certSecretRef",
        Shape::Name,
        "",
        "Secret with the registry's authority or a client certificate, for the sources; empty = none",
    ),
    key("source.insecure", Shape::Bool, "false", "write insecure: true, for registries on plain http"),
    key("kustomization.interval", Shape::Duration, "5m0s", "how often Flux applies a workload again"),
    key("parent.sourceInterval", Shape::Duration, "5m0s", "interval of the parent's source"),
    key("parent.interval", Shape::Duration, "10m0s", "interval of the parent's kustomization"),
    key("parent.secretRef", Shape::Name, "inventory-reader", "pull secret of the parent's source; empty = none"),
    key("parent.certSecretRef", Shape::Name, "", "the same as source.certSecretRef, for the parent's source; empty = none"),
    key("runtimes", Shape::Names, "gke,eks", "the runtimes that exist"),
    key("environments", Shape::Names, "staging,production", "the environments that exist"),
    key(
        "deploy.namespaces",
        Shape::Patterns,
        "",
        "namespaces that deploy artifacts may write to, such as {workload}; empty = all",
    ),
    key("guard.maxRemovals", Shape::Number, "1", "removals that a push may make without --allow-removals"),
    key("guard.maxRemovalPercent", Shape::Number, "10", "the same, as a percentage of what is published"),
];

#[cfg(test)]
mod tests {
    use super::KEYS;
    use crate::settings::layers;

    #[test]
    fn variables_follow_the_path() {
        let names: Vec<String> = KEYS.iter().map(super::Key::variable).collect();
        assert!(names.contains(&"RUNWAY_REGISTRY_BASE".to_owned()));
        assert!(names.contains(&"RUNWAY_REGISTRY_PLAIN_HTTP".to_owned()));
        assert!(names.contains(&"RUNWAY_GUARD_MAX_REMOVAL_PERCENT".to_owned()));
    }

    #[test]
    fn every_default_fits_its_own_shape() {
        for key in KEYS {
            let value = layers::default_value(key);
            assert_eq!(layers::fault(key, &value), None, "{}", key.path);
        }
    }
}
