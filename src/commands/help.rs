//! `help`: topics, and the help of every command. What topics say comes from the tables that the program itself goes by.

use crate::exit::{self, Outcome};
use crate::ui::Ui;
use runway_core::assess::Verdict;
use runway_core::finding::Severity;
use runway_core::problem::Problem;
use runway_core::suggest;
use runway_core::verify::rules::{self, RULES, Rule};

/// Explain a finding, the exit codes, the verdicts, or a command.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Topics:\n  finding [CODE]   what inventory verify finds, and what to do about it\n  exit-codes       what the exit codes mean\n  verdicts         what the words of status mean\n\nExamples:\n  kubectl runway help finding duplicate-id\n  kubectl runway help inventory push"
)]
pub(crate) struct Args {
    /// A topic, or a command
    #[arg(value_name = "TOPIC")]
    words: Vec<String>,
}

/// The topics; a command of the same name would never be seen.
const TOPICS: [&str; 3] = ["finding", "exit-codes", "verdicts"];

pub(crate) fn run(args: &Args, mut command: clap::Command, ui: &Ui) -> Result<Outcome, Problem> {
    let words: Vec<&str> = args.words.iter().map(String::as_str).collect();
    let text = match words.as_slice() {
        ["finding" | "findings"] => findings(),
        ["finding" | "findings", code] => finding(code)?,
        ["exit-codes"] => exit_codes(),
        ["verdicts"] => verdicts(),
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
        None => problem.hint("topics: finding, exit-codes, verdicts; commands: kubectl runway --help"),
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

#[cfg(test)]
mod tests {
    use super::{exit_codes, finding, findings, verdicts};
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

    #[test]
    fn tables_are_shown_whole() {
        assert_eq!(exit_codes().lines().count(), 8);
        assert_eq!(verdicts().lines().count(), 14);
    }
}
