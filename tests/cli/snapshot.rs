//! `snapshot save`, and that a snapshot is judged as the cluster was.

use super::env;
use super::fake::{Fake, folder, kubeconfig, recorded};
use runway_testkit::env::Env;
use serde_json::Value;

fn env_of(server: &Fake) -> Env {
    let mut env = env();
    let file = env.write("kubeconfig", kubeconfig(&[("a", &server.url)]));
    env.var("KUBECONFIG", file);
    env
}

fn cases() -> Vec<String> {
    let names = |group: &str| {
        let entries = std::fs::read_dir(folder(group)).unwrap();
        entries.map(|entry| format!("{group}/{}", entry.unwrap().file_name().display())).collect::<Vec<_>>()
    };
    [names("alone"), names("with-parent")].concat()
}

#[test]
fn every_recorded_case_is_judged_alike_live_and_saved() {
    for case in cases() {
        let server = Fake::recorded(&case);
        let env = env_of(&server);
        let truth: Value = serde_json::from_str(&env.read(format!("{}/truth.json", folder(&case)))).unwrap();
        let text = |key: &str| truth[key].as_str().unwrap();
        let scope = ["-n", text("namespace"), "--runtime", text("runtime"), "-e", text("environment"), "--no-registry"];
        let published = format!("{}/published", folder(&case));
        let run = |more: &[&str]| env.run(more.iter().chain(&scope));
        let saved = run(&["snapshot", "save", "saved", "--expected", &published]).exits(0);
        assert_eq!(saved.stdout, "saved\n", "{saved}");
        let live = run(&["status", "--context", "a", "--expected", &published, "-o", "json"]);
        let later = run(&["status", "--snapshot", "saved", "-o", "json"]);
        let items = |text: &str| serde_json::from_str::<Value>(text).unwrap()["items"].clone();
        // What only looks looks at the snapshot again; what acts goes to the cluster.
        let led = later.stdout.replace(" --snapshot saved", " --context a");
        assert_eq!(items(&live.stdout), items(&led), "{case}");
        assert_eq!(live.code, later.code, "{case}");
    }
}

#[test]
fn copies_of_what_was_applied_by_hand_are_not_saved() {
    let mut objects = recorded("with-parent/drifted-by-kubectl");
    objects[0]["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = "canary".into();
    objects[0]["metadata"]["annotations"]["kept"] = "yes".into();
    let server = Fake::start(objects, "\0");
    let env = env_of(&server);
    let run = env.run(["snapshot", "save", "-n", "drifted-by-kubectl", "--no-registry"]).exits(0);
    let folder = run.stdout.trim();
    assert!(folder.starts_with("snapshot-a-2"), "{run}");
    let list = env.read(format!("{folder}/cluster.json"));
    assert!(!list.contains("canary") && list.contains("kept") && list.contains("fieldsV1"), "{list}");
    assert_eq!(env.read(format!("{folder}/registry.json")), "{}\n");
    assert!(!env.work().join(folder).join("published").exists());
}

#[test]
fn nothing_is_mixed_and_half_a_snapshot_is_none() {
    let server = Fake::start(recorded("with-parent/two-parents"), "/kustomizations");
    let env = env_of(&server);
    env.write("full/precious", "x");
    for (arguments, words) in [
        (&["full"][..], "a folder of its own"),
        (&["new"], "/kustomizations?limit=500 is forbidden"),
        (&["new", "--all-contexts", "--exclude-context", "a"], "every one is excluded"),
        (&["new", "--snapshot", "full"], "of a cluster, not of a snapshot"),
    ] {
        let mut all = vec!["snapshot", "save", "-n", "two-parents", "--no-registry"];
        all.extend(arguments);
        let run = env.run(all).exits(2);
        assert!(run.stderr.contains(words), "{words}: {run}");
    }
    assert!(!env.work().join("new").exists());
    let server = Fake::recorded("with-parent/two-parents");
    let run = env_of(&server).run(["snapshot", "save", "-n", "two-parents", "--no-registry"]).exits(2);
    assert!(run.stderr.contains("the cluster has eks production, gke production"), "{run}");
}
