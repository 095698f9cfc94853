//! What plans, guards, diffs and sources of inventories mean, on layouts.

use super::{env, platform};
use runway_core::artifact::{Provenance, Tree};
use runway_testkit::command::Run;
use runway_testkit::env::Env;
use serde_json::Value;

const LIST: &str = "- runway_service_id: alpha-gke\n- runway_service_id: beta-gke\n- runway_service_id: gamma-gke\n";
const FILE: &str = "config/runtimes/gke/workloads.yml";

/// A command for gke's production.
fn inventory(env: &Env, arguments: &[&str]) -> Run {
    let (command, rest) = arguments.split_first().expect("a command");
    env.run([&["inventory", command, "--runtime", "gke", "-e", "production"], rest].concat())
}

fn push(env: &Env, more: &[&str]) -> Run {
    inventory(env, &[&["push", "--to", "layout:out"], more].concat())
}

/// A platform whose layout `out` holds what another tool pushed as production.
fn published(files: &[(&str, &str)]) -> Env {
    let mut tree = Tree::new();
    for (path, text) in files {
        tree.insert(path, text.as_bytes().to_vec()).expect("a path");
    }
    let artifact = runway_core::artifact::build(&tree, &Provenance::default());
    let env = platform(LIST);
    for blob in [&artifact.manifest, &artifact.config, &artifact.layer] {
        env.write(format!("out/blobs/sha256/{}", blob.digest.hex()), &blob.bytes);
    }
    env.write("out/oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    let entry = serde_json::json!({
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": artifact.manifest.digest.as_str(),
        "size": artifact.manifest.bytes.len(),
        "annotations": {"org.opencontainers.image.ref.name": "production"},
    });
    env.write("out/index.json", serde_json::json!({"schemaVersion": 2, "manifests": [entry]}).to_string());
    env
}

fn built(env: &Env) -> String {
    inventory(env, &["build"]).ok()
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"))
}

#[test]
fn a_workloads_yml_is_a_source_everywhere() {
    let env = platform(LIST);
    push(&env, &[]).ok();
    let text = built(&env);
    for arguments in [&["diff", FILE, "layout:out"][..], &["diff", "layout:out", FILE]] {
        let same = inventory(&env, arguments).exits(0);
        assert_eq!(same.stdout, "", "{same}");
    }
    assert_eq!(inventory(&env, &["show", FILE]).ok(), text);
    let stdin = ["inventory", "diff", "--runtime", "gke", "-e", "production", "-", "layout:out"];
    let from_stdin = |text: &str| env.run_with_stdin(stdin, text);
    drop(from_stdin(LIST).exits(0));
    // The same objects as manifests.
    drop(from_stdin(&text).exits(0));
    let fewer = from_stdin("- runway_service_id: alpha-gke\n- runway_service_id: beta-gke\n").exits(1);
    assert_eq!(fewer.stdout, "- gamma-gke (pruned: Flux deletes everything that it applied)\n", "{fewer}");
    env.write("built.yaml", &text);
    drop(inventory(&env, &["diff", "built.yaml", "layout:out"]).exits(0));
    drop(inventory(&env, &["verify", "built.yaml"]).exits(0));
    // Without --runtime the file's folder says it.
    env.write("config/runtimes/eks/workloads.yml", "- runway_service_id: delta-eks\n");
    drop(env.run(["inventory", "diff", "-e", "production", FILE, "layout:out"]).exits(0));
    drop(env.run(["inventory", "show", "-e", "production", FILE]).exits(0));
}

#[test]
fn a_source_with_errors_is_refused_as_build_refuses_it() {
    let env = platform(LIST);
    push(&env, &[]).ok();
    env.write("bad.yml", "- runway_service_id: alpha-gke\n  flux: {timeout: 1d}\n");
    for arguments in [&["diff", "bad.yml", "layout:out"][..], &["show", "bad.yml"]] {
        let run = inventory(&env, arguments).exits(2);
        assert!(run.stderr.contains("error[duration]") && run.stderr.contains("bad.yml:2:"), "{run}");
        assert!(run.stdout.is_empty(), "{run}");
    }
    let run = env.run(["inventory", "show", "-e", "production", "bad.yml"]).exits(2);
    assert!(run.stderr.contains("add --runtime"), "{run}");
    env.write("built.yaml", built(&env).replace("interval: 5m0s", "intervall: 5m0s"));
    let run = inventory(&env, &["verify", "built.yaml"]).exits(1);
    assert!(run.stdout.contains("--> built.yaml:7:3") && run.stdout.contains("7 |   intervall: 5m0s"), "{run}");
}

#[test]
fn expected_reads_the_same_grammar() {
    let env = platform(LIST);
    env.write("cluster.json", r#"{"apiVersion": "v1", "kind": "List", "items": []}"#);
    let status = |source: &str| {
        let run = env.run([
            "status",
            "--snapshot",
            "cluster.json",
            "--runtime",
            "gke",
            "-e",
            "production",
            "--no-registry",
            "--expected",
            source,
            "-o",
            "json",
        ]);
        (run.code, run.stdout.matches("\"workload\": \"alpha-gke\"").count(), run.stderr)
    };
    let (code, rows, said) = status(FILE);
    assert_eq!((code, rows), (Some(1), 1), "{said}");
    push(&env, &[]).ok();
    env.run(["inventory", "push", "--runtime", "gke", "-e", "staging", "--to", "layout:other"]).ok();
    let (code, _, said) = status("layout:other:staging");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("no folder production: it expects nothing"), "{said}");
}

#[test]
fn a_side_without_the_environment_is_no_answer() {
    let env = platform(LIST);
    push(&env, &[]).ok();
    inventory(&env, &["build", "--output-dir", "folder"]).ok();
    drop(inventory(&env, &["diff", "local", "folder"]).exits(0));
    for arguments in [
        &["diff", "folder/production", "layout:out"][..],
        &["diff", "layout:out", "folder/production"],
        &["diff", "folder/production"],
        &["show", "folder/production"],
    ] {
        let run = inventory(&env, arguments).exits(2);
        assert!(run.stdout.is_empty() && run.stderr.contains("has no folder production"), "{run}");
        assert!(run.stderr.contains("name the folder above it"), "{run}");
    }
    let run = env.run(["inventory", "diff", "--runtime", "gke", "-e", "staging", "local", "layout:out:production"]).exits(2);
    assert!(run.stderr.contains("has no folder staging") && run.stderr.contains("it has production"), "{run}");
}

#[test]
fn another_namespace_is_another_workload() {
    let env = platform(LIST);
    push(&env, &[]).ok();
    let index = env.read("out/index.json");
    let run = push(&env, &["-n", "elsewhere", "-o", "json"]).exits(5);
    let plan = &json(&run)["plan"];
    assert_eq!((plan["added"].as_array().map(Vec::len), plan["removed"].as_array().map(Vec::len)), (Some(3), Some(3)), "{run}");
    assert_eq!(plan["removed"][0]["workload"], "runway-provisioner/alpha-gke");
    assert_eq!(env.read("out/index.json"), index);
    push(&env, &["-n", "elsewhere", "--allow-removals", "3"]).ok();
}

#[test]
fn what_is_no_workload_counts_in_plan_and_guard() {
    let others = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: precious}\n---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: ingress, namespace: runway-provisioner}\n";
    let text = built(&platform(LIST)) + others;
    let env = published(&[("production/inventory.yaml", &text)]);
    let run = push(&env, &["-o", "json"]).exits(5);
    let removed = &json(&run)["plan"]["removed"];
    assert_eq!(removed[0]["workload"], "Namespace/precious", "{run}");
    assert_eq!(removed.as_array().map(Vec::len), Some(2), "{run}");
    assert!(run.stderr.contains("2 of 3 workloads and 2 objects"), "{run}");
    let diff = inventory(&env, &["diff", "local", "layout:out"]).exits(1);
    assert!(diff.stdout.contains("- Namespace/precious (pruned"), "{diff}");
    let back = inventory(&env, &["diff", "layout:out", "local"]).exits(1);
    assert!(back.stdout.starts_with("+ Namespace/precious\n+ HelmRelease/"), "{back}");
    assert!(inventory(&env, &["show", "layout:out"]).ok().contains("kind: HelmRelease"));
    push(&env, &["--allow-removals", "2"]).ok();
}

#[test]
fn a_tag_without_the_environment_is_counted_whole() {
    let other = built(&platform(LIST)).replace("tag: production", "tag: staging");
    let env = published(&[("staging/inventory.yaml", &other)]);
    let index = env.read("out/index.json");
    let run = push(&env, &[]).exits(5);
    assert!(run.stderr.contains("has no folder production") && run.stderr.contains("--allow-removals 3"), "{run}");
    assert_eq!(env.read("out/index.json"), index);
    push(&env, &["--allow-removals", "3"]).ok();
    // With the wrong --path: the same workloads, in no folder.
    let env = published(&[("inventory.yaml", &built(&platform(LIST)))]);
    let run = push(&env, &["--dry-run", "-o", "json"]).exits(0);
    assert!(run.stderr.contains("is not in this plan"), "{run}");
    assert_eq!(json(&run)["plan"], serde_json::json!({"added": [], "removed": [], "changed": []}));
    env.write(FILE, "- runway_service_id: alpha-gke\n");
    let run = push(&env, &[]).exits(5);
    assert!(run.stderr.contains("2 of 3 workloads"), "{run}");
}

#[test]
fn the_tag_of_another_environment_is_never_pushed_to() {
    let env = platform(LIST);
    for arguments in [
        &["push", "--to", "layout:out:staging"][..],
        &["push", "--to", "layout:out", "--tag", "staging"],
        &["push", "--to", "oci://127.0.0.1:1/x:staging"],
        &["build", "--to", "layout:out:staging"],
        &["build", "--to", "layout:out:staging", "--check"],
    ] {
        let run = inventory(&env, arguments).exits(2);
        assert!(run.stderr.contains("the tag staging is that of another environment"), "{run}");
        assert!(!env.work().join("out").exists(), "{run}");
    }
    push(&env, &["--tag", "production", "--tag", "v1"]).ok();
    drop(inventory(&env, &["build", "--to", "layout:built:v1"]).exits(0));
}

#[test]
fn a_push_that_resumes_or_relabels_says_so() {
    let text = built(&platform(LIST));
    let other = text.replacen("  prune: true\n", "  prune: true\n  suspend: true\n", 1).replacen(
        "  namespace: runway-provisioner\n",
        "  namespace: runway-provisioner\n  labels: {team: x}\n",
        1,
    );
    let env = published(&[("production/inventory.yaml", &other)]);
    let run = push(&env, &["--dry-run"]).exits(0);
    for words in ["OCIRepository metadata.labels.team: x -> absent", "Kustomization spec.suspend: true -> absent", "1 changed"] {
        assert!(run.stdout.contains(words), "{words}: {run}");
    }
    let back = inventory(&env, &["diff", "layout:out", "local"]).exits(1);
    assert!(back.stdout.contains("Kustomization spec.suspend: absent -> true"), "{back}");
}

#[test]
fn another_order_is_not_pushed() {
    let env = platform(LIST);
    push(&env, &[]).ok();
    let index = env.read("out/index.json");
    env.write(FILE, LIST.lines().rev().collect::<Vec<_>>().join("\n"));
    let run = push(&env, &["-o", "json"]).exits(0);
    assert_eq!(json(&run)["result"], "unchanged", "{run}");
    assert_eq!(env.read("out/index.json"), index);
    let forced = push(&env, &["--force"]).exits(0);
    assert!(forced.stdout.contains("0 added, 0 removed, 0 changed; the same objects"), "{forced}");
    assert_ne!(env.read("out/index.json"), index);
    // What lies in other files is pushed, since some of them may not count.
    let text = built(&env);
    let env = published(&[("production/inventory.yaml", &text), (".sourceignore", "inventory.yaml\n")]);
    assert_eq!(json(&push(&env, &["-o", "json"]).exits(0))["result"], "pushed");
}

#[test]
fn a_kustomization_file_decides_what_is_read() {
    let text = built(&platform(LIST));
    let (first, rest) = text.split_at(text.find("---\napiVersion: source").expect("a second workload"));
    let files = [("production/a.yaml", first), ("production/b.yaml", rest)];
    let with = |list: &'static str| published(&[files[0], files[1], ("production/kustomization.yaml", list)]);
    let env = with("resources: [a.yaml]\n");
    let run = inventory(&env, &["diff", "local", "layout:out"]).exits(1);
    assert_eq!(run.stdout, "+ beta-gke\n+ gamma-gke\n", "{run}");
    let run = inventory(&env, &["verify", "layout:out"]).exits(1);
    assert!(run.stdout.contains("error[unlisted-file]") && run.stdout.contains("production/b.yaml"), "{run}");
    drop(inventory(&with("resources: [a.yaml, b.yaml]\n"), &["diff", "local", "layout:out"]).exits(0));
    let env = with("resources: [a.yaml, b.yaml]\nnamePrefix: x-\n");
    let run = inventory(&env, &["diff", "local", "layout:out"]).exits(2);
    assert!(run.stderr.contains("namePrefix") && run.stderr.contains("production/kustomization.yaml:2:1"), "{run}");
    assert!(run.stderr.contains("kubectl kustomize"), "{run}");
}

#[test]
fn findings_about_settings_show_no_line_of_the_list() {
    let env = platform(LIST);
    env.write("kubectl-runway.yaml", "source:\n  apiVersion: v1beta2\n");
    for command in [&["build"][..], &["push", "--to", "layout:out"]] {
        let run = inventory(&env, command).exits(0);
        assert!(run.stderr.contains("warning[deprecated-api]") && run.stderr.contains("kubectl-runway.yaml:2:15"), "{run}");
        assert!(!run.stderr.contains("alpha-gke"), "{run}");
    }
}

#[test]
fn invisible_characters_are_not_built() {
    let env = env();
    env.write(FILE, "- runway_service_id: a\n  flux:\n    path: \"./a\u{202e}b\"\n- runway_service_id: b\n  flux: {postBuild: {substitute: {k: \"x\\u200By\"}}}\n");
    let run = inventory(&env, &["build"]).exits(2);
    for words in ["error[invisible-character]: spec.path has the invisible character U+202E", ":3:11", "U+200B", ":5:38"] {
        assert!(run.stderr.contains(words), "{words}: {run}");
    }
    assert!(run.stdout.is_empty() && !run.stderr.contains('\u{202e}'), "{run}");
}
