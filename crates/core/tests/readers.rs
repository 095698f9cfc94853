//! Nothing that a file may hold makes a reader panic, or a place that is not in the file.

#[expect(dead_code, reason = "one of the targets' bodies is used")]
mod bodies;

use proptest::prelude::*;
use runway_core::artifact::Tree;
use runway_core::finding::Finding;
use runway_core::flux::crds::{Release, all};
use runway_core::settings::{Layer, resolve};
use runway_core::verify::{Facts, declared, published, walk};
use runway_core::{workloads, yaml};
use serde_json::Value;

/// Pieces that YAML files of this kind are made of, so that random text comes past the first character.
const PIECES: &[&str] = &[
    "- ",
    "runway_service_id",
    "name",
    ": ",
    ":",
    "\n",
    "\n  ",
    "\n- ",
    "  ",
    "flux",
    "source",
    "environments",
    "production",
    "defaults",
    "workloads",
    "regions",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&a ",
    "*a",
    "<<",
    "'",
    "\"",
    "#",
    "|\n",
    ">-\n",
    "no",
    "010",
    "5m",
    "interval",
    "timeout",
    "dependsOn",
    "postBuild",
    "substitute",
    "patches",
    "${x}",
    "$${",
    "~",
    "---\n",
    "...\n",
    "? ",
    "!!str ",
    "\t",
    "\u{feff}",
    "é",
    "\u{1b}",
    "\r\n",
    "\u{2028}",
    "a",
    "web-gke",
    "1e3",
    "0x1",
    "2024-01-01",
    "prune",
    "null",
    "ref",
    "digest",
    "tag",
    "%YAML 1.2\n",
    "apiVersion: source.toolkit.fluxcd.io/v1\n",
    "kind: OCIRepository\n",
    "metadata: {name: a}\n",
    "spec: {",
];

fn text() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(PIECES), 0..60).prop_map(|pieces| pieces.concat());
    prop_oneof![3 => pieces, 1 => any::<String>()]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(PIECES).prop_map(Value::from),
    ];
    let key = prop::sample::select(vec![
        "spec",
        "interval",
        "properties",
        "items",
        "type",
        "required",
        "enum",
        "minLength",
        "pattern",
        "additionalProperties",
        "x-kubernetes-validations",
        "rule",
        "default",
        "patches",
        "dependsOn",
        "name",
        "verify",
        "kubeConfig",
        "postBuild",
    ]);
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())),
        ]
    })
}

/// Manifests with some pieces put into them, or put over what was there.
fn manifests() -> impl Strategy<Value = String> {
    let change = (any::<prop::sample::Index>(), prop::sample::select(PIECES), any::<bool>());
    let text = prop::sample::select(vec![
        include_str!("../../../fuzz/corpus/manifests/chart.yaml"),
        include_str!("../../../fuzz/corpus/manifests/variables.yaml"),
        include_str!("../../../fuzz/corpus/manifests/secrets.yaml"),
        include_str!("../../../fuzz/corpus/manifests/windows.yaml"),
    ]);
    (text, prop::collection::vec(change, 0..6)).prop_map(|(text, changes)| {
        let mut all: Vec<char> = text.chars().collect();
        for (at, piece, replaces) in changes {
            let at = at.index(all.len().max(1));
            let end = if replaces { (at + piece.chars().count()).min(all.len()) } else { at };
            all.splice(at.min(end)..end, piece.chars());
        }
        all.into_iter().collect()
    })
}

fn facts() -> Facts {
    let environments = vec!["staging".to_owned(), "production".to_owned()];
    Facts { runtime: "gke".to_owned(), environments, named: false, release: None, others: Vec::new() }
}

/// A place is in the file, and its span at the borders of characters.
fn is_in(finding: &Finding, source: &str) -> bool {
    let (at, length) = finding.span;
    let lines = source.chars().filter(|c| matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')).count() + 1;
    let in_lines = finding.place.line.is_none_or(|line| line >= 1 && line <= lines + 1);
    let in_text = at <= source.len() && source.is_char_boundary(at);
    in_lines && in_text && (at + length > source.len() || source.is_char_boundary(at + length))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn yaml_is_read_or_refused(source in text()) {
        let (documents, findings) = yaml::documents("f", &source, yaml::Limits::default());
        for document in &documents {
            yaml::value::to_json(document);
        }
        for finding in &findings {
            prop_assert!(is_in(finding, &source), "{finding:?}");
        }
    }

    #[test]
    fn a_list_read_item_by_item_is_the_same_list(source in text(), limit in 1_usize..3) {
        let limits = yaml::Limits { documents: limit, ..yaml::Limits::default() };
        let mut items = Vec::new();
        let (streamed, mut found) = yaml::items("f", &source, limits, &mut |item| items.push(item));
        let (whole, mut findings) = yaml::documents("f", &source, limits);
        prop_assert_eq!(streamed.len(), whole.len());
        if let (Some(rest), Some(first)) = (streamed.first(), whole.first()) {
            let expected = if rest == first { &[] } else { first.items() };
            prop_assert_eq!(&items, expected);
        }
        let order = |finding: &Finding| (finding.place.clone(), finding.code);
        found.sort_by_key(order);
        findings.sort_by_key(order);
        prop_assert_eq!(found, findings);
    }

    #[test]
    fn workloads_are_read_and_verified_or_refused(source in text()) {
        let (list, mut findings) = workloads::parse("f", &source);
        findings.extend(declared::check(&list, &resolve([Layer::default()]), &facts()));
        for finding in &findings {
            prop_assert!(is_in(finding, &source), "{finding:?}");
        }
    }

    #[test]
    fn settings_are_read_or_refused(source in text()) {
        let (layer, _) = Layer::from_file("f", &source);
        resolve([layer]);
    }

    #[test]
    fn artifacts_are_verified_or_refused(source in text()) {
        let mut tree = Tree::new();
        prop_assert!(tree.insert("production/a.yaml", source.clone().into_bytes()).is_ok());
        for finding in published::check(&tree, "production", "t", &facts()) {
            prop_assert!(is_in(&finding, &source), "{finding:?}");
        }
    }

    #[test]
    fn objects_are_walked_along_any_schema(schema in value(), object in value()) {
        walk::check(&schema, &object);
        for (_, _, _, shipped) in all().filter(|(release, ..)| *release == Release::newest()) {
            walk::check(shipped, &object);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn manifests_are_refused_or_read_again_as_they_were_written(source in manifests()) {
        bodies::read_manifests(source.as_bytes());
    }
}
