//! What the conditions of a Flux object say.

use std::fmt::Write as _;

use serde_json::Value;

/// Whether a condition of the object stands like this, and for the newest form of the object.
///
/// The condition's own `observedGeneration` counts where it has one: the status's is, with Flux, that of the last success.
pub(crate) fn is_condition(object: &Value, kind: &str, status: &str, reason: Option<&str>) -> bool {
    let generation = object.pointer("/metadata/generation").and_then(Value::as_i64);
    let of_status = object.pointer("/status/observedGeneration").and_then(Value::as_i64);
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().any(|condition| {
        let text = |key: &str| condition.get(key).and_then(Value::as_str);
        let observed = condition.get("observedGeneration").and_then(Value::as_i64).or(of_status);
        text("type") == Some(kind)
            && text("status") == Some(status)
            && (reason.is_none() || text("reason") == reason)
            && (observed.is_none() || generation.is_none() || observed == generation)
    })
}

/// The object and its conditions, a line each.
pub(crate) fn describe(text: &mut String, kind: &str, object: &Value) {
    let at = |path: &str| object.pointer(path).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let _infallible = writeln!(
        text,
        "{kind} {}/{} generation {} observed {} suspend {}",
        or_dash(at("/metadata/namespace")),
        or_dash(at("/metadata/name")),
        or_dash(at("/metadata/generation")),
        or_dash(at("/status/observedGeneration")),
        or_dash(at("/spec/suspend")),
    );
    for condition in object.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten() {
        let part = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or("-");
        let _infallible = writeln!(text, "  {}={} {}: {}", part("type"), part("status"), part("reason"), part("message"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_condition_of_an_older_form_does_not_count() {
        let object = |observed: i64, of_status: i64| {
            let condition = json!({"type": "Ready", "status": "True", "reason": "Ok", "observedGeneration": observed});
            json!({"metadata": {"generation": 2}, "status": {"observedGeneration": of_status, "conditions": [condition]}})
        };
        assert!(is_condition(&object(2, 2), "Ready", "True", None));
        assert!(is_condition(&object(2, -1), "Ready", "True", None));
        assert!(is_condition(&object(2, 2), "Ready", "True", Some("Ok")));
        assert!(!is_condition(&object(2, 2), "Ready", "True", Some("Other")));
        assert!(!is_condition(&object(2, 2), "Ready", "False", None));
        assert!(!is_condition(&object(1, 2), "Ready", "True", None));
        assert!(!is_condition(&json!({}), "Ready", "True", None));
    }
}
