use super::{PATTERNS, RULES, check, shown};
use crate::flux::crds::{Release, all};
use crate::flux::{KUSTOMIZATION, OCI_REPOSITORY};
use serde_json::{Value, json};

/// Words of the schemas that the walker knows, or may ignore.
const WORDS: &[&str] = &[
    "type",
    "properties",
    "items",
    "required",
    "enum",
    "default",
    "pattern",
    "additionalProperties",
    "minLength",
    "maxLength",
    "description",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
];

fn schemas(schema: &Value, found: &mut Vec<Value>) {
    found.push(schema.clone());
    for inner in ["items", "additionalProperties"].iter().filter_map(|key| schema.get(*key)).filter(|inner| inner.is_object()) {
        schemas(inner, found);
    }
    for inner in schema.get("properties").and_then(Value::as_object).into_iter().flat_map(|map| map.values()) {
        schemas(inner, found);
    }
}

#[test]
fn nothing_in_the_shipped_schemas_is_passed_over() {
    let mut found = Vec::new();
    all().for_each(|(_, _, _, schema)| schemas(schema, &mut found));
    assert!(found.len() > 300);
    for schema in found {
        for word in schema.as_object().unwrap().keys() {
            assert!(WORDS.contains(&word.as_str()), "the walker does not know '{word}'");
        }
        if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
            assert!(PATTERNS.iter().any(|known| known.text == pattern), "pattern {pattern}");
        }
        for rule in schema.get("x-kubernetes-validations").and_then(Value::as_array).into_iter().flatten() {
            assert!(RULES.iter().any(|known| known.text == rule["rule"]), "rule {rule}");
        }
    }
}

fn found(kind: &str, spec: &Value) -> Vec<(String, &'static str)> {
    let object = json!({"apiVersion": "x/v1", "kind": kind, "metadata": {"name": "a", "labels": {"x": "y"}}, "spec": spec});
    let schema = Release::newest().schema(kind, "v1").unwrap();
    check(schema, &object).into_iter().map(|fault| (shown(&fault.path), fault.code)).collect()
}

fn with(kind: &str, field: &str, value: Value) -> Vec<(String, &'static str)> {
    let mut spec = if kind == KUSTOMIZATION {
        json!({"interval": "5m0s", "prune": true, "sourceRef": {"kind": OCI_REPOSITORY, "name": "a"}})
    } else {
        json!({"interval": "5m0s", "url": "oci://h/a"})
    };
    spec[field] = value;
    found(kind, &spec)
}

#[test]
fn what_the_api_accepts_passes() {
    for (kind, field, value) in [
        (KUSTOMIZATION, "interval", json!("1h30m")),
        (KUSTOMIZATION, "patches", json!([{"patch": "- op: remove", "target": {"kind": "Deployment"}}])),
        (KUSTOMIZATION, "postBuild", json!({"substitute": {"a": "b"}, "substituteFrom": [{"kind": "ConfigMap", "name": "x"}]})),
        (KUSTOMIZATION, "healthChecks", json!([{"apiVersion": "v1", "kind": "Pod", "name": "x"}])),
        (KUSTOMIZATION, "kubeConfig", json!({"secretRef": {"name": "x"}})),
        (KUSTOMIZATION, "wait", json!(true)),
        // `provider` is required and has a default.
        (OCI_REPOSITORY, "verify", json!({"secretRef": {"name": "x"}})),
        (OCI_REPOSITORY, "timeout", json!("90s")),
    ] {
        assert_eq!(with(kind, field, value.clone()), [], "{field}: {value}");
    }
}

#[test]
fn what_the_api_refuses_is_found_where_it_stands() {
    for (kind, field, value, path, code) in [
        (KUSTOMIZATION, "interval", json!("5"), "spec.interval", "duration"),
        (KUSTOMIZATION, "interval", json!(5), "spec.interval", "duration"),
        (KUSTOMIZATION, "timeout", json!("1d"), "spec.timeout", "duration"),
        (OCI_REPOSITORY, "timeout", json!("1h"), "spec.timeout", "duration"),
        (OCI_REPOSITORY, "url", json!("https://h/a"), "spec.url", "source-url"),
        (OCI_REPOSITORY, "provider", json!("amazon"), "spec.provider", "object-schema"),
        (KUSTOMIZATION, "wait", json!("yes"), "spec.wait", "object-schema"),
        (KUSTOMIZATION, "path", json!(null), "spec.path", "object-schema"),
        (KUSTOMIZATION, "dependsOn", json!([{"name": "x"}, {"names": "x"}]), "spec.dependsOn[1].names", "unknown-field"),
        (KUSTOMIZATION, "targetNamespace", json!(""), "spec.targetNamespace", "object-schema"),
        (KUSTOMIZATION, "postBuild", json!({"substitute": {"a": 1}}), "spec.postBuild.substitute.a", "object-schema"),
        (KUSTOMIZATION, "waits", json!(true), "spec.waits", "unknown-field"),
        (KUSTOMIZATION, "kubeConfig", json!({}), "spec.kubeConfig", "object-schema"),
        (
            KUSTOMIZATION,
            "kubeConfig",
            json!({"secretRef": {"name": "x"}, "configMapRef": {"name": "x"}}),
            "spec.kubeConfig",
            "object-schema",
        ),
    ] {
        let found = with(kind, field, value.clone());
        assert!(found.contains(&(path.to_owned(), code)), "{field}: {value}: {found:?}");
    }
}

#[test]
fn required_fields_are_missed_in_every_release() {
    for release in Release::ALL {
        for (kind, fields) in [(OCI_REPOSITORY, vec!["interval", "url"]), (KUSTOMIZATION, vec!["interval", "prune", "sourceRef"])]
        {
            let object = json!({"apiVersion": "x/v1", "kind": kind, "metadata": {}, "spec": {}});
            let mut missing: Vec<String> =
                check(release.schema(kind, "v1").unwrap(), &object).iter().map(|fault| shown(&fault.path)).collect();
            missing.sort();
            assert_eq!(missing, fields.iter().map(|field| format!("spec.{field}")).collect::<Vec<_>>(), "{release} {kind}");
        }
    }
}

#[test]
fn both_spellings_of_the_rule_on_kube_config_say_the_same() {
    // 2.6 knows no configMapRef, and has no such rule.
    for release in Release::ALL.into_iter().skip(1) {
        for (value, ok) in [
            (json!({}), false),
            (json!({"secretRef": {"name": "x"}}), true),
            (json!({"configMapRef": {"name": "x"}}), true),
            (json!({"secretRef": {"name": "x"}, "configMapRef": {"name": "x"}}), false),
        ] {
            let object = json!({"spec": {"interval": "1m", "prune": true, "sourceRef": {"kind": "Bucket", "name": "x"}, "kubeConfig": value}});
            assert_eq!(check(release.schema(KUSTOMIZATION, "v1").unwrap(), &object).is_empty(), ok, "{release} {value}");
        }
    }
}
