//! The JSON Schema of workloads.yml, generated from the key tables and the newest CRDs, so that editors complete and check
//! what the parser accepts. `cargo xtask schemas` writes it; the test below compares.

use super::keys::{ENTRY, FILE, ID, KUSTOMIZATION_KEYS, Key, OLD_ID, SOURCE_KEYS, Shape, WITH_FLUX};
use crate::flux::crds::Release;
use crate::flux::names::MAX_LABEL;
use crate::flux::{KUSTOMIZATION, OCI_REPOSITORY};
use serde_json::{Map, Value, json};

/// The file's text.
pub fn text() -> String {
    let mut text = serde_json::to_string_pretty(&document()).unwrap_or_default();
    text.push('\n');
    text
}

/// The schema: draft 7, which editors know best.
fn document() -> Value {
    let list = json!({ "$ref": "#/definitions/workloads" });
    let mut file = closed(FILE);
    insert(&mut file, "oneOf", json!([{ "required": ["workloads"] }, { "required": ["inventory"] }]));
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "workloads.yml",
        "description": "The workloads of one Runway runtime, read by kubectl-runway",
        // Not `oneOf`: of that, validators say only that neither fits.
        "if": { "type": "array" },
        "then": list,
        "else": { "$ref": "#/definitions/file" },
        "definitions": {
            "file": file,
            "workloads": { "type": "array", "minItems": 1, "items": { "$ref": "#/definitions/workload" } },
            "workload": entry(),
            "id": { "type": "string", "minLength": 1, "maxLength": MAX_LABEL, "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$" },
            "names": { "type": "array", "items": { "type": "string" }, "uniqueItems": true },
            "environments": environments(),
            "withFlux": closed(WITH_FLUX),
            "flux": flux(),
            "source": overrides(OCI_REPOSITORY, SOURCE_KEYS),
        },
    })
}

fn entry() -> Value {
    let mut entry = closed(ENTRY);
    insert(&mut entry, "oneOf", json!([{ "required": [ID] }, { "required": [OLD_ID] }]));
    entry
}

fn environments() -> Value {
    json!({
        "oneOf": [
            { "$ref": "#/definitions/names" },
            { "type": "object", "additionalProperties": { "oneOf": [{ "$ref": "#/definitions/withFlux" }, { "type": "null" }] } },
        ],
    })
}

fn flux() -> Value {
    let mut flux = overrides(KUSTOMIZATION, KUSTOMIZATION_KEYS);
    let source = json!({ "description": "Fields of the OCIRepository", "$ref": "#/definitions/source" });
    if let Some(properties) = flux.get_mut("properties") {
        insert(properties, "source", source);
    }
    flux
}

/// A mapping with the keys of a table and no others.
fn closed(keys: &[Key]) -> Value {
    let properties: Map<String, Value> = keys.iter().map(|key| (key.name.to_owned(), value(key))).collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

fn value(key: &Key) -> Value {
    let reference = |name: &str| json!({ "$ref": format!("#/definitions/{name}") });
    let mut schema = match key.shape {
        Shape::Id => reference("id"),
        Shape::Positive => json!({ "type": "integer", "minimum": 1 }),
        Shape::Names => reference("names"),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Environments => reference("environments"),
        Shape::Flux => reference("flux"),
        Shape::Workloads => reference("workloads"),
        Shape::Defaults => reference("withFlux"),
        Shape::Foreign => json!({}),
    };
    insert(&mut schema, "description", key.doc.into());
    schema
}

/// The fields of a kind's spec that may be laid over; `null` takes one away.
fn overrides(kind: &str, keys: &[&str]) -> Value {
    let crd = Release::newest().schema(kind, "v1");
    let fields = crd.and_then(|crd| crd.pointer("/properties/spec/properties"));
    let properties: Map<String, Value> = keys
        .iter()
        .filter_map(|key| {
            let mut field = fields?.get(*key)?.clone();
            let description = field.get("description").cloned().unwrap_or_default();
            for_editors(&mut field);
            Some(((*key).to_owned(), json!({ "description": description, "anyOf": [field, { "type": "null" }] })))
        })
        .collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// A schema of the API in draft 7's words: what is not listed is refused, as the API server does.
fn for_editors(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    if map.shift_remove("x-kubernetes-int-or-string").is_some() {
        map.insert("type".to_owned(), json!(["integer", "string"]));
        map.shift_remove("anyOf");
    }
    let open = map.shift_remove("x-kubernetes-preserve-unknown-fields").is_some();
    map.shift_remove("x-kubernetes-validations");
    if map.contains_key("properties") && !map.contains_key("additionalProperties") && !open {
        map.insert("additionalProperties".to_owned(), false.into());
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = map.get_mut(key) {
            for_editors(inner);
        }
    }
    if let Some(Value::Object(properties)) = map.get_mut("properties") {
        properties.values_mut().for_each(for_editors);
    }
}

fn insert(schema: &mut Value, key: &str, value: Value) {
    if let Value::Object(map) = schema {
        map.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::{document, text};
    use crate::workloads::keys::{ENTRY, KUSTOMIZATION_KEYS, SOURCE_KEYS};

    #[test]
    fn the_file_in_the_repository_is_what_the_tables_say() {
        assert!(
            include_str!("../../../../schemas/workloads.schema.json") == text(),
            "schemas/workloads.schema.json is not what the tables say: run cargo xtask schemas"
        );
    }

    #[test]
    fn every_key_is_in_it() {
        let document = document();
        let has =
            |definition: &str, key: &str| document.pointer(&format!("/definitions/{definition}/properties/{key}")).is_some();
        for key in ENTRY {
            assert!(has("workload", key.name), "{}", key.name);
        }
        for key in KUSTOMIZATION_KEYS {
            assert!(has("flux", key), "{key}: not in the newest CRD");
        }
        for key in SOURCE_KEYS {
            assert!(has("source", key), "{key}: not in the newest CRD");
        }
        assert!(has("flux", "source"));
    }
}
