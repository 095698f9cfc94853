//! The pages that people write: each command line of ours in them is one that clap takes, and each link leads to a file; what they
//! show of a recorded cluster is what the program prints.
//!
//! `docs/cli` and `docs/man` are compared with the program itself, in `generated`.

use std::path::{Path, PathBuf};

const NAME: &str = "kubectl runway";

/// How a line of a shell starts our program.
const STARTS: [&str; 5] =
    ["kubectl runway ", "kubectl-runway ", "flux runway ", "target/debug/kubectl-runway ", "cargo run -q -- "];
/// What may stand before that: a prompt, a loop, and what the program itself tells to do next.
const BEFORE: [&str; 4] = ["$ ", "until ", "while ", "next: "];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The pages, by their path below the root.
fn pages() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "krew/README.md"].map(PathBuf::from).into();
    for folder in ["docs", "docs/guides", "docs/cli"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// A line of a page and what it belongs to.
enum Part<'a> {
    /// Words for a reader.
    Prose(&'a str),
    /// A block's line; the word after the fence says what the block is, `indented` where there is none.
    Block(&'a str, &'a str),
}

fn parts(page: &str) -> Vec<Part<'_>> {
    let mut fence: Option<&str> = None;
    let mut all = Vec::new();
    for line in page.lines() {
        match (line.trim_start().strip_prefix("```"), fence) {
            (Some(_), Some(_)) => fence = None,
            (Some(info), None) => fence = Some(info.trim()),
            (None, Some(info)) => all.push(Part::Block(info, line)),
            (None, None) if line.starts_with("    ") => all.push(Part::Block("indented", line)),
            (None, None) => all.push(Part::Prose(line)),
        }
    }
    all
}

/// The words of every command line of ours in a page, each beside the line that it stands in.
fn commands(page: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for part in parts(page) {
        let Part::Block(info, line) = part else { continue };
        let line = line.trim();
        // What a program printed is no command, but for what it says to run next.
        let is_output = info == "text" || (info == "console" && !line.starts_with("$ "));
        if is_output && !line.starts_with("next: ") {
            continue;
        }
        let mut rest = line;
        while let Some(after) = BEFORE.iter().find_map(|word| rest.strip_prefix(word)) {
            rest = after;
        }
        if let Some(ours) = STARTS.iter().find_map(|start| rest.strip_prefix(start)) {
            found.push((line.to_owned(), words(ours)));
        }
    }
    found
}

/// The words of one command, as a shell would part them: up to a comment, a pipe, a redirection or the next command.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(letter);
                word = Some(word.take().unwrap_or_default());
            }
            (None, ' ') => all.extend(word.take()),
            (None, '|' | '&' | ';' | '>' | '<' | ')') => break,
            (None, '#') if word.is_none() => break,
            _ => word.get_or_insert_default().push(letter),
        }
    }
    all.extend(word);
    all
}

/// What pages show of our program: the words of a command, and the lines below it.
fn answers(page: &str) -> Vec<(Vec<String>, Vec<&str>)> {
    let mut found: Vec<(Vec<String>, Vec<&str>)> = Vec::new();
    let mut open = false;
    for part in parts(page) {
        let Part::Block("console", line) = part else {
            open = false;
            continue;
        };
        if let Some(typed) = line.strip_prefix("$ ") {
            let ours = typed.strip_prefix("kubectl runway ");
            open = ours.is_some();
            found.extend(ours.map(|ours| (words(ours), Vec::new())));
        } else if let Some((_, shown)) = found.last_mut().filter(|_| open) {
            shown.push(line);
        }
    }
    found
}

/// Whether a command says the same on every machine: what it asks lies in the repository, or in the program itself.
fn is_repeatable(words: &[String]) -> bool {
    let first = words.first().map(String::as_str);
    first == Some("help") || words.iter().any(|word| word.starts_with("tests/recorded/"))
}

/// Lines without what depends on the day: ages, and the width of their column.
fn plain(text: &str) -> Vec<String> {
    text.lines().map(|line| line.split_whitespace().map(without_age).collect::<Vec<_>>().join(" ")).collect()
}

fn without_age(word: &str) -> &str {
    let bare = word.trim_matches(['(', ')']);
    let number = bare.trim_end_matches(['s', 'm', 'h', 'd']);
    let is_age = number.len() + 1 == bare.len() && !number.is_empty() && number.chars().all(|letter| letter.is_ascii_digit());
    if is_age { "AGE" } else { word }
}

/// Where the links of a page lead: files, without the place in them.
fn links(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in parts(page) {
        let Part::Prose(line) = part else { continue };
        for rest in line.split("](").skip(1) {
            let target = rest.split(')').next().unwrap_or_default();
            let file = target.split('#').next().unwrap_or_default();
            if !file.is_empty() && !file.contains("://") && !file.starts_with("mailto:") {
                found.push(file.to_owned());
            }
        }
    }
    found
}

#[test]
fn commands_and_links_are_found() {
    let page = "See [the map](../ARCHITECTURE.md#the-map) and [Flux](https://fluxcd.io), [here](#top).\n\
        ```sh\nuntil kubectl runway status hello-gke | grep 'Failed at'; do sleep 1; done\n\
        kubectl runway deploy diff a --set 'x=1 # 2' # a comment\necho kubectl runway\n```\n\
        ```console\n$ kubectl runway status\nkubectl runway prints this\nnext: kubectl runway tree a\n```\n\
        ```text\nkubectl runway whatever [not](a-link)\n```\n\
        \n    cargo run -q -- inventory list > out\n";
    let found: Vec<String> = commands(page).into_iter().map(|(_, words)| words.join("|")).collect();
    assert_eq!(found, ["status|hello-gke", "deploy|diff|a|--set|x=1 # 2", "status", "tree|a", "inventory|list"]);
    assert_eq!(links(page), ["../ARCHITECTURE.md"]);
}

#[test]
fn answers_and_ages_are_found() {
    let page = "```console\n$ kubectl runway help verdicts\none\n\ntwo\n$ ls\nfile\n```\nwords\n";
    assert_eq!(answers(page), [(words("help verdicts"), vec!["one", "", "two"])]);
    assert_eq!(plain("svc   5h   (12d ago) 1h0m0s h 30.02s"), ["svc AGE AGE ago) 1h0m0s h 30.02s"]);
    assert!(is_repeatable(&words("status --snapshot tests/recorded/alone/ok")) && !is_repeatable(&words("status web")));
}

/// What needs no server is run anew; what a page leaves out at the end of an answer it says in words.
#[test]
fn what_the_pages_show_is_what_the_program_prints() {
    let env = super::env();
    let mut seen = 0;
    for page in pages() {
        let text = std::fs::read_to_string(root().join(&page)).unwrap();
        for (words, shown) in answers(&text).into_iter().filter(|(words, _)| is_repeatable(words)) {
            seen += 1;
            let run = env.run(["-C".to_owned(), root().display().to_string()].iter().chain(&words));
            let shown = plain(&shown.join("\n"));
            assert!(!shown.is_empty(), "{}: nothing is shown of {words:?}", page.display());
            assert!(
                plain(&run.stdout).starts_with(&shown),
                "{}: {words:?} says now\n{run}\n--- shown\n{}",
                page.display(),
                shown.join("\n")
            );
        }
    }
    assert!(seen > 5, "only {seen} answers were compared");
}

#[test]
fn every_command_line_in_the_pages_is_taken() {
    let (mut seen, mut faults) = (0, Vec::new());
    // Those of `docs/cli` are examples of the help, and are tried there.
    for page in pages().into_iter().filter(|page| !page.starts_with("docs/cli")) {
        let text = std::fs::read_to_string(root().join(&page)).unwrap();
        for (line, words) in commands(&text) {
            seen += 1;
            let parsed = kubectl_runway::command_line(NAME).try_get_matches_from([NAME.to_owned()].iter().chain(&words));
            // `--help` and `--version` are errors to clap, which are told on stdout.
            if let Some(error) = parsed.err().filter(clap::Error::use_stderr) {
                faults.push(format!("{}: {line}\n{error}", page.display()));
            }
        }
    }
    assert!(faults.is_empty(), "clap does not take:\n{}", faults.join("\n"));
    assert!(seen > 80, "only {seen} command lines were found");
}

/// Every room of both crates, and every folder of the repository.
#[test]
fn the_map_has_every_room() {
    let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, map) = page.split_once("## The map").unwrap();
    let map = map.split("\n## ").next().unwrap();
    let named =
        |name: &str| map.split(|letter: char| !(letter.is_alphanumeric() || "-_.".contains(letter))).any(|word| word == name);
    let mut missing = Vec::new();
    for folder in ["crates/core/src", "src", "."] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let room = name.trim_end_matches(".rs");
            let is_room = folder != "." && !matches!(room, "lib" | "main");
            let is_folder =
                folder == "." && entry.path().is_dir() && !["target", ".git", ".cargo", "src", "crates", "docs"].contains(&room);
            if (is_room || is_folder) && !named(room) {
                missing.push(format!("{folder}/{name}"));
            }
        }
    }
    assert!(missing.is_empty(), "ARCHITECTURE.md's map does not have {missing:?}");
}

/// Of `-o json`, by the sources: what somebody adds there has a row, and its schema a link.
#[test]
fn every_document_is_in_the_reference() {
    let reference = std::fs::read_to_string(root().join("docs/reference.md")).unwrap();
    let (mut seen, mut faults) = (0, Vec::new());
    for folder in ["crates/core/src/api", "src/commands"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if !path.is_file() {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for kind in text.split("kind: \"").chain(text.split("\"kind\": \"")).skip(1).filter_map(|rest| rest.split_once('"')) {
                let kind = kind.0;
                if kind.starts_with(|first: char| first.is_ascii_uppercase()) && kind.chars().all(char::is_alphanumeric) {
                    seen += 1;
                    if !reference.contains(&format!("\n| {kind} |")) {
                        faults.push(format!("{}: {kind}", path.display()));
                    }
                }
            }
        }
    }
    for entry in std::fs::read_dir(root().join("schemas")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !reference.contains(&format!("(../schemas/{name})")) {
            faults.push(name);
        }
    }
    assert!(faults.is_empty(), "docs/reference.md does not have:\n{}", faults.join("\n"));
    assert!(seen > 6, "only {seen} documents were found");
}

#[test]
fn every_link_in_the_pages_leads_to_a_file() {
    let (mut seen, mut faults) = (0, Vec::new());
    for page in pages() {
        let text = std::fs::read_to_string(root().join(&page)).unwrap();
        for link in links(&text) {
            seen += 1;
            if !root().join(page.parent().unwrap_or(Path::new(""))).join(&link).exists() {
                faults.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(faults.is_empty(), "there is no such file:\n{}", faults.join("\n"));
    assert!(seen > 40, "only {seen} links were found");
}
