//! `causes.txt`: each recorded case and each reason code has a scenario that causes it live, or a reason why none can. Needs no bed.

use runway_core::assess::reasons;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn folder(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(below)
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// All that needs a cause: the recorded cases, `GROUP/CASE`, and the reason codes.
fn subjects() -> BTreeSet<String> {
    let mut all: BTreeSet<String> = reasons::all().map(|reason| reason.code.to_owned()).collect();
    for group in ["alone", "with-parent"] {
        for case in fs::read_dir(folder("recorded").join(group)).expect("a folder") {
            all.insert(format!("{group}/{}", case.expect("an entry").file_name().display()));
        }
    }
    all
}

/// The lines that count.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// What is wrong with the table. `source` gives the text of a scenario's file.
fn wrong(table: &str, scenarios: &str, subjects: &BTreeSet<String>, source: impl Fn(&str) -> String) -> Vec<String> {
    let scenarios: BTreeSet<&str> = lines(scenarios).collect();
    let mut causes: BTreeMap<&str, &str> = BTreeMap::new();
    let mut wrong = Vec::new();
    for line in lines(table) {
        let (subject, cause) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        if causes.insert(subject, cause.trim()).is_some() {
            wrong.push(format!("{subject} has two lines"));
        }
    }
    for subject in subjects {
        match causes.remove(subject.as_str()) {
            None => wrong.push(format!("{subject} has no live cause, and no reason why it cannot have one")),
            Some(cause) if cause.starts_with("never:") => {
                if cause.split_whitespace().count() < 5 {
                    wrong.push(format!("{subject}: why can it never be caused?"));
                }
            }
            Some(scenario) if !scenarios.contains(scenario) => {
                wrong.push(format!("{subject}: {scenario:?} is no live scenario"));
            }
            Some(scenario) => {
                // A name that its file does not even mention is not tested there.
                let word = subject.rsplit('/').next().unwrap_or(subject);
                if !source(scenario).contains(word) {
                    wrong.push(format!("{subject}: the file of {scenario} does not name it"));
                }
            }
        }
    }
    wrong.extend(causes.keys().map(|subject| format!("{subject} is neither a recorded case nor a reason code")));
    wrong
}

#[test]
fn every_recorded_case_and_every_reason_has_a_live_cause() {
    let live = folder("live");
    let source = |scenario: &str| {
        let (file, _) = scenario.rsplit_once("::").expect("a file and a name");
        read(&live.join(format!("{}.rs", file.replace("::", "/"))))
    };
    let wrong = wrong(&read(&live.join("causes.txt")), &read(&live.join("scenarios.txt")), &subjects(), source);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_gap_in_the_table_is_seen() {
    let subjects: BTreeSet<String> = ["alone/a", "B", "C", "D", "E"].map(str::to_owned).into();
    let table = "# all\nalone/a x::y\nB never: no\nC x::gone\nD x::y\nF x::y\n";
    let source = |_: &str| "fn y() { \"a\" }".to_owned();
    assert_eq!(
        wrong(table, "x::y\n", &subjects, source),
        [
            "B: why can it never be caused?",
            "C: \"x::gone\" is no live scenario",
            "D: the file of x::y does not name it",
            "E has no live cause, and no reason why it cannot have one",
            "F is neither a recorded case nor a reason code",
        ]
    );
}
