//! `status --snapshot` over what live Flux said: the rules themselves are tested in core, this proves the way out.

use super::env;
use serde_json::Value;
use std::path::{Path, PathBuf};

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded");
    let mut found: Vec<PathBuf> = ["alone", "with-parent"]
        .iter()
        .flat_map(|group| std::fs::read_dir(root.join(group)).unwrap().map(|entry| entry.unwrap().path()))
        .collect();
    found.sort();
    assert_eq!(found.len(), 33, "a case is missing");
    found
}

#[test]
fn every_recorded_case_comes_out_as_a_person_found_it() {
    let mut wrong = Vec::new();
    for folder in folders() {
        let truth: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("truth.json")).unwrap()).unwrap();
        let text = |key: &str| truth[key].as_str().unwrap().to_owned();
        let (namespace, runtime, environment) = (text("namespace"), text("runtime"), text("environment"));
        let snapshot = folder.to_str().unwrap();
        let run = env().run([
            "status",
            "--snapshot",
            snapshot,
            "-n",
            &namespace,
            "--runtime",
            &runtime,
            "-e",
            &environment,
            "-o",
            "json",
        ]);
        let document: Value = serde_json::from_str(&run.stdout).unwrap();
        let all_ready = truth["items"].as_array().unwrap().iter().all(|row| row["verdict"] == "Ready");
        if run.code != Some(i32::from(!all_ready)) {
            wrong.push(format!("{}: exit {:?}", folder.display(), run.code));
        }
        for row in truth["items"].as_array().unwrap() {
            let item = document["items"]
                .as_array()
                .unwrap()
                .iter()
                .find(|item| item["workload"] == row["workload"] && item["kind"] == row["kind"]);
            let Some(item) = item else {
                wrong.push(format!("{}: no row for {}", folder.display(), row["workload"]));
                continue;
            };
            if item["verdict"] != row["verdict"] || item["break"]["link"] != row["break"] {
                wrong.push(format!("{}: {item}", folder.display()));
            }
            for word in row["says"].as_array().into_iter().flatten() {
                if !item["message"].as_str().unwrap().contains(word.as_str().unwrap()) {
                    wrong.push(format!("{}: {word} is not in {}", folder.display(), item["message"]));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn one_workload_shows_its_chain() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/alone/was-ok-then-tag-deleted");
    let run = env()
        .run([
            "status",
            "was-ok-then-tag-deleted",
            "--runtime",
            "gke",
            "-e",
            "production",
            "--snapshot",
            folder.to_str().unwrap(),
        ])
        .exits(1);
    for words in [
        "Failed at deployed",
        "✘ deployed",
        "localhost:5050/drill/t1:production is not in the registry",
        "still runs eb1277ac",
        "next: ",
    ] {
        assert!(run.stdout.contains(words), "{words}: {run}");
    }
    let calm = env().run([
        "status",
        "--exit-code=false",
        "--runtime",
        "gke",
        "-e",
        "production",
        "--snapshot",
        folder.to_str().unwrap(),
    ]);
    assert_eq!(calm.code, Some(0), "{calm}");
}

#[test]
fn a_snapshot_may_be_a_plain_list_and_carry_escapes() {
    let env = env();
    let list = r#"{"kind":"List","items":[
        {"apiVersion":"source.toolkit.fluxcd.io/v1","kind":"OCIRepository","metadata":{"name":"gke-inventory","namespace":"n","generation":1},
         "spec":{"url":"oci://localhost:1/x","ref":{"tag":"production"}},
         "status":{"conditions":[{"type":"Ready","status":"False","reason":"OCIArtifactPullFailed","observedGeneration":1,"message":"\u001b[2Jboo\nline \u202e two"}]}}]}"#;
    env.write("list.json", list);
    let run = env.run(["status", "--snapshot", "list.json", "--color", "never"]).exits(1);
    assert!(run.stdout.contains("gke-inventory"), "{run}");
    assert!(!run.stdout.contains('\u{1b}') && !run.stdout.contains('\u{202e}'), "{run}");
}
