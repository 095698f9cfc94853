//! The plan of a deploy artifact: object by object.

use super::plan::{Consequence, Item, Plan, Things, compare};
use crate::deploy::{Identity, Object};
use crate::diff::{Difference, fields};
use serde_json::Value;

/// The plan of replacing the objects of an artifact; without old ones everything is added. `prunes`: the workload's
/// Kustomization deletes what is not declared any more, as Runway's do.
pub fn plan_objects(new: &[Object], old: Option<&[Object]>, prunes: bool) -> Plan {
    let mut plan = compare(Things::Objects, new, old);
    if !prunes {
        plan.removed.iter_mut().for_each(|removal| removal.consequence = Consequence::Orphaned);
    }
    plan
}

impl Item for Object {
    type Key<'a> = &'a Identity;

    fn key(&self) -> &Identity {
        &self.identity
    }

    fn name(&self) -> String {
        self.identity.to_string()
    }

    fn fields(&self, old: &Self) -> Vec<(&'static str, Difference)> {
        if self.text == old.text {
            return Vec::new();
        }
        let mut found = fields::all(&self.value(), &old.value());
        if self.identity.group.is_empty() && self.identity.kind == "Secret" {
            found.iter_mut().for_each(hide);
        }
        found.into_iter().map(|difference| ("", difference)).collect()
    }

    fn consequence(&self) -> Consequence {
        if stays(&self.value()) { Consequence::Orphaned } else { Consequence::Pruned }
    }

    fn is_same(&self, old: &Self) -> bool {
        self.text == old.text
    }
}

/// Labels or annotations of objects that Flux leaves when it collects what is not declared any more.
const STAYS: [(&str, &str); 3] = [
    ("kustomize.toolkit.fluxcd.io/prune", "disabled"),
    ("kustomize.toolkit.fluxcd.io/reconcile", "disabled"),
    ("kustomize.toolkit.fluxcd.io/ssa", "ignore"),
];

/// Whether Flux leaves an object (kustomize-controller, "Garbage collection"; the case of a value does not count, `AnyInMetadata`
/// of `fluxcd/pkg`).
pub(super) fn stays(object: &Value) -> bool {
    ["/metadata/labels", "/metadata/annotations"].into_iter().filter_map(|map| object.pointer(map)).any(|map| {
        let has =
            |key: &str, wanted: &str| map.get(key).and_then(Value::as_str).is_some_and(|is| is.eq_ignore_ascii_case(wanted));
        STAYS.iter().any(|(key, value)| has(key, value))
    })
}

/// What a Secret holds is not shown; that it changes is.
pub(super) fn hide(difference: &mut Difference) {
    if difference.parts.first().is_some_and(|part| matches!(part.as_str(), "data" | "stringData" | "metadata")) {
        for value in [&mut difference.published, &mut difference.live].into_iter().flatten() {
            *value = Value::String("(hidden)".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::plan_objects;
    use crate::deploy::{Object, Rules, Text, read};
    use crate::publish::{Consequence, Plan};

    fn objects(text: &str) -> Vec<Object> {
        read(&[Text { file: "m.yaml", content: text }], &Rules { allow_secrets: true, ..Rules::default() }).objects
    }

    fn object(kind: &str, name: &str, more: &str) -> String {
        format!("---\napiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: \"n\"}}\n{more}")
    }

    fn shown(plan: &Plan) -> Vec<String> {
        let fields = plan.changed.iter().flat_map(|change| change.fields.iter().map(move |(_, field)| (change, field)));
        fields.map(|(change, f)| format!("{} {} {:?} {:?}", change.name, f.path, f.live, f.published)).collect()
    }

    #[test]
    fn object_by_object_field_by_field() {
        let old =
            object("ConfigMap", "a", "data: {x: '1', y: '2'}\n") + &object("Service", "s", "") + &object("ConfigMap", "keep", "");
        let new = object("ConfigMap", "a", "data: {x: '1', y: '3'}\n")
            + &object("ConfigMap", "b", "")
            + &object("ConfigMap", "keep", "");
        let plan = plan_objects(&objects(&new), Some(&objects(&old)), true);
        assert_eq!(plan.added, ["ConfigMap/n/b"]);
        assert_eq!(shown(&plan), ["ConfigMap/n/a data.y Some(String(\"2\")) Some(String(\"3\"))"]);
        let removed: Vec<_> = plan.removed.iter().map(|removal| (removal.name.as_str(), removal.consequence)).collect();
        assert_eq!(removed, [("Service/n/s", Consequence::Pruned)]);
        assert_eq!((plan.before, plan.after), (3, 3));
    }

    #[test]
    fn order_of_keys_and_of_objects_is_no_change() {
        let a = object("ConfigMap", "a", "data: {x: '1', y: '2'}\n");
        let b = object("ConfigMap", "b", "");
        let turned = b.clone() + &object("ConfigMap", "a", "data: {y: '2', x: '1'}\n");
        assert!(plan_objects(&objects(&turned), Some(&objects(&(a + &b))), true).is_empty());
    }

    #[test]
    fn what_is_not_pruned_is_orphaned() {
        for (stays, expected) in [
            ("annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}", Consequence::Orphaned),
            ("labels: {kustomize.toolkit.fluxcd.io/reconcile: disabled}", Consequence::Orphaned),
            ("annotations: {kustomize.toolkit.fluxcd.io/ssa: Ignore}", Consequence::Orphaned),
            ("annotations: {kustomize.toolkit.fluxcd.io/ssa: Merge}", Consequence::Pruned),
            ("annotations: {kustomize.toolkit.fluxcd.io/prune: enabled}", Consequence::Pruned),
        ] {
            let old = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, namespace: \"n\", {stays}}}\n");
            let plan = plan_objects(&objects(&object("ConfigMap", "b", "")), Some(&objects(&old)), true);
            assert_eq!(plan.removed[0].consequence, expected, "{stays}");
        }
        let old = object("ConfigMap", "a", "");
        assert_eq!(plan_objects(&[], Some(&objects(&old)), false).removed[0].consequence, Consequence::Orphaned);
    }

    #[test]
    fn secrets_are_not_shown() {
        let (old, new) = (object("Secret", "s", "stringData: {k: canary}\n"), object("Secret", "s", "stringData: {k: other}\n"));
        let text = shown(&plan_objects(&objects(&new), Some(&objects(&old)), true)).join("\n");
        assert!(text.contains("stringData.k") && text.contains("(hidden)") && !text.contains("canary"), "{text}");
    }

    #[test]
    fn a_suspended_cron_job_counts() {
        let (old, new) = (object("CronJob", "s", "spec: {suspend: false}\n"), object("CronJob", "s", "spec: {suspend: true}\n"));
        assert_eq!(shown(&plan_objects(&objects(&new), Some(&objects(&old)), true)).len(), 1);
    }
}
