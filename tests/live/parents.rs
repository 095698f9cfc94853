//! Faults between the inventory and the objects, caused live: what was published, what the parent makes of it, and who else has
//! his hands on a cluster. The recorded cases of `tests/recorded/with-parent` which no other file here causes, and more.

use crate::clusters::{rows, said};
use crate::paste::next;
use crate::stage::{ENVIRONMENT, Stage};
use runway_testkit::bed::DEADLINE;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PARENT: &str = "gke-inventory";

/// svc and other are Ready, and nobody looks again by himself for an hour.
pub(crate) fn settled(name: &str) -> Stage {
    let stage = Stage::new(name, "gke");
    declare(&stage, &["svc", "other"]);
    for id in ["svc", "other"] {
        stage.deploy(id, "1");
    }
    stage.push(&[]).ok();
    stage.ns.apply(&stage.parent_yaml().replace("interval: 10s", "interval: 1h"));
    ready_again(&stage);
    stage
}

fn declare(stage: &Stage, ids: &[&str]) {
    let one =
        |id: &&str| format!("- runway_service_id: {id}\n  flux: {{interval: 1h, retryInterval: 1h, source: {{interval: 1h}}}}\n");
    stage.env.write(format!("config/runtimes/{}/workloads.yml", stage.runtime), ids.iter().map(one).collect::<String>());
}

#[track_caller]
fn ready_again(stage: &Stage) {
    drop(stage.all_ready(&stage.status_line(&[])));
}

/// Waits until each of these rows is told like this, all in one answer; gives all rows.
#[track_caller]
fn told(stage: &Stage, wanted: &[(&str, (&str, &str, &str))]) -> BTreeMap<String, Value> {
    let mut last = String::new();
    let what = format!("{wanted:?}");
    stage.ns.wait_for(&what, DEADLINE, || {
        let (found, code) = stage.rows();
        let all = wanted.iter().all(|(name, wanted)| found.get(*name).is_some_and(|row| said(row) == *wanted));
        let now = format!("{:?}", found.iter().map(|(name, row)| (name, said(row))).collect::<Vec<_>>());
        if now != last {
            println!("{now}");
            last = now;
        }
        assert!(!all || code == Some(1), "something is not Ready: {code:?}");
        all.then_some(found)
    })
}

#[track_caller]
fn says(row: &Value, words: &[&str]) {
    let message = row["message"].as_str().expect("a message");
    for word in words {
        assert!(message.contains(word), "{word}: {row}");
    }
}

const READY: (&str, &str, &str) = ("Ready", "", "ReconciliationSucceeded");

/// with-parent/parent-source-suspended: what is new cannot come, and everything that is there says Ready=True.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_suspended_source_of_the_parent_holds_new_workloads_back() {
    let stage = settled("parent-source");
    stage.ns.patch("ocirepository", PARENT, &json!({"spec": {"suspend": true}}));
    declare(&stage, &["svc", "other", "added"]);
    stage.deploy("added", "1");
    stage.push(&[]).ok();
    let found = told(
        &stage,
        &[
            (PARENT, ("Suspended", "fetched", "Suspended")),
            ("svc", READY),
            ("other", READY),
            ("added", ("Missing", "parent", "Suspended")),
        ],
    );
    says(&found["added"], &["suspended", PARENT]);
    assert_eq!(next(&found["added"]), [format!("kubectl runway explain {PARENT} -n {}", stage.ns.name())]);
    let explained = stage.paste_next(&found["added"]);
    // What is said of the parent then is the cure.
    let cure = next(&found[PARENT]);
    assert_eq!(cure, [format!("flux -n {} resume source oci {PARENT}", stage.ns.name())]);
    assert!(explained.contains(cure[0]), "{explained}");
    stage.paste_next(&found[PARENT]);
    ready_again(&stage);
}

/// with-parent/parent-path-missing: somebody pushed another environment's folder under this tag. Nothing is removed.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn an_inventory_without_the_environments_folder_removes_nothing() {
    let stage = settled("parent-path");
    drop(stage.built());
    let out = stage.env.work().join("out");
    std::fs::rename(out.join(ENVIRONMENT), out.join("staging")).expect("a folder");
    stage.bed.push_folder(&stage.inventory_repository(), ENVIRONMENT, &out);
    stage.ns.reconcile("ocirepository", PARENT);
    let unexpected = ("Unexpected", "published", "FolderMissing");
    let found = told(&stage, &[(PARENT, ("Failed", "applied", "ArtifactFailed")), ("svc", unexpected), ("other", unexpected)]);
    says(&found[PARENT], &["production"]);
    says(&found["svc"], &["no folder production", "it still runs"]);
    assert!(stage.ns.get_json("configmap", "svc").is_some(), "it was pruned");
    for id in [PARENT, "svc"] {
        stage.explained(id, &found[id]);
    }
    assert!(stage.paste_next(&found[PARENT]).contains("path not found"), "{}", found[PARENT]);
    // What is named shows what a push would do; the guard asks for a word, since the other folder's two go from the tag.
    let shown = next(&found["svc"]);
    let there = stage.ns.name();
    assert_eq!(shown, [format!("kubectl runway inventory push --dry-run --runtime gke -e {ENVIRONMENT} -n {there}")]);
    let plan = stage.paste(shown[0]).exits(5);
    assert!(plan.stdout.contains("+ svc") && plan.stdout.contains("+ other"), "what a push would bring back: {plan}");
    assert!(plan.stderr.contains("--allow-removals 2"), "{plan}");
    stage.push(&["--allow-removals", "2"]).ok();
    look(&stage);
    ready_again(&stage);
}

/// with-parent/two-parents: another runtime's parent in the same namespace has the same workload.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_second_parent_that_has_the_same_workload() {
    let mut stage = settled("two-parents");
    let list = "- runway_service_id: svc\n  flux: {interval: 7m0s, retryInterval: 1h, source: {interval: 1h}}\n";
    stage.env.write("config/runtimes/eks/workloads.yml", list);
    "eks".clone_into(&mut stage.runtime);
    stage.push(&[]).ok();
    stage.ns.apply(&stage.parent_yaml().replace("interval: 10s", "interval: 1h"));
    stage.wait_verdict("svc", "Ready");
    "gke".clone_into(&mut stage.runtime);
    let found = told(&stage, &[(PARENT, READY), ("svc", ("Drifted", "installed", "ForeignOwner")), ("other", READY)]);
    says(&found["svc"], &["eks-inventory"]);
    stage.explained("svc", &found["svc"]);
    let owners = stage.paste_next(&found["svc"]);
    assert!(owners.contains("kustomize.toolkit.fluxcd.io/name: eks-inventory"), "{owners}");
    // The second one goes, without pruning what the first one has: suspended, deleted, and the first one runs.
    for kind in ["kustomization", "ocirepository"] {
        stage.ns.patch(kind, "eks-inventory", &json!({"spec": {"suspend": true}}));
        stage.ns.delete(kind, "eks-inventory");
    }
    look(&stage);
    ready_again(&stage);
    assert!(stage.ns.get_json("configmap", "svc").is_some());
}

/// with-parent/removed-but-held: removed from the inventory, and somebody's finalizer keeps the Kustomization.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn what_is_removed_and_held_by_a_finalizer_is_terminating() {
    let stage = settled("held");
    let finalizers = |all: &[&str]| json!({"metadata": {"finalizers": all}});
    stage.ns.patch("kustomization", "svc", &finalizers(&["finalizers.fluxcd.io", "example.com/hold"]));
    declare(&stage, &["other"]);
    stage.push(&[]).ok();
    drop(stage.env.run(["reconcile", PARENT]).exits(0));
    let found = told(&stage, &[(PARENT, READY), ("svc", ("Terminating", "installed", "Terminating")), ("other", READY)]);
    says(&found["svc"], &["example.com/hold"]);
    stage.ns.wait_for("Flux to prune what svc had", DEADLINE, || stage.ns.get_json("configmap", "svc").is_none().then_some(()));
    stage.explained("svc", &found["svc"]);
    assert!(next(&found["svc"]).iter().all(|command| stage.paste(command).code.is_some()));
    stage.ns.patch("kustomization", "svc", &finalizers(&[]));
    stage.ns.wait_for("svc to be gone", DEADLINE, || (!stage.rows().0.contains_key("svc")).then_some(()));
    ready_again(&stage);
}

/// Has the parent look, and waits until it did.
#[track_caller]
fn look(stage: &Stage) {
    drop(stage.env.run(["reconcile", PARENT]).exits(0));
}

/// A removal that is held back, a file that nobody has pushed, half an inventory, and a name that is nowhere.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn what_is_declared_and_what_is_published_are_not_the_same() {
    let stage = settled("not-published");
    let parent = |merge: Value| drop(stage.ns.patch("kustomization", PARENT, &merge));

    // Removed while the parent is suspended: it runs on, and nobody has published it.
    parent(json!({"spec": {"suspend": true}}));
    declare(&stage, &["other"]);
    stage.push(&[]).ok();
    let found = told(&stage, &[("svc", ("Unexpected", "published", "NotPublished")), ("other", READY)]);
    says(&found["svc"], &["it still runs", "suspended"]);
    stage.explained("svc", &found["svc"]);
    stage.paste_next(&found["svc"]);
    declare(&stage, &["svc", "other"]);
    // Declared again, and not published again: still so.
    told(&stage, &[("svc", ("Unexpected", "published", "NotPublished"))]);
    stage.push(&[]).ok();
    let found = told(&stage, &[(PARENT, ("Suspended", "applied", "Suspended")), ("svc", READY)]);
    stage.paste_next(&found[PARENT]);
    ready_again(&stage);

    // Published, and taken out of the file since: it runs, and that is said.
    declare(&stage, &["other"]);
    let (found, code) = stage.rows();
    assert_eq!((said(&found["svc"]), code), (("Ready", "", "NotDeclared"), Some(0)), "{}", found["svc"]);
    declare(&stage, &["svc", "other"]);

    // Somebody else's tool published one of the two objects only.
    let mut objects = stage.built();
    objects.retain(|object| !(object["kind"] == "Kustomization" && object["metadata"]["name"] == "other"));
    stage.publish(&objects);
    look(&stage);
    let found = told(&stage, &[("other", ("Missing", "published", "Incomplete")), ("svc", READY)]);
    says(&found["other"], &["no Kustomization for 'other'"]);
    stage.explained("other", &found["other"]);
    assert!(stage.paste_next(&found["other"]).contains("other"));
    stage.push(&[]).ok();
    look(&stage);
    ready_again(&stage);

    // Named, and nowhere: neither in the file nor, without one, in what is published.
    let nobody = || {
        let run = stage.status(&["nobody", "-o", "json"]).exits(1);
        rows(&run.stdout).into_values().next().expect("a row")
    };
    let row = nobody();
    assert_eq!(said(&row), ("Missing", "declared", "NotDeclared"), "{row}");
    std::fs::remove_file(stage.env.work().join("config/runtimes/gke/workloads.yml")).expect("it was there");
    let row = nobody();
    assert_eq!(said(&row), ("Missing", "declared", "NotFound"), "{row}");
    assert!(stage.paste_next(&row).contains("name: svc"), "what is published: {row}");
}

/// Objects that are gone, that somebody else made, or whose parent follows another environment.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn what_is_there_is_not_what_the_parent_applied() {
    let stage = settled("not-applied");
    // Deleted by hand: the parent puts it back, by the command that is named.
    stage.ns.delete("ocirepository", "svc");
    let found = told(&stage, &[("svc", ("Missing", "installed", "ObjectAbsent"))]);
    stage.explained("svc", &found["svc"]);
    stage.paste_next(&found["svc"]);
    ready_again(&stage);

    // Deleted by hand and made anew by hand, as it is published.
    let source =
        stage.built().into_iter().find(|object| object["kind"] == "OCIRepository" && object["metadata"]["name"] == "svc");
    stage.ns.delete("ocirepository", "svc");
    stage.ns.apply(&source.expect("it is built").to_string());
    let found = told(&stage, &[("svc", ("Drifted", "installed", "NotOwned"))]);
    stage.explained("svc", &found["svc"]);
    stage.paste_next(&found["svc"]);
    look(&stage);
    ready_again(&stage);

    // The parent follows another environment.
    stage.bed.copy_tag(&stage.inventory_repository(), ENVIRONMENT, "staging");
    stage.ns.patch("ocirepository", PARENT, &json!({"spec": {"ref": {"tag": "staging"}}}));
    declare(&stage, &["svc", "other", "added"]);
    stage.deploy("added", "1");
    stage.push(&[]).ok();
    let found = told(&stage, &[("added", ("Missing", "parent", "OtherTag"))]);
    says(&found["added"], &["staging"]);
    stage.explained("added", &found["added"]);
    stage.paste_next(&found["added"]);
    stage.paste_next(&found[PARENT]);
    stage.ns.patch("ocirepository", PARENT, &json!({"spec": {"ref": {"tag": ENVIRONMENT}}}));
    look(&stage);
    ready_again(&stage);
}
