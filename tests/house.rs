//! The house rules, read from the folders' own headers: `Uses:` is the set of rooms that a folder may import.
//!
//! A direction that is only agreed on gets lost; so the comment is the rule, and this test reads it. Each rule has a line
//! that makes it fail, so that none passes because it sees nothing.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test reads the sources and fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Crates that reach outside, and the only rooms that may name them.
const FENCED: [(&str, &[&str]); 11] = [
    ("psl", &["registry"]),
    ("reqwest", &["registry"]),
    ("kube", &["cluster"]),
    ("k8s_openapi", &["cluster"]),
    ("hyper_util", &["cluster", "registry"]),
    ("hyper_timeout", &["cluster"]),
    ("tower", &["cluster"]),
    ("tower_http", &["cluster"]),
    ("clap", &["commands", "ui"]),
    ("comfy_table", &["render"]),
    ("rustix", &["process", "cluster", "ui"]),
];

/// All that the pure crate may depend on: nothing here can open a socket, read a terminal or start a program.
const CORE_CRATES: [&str; 10] =
    ["flate2", "jiff", "miniz_oxide", "schemars", "serde", "serde-saphyr", "serde_json", "sha2", "strsim", "tar"];

/// Non-test lines of a file; beyond this it is several rooms.
const MAX_LINES: usize = 600;

/// A source file: its room (top-level folder or file), its path and its text without inline tests.
struct Source {
    room: String,
    path: String,
    text: String,
}

fn sources(root: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
    let mut found = Vec::new();
    let mut open = vec![root.clone()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test(&path) {
                let below = path.strip_prefix(&root).unwrap();
                let room = below.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
                let text = std::fs::read_to_string(&path).unwrap();
                found.push(Source { room, path: below.display().to_string(), text: without_tests(&text) });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Tests beside the code may look around.
fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs")
}

/// Everything above the inline tests.
fn without_tests(text: &str) -> String {
    text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned()
}

/// The folder's header, if it has both parts.
fn header(text: &str) -> Option<BTreeSet<String>> {
    let comment: Vec<&str> =
        text.lines().take_while(|line| line.starts_with("//!")).map(|line| line.trim_start_matches("//!").trim()).collect();
    let comment = comment.join(" ");
    let uses = comment.split("Uses:").nth(1)?;
    let list = uses.split(['.', '(']).next()?;
    comment
        .contains("Never:")
        .then(|| list.split([',', ' ']).filter(|word| !word.is_empty() && *word != "and").map(str::to_owned).collect())
}

/// Rooms that a file imports by `crate::room`.
fn imports(text: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for line in text.lines().map(str::trim_start).filter(|line| !line.starts_with("//")) {
        for part in line.split("crate::").skip(1) {
            if let Some(group) = part.strip_prefix('{') {
                // `use crate::{a, b::c};`
                for item in group.split('}').next().unwrap_or_default().split(',') {
                    rooms.insert(item.trim().split("::").next().unwrap_or_default().to_owned());
                }
            } else {
                rooms.insert(part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect());
            }
        }
    }
    rooms
}

/// What breaks the rule of headers and directions.
fn direction(sources: &[Source], free: &[&str]) -> Vec<String> {
    let mut wrong = Vec::new();
    let rooms: BTreeSet<&str> = sources.iter().map(|source| source.room.as_str()).collect();
    let mut allowed: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for source in sources {
        let is_folder = source.path.ends_with("/mod.rs") && source.path.matches('/').count() == 1;
        if !is_folder {
            continue;
        }
        match header(&source.text) {
            Some(uses) => drop(allowed.insert(&source.room, uses)),
            None => wrong.push(format!("{}: its header lacks 'Uses:' or 'Never:'", source.path)),
        }
    }
    for source in sources {
        let Some(uses) = allowed.get(source.room.as_str()) else { continue };
        for room in imports(&source.text) {
            let known = rooms.contains(room.as_str()) && room != source.room && !free.contains(&room.as_str());
            if known && !uses.contains(&room) {
                wrong.push(format!("{} imports {room}, which its folder's header does not name", source.path));
            }
        }
    }
    wrong.extend(circles(sources));
    wrong
}

/// Rooms that import each other, over any number of steps.
fn circles(sources: &[Source]) -> Vec<String> {
    let mut edges: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for source in sources {
        edges.entry(&source.room).or_default().extend(imports(&source.text));
    }
    let mut wrong = Vec::new();
    for start in edges.keys() {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut open: Vec<&str> = vec![start];
        while let Some(room) = open.pop() {
            for next in edges.get(room).into_iter().flatten().filter(|next| next.as_str() != room) {
                if next == start {
                    wrong.push(format!("{start} and {room} import each other in a circle"));
                } else if edges.contains_key(next.as_str()) && seen.insert(next) {
                    open.push(next);
                }
            }
        }
    }
    wrong
}

fn fences(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in sources {
        for (name, rooms) in FENCED {
            let named = source.text.lines().any(|line| !line.trim_start().starts_with("//") && uses_crate(line, name));
            if named && !rooms.contains(&source.room.as_str()) {
                wrong.push(format!("{} names {name}, which belongs to {}", source.path, rooms.join(", ")));
            }
        }
    }
    wrong
}

fn uses_crate(line: &str, name: &str) -> bool {
    line.match_indices(&format!("{name}::"))
        .any(|(at, _)| !line.split_at(at).0.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':'))
}

fn sizes(sources: &[Source]) -> Vec<String> {
    let long = |source: &&Source| source.text.lines().count() > MAX_LINES;
    sources
        .iter()
        .filter(long)
        .map(|source| format!("{} has {} lines: one room or several?", source.path, source.text.lines().count()))
        .collect()
}

/// Dependencies of the pure crate that are not on the list.
fn core_dependencies(manifest: &str) -> Vec<String> {
    let section = manifest.split("[dependencies]").nth(1).unwrap_or_default().split("\n[").next().unwrap_or_default();
    let names = section
        .lines()
        .filter_map(|line| line.split(['.', '=', ' ']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'));
    names.filter(|name| !CORE_CRATES.contains(name)).map(|name| format!("core depends on {name}")).collect()
}

#[test]
fn rooms_import_what_their_headers_name() {
    // The composition root: main and lib name everything.
    let mut program = sources("src");
    program.retain(|source| !matches!(source.room.as_str(), "main" | "lib"));
    let wrong = direction(&program, &["block_on"]);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut core = sources("crates/core/src");
    core.retain(|source| source.room != "lib");
    let wrong = direction(&core, &["text", "problem", "suggest"]);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn outside_crates_stay_in_their_rooms() {
    let wrong = fences(&sources("src"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_are_no_drawers() {
    let wrong: Vec<String> = ["src", "crates/core/src", "crates/dist/src", "crates/testkit/src", "xtask/src"]
        .iter()
        .flat_map(|root| sizes(&sources(root)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn core_is_pure_by_its_manifest() {
    let manifest = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/core/Cargo.toml")).unwrap();
    assert_eq!(core_dependencies(&manifest), Vec::<String>::new());
}

#[test]
fn the_changelog_has_the_version() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let changelog = std::fs::read_to_string(root.join("CHANGELOG.md")).unwrap();
    assert!(changelog.contains(&format!("## {}", env!("CARGO_PKG_VERSION"))), "CHANGELOG.md has no section for this version");
}

/// One line that makes each rule fail.
#[test]
fn each_rule_can_fail() {
    let source = |path: &str, text: &str| Source {
        room: path.split('/').next().unwrap().trim_end_matches(".rs").to_owned(),
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let good = "//! Uses: nothing.\n//! Never: x.\n";
    let silent = [source("a/mod.rs", "//! Uses: nothing.\n"), source("b/mod.rs", good)];
    assert_eq!(direction(&silent, &[]).len(), 1, "a missing header part");
    let import = [source("a/mod.rs", good), source("a/x.rs", "use crate::b::Thing;\n"), source("b/mod.rs", good)];
    assert_eq!(direction(&import, &[]), ["a/x.rs imports b, which its folder's header does not name"]);
    let group = [
        source("a/mod.rs", good),
        source("a/x.rs", "use crate::{b, c::D};\n"),
        source("b/mod.rs", good),
        source("c/mod.rs", good),
    ];
    assert_eq!(direction(&group, &[]).len(), 2, "an import in braces");
    let circle = [
        source("a/mod.rs", "//! Uses: b.\n//! Never: x.\nuse crate::b::B;\n"),
        source("b/mod.rs", "//! Uses: a.\n//! Never: x.\nuse crate::a::A;\n"),
    ];
    assert!(direction(&circle, &[]).iter().any(|line| line.contains("circle")));
    assert_eq!(fences(&[source("gather/x.rs", "let c = reqwest::Client::default();\n")]).len(), 1);
    assert!(fences(&[source("gather/x.rs", "// reqwest::Client is not used here\nlet x = my_kube::y;\n")]).is_empty());
    assert_eq!(sizes(&[source("a/x.rs", &"x\n".repeat(MAX_LINES + 1))]).len(), 1);
    assert_eq!(
        core_dependencies("[dependencies]\nserde.workspace = true\nreqwest = \"1\"\n[lints]\n"),
        ["core depends on reqwest"]
    );
}
