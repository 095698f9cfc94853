//! `help`: topics, and the help of every command.

use super::pages::summaries;
use super::topics::{self, TOPICS};
use crate::exit::Outcome;
use crate::ui::Ui;
use runway_core::assess::reasons;
use runway_core::problem::Problem;
use runway_core::suggest;
use runway_core::verify::rules::RULES;

/// Explain a finding, a topic, or a command.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A topic, or a command
    #[arg(value_name = "TOPIC")]
    words: Vec<String>,
}

pub(super) fn run(args: &Args, mut command: clap::Command, ui: &Ui) -> Result<Outcome, Problem> {
    let words: Vec<&str> = args.words.iter().map(String::as_str).collect();
    let text = match words.as_slice() {
        [] => {
            command.build();
            let all = rendered(&mut command, ui);
            format!("{}\n\nTopics of help:\n{}", all.trim_end(), topics::list())
        }
        ["finding" | "findings", code] => topics::finding(code)?,
        ["reason" | "reasons", code] => topics::reason(code)?,
        [topic, rest @ ..] => match (topics::text(topic, &command), rest) {
            (Some(text), []) => text,
            (Some(_), _) => return Err(Problem::usage(format!("the topic '{topic}' takes no more words"))),
            (None, _) => {
                command.build();
                of_command(&mut command, &words, ui)?
            }
        },
    };
    ui.answer_text(&format!("{}\n", text.trim_end()))?;
    Ok(Outcome::YES)
}

fn rendered(command: &mut clap::Command, ui: &Ui) -> String {
    let text = command.render_long_help();
    if ui.style().color { text.ansi().to_string() } else { text.to_string() }
}

fn of_command(command: &mut clap::Command, path: &[&str], ui: &Ui) -> Result<String, Problem> {
    let Some((first, rest)) = path.split_first() else { return Ok(rendered(command, ui)) };
    let known: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    if let Some(sub) = command.find_subcommand_mut(first) {
        return of_command(sub, rest, ui);
    }
    let topics = || TOPICS.map(|(topic, _)| topic);
    let problem = Problem::usage(format!("there is no command or topic '{first}'"));
    Err(match suggest::nearest(first, known.iter().map(String::as_str).chain(topics())) {
        Some(word) => problem.hint(format!("did you mean {word}?")),
        None => problem.hint(format!("topics: {}; commands: kubectl runway help", topics().join(", "))),
    })
}

/// What may follow these words of `help`, each with what it is.
pub(super) fn words<'a>(given: impl Iterator<Item = &'a str>) -> Vec<(String, String)> {
    let given: Vec<&str> = given.collect();
    if let ["finding" | "findings"] = given.as_slice() {
        return RULES.iter().map(|rule| (rule.code.to_owned(), rule.title.to_owned())).collect();
    }
    if let ["reason" | "reasons"] = given.as_slice() {
        return reasons::all().map(|reason| (reason.code.to_owned(), reason.meaning.to_owned())).collect();
    }
    let root = super::command_line("kubectl runway");
    let Some(command) = given.iter().try_fold(&root, |command, word| command.find_subcommand(word)) else { return Vec::new() };
    let mut words: Vec<(String, String)> = summaries(command).collect();
    if given.is_empty() {
        words.extend(TOPICS.map(|(topic, about)| (topic.to_owned(), about.to_owned())));
    }
    words
}
