//! What clap finds wrong with a command line, in the four parts that every problem of this program has; and help, in the
//! colours that were asked for.

use crate::ui::{ColorChoice, Ui};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error, ValueEnum as _};
use runway_core::problem::Problem;
use runway_core::suggest;
use runway_core::text::quoted;
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

/// A command line that clap did not take.
pub(super) struct Refused<'a> {
    pub(super) error: &'a Error,
    /// All that there is.
    pub(super) root: &'a Command,
    /// What was typed, the program's name first.
    pub(super) arguments: &'a [OsString],
}

/// Shows help and version on stdout; what is wrong, on stderr. The answer is the exit code.
pub(super) fn show(refused: &Refused<'_>, ui: &Ui) -> u8 {
    let error = refused.error;
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
            ui.problem(&refused.problem());
            2
        }
    }
}

impl Refused<'_> {
    /// The command line's fault.
    fn problem(&self) -> Problem {
        let error = self.error;
        let text = |kind| texts(error.get(kind)).into_iter().next();
        let (argument, value) = (text(ContextKind::InvalidArg), text(ContextKind::InvalidValue).filter(|it| !it.is_empty()));
        let mut problem = match (error.kind(), argument, value) {
            (ErrorKind::InvalidSubcommand, ..) => self.no_command(&text(ContextKind::InvalidSubcommand).unwrap_or_default()),
            (ErrorKind::UnknownArgument, Some(name), _) if name.starts_with('-') => self.no_flag(&name),
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
            let typed = text(ContextKind::InvalidValue).unwrap_or_default();
            problem = meant(problem, suggest::nearest(&typed, allowed.iter().map(String::as_str)));
        }
        match command(error) {
            Some(command) => problem.hint(format!("all that it takes: {command} --help")),
            None => problem,
        }
    }

    /// A command that is not there: it may stand below another one, as `push` does.
    fn no_command(&self, name: &str) -> Problem {
        let problem = Problem::usage(format!("there is no command '{name}'"));
        let mut all = Vec::new();
        places(self.root, "", &mut all);
        let last = |path: &str| path.rsplit(' ').next().unwrap_or_default().to_owned();
        let of = |name: &str| all.iter().filter(|path| last(path) == name).map(String::as_str).collect::<Vec<_>>().join(" or ");
        let here: Vec<&str> = self.reached().into_iter().flat_map(Command::get_subcommands).map(Command::get_name).collect();
        let there: Vec<String> = all.iter().map(|path| last(path)).collect();
        let elsewhere = || Some(of(suggest::nearest(name, there.iter().map(String::as_str))?));
        let exact = Some(of(name)).filter(|paths| !paths.is_empty());
        meant(problem, exact.or_else(|| suggest::nearest(name, here).map(str::to_owned)).or_else(elsewhere))
    }

    /// A flag that is not there: it may be one of the command that stands behind it.
    fn no_flag(&self, name: &str) -> Problem {
        if let Some(line) = self.moved(name) {
            return Problem::usage(format!("the flag '{name}' stands behind its command")).hint(format!("this is taken: {line}"));
        }
        let problem = Problem::usage(format!("there is no flag '{name}'"));
        let flags = self.reached().into_iter().flat_map(Command::get_arguments).chain(self.root.get_arguments());
        let known: Vec<&str> = flags.filter(|arg| !arg.is_hide_set()).filter_map(Arg::get_long).chain(["help"]).collect();
        let near = name.strip_prefix("--").and_then(|name| suggest::near(name, known));
        meant(problem, near.map(|near| format!("--{near}")))
    }

    /// The command that clap had reached, by the usage line that it has at hand.
    fn reached(&self) -> Option<&Command> {
        let path = command(self.error)?;
        let name = self.root.get_bin_name().unwrap_or_default();
        path.strip_prefix(name)?.split_whitespace().try_fold(self.root, |command, word| command.find_subcommand(word))
    }

    /// The same words with the command first, when that makes a command line of them.
    fn moved(&self, flag: &str) -> Option<String> {
        let (program, typed) = self.arguments.split_first()?;
        let typed: Vec<&str> = typed.iter().map(|word| word.to_str()).collect::<Option<_>>()?;
        let (mut path, mut rest, mut command) = (Vec::new(), Vec::new(), self.root);
        for (n, word) in typed.iter().enumerate() {
            match command.find_subcommand(word).filter(|_| !typed.iter().take(n).any(|before| *before == "--")) {
                Some(below) => {
                    path.push(*word);
                    command = below;
                }
                None => rest.push(*word),
            }
        }
        let is_its = |arg: &Arg| {
            arg.get_long().is_some_and(|long| flag.strip_prefix("--") == Some(long))
                || arg.get_short().is_some_and(|short| flag.strip_prefix('-') == Some(short.to_string().as_str()))
        };
        let words: Vec<&str> = path.into_iter().chain(rest).collect();
        if words == typed || !command.get_arguments().any(is_its) {
            return None;
        }
        let line = std::iter::once(program.clone()).chain(words.iter().map(Into::into));
        let other = self.root.clone().try_get_matches_from(line).err().map(|error| error.kind());
        if matches!(other, Some(ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand)) {
            return None;
        }
        let name = self.root.get_bin_name().unwrap_or_default();
        Some(std::iter::once(name.into()).chain(words.into_iter().map(quoted)).collect::<Vec<_>>().join(" "))
    }
}

fn meant(problem: Problem, near: Option<impl std::fmt::Display>) -> Problem {
    match near {
        Some(near) => problem.hint(format!("did you mean {near}?")),
        None => problem,
    }
}

/// Every command below one, as the words that lead there.
fn places(command: &Command, path: &str, found: &mut Vec<String>) {
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let below = format!("{path} {}", sub.get_name()).trim_start().to_owned();
        found.push(below.clone());
        places(sub, &below, found);
    }
}

/// The command whose words they were, with the program's name, by the usage line that clap has at hand.
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
    use super::{Refused, color};
    use crate::commands::command_line;
    use crate::ui::ColorChoice;

    fn wrong(words: &[&str]) -> String {
        let arguments: Vec<std::ffi::OsString> =
            std::iter::once("kubectl-runway").chain(words.iter().copied()).map(Into::into).collect();
        let root = command_line("kubectl runway");
        let error = root.clone().try_get_matches_from(&arguments).unwrap_err();
        let problem = Refused { error: &error, root: &root, arguments: &arguments }.problem();
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
    fn the_nearest_command_is_named_wherever_it_stands() {
        for (words, near) in [
            (["inventory", "psh"].as_slice(), "push"),
            (&["inventory", "pus"], "push"),
            (&["inventory", "pul"], "pull"),
            (&["push"], "inventory push or deploy push"),
            (&["diff"], "inventory diff or deploy diff"),
            (&["list"], "inventory list or deploy list"),
            (&["verify"], "inventory verify or deploy verify"),
            (&["deploy", "status"], "status"),
            (&["view"], "config view"),
            (&["buid"], "inventory build or deploy build"),
        ] {
            let said = wrong(words);
            assert!(said.contains(&format!(" | did you mean {near}? | ")), "{words:?}: {said}");
        }
        assert!(!wrong(&["qqq"]).contains("did you mean"), "{}", wrong(&["qqq"]));
    }

    #[test]
    fn a_flag_before_its_command_is_put_behind_it() {
        for (words, line) in [
            (["--context", "a", "status"].as_slice(), "status --context a"),
            (&["--context=a b", "status", "web"], "status '--context=a b' web"),
            (&["--verdict", "!Ready", "status"], "status --verdict '!Ready'"),
            (&["-q", "-e", "staging", "inventory", "push", "--dry-run"], "inventory push -q -e staging --dry-run"),
            (&["inventory", "--runtime", "gke", "push"], "inventory push --runtime gke"),
            (&["--context", "a", "explain"], "explain --context a"),
        ] {
            let said = wrong(words);
            assert!(said.contains(" stands behind its command | "), "{words:?}: {said}");
            assert!(said.contains(&format!(" | this is taken: kubectl runway {line} | ")), "{words:?}: {said}");
        }
        let none = wrong(&["--nonsense", "status"]);
        assert!(none.starts_with("there is no flag '--nonsense' | all that"), "{none}");
        let none = wrong(&["--context", "a", "inventory", "list"]);
        assert!(none.starts_with("there is no flag '--context' | all that"), "list asks no cluster: {none}");
    }

    #[test]
    fn a_flag_is_suggested_when_it_is_near() {
        assert!(
            wrong(&["status", "--contxt", "a"]).contains("did you mean --context?"),
            "{}",
            wrong(&["status", "--contxt", "a"])
        );
        assert!(wrong(&["status", "--colour"]).contains("did you mean --color?"), "{}", wrong(&["status", "--colour"]));
        assert!(wrong(&["status", "--hlep"]).contains("did you mean --help?"), "{}", wrong(&["status", "--hlep"]));
        for far in ["--count", "--force", "--of-clusters"] {
            assert!(!wrong(&["status", far]).contains("did you mean"), "{}", wrong(&["status", far]));
        }
    }

    #[test]
    fn colour_is_known_before_the_line_is_read() {
        let of = |words: &[&str]| color(&words.iter().map(Into::into).collect::<Vec<_>>());
        assert_eq!(of(&["x", "--color", "never", "--help"]), ColorChoice::Never);
        assert_eq!(of(&["x", "--help", "--color=always"]), ColorChoice::Always);
        assert_eq!(of(&["x", "--", "--color=always"]), ColorChoice::Auto);
    }
}
