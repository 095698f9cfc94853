//! What clap finds wrong with a command line, in the four parts that every problem of this program has; and help, in the
//! colours that were asked for.

use crate::ui::{ColorChoice, Ui};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Error, ValueEnum as _};
use runway_core::problem::Problem;
use runway_core::suggest;
use std::ffi::OsString;

/// `--color` of a command line that clap has not read yet: help is shown before.
pub(super) fn color(arguments: &[OsString]) -> ColorChoice {
    let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).take_while(|word| *word != "--").collect();
    let next = words.iter().skip(1).copied().map(Some).chain([None]);
    let given = words.iter().copied().zip(next).filter_map(|(word, next)| match word.strip_prefix("--color")? {
        "" => next,
        rest => rest.strip_prefix('='),
    });
    let given = given.last();
    given.and_then(|word| ColorChoice::from_str(word, false).ok()).unwrap_or_default()
}

/// Shows help and version on stdout; what is wrong, on stderr. The answer is the exit code.
pub(super) fn show(error: &Error, ui: &Ui) -> u8 {
    let text = error.render();
    let paint = |color: bool| if color { text.ansi().to_string() } else { text.to_string() };
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => match ui.answer_text(&paint(ui.style().color)) {
            Ok(()) => 0,
            Err(problem) => {
                ui.problem(&problem);
                2
            }
        },
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            ui.block(paint(false).trim_end());
            2
        }
        _ => {
            ui.problem(&problem(error));
            2
        }
    }
}

/// The command line's fault.
fn problem(error: &Error) -> Problem {
    let text = |kind| texts(error.get(kind)).into_iter().next();
    let (argument, value) = (text(ContextKind::InvalidArg), text(ContextKind::InvalidValue).filter(|it| !it.is_empty()));
    let mut problem = match (error.kind(), argument, value) {
        (ErrorKind::InvalidSubcommand, ..) => {
            let name = text(ContextKind::InvalidSubcommand).unwrap_or_default();
            Problem::usage(format!("there is no command '{name}'"))
        }
        (ErrorKind::UnknownArgument, Some(name), _) if name.starts_with('-') => {
            Problem::usage(format!("there is no flag '{name}'"))
        }
        (ErrorKind::UnknownArgument, Some(word), _) => Problem::usage(format!("'{word}' is one word too many")),
        (ErrorKind::InvalidValue, Some(name), None) => Problem::usage(format!("{name} needs a value")),
        (ErrorKind::InvalidValue | ErrorKind::ValueValidation, Some(name), Some(value)) => {
            Problem::usage(format!("'{value}' is no value of {name}"))
        }
        (ErrorKind::MissingRequiredArgument, ..) => {
            Problem::usage(format!("this is missing: {}", texts(error.get(ContextKind::InvalidArg)).join(", ")))
        }
        (ErrorKind::ArgumentConflict, Some(name), _) => {
            let others = texts(error.get(ContextKind::PriorArg));
            if others == [name.clone()] || others.is_empty() {
                Problem::usage(format!("{name} was given more than once"))
            } else {
                Problem::usage(format!("{name} and {} do not go together", others.join(", ")))
            }
        }
        _ => {
            let all = error.render().to_string();
            let first = all.lines().next().unwrap_or_default();
            Problem::usage(first.strip_prefix("error: ").unwrap_or(first))
        }
    };
    if let Some(source) = std::error::Error::source(error) {
        problem = problem.caused_by(source);
    }
    let allowed = texts(error.get(ContextKind::ValidValue));
    if !allowed.is_empty() {
        problem = problem.cause(format!("it takes {}", allowed.join(", ")));
    }
    if let Some(near) = nearest(error, &allowed) {
        problem = problem.hint(format!("did you mean {near}?"));
    }
    match command(error) {
        Some(command) => problem.hint(format!("all that it takes: {command} --help")),
        None => problem,
    }
}

fn nearest(error: &Error, allowed: &[String]) -> Option<String> {
    let kinds = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    let suggested = kinds.into_iter().find_map(|kind| texts(error.get(kind)).into_iter().next());
    let typed = |kind| texts(error.get(kind)).into_iter().next();
    // clap counts the letters that two words share; whoever typed one need not have meant the other.
    let words = [ContextKind::InvalidSubcommand, ContextKind::InvalidValue, ContextKind::InvalidArg];
    let bare = |word: &str| word.trim_start_matches('-').to_owned();
    let is_meant = |near: &String| words.into_iter().filter_map(typed).any(|word| suggest::is_near(&bare(&word), &bare(near)));
    let suggested = suggested.filter(is_meant);
    let typed = typed(ContextKind::InvalidValue).unwrap_or_default();
    suggested.or_else(|| suggest::nearest(&typed, allowed.iter().map(String::as_str)).map(str::to_owned))
}

/// The command whose words they were, by the usage line that clap has at hand.
fn command(error: &Error) -> Option<String> {
    let usage = texts(error.get(ContextKind::Usage)).into_iter().next()?;
    let words = usage.trim_start_matches("Usage:").split_whitespace();
    let command: Vec<&str> = words.take_while(|word| !word.starts_with(['[', '<', '-'])).collect();
    (!command.is_empty()).then(|| command.join(" "))
}

fn texts(value: Option<&ContextValue>) -> Vec<String> {
    match value {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        Some(ContextValue::StyledStr(text)) => vec![text.to_string()],
        Some(ContextValue::StyledStrs(texts)) => texts.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{color, problem};
    use crate::commands::command_line;
    use crate::ui::ColorChoice;

    fn wrong(words: &[&str]) -> String {
        let words = std::iter::once("kubectl-runway").chain(words.iter().copied());
        let problem = problem(&command_line("kubectl runway").try_get_matches_from(words).unwrap_err());
        [vec![problem.what], problem.causes, problem.hints].concat().join(" | ")
    }

    #[test]
    fn faults_name_the_nearest_word() {
        assert_eq!(
            wrong(&["statsu"]),
            "there is no command 'statsu' | did you mean status? | all that it takes: kubectl runway --help"
        );
        assert_eq!(
            wrong(&["inventory", "push", "--runtim", "gke"]),
            "there is no flag '--runtim' | did you mean --runtime? | all that it takes: kubectl runway inventory push --help"
        );
        assert_eq!(
            wrong(&["status", "--color", "nevr"]),
            "'nevr' is no value of --color <WHEN> | it takes auto, always, never | did you mean never?"
        );
        assert_eq!(
            wrong(&["inventory", "push", "--allow-removals", "many"]),
            "'many' is no value of --allow-removals <N> | invalid digit found in string"
        );
        let far = wrong(&["inventory", "list", "--to", "oci://h/x"]);
        assert!(far.starts_with("there is no flag '--to' | all that it takes"), "{far}");
        assert!(wrong(&["explain"]).starts_with("this is missing: <WORKLOAD>"), "{}", wrong(&["explain"]));
        assert!(
            wrong(&["status", "--wait", "--watch"]).contains("do not go together"),
            "{}",
            wrong(&["status", "--wait", "--watch"])
        );
        assert!(wrong(&["config", "view", "x"]).starts_with("'x' is one word too many"), "{}", wrong(&["config", "view", "x"]));
    }

    #[test]
    fn colour_is_known_before_the_line_is_read() {
        let of = |words: &[&str]| color(&words.iter().map(Into::into).collect::<Vec<_>>());
        assert_eq!(of(&["x", "--color", "never", "--help"]), ColorChoice::Never);
        assert_eq!(of(&["x", "--help", "--color=always"]), ColorChoice::Always);
        assert_eq!(of(&["x", "--", "--color=always"]), ColorChoice::Auto);
    }
}
