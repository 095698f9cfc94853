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

/// Verbs of programs that are not ours, as words that may follow each other, and the flags that they take.
const KUBECTL: [&str; 6] = ["get", "describe", "config view", "apply", "logs", "events"];
const KUBECTL_FLAGS: [&str; 9] =
    ["-n", "--context", "--kubeconfig", "--server", "-o", "--show-managed-fields", "--minify", "--dry-run", "-f"];
const FLUX: [&str; 8] = [
    "reconcile source oci",
    "reconcile kustomization",
    "resume source oci",
    "resume kustomization",
    "events",
    "list artifacts",
    "pull artifact",
    "check",
];
const FLUX_FLAGS: [&str; 7] = ["-n", "--context", "--kubeconfig", "--server", "--for", "--with-source", "--output"];

/// Why nobody could run this; `None` when somebody can.
fn fault(command: &str) -> Option<String> {
    let words = super::docs::words(command);
    let (program, rest) = words.split_first()?;
    if program == "kubectl" && rest.first().is_some_and(|word| word == "runway") {
        const NAME: &str = "kubectl runway";
        let parsed = kubectl_runway::command_line(NAME).try_get_matches_from([NAME.to_owned()].iter().chain(&rest[1..]));
        return parsed.err().map(|error| format!("{command}\n{error}"));
    }
    let (verbs, flags): (&[&str], &[&str]) = match program.as_str() {
        "kubectl" => (&KUBECTL, &KUBECTL_FLAGS),
        "flux" => (&FLUX, &FLUX_FLAGS),
        _ => return Some(format!("{command}: whose program is that?")),
    };
    let mut bare = Vec::new();
    let mut rest = rest.iter();
    while let Some(word) = rest.next() {
        if !word.starts_with('-') {
            bare.push(word.as_str());
            continue;
        }
        let (flag, value) = word.split_once('=').map_or((word.as_str(), None), |(flag, value)| (flag, Some(value)));
        if !flags.contains(&flag) {
            return Some(format!("{command}: {flag}"));
        }
        let alone = matches!(flag, "--show-managed-fields" | "--minify" | "--with-source" | "--dry-run");
        if !alone && value.is_none() && rest.next().is_none() {
            return Some(format!("{command}: {flag} has no value"));
        }
    }
    let bare = bare.join(" ");
    let known = verbs.iter().any(|verb| bare == *verb || bare.starts_with(&format!("{verb} ")));
    (!known).then(|| format!("{command}: no such verb"))
}

#[test]
fn every_next_step_can_be_pasted() {
    let mut seen = std::collections::BTreeSet::new();
    for folder in folders() {
        let truth: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("truth.json")).unwrap()).unwrap();
        let text = |key: &str| truth[key].as_str().unwrap().to_owned();
        let (namespace, runtime, environment) = (text("namespace"), text("runtime"), text("environment"));
        let snapshot = folder.to_str().unwrap();
        let scope = ["-n", &namespace, "--runtime", &runtime, "-e", &environment, "--snapshot", snapshot, "-o", "json"];
        for more in [&["status"][..], &["status", "--no-registry"], &["status", "nowhere"]] {
            let run = env().run(more.iter().chain(&scope));
            let document: Value = serde_json::from_str(&run.stdout).unwrap();
            let items = document["items"].as_array().unwrap().iter();
            for next in items.flat_map(|item| item["break"]["next"].as_array().into_iter().flatten()) {
                let next = next.as_str().unwrap();
                // What acts on a cluster must not go to the current one.
                let acts = !next.starts_with("kubectl runway") && !next.starts_with("flux list artifacts");
                assert_eq!(next.contains(" --context CLUSTER "), acts, "{snapshot}: {next}");
                seen.insert(next.to_owned());
            }
        }
    }
    let faults: Vec<String> = seen.iter().filter_map(|command| fault(command)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(seen.len() > 40, "only {} steps", seen.len());
}

#[test]
fn every_command_that_help_reasons_names_is_one() {
    let (mut seen, mut faults) = (0, Vec::new());
    for reason in runway_core::assess::reasons::all() {
        for part in reason.help.split([';', ',']) {
            let Some(at) = part.find("kubectl ").into_iter().chain(part.find("flux ")).min() else { continue };
            seen += 1;
            faults.extend(fault(part.split_at(at).1.trim()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(seen > 12, "only {seen} commands");
    for (wrong, word) in
        [("kubectl runway status --nonsense", "--nonsense"), ("flux fly", "no such verb"), ("kubectl get -z", "-z")]
    {
        assert!(fault(wrong).is_some_and(|why| why.contains(word)), "{wrong}");
    }
}
