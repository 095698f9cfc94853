//! The examples of every help text: each is a command line that clap takes, and each that needs no cluster, no registry and
//! no other program is run in a copy of `examples/platform`. The others are run on the test bed, by `tests/live/examples.rs`, which
//! reads here which those are; what nobody runs is named with its reason.

use super::generated::wide;
use super::kept::same;
use runway_testkit::env::Env;
use std::collections::BTreeSet;
use std::path::Path;

const NAME: &str = "kubectl runway";

/// An example: the line as the help shows it, and the words of our command in it.
fn examples() -> Vec<(String, Vec<String>)> {
    fn collect(command: &clap::Command, all: &mut Vec<(String, Vec<String>)>) {
        let text = command.get_before_help().map(ToString::to_string).unwrap_or_default();
        for line in text.lines().skip(1).map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("# ")) {
            if !all.iter().any(|(known, _)| known == line) {
                all.push((line.to_owned(), ours(line)));
            }
        }
        command.get_subcommands().for_each(|sub| collect(sub, all));
    }
    let mut all = Vec::new();
    collect(&kubectl_runway::command_line(NAME), &mut all);
    all
}

/// Our command in a line of a shell: without what it is piped from or to.
fn ours(line: &str) -> Vec<String> {
    let (_, rest) =
        line.split_once(NAME).or_else(|| line.split_once("kubectl-runway")).unwrap_or_else(|| panic!("not ours: {line}"));
    let rest = rest.split(" | ").next().unwrap_or_default().split(')').next().unwrap_or_default();
    rest.split_whitespace().map(|word| word.trim_matches('\'').to_owned()).collect()
}

/// What is run by no test as it stands, and why.
const NEVER: [(&str, &str); 1] =
    [("kubectl runway completion install", "asks a person, whom completion::install_asks_on_a_terminal plays")];

/// What an example needs beyond files, if it does.
fn needs(words: &[String]) -> Option<&'static str> {
    let has = |word: &str| words.iter().any(|it| it == word);
    let starts = |start: &str| words.iter().any(|it| it.starts_with(start));
    let path: Vec<&str> = words.iter().map(String::as_str).take(2).collect();
    match path.as_slice() {
        _ if has("--chart") => Some("helm"),
        _ if starts("cluster:") || has("--context") => Some("a cluster"),
        ["status" | "explain" | "tree" | "reconcile", ..] | ["snapshot", _] if !has("--snapshot") => Some("a cluster"),
        _ if has("--artifacts") || starts("oci://") => Some("a registry"),
        ["doctor", "registry", ..] => Some("a registry"),
        ["inventory" | "deploy", "diff" | "push" | "pull" | "list" | "show"] if !starts("layout:") => Some("a registry"),
        ["deploy", "build"] if has("-") => Some("kustomize"),
        _ => None,
    }
}

/// The lines of examples in a help text, joined where they end with ` \\`, without the comments.
fn shown(help: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut open: Option<String> = None;
    let lines = help.lines().skip_while(|line| *line != "Examples:").skip(1).take_while(|line| !line.trim().is_empty());
    for line in lines {
        let line = line.trim();
        let whole = open.take().map_or_else(|| line.to_owned(), |before| format!("{before} {line}"));
        match whole.strip_suffix(" \\") {
            Some(before) => open = Some(before.to_owned()),
            None if whole.starts_with("# ") => {}
            None => all.push(whole),
        }
    }
    assert_eq!(open, None, "a line that goes on, and nothing after it");
    all
}

/// Whoever copies a line out of the help gets the whole command, however wide the terminal is.
#[test]
fn examples_can_be_copied_at_every_width() {
    fn look(command: &mut clap::Command, width: usize, seen: &mut BTreeSet<String>) {
        let examples = command.get_before_help().map(ToString::to_string).unwrap_or_default();
        for help in [command.render_help(), command.render_long_help()].map(|help| help.to_string()) {
            let shown = shown(&help);
            assert_eq!(shown, self::shown(&examples), "at {width} columns");
            for line in shown.into_iter().filter(|line| seen.insert(line.clone())) {
                let parsed =
                    kubectl_runway::command_line(NAME).try_get_matches_from([NAME.to_owned()].iter().chain(&ours(&line)));
                assert!(parsed.is_ok(), "at {width} columns clap does not take '{line}': {}", parsed.unwrap_err());
            }
        }
        command.get_subcommands_mut().for_each(|sub| look(sub, width, seen));
    }
    let mut seen = BTreeSet::new();
    for width in [20, 60, 80, 100] {
        let mut command = wide(kubectl_runway::command_line(NAME), width);
        command.build();
        look(&mut command, width, &mut seen);
    }
    assert_eq!(seen, examples().into_iter().map(|(line, _)| line).collect(), "some are shown nowhere");
}

/// A copy of the example platform, with what the examples name in it.
fn home() -> Env {
    fn copy(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
            let target = to.join(entry.file_name());
            if entry.path().is_dir() {
                copy(&entry.path(), &target);
            } else {
                std::fs::copy(entry.path(), target).unwrap();
            }
        }
    }
    let env = super::env();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    copy(&root.join("examples/platform"), &env.work());
    for snapshot in ["saved", "before-the-change"] {
        copy(&root.join("tests/recorded/with-parent/drifted-by-kubectl"), &env.work().join(snapshot));
    }
    env.write(
        "manifests/all.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: example, namespace: example-service-gke}\ndata: {a: b}\n",
    );
    let bin = env.root().join("bin");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kubectl-runway"), bin.join("kubectl-runway")).unwrap();
    std::fs::create_dir(env.home().join("bin")).unwrap();
    env.run(["inventory", "push", "--runtime", "gke", "-e", "production", "--to", "layout:layout"]).ok();
    env.run(["deploy", "push", "example-service-gke", "-e", "staging", "--path", "manifests", "--to", "layout:deployed"]).ok();
    env
}

#[test]
fn every_example_is_taken_and_those_that_can_be_are_run() {
    let env = home();
    let mut told = String::new();
    let (mut ran, mut never) = (0, 0);
    for (line, words) in examples() {
        let words: Vec<String> = words.iter().map(|word| word.replace('~', &env.home().display().to_string())).collect();
        let parsed = kubectl_runway::command_line(NAME).try_get_matches_from([NAME.to_owned()].iter().chain(&words));
        if let Err(error) = parsed {
            panic!("clap does not take {line}: {error}");
        }
        let how = if let Some((_, why)) = NEVER.iter().find(|(example, _)| *example == line) {
            never += 1;
            format!("not run, {why}:")
        } else if needs(&words).is_some() {
            "live".to_owned()
        } else {
            ran += 1;
            let run = env.run(&words);
            assert!(matches!(run.code, Some(0 | 1)), "{line}: {run}");
            format!("exits {}", run.code.unwrap_or_default())
        };
        told.push_str(&format!("{how:8} {line}\n"));
    }
    assert!(ran > 30, "only {ran} examples were run");
    assert_eq!(never, NEVER.len(), "a reason for an example that is none");
    same("tests/cli/help/examples.txt", &told);
}
