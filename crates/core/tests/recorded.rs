//! Judges what live Flux controllers really said, and compares with what a person found.
//!
//! Each case under `tests/recorded` is a fault that was caused on a live cluster; `truth.json` was written by hand. Each is
//! judged as it is, with every name and digest changed, in another order, and without what the registry knew.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test reads its cases from disk and fails by panicking"
)]

use runway_core::artifact::Tree;
use runway_core::assess::{Expected, Item, Published, Verdict, assess};
use runway_core::inventory;
use runway_core::observed::{Observed, Registry, snapshot};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

struct Case {
    name: String,
    cluster: String,
    registry: String,
    truth: Value,
    published: Vec<(String, String)>,
}

fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/recorded");
    let mut cases = Vec::new();
    for group in ["alone", "with-parent"] {
        let mut folders: Vec<PathBuf> = std::fs::read_dir(root.join(group)).unwrap().map(|entry| entry.unwrap().path()).collect();
        folders.sort();
        for folder in folders {
            let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
            let mut published = Vec::new();
            for environment in std::fs::read_dir(folder.join("published")).unwrap() {
                let environment = environment.unwrap().path();
                for file in std::fs::read_dir(&environment).unwrap() {
                    let file = file.unwrap().path();
                    let name = format!("{}/{}", environment.file_name().unwrap().display(), file.file_name().unwrap().display());
                    published.push((name, std::fs::read_to_string(file).unwrap()));
                }
            }
            cases.push(Case {
                name: format!("{group}/{}", folder.file_name().unwrap().display()),
                cluster: read("cluster.json"),
                registry: read("registry.json"),
                truth: serde_json::from_str(&read("truth.json")).unwrap(),
                published,
            });
        }
    }
    assert_eq!(cases.len(), 33, "a case is missing");
    cases
}

fn judge(case: &Case, with_registry: bool) -> Vec<Item> {
    let text = |key: &str| case.truth[key].as_str().unwrap().to_owned();
    let mut tree = Tree::new();
    for (path, content) in &case.published {
        tree.insert(path, content.clone().into_bytes()).unwrap();
    }
    let (inventory, findings) = inventory::read(&tree, &text("environment"), "published");
    assert!(findings.is_empty(), "{}: {findings:?}", case.name);
    let expected = Expected {
        runtime: text("runtime"),
        environment: text("environment"),
        namespace: text("namespace"),
        declared: None,
        published: Published::Known { inventory, digest: None },
    };
    let objects = snapshot::Snapshot::parse("cluster.json", &case.cluster).unwrap().objects(&text("namespace"));
    let observed = Observed { cluster: "recorded".to_owned(), namespace: text("namespace"), objects: Ok(objects) };
    let registry = if with_registry { snapshot::registry("registry.json", &case.registry).unwrap() } else { Registry::default() };
    assess(&expected, &observed, &registry, &[])
}

fn compare(case: &Case, items: &[Item]) -> Vec<String> {
    let mut wrong = Vec::new();
    let truth = case.truth["items"].as_array().unwrap();
    if truth.len() != items.len() {
        wrong.push(format!("{}: {} rows, expected {}", case.name, items.len(), truth.len()));
    }
    for row in truth {
        let name = row["workload"].as_str().unwrap();
        let Some(item) = items.iter().find(|item| item.workload == name && item.kind.as_str() == row["kind"]) else {
            wrong.push(format!("{}: no row for {name}", case.name));
            continue;
        };
        let broken = item.broken.as_ref().map(|broken| broken.link.as_str());
        if item.verdict.as_str() != row["verdict"] || broken != row["break"].as_str() {
            wrong.push(format!(
                "{} {name}: found {:?} at {broken:?}, truth is {} at {}: {}",
                case.name, item.verdict, row["verdict"], row["break"], item.message
            ));
        }
        for word in row["says"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !item.message.contains(word) {
                wrong.push(format!("{} {name}: {word:?} is not in {:?}", case.name, item.message));
            }
        }
    }
    wrong
}

#[test]
fn every_row_is_what_a_person_found() {
    let wrong: Vec<String> = cases().iter().flat_map(|case| compare(case, &judge(case, true))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is to be done next can be done where there is no parent: nothing is asked of one, and what would be read from it is said.
#[test]
fn without_a_parent_no_step_leads_to_one() {
    let mut explained = 0;
    for case in cases().iter().filter(|case| case.name.starts_with("alone/")) {
        for item in judge(case, true) {
            for step in item.broken.iter().flat_map(|broken| &broken.next) {
                assert!(!step.contains("gke-inventory"), "{} {}: {step}", case.name, item.workload);
                if step.contains(" explain ") {
                    assert!(step.ends_with(" -n drill --runtime gke -e production"), "{}: {step}", case.name);
                    explained += 1;
                }
            }
        }
    }
    assert_eq!(explained, 2, "both that depend on another one");
}

/// Other names, namespaces and digests: nothing may depend on how something is called.
#[test]
fn renamed_cases_have_the_same_answers() {
    let mut wrong = Vec::new();
    for mut case in cases() {
        let mut names: BTreeSet<String> = BTreeSet::new();
        for row in case.truth["items"].as_array().unwrap() {
            names.insert(row["workload"].as_str().unwrap().to_owned());
        }
        names.remove("gke-inventory");
        let namespace = case.truth["namespace"].as_str().unwrap().to_owned();
        let rename = |text: &str| {
            let mut text = rotate_digests(text);
            for (n, name) in names.iter().enumerate() {
                text = replace_word(&text, name, &format!("workload-{n}-renamed"));
            }
            replace_word(&text, &namespace, "other-namespace")
        };
        case.cluster = rename(&case.cluster);
        case.registry = rename(&case.registry);
        case.truth = serde_json::from_str(&rename(&case.truth.to_string())).unwrap();
        for (_, content) in &mut case.published {
            *content = rename(content);
        }
        wrong.extend(compare(&case, &judge(&case, true)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_order_of_objects_does_not_matter() {
    let mut wrong = Vec::new();
    for mut case in cases() {
        let before = judge(&case, true);
        let mut list: Value = serde_json::from_str(&case.cluster).unwrap();
        list["items"].as_array_mut().unwrap().reverse();
        case.cluster = list.to_string();
        for (_, content) in &mut case.published {
            let mut documents: Vec<&str> = content.split("\n---").filter(|text| !text.trim().is_empty()).collect();
            documents.reverse();
            *content = documents.join("\n---\n");
        }
        let after = judge(&case, true);
        wrong.extend(compare(&case, &after));
        let sorted = |mut items: Vec<Item>| {
            items.sort_by(|a, b| a.workload.cmp(&b.workload));
            items
        };
        if sorted(before) != sorted(after) {
            wrong.push(format!("{}: another order gives another report", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Without the registry's answers less is known, and nothing becomes a lie: what is broken for another reason than the
/// registry's is still not Ready.
#[test]
fn without_registry_facts_nothing_becomes_a_lie() {
    let mut wrong = Vec::new();
    for case in cases() {
        for item in judge(&case, false) {
            let row =
                case.truth["items"].as_array().unwrap().iter().find(|row| row["workload"] == item.workload.as_str()).unwrap();
            let truth = row["verdict"].as_str().unwrap();
            let same = item.verdict.as_str() == truth;
            if item.verdict == Verdict::Ready && truth != "Ready"
                || !same && matches!(truth, "Ready" | "Suspended" | "Stalled" | "Terminating" | "Missing" | "Drifted")
            {
                wrong.push(format!("{} {}: {:?} instead of {truth}: {}", case.name, item.workload, item.verdict, item.message));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_verdict_and_link_of_the_truth_has_a_word() {
    let words: BTreeSet<&str> = Verdict::ALL.iter().map(|verdict| verdict.as_str()).collect();
    let links: BTreeSet<&str> = runway_core::assess::Link::ALL.iter().map(|link| link.as_str()).collect();
    for case in cases() {
        for row in case.truth["items"].as_array().unwrap() {
            assert!(words.contains(row["verdict"].as_str().unwrap()), "{}", case.name);
            assert!(row["break"].as_str().is_none_or(|link| links.contains(link)), "{}", case.name);
        }
    }
}

/// Replaces a whole word: names also stand inside longer names.
fn replace_word(text: &str, from: &str, to: &str) -> String {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(from) {
        let (head, tail) = rest.split_at(at);
        let after = tail.strip_prefix(from).unwrap();
        let alone = !head.chars().next_back().is_some_and(part) && !after.chars().next().is_some_and(part);
        out.push_str(head);
        // Words of Flux and Kubernetes that happen to be a workload's name stay ("ok" in a path does not matter).
        out.push_str(if alone { to } else { from });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Every hex digit moves by one, in runs of 8 or more: digests stay equal where they were, and differ where they did.
fn rotate_digests(text: &str) -> String {
    let mut out = String::new();
    let mut run = String::new();
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let flush = |run: &mut String, out: &mut String| {
        let whole = run.len() == 64 || run.len() == 8;
        for c in run.drain(..) {
            let moved = c.to_digit(16).and_then(|n| char::from_digit((n + 1) % 16, 16)).unwrap_or(c);
            out.push(if whole { moved } else { c });
        }
    };
    for c in text.chars() {
        if hex(c) {
            run.push(c);
        } else {
            flush(&mut run, &mut out);
            out.push(c);
        }
    }
    flush(&mut run, &mut out);
    out
}
