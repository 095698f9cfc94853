//! diff, list, pull, bootstrap and config, without a test bed.

use super::{env, platform};
use serde_json::Value;

fn pushed(list: &str) -> runway_testkit::env::Env {
    let env = platform(list);
    env.run([
        "inventory",
        "push",
        "-e",
        "production",
        "--to",
        "layout:out",
        "--source",
        "https://example.com/p",
        "--revision",
        "main@sha1:abc",
    ])
    .ok();
    env
}

#[test]
fn diff_says_what_a_merge_request_does() {
    let env = pushed("- runway_service_id: a\n- runway_service_id: b\n  flux: {prune: false}\n- runway_service_id: c\n");
    let same = env.run(["inventory", "diff", "-e", "production", "local", "layout:out"]).exits(0);
    assert_eq!(same.stdout, "", "{same}");
    env.write(
        "config/runtimes/gke/workloads.yml",
        "- runway_service_id: a\n  flux: {wait: true, source: {interval: 1m}}\n- runway_service_id: d\n",
    );
    let text = env.run(["inventory", "diff", "-e", "production", "local", "layout:out"]).exits(1).stdout;
    for words in [
        "+ d\n",
        "- b (orphaned",
        "- c (pruned",
        "~ a\n",
        "OCIRepository spec.interval: 5m0s -> 1m",
        "Kustomization spec.wait: absent -> true",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let json = env
        .run(["inventory", "diff", "-e", "production", "local", "layout:out", "-o", "json", "-o", "markdown=c.md"])
        .exits(1)
        .stdout;
    let document: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(document["kind"], "DiffReport");
    assert_eq!(document["summary"], serde_json::json!({"added": 1, "removed": 2, "changed": 1}));
    let comment = env.read("c.md");
    assert!(comment.contains("`c` removed, **pruned**") && comment.contains("`gke production`"), "{comment}");
    // The other way round: what a rollback would do.
    let back = env.run(["inventory", "diff", "-e", "production", "layout:out", "local"]).exits(1).stdout;
    assert!(back.contains("- d (pruned") && back.contains("+ b\n"), "{back}");
}

#[test]
fn diff_reads_folders_and_says_what_is_missing() {
    let env = pushed("- runway_service_id: a\n");
    env.run(["inventory", "pull", "layout:out", "-e", "production", "--output-dir", "pulled"]).ok();
    let same = env.run(["inventory", "diff", "-e", "production", "local", "pulled"]).exits(0);
    assert_eq!(same.stdout, "");
    let first = env.run(["inventory", "diff", "-e", "staging", "local", "layout:out"]).exits(1);
    assert!(first.stdout.contains("+ a") && first.stderr.contains("is not there"), "{first}");
    let wrong = env.run(["inventory", "diff", "-e", "production", "layout:out:nope", "local"]).exits(2);
    assert!(wrong.stderr.contains("there is no such inventory"), "{wrong}");
}

#[test]
fn list_shows_tags_with_their_provenance() {
    let env = pushed("- runway_service_id: a\n");
    env.run(["inventory", "push", "-e", "staging", "--to", "layout:out"]).ok();
    let table = env.run(["inventory", "list", "layout:out"]).ok();
    assert!(
        table.starts_with("TAG          DIGEST") && table.contains("main@sha1:abc") && table.contains("https://example.com/p"),
        "{table}"
    );
    assert_eq!(env.run(["inventory", "list", "layout:out", "-o", "name"]).ok(), "production\nstaging\n");
    let document: Value = serde_json::from_str(&env.run(["inventory", "list", "layout:out", "-o", "json"]).ok()).expect("JSON");
    assert_eq!(document["items"][0]["tag"], "production");
}

#[test]
fn build_checks_without_writing() {
    let env = platform("- runway_service_id: a\n");
    let build = |more: &[&str]| {
        let mut arguments = vec!["inventory", "build", "-e", "production"];
        arguments.extend(more);
        env.run(arguments)
    };
    let missing = build(&["--output-dir", "out", "--check"]).exits(1);
    assert!(missing.stdout.contains("differs") && !env.work().join("out").exists(), "{missing}");
    build(&["--output-dir", "out"]).ok();
    build(&["--output-dir", "out", "--check"]).ok();
    env.write("out/production/inventory.yaml", "x: 1\n");
    drop(build(&["--output-dir", "out", "--check"]).exits(1));
    assert_eq!(env.read("out/production/inventory.yaml"), "x: 1\n");
    build(&["--to", "layout:image"]).ok();
    build(&["--to", "layout:image", "--check"]).ok();
    env.write("config/runtimes/gke/workloads.yml", "- runway_service_id: b\n");
    drop(build(&["--to", "layout:image", "--check"]).exits(1));
    drop(build(&["--check"]).exits(2));
}

#[test]
fn bootstrap_keeps_or_fills_the_variables() {
    let mut env = env();
    let kept = env.run(["bootstrap"]).ok();
    assert!(kept.contains("name: ${cloud_provider}-inventory\n") && kept.contains("    tag: \"${environment}\"\n"), "{kept}");
    let filled = env.run(["bootstrap", "--runtime", "gke", "-e", "production"]).ok();
    assert!(filled.contains("path: \"./production\"\n") && !filled.contains("${"), "{filled}");
    let half = env.run(["bootstrap", "--runtime", "gke"]).exits(2);
    assert!(half.stderr.contains("only one of runtime and environment"), "{half}");
    env.var("RUNWAY_ENVIRONMENT", "staging").var("RUNWAY_RUNTIME", "eks").var("RUNWAY_PARENT_SECRET_REF", "other");
    assert!(env.run(["bootstrap"]).ok().contains("name: other\n"));
    assert_eq!(env.run(["bootstrap", "--keep-variables"]).ok(), kept.replace("inventory-reader", "other"));
}

#[test]
fn config_view_says_where_a_value_came_from() {
    let mut env = env();
    env.write("kubectl-runway.yaml", "namespace: mine\n");
    env.var("RUNWAY_SOURCE_INTERVAL", "1m");
    let text = env.run(["config", "view", "--show-origin", "--runtime", "gke"]).ok();
    let line = |key: &str| text.lines().find(|line| line.starts_with(key)).unwrap_or_else(|| panic!("{key}: {text}")).to_owned();
    assert!(line("namespace").contains("mine") && line("namespace").ends_with("kubectl-runway.yaml:1:12"), "{text}");
    assert!(line("source.interval").ends_with("variable RUNWAY_SOURCE_INTERVAL"), "{text}");
    assert!(line("runtime ").ends_with("flag --runtime"), "{text}");
    assert!(line("registry.base").ends_with("default"), "{text}");
    let bare = super::env().run(["config", "view"]).ok();
    assert!(bare.contains("registry.gitlab.com"), "{bare}");
}

/// The same input, whatever the folder, the time zone, the locale, or the way in: the same digest.
#[test]
fn the_digest_depends_on_the_content_alone() {
    let list = "- runway_service_id: a\n- runway_service_id: b\n";
    let digest = |env: &runway_testkit::env::Env, arguments: &[&str], stdin: &str| {
        let mut all = vec!["inventory", "push", "-e", "production", "--runtime", "gke", "--to", "layout:out", "-o", "json"];
        all.extend(arguments);
        let document: Value = serde_json::from_str(&env.run_with_stdin(all, stdin).ok()).expect("JSON");
        document["digest"].as_str().expect("a digest").to_owned()
    };
    let first = digest(&platform(list), &[], "");
    let mut other = platform("");
    other.var("TZ", "America/New_York").var("LC_ALL", "tr_TR.UTF-8").var("LANG", "tr_TR.UTF-8");
    assert_eq!(digest(&other, &["-f", "-"], list), first);
    let elsewhere = env();
    elsewhere.write("deep/er/list.yml", list);
    assert_eq!(digest(&elsewhere, &["-f", "deep/er/list.yml"], ""), first);
}

#[test]
fn further_tags_are_never_moved() {
    let env = platform("- runway_service_id: a\n- runway_service_id: b\n");
    let push = |more: &[&str]| {
        let mut arguments = vec!["inventory", "push", "-e", "production", "--to", "layout:out"];
        arguments.extend(more);
        env.run(arguments)
    };
    push(&["--tag", "v1", "--tag", "latest-good"]).ok();
    assert_eq!(env.run(["inventory", "list", "layout:out", "-o", "name"]).ok(), "production\nv1\nlatest-good\n");
    // Unchanged content may still get a tag.
    push(&["--tag", "v1", "--tag", "v2"]).ok();
    let list: Value = serde_json::from_str(&env.run(["inventory", "list", "layout:out", "-o", "json"]).ok()).expect("JSON");
    let digests: std::collections::BTreeSet<&str> =
        list["items"].as_array().unwrap().iter().map(|item| item["digest"].as_str().unwrap()).collect();
    assert_eq!((list["items"].as_array().unwrap().len(), digests.len()), (4, 1));

    env.write("config/runtimes/gke/workloads.yml", "- runway_service_id: a\n- runway_service_id: b\n- runway_service_id: c\n");
    let index = env.read("out/index.json");
    let taken = push(&["--tag", "v1"]).exits(5);
    assert!(taken.stderr.contains("the tag v1 is taken"), "{taken}");
    assert_eq!(env.read("out/index.json"), index, "{taken}");
    let wrong = push(&["--tag=.x"]).exits(2);
    assert!(wrong.stderr.contains("is no tag"), "{wrong}");
    push(&["--tag", "v3"]).ok();
}
