//! The parent pair of a runtime and environment: what every cluster needs before it can apply an inventory.
//!
//! Uses: objects, settings, flux, yaml, problem.
//! Never: default values of the API; and no namespace in the `sourceRef`, as Runway publishes it.

use crate::flux::names;
use crate::flux::{KUSTOMIZATION, KUSTOMIZE_GROUP, OCI_REPOSITORY, SOURCE_GROUP};
use crate::objects;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::yaml::emit;
use serde_json::{Map, Value, json};

/// The variable that a cluster's own substitution fills with the runtime.
pub const RUNTIME_VARIABLE: &str = "${cloud_provider}";
/// The variable that a cluster's own substitution fills with the environment.
pub const ENVIRONMENT_VARIABLE: &str = "${environment}";

/// The parent's OCIRepository and Kustomization. Runtime and environment may be the variables above.
pub fn pair(settings: &Settings, runtime: &str, environment: &str) -> [Value; 2] {
    let name = names::parent(runtime);
    let mut spec = Map::new();
    spec.insert("interval".to_owned(), settings.parent_source_interval().into());
    spec.insert("url".to_owned(), settings.inventory_url(runtime).into());
    spec.insert("ref".to_owned(), json!({ "tag": environment }));
    objects::registry_access(&mut spec, settings, settings.parent_secret(), settings.parent_certificates());
    let source = format!("{SOURCE_GROUP}/{}", settings.source_api_version());
    let source = objects::object(&source, OCI_REPOSITORY, &name, settings.namespace(), spec.into());
    let spec = json!({
        "interval": settings.parent_interval(),
        "path": format!("./{environment}"),
        "prune": true,
        "sourceRef": { "kind": OCI_REPOSITORY, "name": name },
    });
    let kustomization = objects::object(&format!("{KUSTOMIZE_GROUP}/v1"), KUSTOMIZATION, &name, settings.namespace(), spec);
    [source, kustomization]
}

/// The pair as text. Tag and path are quoted, as Runway publishes them: a bare `${…}` is a text only by luck.
pub fn text(pair: &[Value; 2], environment: &str) -> Result<String, Problem> {
    let text = emit::documents(pair)?;
    let quote = |line: &str| match line.split_once(": ") {
        Some((key, value))
            if (key == "    tag" && value == environment) || (key == "  path" && value == format!("./{environment}")) =>
        {
            format!("{key}: \"{value}\"\n")
        }
        _ => format!("{line}\n"),
    };
    Ok(text.lines().map(quote).collect())
}

#[cfg(test)]
mod tests {
    use super::{ENVIRONMENT_VARIABLE, RUNTIME_VARIABLE, pair, text};
    use crate::settings::{Layer, resolve};

    /// As Runway publishes it, but for the API version.
    const PUBLISHED: &str = "\
apiVersion: source.toolkit.fluxcd.io/v1beta2
kind: OCIRepository
metadata:
  name: ${cloud_provider}-inventory
  namespace: runway-provisioner
spec:
  interval: 5m0s
  url: oci://registry.gitlab.com/gitlab-com/gl-infra/platform/runway/provisioner/${cloud_provider}-inventory
  ref:
    tag: \"${environment}\"
  secretRef:
    name: inventory-reader
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: ${cloud_provider}-inventory
  namespace: runway-provisioner
spec:
  interval: 10m0s
  path: \"./${environment}\"
  prune: true
  sourceRef:
    kind: OCIRepository
    name: ${cloud_provider}-inventory
";

    #[test]
    fn kept_and_filled() {
        let (layer, _) = Layer::from_file("s", "source: {apiVersion: v1beta2}");
        let settings = resolve([layer]);
        let kept = text(&pair(&settings, RUNTIME_VARIABLE, ENVIRONMENT_VARIABLE), ENVIRONMENT_VARIABLE).unwrap();
        assert_eq!(kept, PUBLISHED);
        let filled = text(&pair(&settings, "eks", "staging"), "staging").unwrap();
        assert_eq!(filled, PUBLISHED.replace("${cloud_provider}", "eks").replace("${environment}", "staging"));
    }

    #[test]
    fn a_registry_with_an_authority_of_its_own() {
        let (layer, _) = Layer::from_file("s", "source: {apiVersion: v1beta2}\nparent: {certSecretRef: registry-ca}\n");
        let text = text(&pair(&resolve([layer]), RUNTIME_VARIABLE, ENVIRONMENT_VARIABLE), ENVIRONMENT_VARIABLE).unwrap();
        let more = "    name: inventory-reader\n  certSecretRef:\n    name: registry-ca\n";
        assert_eq!(text, PUBLISHED.replace("    name: inventory-reader\n", more));
    }
}
