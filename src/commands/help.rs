//! `help`: topics, and the help of every command. What topics say comes from the tables that the program itself goes by.

use crate::exit::{self, Outcome};
use crate::ui::Ui;
use runway_core::assess::Verdict;
use runway_core::assess::reasons::{self, Reason};
use runway_core::finding::Severity;
use runway_core::problem::Problem;
use runway_core::suggest;
use runway_core::verify::rules::{self, RULES, Rule};

/// Explain a finding, the exit codes, the verdicts, or a command.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Topics:\n  finding [CODE]   what inventory verify finds, and what to do about it\n  exit-codes       what the exit codes mean\n  verdicts         what the words of status mean\n  reasons [CODE]   the reason codes of status, and what to do about each\n\nExamples:\n  kubectl runway help finding duplicate-id\n  kubectl runway help inventory push"
)]
pub(crate) struct Args {
    /// A topic, or a command
    #[arg(value_name = "TOPIC")]
    words: Vec<String>,
}

/// The topics; a command of the same name would never be seen.
const TOPICS: [&str; 4] = ["finding", "exit-codes", "verdicts", "reasons"];

pub(crate) fn run(args: &Args, mut command: clap::Command, ui: &Ui) -> Result<Outcome, Problem> {
    let words: Vec<&str> = args.words.iter().map(String::as_str).collect();
    let text = match words.as_slice() {
        ["finding" | "findings"] => findings(),
        ["finding" | "findings", code] => finding(code)?,
        ["exit-codes"] => exit_codes(),
        ["verdicts"] => verdicts(),
        ["reason" | "reasons"] => reasons(),
        ["reason" | "reasons", code] => reason(code)?,
        [topic, ..] if TOPICS.contains(topic) => {
            return Err(Problem::usage(format!("the topic '{topic}' takes no more words")));
        }
        path => {
            command.build();
            of_command(&mut command, path)?
        }
    };
    ui.answer(&format!("{}\n", text.trim_end()))?;
    Ok(Outcome::YES)
}

fn of_command(command: &mut clap::Command, path: &[&str]) -> Result<String, Problem> {
    let Some((first, rest)) = path.split_first() else { return Ok(command.render_long_help().to_string()) };
    let known: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    if let Some(sub) = command.find_subcommand_mut(first) {
        return of_command(sub, rest);
    }
    let names = known.iter().map(String::as_str).chain(TOPICS);
    let problem = Problem::usage(format!("there is no command or topic '{first}'"));
    Err(match suggest::nearest(first, names) {
        Some(word) => problem.hint(format!("did you mean {word}?")),
        None => problem.hint("topics: finding, exit-codes, verdicts, reasons; commands: kubectl runway --help"),
    })
}

fn findings() -> String {
    let width = RULES.iter().map(|rule| rule.code.len()).max().unwrap_or_default();
    let mut out = String::new();
    for rule in RULES {
        out.push_str(&format!("{:width$}  {:7}  {}\n", rule.code, rule.severity.as_str(), rule.title));
    }
    out.push_str("\nOne of them: kubectl runway help finding CODE\n");
    out
}

fn finding(code: &str) -> Result<String, Problem> {
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
    exit::CODES.iter().map(|(code, meaning)| format!("{code:>3}  {meaning}\n")).collect::<Vec<_>>().concat()
}

fn verdicts() -> String {
    let lines = Verdict::ALL.iter().map(|verdict| format!("{:12}  {}\n", verdict.as_str(), verdict.meaning()));
    let list = lines.collect::<Vec<_>>().concat();
    format!("One word per workload and cluster; the first that fits wins.\n\n{list}")
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

fn reason(code: &str) -> Result<String, Problem> {
    let Some(Reason { code, meaning, help }) = reasons::of(code) else {
        let problem = Problem::usage(format!("there is no reason '{code}'"));
        return Err(match suggest::nearest(code, reasons::all().map(|reason| reason.code)) {
            Some(word) => problem.hint(format!("did you mean {word}?")),
            None => problem.hint("all of them: kubectl runway help reasons; others are Flux's own"),
        });
    };
    Ok(format!("{code}: {meaning}\n\n{help}\n"))
}

#[cfg(test)]
mod tests {
    use super::{exit_codes, finding, findings, reason, reasons, verdicts};
    use runway_core::verify::rules::RULES;

    #[test]
    fn every_rule_is_listed_and_explained() {
        let list = findings();
        for rule in RULES {
            assert!(list.contains(&format!("{} ", rule.code)), "{}", rule.code);
            assert!(finding(rule.code).unwrap().contains(rule.help));
        }
        assert!(finding("duplicate-ids").unwrap_err().hints[0].contains("duplicate-id?"));
    }

    /// What the code says as a reason, by the forms in which it says one, is in the table.
    #[test]
    fn every_reason_that_the_code_gives_is_explained() {
        const FORMS: [&str; 6] =
            ["Fault::new(\"", "reason: \"", "Step::broken(link, \"", "(Link::Installed, \"", "return (\"", "const "];
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
        for line in sources.iter().flat_map(|source| source.lines().take_while(|line| !line.starts_with("mod tests"))) {
            for form in FORMS {
                let given = if form == "const " && line.contains(": &str = \"") {
                    line.split_once(": &str = \"")
                } else {
                    line.split_once(form)
                };
                let Some((_, rest)) = given else { continue };
                let Some((code, _)) = rest.split_once('"') else { continue };
                let is_code =
                    code.starts_with(|c: char| c.is_ascii_uppercase()) && code.chars().all(|c| c.is_ascii_alphanumeric());
                if is_code {
                    found += 1;
                    assert!(reason(code).is_ok(), "{code} is not in the table: {line}");
                }
            }
        }
        assert!(found > 25, "only {found} were found: the forms have changed");
        let list = reasons();
        assert!(reasons::all().all(|reason| list.contains(&format!("  {} ", reason.code))));
        assert!(reason("timedout").is_ok());
        assert!(reason("TimeOut").unwrap_err().hints[0].contains("TimedOut"));
    }

    #[test]
    fn tables_are_shown_whole() {
        assert_eq!(exit_codes().lines().count(), 8);
        assert_eq!(verdicts().lines().count(), 14);
    }
}
