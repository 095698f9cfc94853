//! The topics of `help`. What they say comes from the tables that the program itself goes by.

use crate::env;
use crate::exit;
use crate::files::find;
use clap::Command;
use runway_core::assess::Verdict;
use runway_core::assess::reasons::{self, Reason};
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
    ("reasons", "why a link of the chain is broken, and what to do; reasons CODE explains one"),
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
        "reason" | "reasons" => reasons(),
        "settings" => settings(),
        "environment" => environment(),
        "formats" => formats(command),
        _ => return None,
    })
}

/// Two columns, the second one beside the longest of the first.
pub(super) fn columns(rows: &[(String, String)]) -> String {
    let width = rows.iter().map(|(left, _)| left.chars().count()).max().unwrap_or_default();
    rows.iter().map(|(left, right)| format!("  {left:width$}  {right}").trim_end().to_owned() + "\n").collect()
}

/// The same of texts that stand somewhere.
pub(super) fn rows<'a>(rows: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
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
        return Err(unknown("finding", code, RULES.iter().map(|rule| rule.code), "all of them: kubectl runway help finding"));
    };
    let weight = match severity {
        Severity::Error => "error: build and push stop",
        Severity::Warning => "warning; an error with --strict",
    };
    Ok(format!("{code}: {title} ({weight})\n\n{help}\n"))
}

/// A code that no table has: the nearest one, else where all are.
fn unknown<'c>(what: &str, code: &str, known: impl Iterator<Item = &'c str>, all: &str) -> Problem {
    let problem = Problem::usage(format!("there is no {what} '{code}'"));
    match suggest::nearest(code, known) {
        Some(word) => problem.hint(format!("did you mean {word}?")),
        None => problem.hint(all),
    }
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

fn reasons() -> String {
    let width = reasons::all().map(|reason| reason.code.len()).max().unwrap_or_default();
    let part = |head: &str, list: &[Reason]| {
        let lines = list.iter().map(|reason| format!("  {:width$}  {}\n", reason.code, reason.meaning));
        format!("{head}\n{}", lines.collect::<String>())
    };
    let ours = part("Of a link:", reasons::OURS);
    let cluster = part("Of a cluster that gives no answer:", reasons::CLUSTER);
    let flux = part("Flux's own, passed on; it may have more:", reasons::FLUX);
    format!("{ours}\n{cluster}\n{flux}\nOne of them: kubectl runway help reasons CODE\n")
}

/// The text of one reason.
pub(super) fn reason(code: &str) -> Result<String, Problem> {
    let Some(Reason { code, meaning, help }) = reasons::of(code) else {
        let all = "all of them: kubectl runway help reasons; others are Flux's own";
        return Err(unknown("reason", code, reasons::all().map(|reason| reason.code), all));
    };
    Ok(format!("{code}: {meaning}\n\n{help}\n"))
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
        "\nclusters\n  the clusters of --all-clusters, a list of {name, context, runtime, environment, region, labels}\n  default nothing; no variable\n\n\
         Dots are levels of the YAML file: registry.base is 'registry: {base: …}'. A list in a variable has commas between its words.\n\
         A variable that is set to nothing counts as not set; where nothing is a value (empty = none), it is that value.\n",
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
    use super::{FORMATS, TOPICS, collect, exit_codes, finding, findings, reason, reasons, text, verdicts};
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
        assert!(finding("dup-id").unwrap_err().hints[0].contains("duplicate-id?"));
        assert_eq!(finding("INVALID-ID").unwrap(), finding("invalid-id").unwrap(), "as reasons are");
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

    /// What the code says as a reason, by the forms in which it says one, is in the table.
    #[test]
    fn every_reason_that_the_code_gives_is_explained() {
        const FORMS: [&str; 6] = ["Fault::new(", "reason: ", "Step::broken(", "(Link::Installed, ", "return (", "const "];
        let sources = [
            include_str!("../cluster/answer.rs"),
            include_str!("../cluster/fault.rs"),
            include_str!("../cluster/exec.rs"),
            include_str!("../cluster/read.rs"),
            include_str!("look/clusters.rs"),
            include_str!("look/following.rs"),
            include_str!("../../crates/core/src/assess/applied.rs"),
            include_str!("../../crates/core/src/assess/chain.rs"),
            include_str!("../../crates/core/src/assess/installed.rs"),
            include_str!("../../crates/core/src/assess/objects.rs"),
        ];
        let mut found = 0;
        let is_code =
            |code: &str| code.starts_with(|c: char| c.is_ascii_uppercase()) && code.chars().all(|c| c.is_ascii_alphanumeric());
        for source in sources {
            let lines = source.lines().take_while(|line| !line.starts_with("mod tests"));
            // In one line, so that it does not matter where a call is broken.
            let text = lines.map(str::trim).collect::<Vec<_>>().join(" ").replace("( ", "(");
            for form in FORMS {
                for rest in text.split(form).skip(1) {
                    let rest = if form == "const " { rest.split_once(": &str = ").map_or("", |(_, rest)| rest) } else { rest };
                    // The reason stands first, or after the link.
                    let Some((before, rest)) = rest.split_once('"') else { continue };
                    let Some((code, _)) = rest.split_once('"') else { continue };
                    if is_code(code) && before.len() < 20 && !before.contains(';') {
                        found += 1;
                        assert!(reason(code).is_ok(), "{code} is not in the table: {form}{before}");
                    }
                }
            }
        }
        assert!(found > 25, "only {found} were found: the forms have changed");
        let list = reasons();
        assert!(reasons::all().all(|reason| list.contains(&format!("  {} ", reason.code))));
        assert!(reason("timedout").is_ok());
        assert!(reason("TimeOut").unwrap_err().hints[0].contains("TimedOut"));
    }
}
