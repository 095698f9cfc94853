//! A workload and the settings to its two Flux objects.
//!
//! Uses: workloads, settings, flux.
//! Never: default values of the API, above all no `suspend: false`: the parent applies with force, so a written default
//! would undo what an on-call engineer set on the cluster.
//!
//! Without overrides the two documents are those that Runway publishes, key order included.

use crate::flux::{KUSTOMIZATION, KUSTOMIZE_GROUP, OCI_REPOSITORY, SOURCE_GROUP};
use crate::settings::Settings;
use crate::workloads::keys::{KUSTOMIZATION_KEYS, SOURCE_KEYS};
use crate::workloads::{Overrides, Workload, Workloads};
use serde_json::{Map, Value, json};

/// The two objects of a workload.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The OCIRepository.
    pub source: Value,
    /// The Kustomization.
    pub kustomization: Value,
}

/// The objects of all workloads of an environment, in the file's order.
pub fn build(workloads: &Workloads, settings: &Settings, environment: &str) -> Vec<Pair> {
    each(workloads, settings, environment).collect()
}

/// The same, one after the other: whoever keeps little of each needs the memory of one.
pub fn each(workloads: &Workloads, settings: &Settings, environment: &str) -> impl Iterator<Item = Pair> {
    some(workloads, settings, environment, |_| true)
}

/// The same of the workloads whose ids are wanted.
pub fn some(
    workloads: &Workloads,
    settings: &Settings,
    environment: &str,
    is_wanted: impl Fn(&str) -> bool,
) -> impl Iterator<Item = Pair> {
    let of = workloads.items.iter().filter(move |workload| workload.is_in(environment) && is_wanted(&workload.id));
    of.map(move |workload| pair(workload, &workloads.defaults, settings, environment))
}

/// How a source reaches the registry: the names of two Secrets, and whether plain http will do.
pub(crate) fn registry_access(
    spec: &mut Map<String, Value>,
    settings: &Settings,
    login: Option<&str>,
    certificates: Option<&str>,
) {
    for (field, secret) in [("secretRef", login), ("certSecretRef", certificates)] {
        if let Some(secret) = secret {
            spec.insert(field.to_owned(), json!({ "name": secret }));
        }
    }
    if settings.source_insecure() {
        spec.insert("insecure".to_owned(), true.into());
    }
}

/// The two objects of one workload in an environment.
pub fn pair(workload: &Workload, defaults: &Overrides, settings: &Settings, environment: &str) -> Pair {
    let layers: Vec<&Overrides> =
        [Some(defaults), workload.flux.as_deref(), workload.overrides_in(environment)].into_iter().flatten().collect();
    let (id, namespace) = (workload.id.as_str(), settings.namespace());

    let mut spec = Map::new();
    spec.insert("interval".to_owned(), settings.source_interval().into());
    spec.insert("url".to_owned(), settings.deploy_url(id).into());
    spec.insert("ref".to_owned(), json!({ "tag": environment }));
    registry_access(&mut spec, settings, settings.source_secret(), settings.source_certificates());
    overlay(&mut spec, &layers.iter().map(|layer| &layer.source).collect::<Vec<_>>(), SOURCE_KEYS);
    let api = format!("{SOURCE_GROUP}/{}", settings.source_api_version());
    let source = object(&api, OCI_REPOSITORY, id, namespace, spec.into());

    let mut spec = Map::new();
    spec.insert("interval".to_owned(), settings.kustomization_interval().into());
    spec.insert("sourceRef".to_owned(), json!({ "kind": OCI_REPOSITORY, "name": id, "namespace": namespace }));
    spec.insert("prune".to_owned(), true.into());
    overlay(&mut spec, &layers.iter().map(|layer| &layer.kustomization).collect::<Vec<_>>(), KUSTOMIZATION_KEYS);
    let kustomization = object(&format!("{KUSTOMIZE_GROUP}/v1"), KUSTOMIZATION, id, namespace, spec.into());
    Pair { source, kustomization }
}

/// Lays overrides over a spec: known fields stay in their place, new ones follow in the order of `keys`, so that the
/// order in which somebody wrote them changes no byte. `null` takes a field away.
fn overlay(spec: &mut Map<String, Value>, layers: &[&Map<String, Value>], keys: &[&str]) {
    for key in keys {
        for value in layers.iter().filter_map(|layer| layer.get(*key)) {
            if value.is_null() {
                spec.shift_remove(*key);
            } else {
                spec.insert((*key).to_owned(), value.clone());
            }
        }
    }
}

/// An object of Flux's, in the order of keys in which Runway writes them.
pub(crate) fn object(api_version: &str, kind: &str, name: &str, namespace: &str, spec: Value) -> Value {
    let mut object = json!({
        "apiVersion": api_version,
        "kind": kind,
        "metadata": { "name": name, "namespace": namespace },
    });
    // Moved in, where json! would copy it.
    if let Some(object) = object.as_object_mut() {
        object.insert("spec".to_owned(), spec);
    }
    object
}

#[cfg(test)]
mod tests {
    use super::build;
    use crate::settings::{Layer, resolve};
    use crate::workloads::parse;
    use crate::yaml::emit;

    /// Runway's published pair, byte for byte: docs.runway.gitlab.com, "Kubernetes deployment overview".
    const PUBLISHED: &str = "\
apiVersion: source.toolkit.fluxcd.io/v1beta2
kind: OCIRepository
metadata:
  name: example-service-gke
  namespace: runway-provisioner
spec:
  interval: 5m0s
  url: oci://registry.gitlab.com/gitlab-com/gl-infra/platform/runway/deployments/example-service-gke/deploy
  ref:
    tag: production
  secretRef:
    name: registry-reader
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: example-service-gke
  namespace: runway-provisioner
spec:
  interval: 5m0s
  sourceRef:
    kind: OCIRepository
    name: example-service-gke
    namespace: runway-provisioner
  prune: true
";

    fn emitted(workloads: &str, settings: &str, environment: &str) -> String {
        let (workloads, findings) = parse("w", workloads);
        assert!(findings.is_empty(), "{findings:?}");
        let (layer, findings) = Layer::from_file("s", settings);
        assert!(findings.is_empty(), "{findings:?}");
        let pairs = build(&workloads, &resolve([layer]), environment);
        emit::documents(pairs.iter().flat_map(|pair| [&pair.source, &pair.kustomization])).unwrap()
    }

    #[test]
    fn equals_what_runway_publishes() {
        let gke = "- runway_service_id: example-service-gke\n";
        assert_eq!(emitted(gke, "source: {apiVersion: v1beta2}", "production"), PUBLISHED);
        assert_eq!(emitted(gke, "", "production"), PUBLISHED.replace("/v1beta2", "/v1"));
        let eks = emitted("- runway_service_id: example-service-eks\n", "source: {apiVersion: v1beta2}", "staging");
        assert_eq!(eks, PUBLISHED.replace("-gke", "-eks").replace("tag: production", "tag: staging"));
    }

    #[test]
    fn certificates_stand_beside_the_login_and_a_workload_may_have_others() {
        let settings = "source: {certSecretRef: registry-ca, insecure: true}";
        let own = "- runway_service_id: a\n- runway_service_id: b\n  flux: {source: {certSecretRef: {name: other}}}\n- runway_service_id: c\n  flux: {source: {certSecretRef: null}}\n";
        let text = emitted(own, settings, "production");
        let after_login = |name: &str| {
            format!("  secretRef:\n    name: registry-reader\n  certSecretRef:\n    name: {name}\n  insecure: true\n")
        };
        assert!(text.contains(&after_login("registry-ca")) && text.contains(&after_login("other")), "{text}");
        assert_eq!(text.matches("certSecretRef").count(), 2, "{text}");
    }

    #[test]
    fn overrides_are_laid_over_in_a_fixed_order() {
        let a = emitted(
            "defaults: {flux: {timeout: 9m}}\nworkloads:\n- runway_service_id: a\n  flux: {wait: true, timeout: 3m, source: {insecure: true, secretRef: null}}\n  environments: {production: {flux: {interval: 1m}}}\n",
            "",
            "production",
        );
        let b = emitted(
            "workloads:\n- runway_service_id: a\n  flux: {source: {secretRef: null, insecure: true}, interval: 1m, timeout: 3m, wait: true}\n",
            "",
            "production",
        );
        assert_eq!(a, b);
        assert!(
            a.contains("spec:\n  interval: 1m\n  sourceRef:") && a.ends_with("prune: true\n  timeout: 3m\n  wait: true\n"),
            "{a}"
        );
        assert!(!a.contains("secretRef") && !a.contains("suspend"));
    }

    #[test]
    fn other_environments_are_left_out() {
        let list = "- runway_service_id: a\n  environments: [staging]\n- runway_service_id: b\n";
        assert!(!emitted(list, "", "production").contains("name: a\n"));
        assert!(emitted(list, "", "staging").contains("name: a\n"));
    }
}
