//! What the help of every command says beyond its flags: what it is for, examples, what its exit codes mean, what to read
//! next. A page is laid over the command of its path, so that names, flags and values have one definition: clap's.

mod clusters;
mod deploy;
mod inventory;
mod rest;

use super::flags::{CLUSTER, REGISTRY};
use crate::render::style::WRITTEN;
use clap::Command;

/// A command's page.
pub(super) struct Page {
    /// The command: the words after the program's name; nothing for the program itself.
    path: &'static str,
    /// What it does and what it does not, in a paragraph.
    about: &'static str,
    /// What is wanted, and the command that does it.
    examples: &'static [(&'static str, &'static str)],
    /// What else is to be known: files, formats, exit codes.
    notes: &'static str,
    /// Commands and topics to read next, without the program's name.
    see: &'static [&'static str],
}

/// Every page.
fn pages() -> impl Iterator<Item = &'static Page> {
    [rest::PAGES, inventory::PAGES, deploy::PAGES, clusters::PAGES].into_iter().flatten()
}

/// Headings whose flags are many and rarely wanted: `-h` leaves them out, `--help` has them.
const LONG_ONLY: [&str; 2] = [CLUSTER, REGISTRY];
/// Those of them that are wanted often.
const SHORT_TOO: [&str; 4] = ["context", "kubeconfig", "all_clusters", "all_contexts"];

/// The parts of a help text. Examples stand before the flags: who reads help wants a line to copy. They are part of the template
/// itself, since clap breaks whatever comes in through a tag to the terminal's width, and half of a command line does not run.
fn template(examples: &str) -> String {
    format!("{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{examples}{{all-args}}{{after-help}}")
}

/// The commands below one, each with what it is in a line.
pub(super) fn summaries(command: &Command) -> impl Iterator<Item = (String, String)> {
    let shown = command.get_subcommands().filter(|sub| !sub.is_hide_set());
    shown.map(|sub| (sub.get_name().to_owned(), summary(sub)))
}

fn summary(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

/// Lays the pages over the command line of a program that is called by this name.
pub(super) fn apply(command: Command, name: &str) -> Command {
    laid(command, "", name)
}

fn laid(command: Command, path: &str, name: &str) -> Command {
    let command = match pages().find(|page| page.path == path) {
        Some(page) => page.over(command, name),
        None => command.help_template(template("")),
    };
    let command = command.mut_args(|arg| {
        let is_rare = arg.get_help_heading().is_some_and(|heading| LONG_ONLY.contains(&heading));
        let hidden = is_rare && !SHORT_TOO.contains(&arg.get_id().as_str());
        arg.hide_short_help(hidden)
    });
    command.mut_subcommands(|sub| {
        let below = format!("{path} {}", sub.get_name());
        laid(sub, below.trim_start(), name)
    })
}

impl Page {
    fn over(&self, command: Command, name: &str) -> Command {
        let spoken = |text: &str| text.replace(WRITTEN, name);
        let summary = summary(&command);
        let mut after = spoken(self.notes);
        if !self.see.is_empty() {
            let list: Vec<String> = self.see.iter().map(|it| format!("{name} {it}")).collect();
            after = format!("{after}\n\nSee also: {}", list.join(", "));
        }
        let about = if self.about.is_empty() { summary } else { format!("{summary}.\n\n{}", spoken(self.about)) };
        let command = command.long_about(about).after_help(after.trim().to_owned());
        if self.examples.is_empty() {
            return command.help_template(template(""));
        }
        let examples = spoken(&self.shown());
        // The tag is in no template: whoever wants the examples alone, as the manual does, finds them there.
        command.help_template(template(&format!("{examples}\n\n"))).before_help(examples)
    }

    /// The examples as the help shows them.
    fn shown(&self) -> String {
        let line = |(what, command): &(&str, &str)| format!("  # {what}\n  {command}");
        format!("Examples:\n{}", self.examples.iter().map(line).collect::<Vec<_>>().join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::pages;
    use crate::commands::flags::{CLUSTER, ClusterFlags, ManyFlags, REGISTRY, RegistryFlags};
    use clap::Command;
    use std::collections::BTreeSet;

    fn paths(command: &Command, path: &str, all: &mut BTreeSet<String>) {
        all.insert(path.to_owned());
        for sub in command.get_subcommands() {
            paths(sub, format!("{path} {}", sub.get_name()).trim_start(), all);
        }
    }

    /// Every flag of a group says its heading itself; one that is forgotten stands among the command's own.
    #[test]
    fn groups_have_their_headings() {
        use clap::Args as _;
        let groups = [
            (RegistryFlags::augment_args(Command::new("x")), REGISTRY),
            (ClusterFlags::augment_args(Command::new("x")), CLUSTER),
            (ManyFlags::augment_args(Command::new("x")), CLUSTER),
        ];
        for (group, heading) in groups {
            for arg in group.get_arguments() {
                assert_eq!(arg.get_help_heading(), Some(heading), "{}", arg.get_id());
            }
        }
    }

    /// What is flattened after a group with a heading must not come under it, and out of `-h`.
    #[test]
    fn headings_end_with_their_groups() {
        fn look(command: &Command) {
            for arg in command.get_arguments() {
                let own =
                    ["output", "exit_code", "objects", "verdict", "not_ready", "dry_run", "strict", "check", "apply", "file"];
                if own.contains(&arg.get_id().as_str()) {
                    assert_eq!(arg.get_help_heading(), None, "{} of {}", arg.get_id(), command.get_name());
                }
            }
            command.get_subcommands().for_each(look);
        }
        look(&crate::commands::command_line("kubectl runway"));
    }

    /// A terminal shows what is written: marks of another language are noise there.
    #[test]
    fn no_help_has_marks_of_markdown() {
        fn look(command: &mut Command) {
            let help = command.render_long_help().to_string();
            assert!(!help.contains('`'), "{}: {help}", command.get_name());
            let values = command.get_arguments().flat_map(clap::Arg::get_possible_values);
            for about in values.filter_map(|value| value.get_help().map(ToString::to_string)) {
                assert!(!about.contains('`'), "{}: {about}", command.get_name());
            }
            command.get_subcommands_mut().for_each(look);
        }
        look(&mut crate::commands::command_line("kubectl runway"));
    }

    /// What a command refuses it does not show.
    #[test]
    fn a_snapshot_shows_no_flags_of_many_clusters() {
        let mut command = crate::commands::command_line("kubectl runway");
        let save = command.find_subcommand_mut("snapshot").and_then(|it| it.find_subcommand_mut("save")).unwrap();
        let help = save.render_long_help().to_string();
        for flag in ["--snapshot", "--all-contexts", "--all-clusters", "--exclude-context", "--region", "--label"] {
            assert!(!help.contains(flag), "{flag}: {help}");
        }
        assert!(help.contains("--context"), "{help}");
    }

    #[test]
    fn every_command_has_a_page_with_examples_and_every_page_a_command() {
        let mut commands = BTreeSet::new();
        paths(&crate::commands::command_line("kubectl runway"), "", &mut commands);
        let known: BTreeSet<String> = pages().map(|page| page.path.to_owned()).collect();
        assert_eq!(commands, known, "a command without a page in commands/pages, or a page without its command");
        assert_eq!(known.len(), pages().count(), "two pages of one command");
        for page in pages() {
            let path = page.path;
            assert!(!page.about.is_empty() && page.about.ends_with('.'), "{path}: no paragraph");
            assert!(!page.examples.is_empty(), "{path}: no example");
            assert!(!page.shown().contains('{'), "{path}: a brace begins a tag of clap's template");
            assert!(!page.see.is_empty(), "{path}: nothing to read next");
            for see in page.see {
                let command = see.strip_prefix("help ").map_or(*see, |_| "help");
                assert!(commands.contains(command), "{path}: see also {see}, which is nothing");
            }
        }
    }
}
