//! What holds for any input: packing, comparing, judging.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use runway_core::artifact::{Provenance, Tree, build, unpack};
use runway_core::assess::{Expected, Published, assess, references};
use runway_core::diff::differences;
use runway_core::inventory::read::from_objects;
use runway_core::observed::snapshot::Snapshot;
use runway_core::observed::{Answer, Observed, Registry};
use runway_core::publish::plan;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Any JSON value, of a size that keeps the tests fast.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i32>().prop_map(|n| json!(n)),
        "[a-z0-9./:@-]{0,12}".prop_map(Value::String),
        "\\PC{0,8}".prop_map(Value::String),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            btree_map("[a-zA-Z]{1,8}", inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn text(choices: &'static [&'static str]) -> impl Strategy<Value = Value> {
    proptest::sample::select(choices).prop_map(|text| json!(text))
}

const DIGEST_A: &str = "production@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const DIGEST_B: &str = "production@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// An object as a cluster might have it: the fields that are judged, in any combination.
fn object() -> impl Strategy<Value = Value> {
    let condition = (
        text(&["Ready", "Reconciling", "Stalled"]),
        text(&["True", "False", "Unknown"]),
        text(&["ReconciliationSucceeded", "BuildFailed", "ArtifactFailed", "HealthCheckFailed", "DependencyNotReady", "HealthCheckCanceled"]),
        0_i64..3,
    )
        .prop_map(|(kind, status, reason, generation)| json!({"type": kind, "status": status, "reason": reason, "message": "x not found", "observedGeneration": generation}));
    let status = (vec(condition, 0..3), text(&[DIGEST_A, DIGEST_B, ""]), text(&[DIGEST_A, DIGEST_B]), 0_i64..3).prop_map(|(conditions, fetched, applied, generation)| {
        json!({"conditions": conditions, "artifact": {"revision": fetched}, "lastAppliedRevision": applied, "lastAttemptedRevision": fetched, "observedGeneration": generation})
    });
    let spec = (any::<bool>(), vec(text(&["a", "b", "gke-inventory"]), 0..2), text(&["oci://h/a", "oci://h/a:x", "?"])).prop_map(
        |(suspend, depends, url)| {
            let depends: Vec<Value> = depends.into_iter().map(|name| json!({ "name": name })).collect();
            json!({"suspend": suspend, "url": url, "ref": {"tag": "production"}, "dependsOn": depends})
        },
    );
    (any::<bool>(), text(&["a", "b", "gke-inventory"]), any::<bool>(), any::<bool>(), spec, proptest::option::of(status))
        .prop_map(|(source, name, owned, deleted, spec, status)| {
            let (api, kind) = if source {
                ("source.toolkit.fluxcd.io/v1", "OCIRepository")
            } else {
                ("kustomize.toolkit.fluxcd.io/v1", "Kustomization")
            };
            let mut metadata = json!({"name": name, "namespace": "n", "generation": 1});
            if owned {
                metadata["labels"] =
                    json!({"kustomize.toolkit.fluxcd.io/name": "gke-inventory", "kustomize.toolkit.fluxcd.io/namespace": "n"});
            }
            if deleted {
                metadata["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
            }
            json!({"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec, "status": status})
        })
}

fn observed(objects: &[Value]) -> Observed {
    let list = json!({ "items": objects }).to_string();
    Observed {
        cluster: "c".to_owned(),
        namespace: "n".to_owned(),
        objects: Ok(Snapshot::parse("p", &list).unwrap().objects("n")),
    }
}

fn expected(published: Vec<Value>) -> Expected {
    Expected {
        runtime: "gke".to_owned(),
        environment: "production".to_owned(),
        namespace: "n".to_owned(),
        declared: None,
        published: Published::Known { inventory: from_objects(published), digest: None },
    }
}

/// Objects of one kind and name stand once on a cluster.
fn unique(objects: Vec<Value>) -> Vec<Value> {
    let mut seen = BTreeMap::new();
    for object in objects {
        seen.insert(format!("{}{}", object["kind"], object["metadata"]["name"]), object);
    }
    seen.into_values().collect()
}

proptest! {
    #[test]
    fn what_is_packed_comes_back(files in btree_map("[a-z]{1,6}(/[a-zé0-9.-]{1,40}x){0,4}", vec(any::<u8>(), 0..600), 1..8)) {
        let mut tree = Tree::new();
        for (path, content) in &files {
            // A path that is a folder of another is refused, and that is fine.
            drop(tree.insert(path, content.clone()));
        }
        let artifact = build(&tree, &Provenance::default());
        let back = unpack::layer(&artifact.layer.bytes, unpack::Limits::default()).unwrap();
        prop_assert_eq!(&back, &tree);
        // The order in which files were added changes nothing.
        let mut other = Tree::new();
        for (path, content) in tree.files().collect::<Vec<_>>().into_iter().rev() {
            other.insert(&path, content.to_vec()).unwrap();
        }
        prop_assert_eq!(build(&other, &Provenance::default()).manifest.digest, artifact.manifest.digest);
    }

    #[test]
    fn unpacking_never_panics_and_never_leaves(bytes in vec(any::<u8>(), 0..2000)) {
        if let Ok(tree) = unpack::layer(&bytes, unpack::Limits::default()) {
            for (path, _) in tree.files() {
                prop_assert!(!path.starts_with('/') && !path.split('/').any(|part| part == ".."));
            }
        }
    }

    #[test]
    fn nothing_differs_from_itself(spec in value()) {
        let object = json!({ "spec": spec });
        prop_assert!(differences("Kustomization", &object, &object["spec"], &|_, _| None).is_empty());
    }

    #[test]
    fn a_plan_of_the_same_is_empty(objects in vec(object(), 0..6)) {
        let inventory = from_objects(unique(objects));
        prop_assert!(plan(&inventory, Some(&inventory)).is_empty());
    }

    #[test]
    fn a_plan_names_each_workload_once(new in vec(object(), 0..6), old in vec(object(), 0..6)) {
        let (new, old) = (from_objects(unique(new)), from_objects(unique(old)));
        let plan = plan(&new, Some(&old));
        prop_assert_eq!(new.entries.len(), old.entries.len() + plan.added.len() - plan.removed.len());
        prop_assert!(plan.changed.iter().all(|change| !plan.added.contains(&change.name)));
    }

    /// No input makes it panic; the order of the objects never matters; Ready means that nothing is broken.
    #[test]
    fn judging_holds_its_promises(published in vec(object(), 0..5), live in vec(object(), 0..6), gone in any::<bool>()) {
        let (published, live) = (unique(published), unique(live));
        let mut registry = Registry::default();
        let expected = expected(published);
        let cluster = observed(&live);
        for reference in references(&expected, &cluster) {
            let digest = DIGEST_A.trim_start_matches("production@").to_owned();
            registry.insert(reference, if gone { Answer::NotThere } else { Answer::Digest(digest) });
        }
        let items = assess(&expected, &cluster, &registry, &[]);
        let mut reversed = live.clone();
        reversed.reverse();
        prop_assert_eq!(&items, &assess(&expected, &observed(&reversed), &registry, &[]));
        for item in &items {
            let broken: Vec<_> = item.links.iter().filter(|step| step.state.as_str() == "broken" && step.link.as_str() != "parent").collect();
            let ready = item.verdict.as_str() == "Ready";
            prop_assert!(!ready || broken.is_empty(), "Ready with {:?}", broken);
            prop_assert!(!ready || item.broken.is_none());
            prop_assert!(ready || item.broken.is_some() || matches!(item.verdict.as_str(), "Unknown" | "Unreachable"), "{:?}", item);
            prop_assert!(!(ready && gone) || item.expected.tag.is_none(), "Ready on a tag that is gone: {:?}", item);
        }
    }
}
