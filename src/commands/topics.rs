//! The topics of `help`. What they say comes from the tables that the program itself goes by.

use crate::env;
use crate::exit;
use crate::files::find;
use clap::Command;
use runway_core::assess::{Link, Verdict};
use runway_core::finding::Severity;
use runway_core::problem::Problem;
use runway_core::settings::KEYS;
use runway_core::suggest;
use runway_core::verify::rules::{self, RULES, Rule};
use std::collections::BTreeMap;

/// Every topic and what it is about; a command of the same name would never be seen.
pub(super) const TOPICS: [(&str, &str); 7] = [
    ("finding", "what verify finds, and what to do about it; finding CODE explains one"),
    ("exit-codes", "what the exit codes mean"),
    ("verdicts", "what the words of status mean"),
    ("reasons", "why a link of the chain is broken"),
    ("settings", "every setting, its default and its variable"),
    ("environment", "the variables that are read, and the files that are looked for"),
    ("formats", "what -o takes, by command"),
];

/// The text of a topic; `None`: there is no such topic.
pub(super) fn text(name: &str, command: &Command) -> Option<String> {
    Some(match name {
        "finding" | "findings" => findings(),
        "exit-codes" => exit_codes(),
        "verdicts" => verdicts(),
        "reasons" => reasons(),
        "settings" => settings(),
        "environment" => environment(),
        "formats" => formats(command),
        _ => return None,
    })
}

/// Two columns, the second one beside the longest of the first.
fn columns(rows: &[(String, String)]) -> String {
    let width = rows.iter().map(|(left, _)| left.chars().count()).max().unwrap_or_default();
    rows.iter().map(|(left, right)| format!("  {left:width$}  {right}").trim_end().to_owned() + "\n").collect()
}

fn rows<'a>(rows: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    columns(&rows.into_iter().map(|(left, right)| (left.to_owned(), right.to_owned())).collect::<Vec<_>>())
}

/// The list of topics, for `help` itself.
pub(super) fn list() -> String {
    rows(TOPICS)
}

fn findings() -> String {
    let width = RULES.iter().map(|rule| rule.code.len()).max().unwrap_or_default();
    let line = |rule: &Rule| format!("{:width$}  {:7}  {}\n", rule.code, rule.severity.as_str(), rule.title);
    let lines: String = RULES.iter().map(line).collect();
    format!("{lines}\nOne of them: kubectl runway help finding CODE\n")
}

/// The text of one finding.
pub(super) fn finding(code: &str) -> Result<String, Problem> {
    let Some(Rule { code, severity, title, help }) = rules::of(code) else {
        let problem = Problem::usage(format!("there is no finding '{code}'"));
        return Err(match suggest::nearest(code, RULES.iter().map(|rule| rule.code)) {
            Some(word) => problem.hint(format!("did you mean {word}?")),
            None => problem.hint("all of them: kubectl runway help finding"),
        });
    };
    let weight = match severity {
        Severity::Error => "error: build and push stop",
        Severity::Warning => "warning; an error with --strict",
    };
    Ok(format!("{code}: {title} ({weight})\n\n{help}\n"))
}

fn exit_codes() -> String {
    let lines = exit::CODES.iter().map(|(code, meaning)| format!("{code:>5}  {meaning}\n")).collect::<Vec<_>>().concat();
    format!(
        "{lines}\nWhen several hold: 2 only if there is no answer at all, else 1, else 4, else 3, else 0. --exit-code=false turns 1 into 0.\n\
         On Windows kubectl turns every code but 0 into 1; call kubectl-runway.exe itself where the code counts.\n"
    )
}

fn verdicts() -> String {
    format!(
        "One word per workload and cluster; the first that fits wins.\n\n{}",
        rows(Verdict::ALL.map(|it| (it.as_str(), it.meaning())))
    )
}

/// Reasons of this program, by the link that they break. A test compares them with what the sources say.
const REASONS: [(Link, &str, &str); 23] = [
    (Link::Declared, "NotDeclared", "it is published, and workloads.yml does not list it for this environment"),
    (Link::Declared, "NotFound", "a workload of this name is neither declared nor published nor on the cluster"),
    (Link::Published, "NotPublished", "the tag of the inventory, or what it holds, does not have it"),
    (
        Link::Published,
        "FolderMissing",
        "what the tag holds has no folder of this environment: Flux applies nothing and removes nothing",
    ),
    (Link::Published, "Incomplete", "what is published has only one of the workload's two objects"),
    (Link::Installed, "ObjectAbsent", "one of the two objects is not on the cluster"),
    (Link::Installed, "Terminating", "one of the two objects is being deleted"),
    (Link::Installed, "ForeignOwner", "the object carries the labels of another parent"),
    (Link::Installed, "NotOwned", "the object does not carry the parent's labels: somebody else has applied it"),
    (
        Link::Installed,
        "FieldsDiffer",
        "fields of the object are not what is published; the message names them and who wrote them",
    ),
    (Link::Deployed, "TagNotFound", "the registry has no deploy artifact under this tag"),
    (Link::Fetched, "NotLookedAt", "Flux has not looked at the object yet"),
    (Link::Fetched, "GenerationNotLookedAt", "the object was changed, and Flux has not looked at it since"),
    (Link::Fetched, "NoArtifact", "the source is Ready and has fetched nothing"),
    (Link::Fetched, "NewRevision", "the registry has something newer than what Flux fetched"),
    (Link::Fetched, "Suspended", "somebody suspended the object: Flux leaves it alone"),
    (Link::Applied, "NotLookedAt", "Flux has not looked at the object yet"),
    (Link::Applied, "NewRevision", "Flux fetched something newer than what it applied"),
    (Link::Applied, "NotFound", "there is no Kustomization to apply with"),
    (Link::Healthy, "HealthCheckFailed", "Flux applied it, and something in it did not become healthy"),
    (Link::Healthy, "ObjectMissing", "an object that was applied is gone"),
    (Link::Healthy, "ObjectFailed", "an object that was applied has failed"),
    (Link::Healthy, "ObjectInProgress", "an object that was applied is not there yet"),
];

fn reasons() -> String {
    let mut out = String::from(
        "A workload's chain has eight links; each holds, is broken, or could not be looked at. The reason says why the first one broke.\n\
         Any other reason is Flux's own, taken from the object's Ready or Stalled condition: kubectl describe shows it in full.\n",
    );
    for link in Link::ALL {
        let mine: Vec<_> = REASONS.iter().filter(|(of, ..)| *of == link).map(|(_, reason, what)| (*reason, *what)).collect();
        if !mine.is_empty() {
            out.push_str(&format!("\n{}:\n{}", link.as_str(), rows(mine)));
        }
    }
    out
}

fn settings() -> String {
    let mut out = format!(
        "A setting comes from, the first that says something counts: a flag, its variable, {} of the current folder or of one above it\n\
         up to the repository's root, the user's ${{XDG_CONFIG_HOME:-~/.config}}/kubectl-runway/config.yaml, the default.\n\
         What counts here: kubectl runway config view --show-origin\n",
        find::SETTINGS
    );
    for key in KEYS {
        let default = if key.default.is_empty() { "nothing" } else { key.default };
        out.push_str(&format!("\n{}\n  {}\n  default {default}; variable {}\n", key.path, key.doc, key.variable()));
    }
    out.push_str(
        "\nclusters\n  the clusters of --all-clusters, a list of {name, context, runtime, environment, region}\n  default nothing; no variable\n\n\
         Dots are levels of the YAML file: registry.base is 'registry: {base: …}'. A list in a variable has commas between its words.\n",
    );
    out
}

fn environment() -> String {
    let keys = KEYS.iter().map(|key| (key.variable(), format!("sets {}", key.path)));
    let mut out = String::from("Settings:\n");
    out.push_str(&columns(&keys.collect::<Vec<_>>()));
    let mut about = "";
    for (group, name, what) in env::VARIABLES {
        if group != about {
            out.push_str(&format!("\n{group}:\n"));
            about = group;
        }
        out.push_str(&format!("  {name:24} {what}\n"));
    }
    out
}

/// What the formats are.
const FORMATS: [(&str, &str); 16] = [
    ("table", "a row a line, cut to the terminal's width"),
    ("wide", "the same with every column, and nothing cut"),
    ("text", "for people"),
    ("human", "for people, with the lines of the file"),
    ("tree", "objects below what applied them"),
    ("matrix", "workloads down, clusters across"),
    ("name", "names alone, a line each, for other commands"),
    ("json", "one document with apiVersion and kind; its fields are a promise"),
    ("yaml", "the same document as YAML"),
    ("markdown", "for comments on merge requests"),
    ("junit", "a JUnit report: GitLab shows it as tests"),
    ("gitlab-codequality", "a GitLab code quality report"),
    ("github", "workflow commands: GitHub shows them beside the lines"),
    ("sarif", "SARIF 2.1.0 for scanners' dashboards"),
    ("dotenv", "variables for later jobs of a pipeline"),
    ("FORMAT=FILE", "writes a file; so several formats can be had at once"),
];

fn formats(command: &Command) -> String {
    let mut by_list: BTreeMap<String, Vec<String>> = BTreeMap::new();
    collect(command, "", &mut by_list);
    let mut out = format!("{}\nBy command, the default first:\n", rows(FORMATS));
    for (list, commands) in by_list {
        out.push_str(&format!("  {}\n    {list}\n", commands.join(", ")));
    }
    out
}

fn collect(command: &Command, path: &str, by_list: &mut BTreeMap<String, Vec<String>>) {
    for arg in command.get_arguments().filter(|arg| arg.get_id() == "output") {
        let list: Vec<String> = arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
        by_list.entry(list.join(", ")).or_default().push(path.to_owned());
    }
    for sub in command.get_subcommands() {
        collect(sub, format!("{path} {}", sub.get_name()).trim_start(), by_list);
    }
}

#[cfg(test)]
mod tests {
    use super::{FORMATS, REASONS, TOPICS, collect, exit_codes, finding, findings, text, verdicts};
    use crate::commands::command_line;
    use runway_core::verify::rules::RULES;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn every_rule_is_listed_and_explained() {
        let list = findings();
        for rule in RULES {
            assert!(list.contains(&format!("{} ", rule.code)), "{}", rule.code);
            assert!(finding(rule.code).unwrap().contains(rule.help));
        }
        assert!(finding("duplicate-ids").unwrap_err().hints[0].contains("duplicate-id?"));
    }

    #[test]
    fn tables_are_shown_whole() {
        assert_eq!(exit_codes().lines().take_while(|line| !line.is_empty()).count(), 8);
        assert_eq!(verdicts().lines().count(), 14);
        let command = command_line("kubectl runway");
        let help = command.find_subcommand("help").and_then(|help| help.get_after_help()).map(ToString::to_string).unwrap();
        for (topic, _) in TOPICS {
            assert!(help.contains(topic), "the help of help does not name {topic}");
            assert!(text(topic, &command).is_some(), "{topic}");
            assert!(command.find_subcommand(topic).is_none(), "the command {topic} would hide its topic");
        }
    }

    #[test]
    fn every_format_that_a_command_has_is_explained() {
        let mut lists = BTreeMap::new();
        collect(&command_line("kubectl runway"), "", &mut lists);
        let had: BTreeSet<&str> = lists.keys().flat_map(|list| list.split(", ")).collect();
        let known: BTreeSet<&str> = FORMATS.iter().map(|(name, _)| *name).filter(|name| *name != "FORMAT=FILE").collect();
        assert_eq!(had, known);
    }

    /// The sources of the program, without its tests.
    #[expect(clippy::disallowed_methods, reason = "a test reads the sources")]
    fn sources() -> String {
        let mut text = String::new();
        let mut open = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        while let Some(path) = open.pop() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && name != "tests" {
                open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            } else if path.extension().is_some_and(|it| it == "rs") && name != "env.rs" {
                let file = std::fs::read_to_string(&path).unwrap();
                text.push_str(file.split("#[cfg(test)]\nmod tests").next().unwrap());
            }
        }
        text
    }

    #[test]
    fn the_variables_are_those_of_the_sources() {
        let text = sources();
        let known: BTreeSet<&str> = crate::env::VARIABLES.iter().map(|(_, name, _)| *name).collect();
        for name in &known {
            assert!(*name == "HOME" || text.contains(&format!("\"{name}\"")), "{name} is read nowhere");
        }
        let starts = ["CI_", "XDG_", "DOCKER_", "REGISTRY_AUTH", "HTTP", "NO_", "SSL_", "CLICOLOR", "SOURCE_", "LC_", "GITLAB_"];
        let words = text.split('"').filter(|word| starts.iter().any(|start| word.starts_with(start)) && !word.ends_with('_'));
        let read: BTreeSet<&str> =
            words.filter(|word| word.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit())).collect();
        assert!(read.len() > 15, "{read:?}");
        assert_eq!(read.difference(&known).collect::<Vec<_>>(), Vec::<&&str>::new(), "variables that help does not have");
    }

    /// The sources of what judges, read for reasons that are given as a text.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test reads the sources")]
    fn the_reasons_are_those_of_the_sources() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/core/src/assess");
        let mut text = String::new();
        for file in ["chain", "applied", "installed", "objects", "parent"] {
            text.push_str(&std::fs::read_to_string(folder.join(format!("{file}.rs"))).unwrap());
        }
        for (_, reason, _) in REASONS {
            assert!(text.contains(&format!("\"{reason}\"")), "{reason} is given nowhere");
        }
        let words = text.split("Step::broken(").skip(1).filter_map(|call| call.split([',', ')']).nth(1)).map(str::trim);
        let given: BTreeSet<&str> = words.filter_map(|word| word.strip_prefix('"')?.strip_suffix('"')).collect();
        let known: BTreeSet<&str> = REASONS.iter().map(|(_, reason, _)| *reason).collect();
        assert!(given.len() > 8, "{given:?}");
        assert_eq!(
            given.difference(&known).collect::<Vec<_>>(),
            [""; 0].iter().collect::<Vec<_>>(),
            "reasons that help does not have"
        );
    }
}
