//! Who wrote a field, from `metadata.managedFields`.

use crate::flux::object::Meta;
use serde_json::Value;

/// Managers that own a field, the applier of inventories last: when two own it, the other one is the news.
pub fn of_field<'a>(meta: &'a Meta, parts: &[String]) -> Vec<&'a str> {
    let mut managers: Vec<&str> = meta
        .managed_fields
        .iter()
        .filter(|entry| entry.subresource.is_empty())
        .filter(|entry| {
            entry
                .fields
                .as_ref()
                .and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok())
                .is_some_and(|fields| owns(&fields, parts))
        })
        .map(|entry| entry.manager.as_str())
        .collect();
    managers.sort_by_key(|manager| *manager == "kustomize-controller");
    managers.dedup();
    managers
}

/// Whether a `fieldsV1` tree holds the path, or something below or above it that stands for it.
fn owns(fields: &Value, parts: &[String]) -> bool {
    let mut at = fields;
    for part in parts {
        match at.get(format!("f:{part}")) {
            Some(next) => at = next,
            // An atomic parent is owned as a leaf: it stands for all below it.
            None => return at.as_object().is_some_and(serde_json::Map::is_empty) && !std::ptr::eq(at, fields),
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::of_field;
    use crate::flux::object::Meta;

    #[test]
    fn finds_the_other_manager_first() {
        let meta: Meta = serde_json::from_str(
            r#"{"managedFields":[
            {"manager":"kustomize-controller","operation":"Apply","fieldsV1":{"f:spec":{"f:url":{},"f:interval":{}}}},
            {"manager":"kubectl-edit","operation":"Update","fieldsV1":{"f:spec":{"f:interval":{}}}},
            {"manager":"source-controller","subresource":"status","fieldsV1":{"f:spec":{"f:interval":{}}}}]}"#,
        )
        .unwrap();
        let parts = |path: &str| path.split('.').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(of_field(&meta, &parts("spec.interval")), ["kubectl-edit", "kustomize-controller"]);
        assert_eq!(of_field(&meta, &parts("spec.url")), ["kustomize-controller"]);
        assert!(of_field(&meta, &parts("spec.path")).is_empty());
    }
}
