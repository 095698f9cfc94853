//! Field by field, with the API's own defaults left out.

use crate::flux::{KUSTOMIZATION, OCI_REPOSITORY};
use serde_json::{Map, Value};

/// A field that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Path with dots, such as `spec.ref.tag`.
    pub path: String,
    /// The parts of the path.
    pub parts: Vec<String>,
    /// What is published; `None`: nothing.
    pub published: Option<Value>,
    /// What the cluster has; `None`: nothing.
    pub live: Option<Value>,
}

/// A value that the API server fills in.
enum Filled {
    Text(&'static str),
    No,
}

impl Filled {
    fn is(&self, value: &Value) -> bool {
        match self {
            Self::Text(text) => value.as_str() == Some(text),
            Self::No => value.as_bool() == Some(false),
        }
    }
}

/// Fields that the API server fills in (the `default:`s of both CRDs); a field that only one side has with this value is
/// the same.
const DEFAULTS: &[(&str, &[&str], Filled)] = &[
    (OCI_REPOSITORY, &["spec", "provider"], Filled::Text("generic")),
    (OCI_REPOSITORY, &["spec", "timeout"], Filled::Text("60s")),
    (OCI_REPOSITORY, &["spec", "verify", "provider"], Filled::Text("cosign")),
    (KUSTOMIZATION, &["spec", "force"], Filled::No),
    (KUSTOMIZATION, &["spec", "postBuild", "substituteFrom", "[]", "optional"], Filled::No),
];

/// Where a live object differs from the published one.
///
/// Not compared: `spec.suspend` (an on-call engineer's switch), API versions (the server converts), and labels and
/// annotations that only the live object has (Flux's owner labels, request annotations).
pub fn differences(
    kind: &str,
    published: &Value,
    live_spec: &Value,
    live_labels: &dyn Fn(&str, &str) -> Option<String>,
) -> Vec<Difference> {
    let mut out = Vec::new();
    let empty = Value::Object(Map::new());
    let mut path = vec!["spec".to_owned()];
    walk(&Walk { kind, suspend: false }, &mut path, published.get("spec").unwrap_or(&empty), live_spec, &mut out);
    for field in ["labels", "annotations"] {
        let Some(Value::Object(wanted)) = published.pointer(&format!("/metadata/{field}")) else { continue };
        for (key, value) in wanted {
            let live = live_labels(field, key).map(Value::String);
            if live.as_ref() != Some(value) {
                let parts = vec!["metadata".to_owned(), field.to_owned(), key.clone()];
                out.push(Difference { path: parts.join("."), parts, published: Some(value.clone()), live });
            }
        }
    }
    out
}

/// Where an object of Flux's that is to be published differs from one that is: metadata counts on both sides alike, and so does
/// `spec.suspend`, by which a push suspends or resumes. Only the API's own defaults are left out.
pub fn written(kind: &str, new: &Value, old: &Value) -> Vec<Difference> {
    let mut out = Vec::new();
    let mut path = Vec::new();
    let maps = |object: &Value| {
        // Label by label, also when one side has none at all.
        let mut object = object.clone();
        let metadata = object.as_object_mut().map(|object| object.entry("metadata").or_insert_with(|| Value::Object(Map::new())));
        if let Some(metadata) = metadata.and_then(Value::as_object_mut) {
            for field in ["labels", "annotations"] {
                let map = metadata.entry(field).or_insert(Value::Null);
                if map.is_null() {
                    *map = Value::Object(Map::new());
                }
            }
        }
        object
    };
    walk(&Walk { kind, suspend: true }, &mut path, &maps(new), &maps(old), &mut out);
    out.retain(|difference| difference.parts.first().is_none_or(|part| part != "status"));
    out
}

/// Where a whole object differs from another; nothing is left out but `status`, which nobody publishes.
pub fn all(published: &Value, live: &Value) -> Vec<Difference> {
    let mut out = Vec::new();
    walk(&Walk { kind: "", suspend: true }, &mut Vec::new(), published, live, &mut out);
    out.retain(|difference| difference.parts.first().is_none_or(|part| part != "status"));
    out
}

/// What is looked at.
struct Walk<'a> {
    /// The kind whose defaults are left out; empty: none are.
    kind: &'a str,
    /// Whether `spec.suspend` counts: of a live object of Flux's it is an on-call engineer's switch, of a `CronJob` it is what
    /// is meant.
    suspend: bool,
}

fn walk(how: &Walk<'_>, path: &mut Vec<String>, published: &Value, live: &Value, out: &mut Vec<Difference>) {
    if let (Value::Object(a), Value::Object(b)) = (published, live) {
        let only_live = b.keys().filter(|key| !a.contains_key(*key));
        for key in a.keys().chain(only_live) {
            path.push(key.clone());
            if how.suspend || path.as_slice() != ["spec", "suspend"] {
                step(how, path, a.get(key), b.get(key), out);
            }
            path.pop();
        }
    } else if let (Value::Array(a), Value::Array(b)) = (published, live)
        && a.len() == b.len()
    {
        // Item by item, since the API fills in defaults inside lists too; another length is another list.
        for (n, (a, b)) in a.iter().zip(b).enumerate() {
            path.push(format!("[{n}]"));
            walk(how, path, a, b, out);
            path.pop();
        }
    } else if published != live {
        push(path, Some(published), Some(live), out);
    }
}

fn step(how: &Walk<'_>, path: &mut Vec<String>, published: Option<&Value>, live: Option<&Value>, out: &mut Vec<Difference>) {
    match (published, live) {
        (Some(a), Some(b)) => walk(how, path, a, b, out),
        (Some(one), None) | (None, Some(one)) => {
            let is_default = DEFAULTS.iter().any(|(of, at, value)| *of == how.kind && same_path(path, at) && value.is(one));
            if !is_default && !one.is_null() {
                push(path, published, live, out);
            }
        }
        (None, None) => {}
    }
}

/// Whether a path is the one of a default; `[]` stands for any item of a list.
fn same_path(path: &[String], pattern: &[&str]) -> bool {
    path.len() == pattern.len()
        && path.iter().zip(pattern).all(|(part, wanted)| part == wanted || (*wanted == "[]" && part.starts_with('[')))
}

fn push(path: &[String], published: Option<&Value>, live: Option<&Value>, out: &mut Vec<Difference>) {
    out.push(Difference {
        path: path.join(".").replace(".[", "["),
        parts: path.to_vec(),
        published: published.cloned(),
        live: live.cloned(),
    });
}

/// A value as it is shown: texts without quotes, everything else as JSON, cut when it is long.
pub fn shown(value: Option<&Value>) -> String {
    let text = match value {
        None => return "absent".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    if text.chars().count() > 200 { format!("{}…", crate::text::head(&text, 200)) } else { text }
}

#[cfg(test)]
mod tests {
    use super::{Difference, differences, written};
    use serde_json::{Value, json};

    fn diff(kind: &str, published: &Value, live: &Value) -> Vec<String> {
        let found =
            differences(kind, published, &live["spec"], &|field, key| live["metadata"][field][key].as_str().map(str::to_owned));
        found.into_iter().map(|Difference { path, published, live, .. }| format!("{path}: {published:?} {live:?}")).collect()
    }

    #[test]
    fn defaults_and_suspend_do_not_count() {
        let published = json!({"spec": {"interval": "5m0s", "verify": {"secretRef": {"name": "x"}}}});
        let live = json!({"spec": {"interval": "5m0s", "provider": "generic", "timeout": "60s", "suspend": true, "verify": {"provider": "cosign", "secretRef": {"name": "x"}}}});
        assert!(diff("OCIRepository", &published, &live).is_empty());
        assert_eq!(diff("Kustomization", &published, &live).len(), 3);
        let suspended = json!({"spec": {"suspend": true}});
        let bare = json!({"spec": {"postBuild": {"substituteFrom": [{"name": "a"}, {"name": "b"}]}}});
        let filled = json!({"spec": {"postBuild": {"substituteFrom": [{"name": "a", "optional": false}, {"name": "c", "optional": false}]}}});
        assert_eq!(diff("Kustomization", &bare, &filled).len(), 1);
        assert!(diff("Kustomization", &suspended, &json!({"spec": {"force": false}})).is_empty());
    }

    #[test]
    fn what_is_written_counts_on_both_sides() {
        let bare = json!({"metadata": {"name": "a"}, "spec": {"interval": "5m"}});
        let more = json!({"metadata": {"name": "a", "labels": {"team": "x"}, "annotations": {"kustomize.toolkit.fluxcd.io/prune": "disabled"}},
            "spec": {"interval": "5m", "suspend": true, "force": false}});
        let paths = |new: &Value, old: &Value| {
            let found = written("Kustomization", new, old).into_iter();
            found.map(|d| (d.path, d.published.is_some(), d.live.is_some())).collect::<Vec<_>>()
        };
        let names = ["metadata.labels.team", "metadata.annotations.kustomize.toolkit.fluxcd.io/prune", "spec.suspend"];
        let all = |new, old| {
            let mut all = names.map(|name| (name.to_owned(), new, old)).to_vec();
            all.sort();
            all
        };
        let sorted = |mut list: Vec<_>| {
            list.sort();
            list
        };
        assert_eq!(sorted(paths(&more, &bare)), all(true, false));
        assert_eq!(sorted(paths(&bare, &more)), all(false, true));
        assert!(paths(&more, &more).is_empty());
    }

    #[test]
    fn changed_added_and_removed_fields() {
        let published = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"ref": {"tag": "x"}, "wait": true, "l": [1]}});
        let live = json!({"metadata": {"labels": {"a": "c"}}, "spec": {"ref": {"tag": "y"}, "l": [1, 2], "path": "./z"}});
        let found = diff("Kustomization", &published, &live);
        let paths: Vec<&str> = found.iter().filter_map(|line| line.split(':').next()).collect();
        assert_eq!(paths, ["spec.ref.tag", "spec.wait", "spec.l", "spec.path", "metadata.labels.a"]);
    }
}
