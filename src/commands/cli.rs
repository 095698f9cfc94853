//! The command line: name, commands, and what every command has.

use super::context::Context;
use super::{
    bootstrap, completion, config, deploy, doctor, explain, help, inventory, pages, reconcile, snapshot, start, status, tree,
    usage, version,
};
use crate::exit::{self, Outcome};
use crate::ui::{ColorChoice, Ui};
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use runway_core::problem::Problem;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Publish Runway's Flux inventories, and see whether what was published is what runs.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110, disable_help_subcommand = true, infer_subcommands = false)]
pub(crate) struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Flags that every command has.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Work as if started in this folder
    #[arg(short = 'C', long, global = true, value_name = "DIR", help_heading = "Global options")]
    pub(crate) directory: Option<PathBuf>,
    /// Colour: auto, always or never
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        hide_possible_values = true,
        hide_default_value = true,
        help_heading = "Global options"
    )]
    pub(crate) color: ColorChoice,
    /// Say nothing but answers, warnings and errors
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub(crate) quiet: bool,
    /// Say on stderr of each request to a registry or cluster: method, host, path, status, milliseconds
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    pub(crate) verbose: u8,
    /// Give up after this time, such as 30s or 2m (default 60s)
    #[arg(long, global = true, value_name = "DURATION", help_heading = "Global options")]
    pub(crate) timeout: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say whether each workload is what is published
    Status(Box<status::Args>),
    /// Say which link broke first, why, and what to do next
    Explain(Box<explain::Args>),
    /// Show the objects that a workload has applied, each with its health
    Tree(Box<tree::Args>),
    /// Ask Flux to look now, and wait until it has
    Reconcile(Box<reconcile::Args>),
    /// Build and publish inventories
    #[command(subcommand)]
    Inventory(Box<inventory::Command>),
    /// Build, check and publish a workload's resource manifests
    #[command(subcommand)]
    Deploy(Box<deploy::Command>),
    /// Print, check or apply the parent pair that makes a cluster follow an inventory
    Bootstrap(Box<bootstrap::Args>),
    /// Store what a cluster has, to be judged later or elsewhere
    #[command(subcommand)]
    Snapshot(snapshot::Command),
    /// Look at the settings
    #[command(subcommand)]
    Config(config::Command),
    /// Look at what this program would use, and whether it works
    #[command(subcommand)]
    Doctor(doctor::Command),
    /// Print the script that completes in a shell, or set completion up
    #[command(subcommand)]
    Completion(completion::Command),
    /// Print the version
    Version(version::Args),
    /// Explain a finding, a topic, or a command
    Help(help::Args),
}

/// The command line of a program that is called by this name, with its help.
pub fn command_line(name: &'static str) -> clap::Command {
    pages::apply(Cli::command().name("kubectl-runway").bin_name(name), name)
}

/// Runs a command line; the answer is the exit code.
pub(crate) fn run(arguments: &[OsString]) -> u8 {
    let name = called_as(arguments.first());
    if let Some(asked) = completion::Asked::of(arguments) {
        let answer = completion::answer(&asked, command_line(name));
        let ui = Ui::new(ColorChoice::Never, true, name);
        return finish(&ui, ui.answer(&answer).map(|()| Outcome::YES));
    }
    let color = usage::color(arguments);
    let matches = command_line(name).try_get_matches_from(arguments);
    let parsed = matches.and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, stdin_twice(&matches))));
    let (cli, is_stdin_wanted_twice) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            let refused = usage::Refused { error: &error, root: &command_line(name), arguments };
            return usage::show(&refused, &Ui::new(color, false, name));
        }
    };
    let ui = Ui::new(cli.global.color, cli.global.quiet, name);
    if is_stdin_wanted_twice {
        let problem = Problem::usage("- and --registry-token-stdin both read standard input")
            .cause("it can be read once")
            .hint("write what - stands for to a file, or log in by other means: docker login, DOCKER_AUTH_CONFIG");
        return finish(&ui, Err(problem));
    }
    finish(&ui, carry_out(cli, name, &ui))
}

fn carry_out(cli: Cli, name: &'static str, ui: &Ui) -> Result<Outcome, Problem> {
    let global = cli.global;
    let start = global.directory.as_deref();
    let context = || Context::new(&global);
    match cli.command {
        None => start::show(&command_line(name), start, ui),
        // These need no settings: they explain those that are broken, too.
        Some(Command::Help(args)) => help::run(&args, command_line(name), ui),
        Some(Command::Completion(command)) => completion::run(&command, start, ui),
        Some(Command::Version(args)) => version::run(&args, &context()?, ui),
        Some(Command::Inventory(command)) => inventory::run(*command, &context()?, ui),
        Some(Command::Deploy(command)) => deploy::run(*command, &context()?, ui),
        Some(Command::Bootstrap(args)) => bootstrap::run(&args, &context()?, ui),
        Some(Command::Config(command)) => config::run(&command, &context()?, ui),
        Some(Command::Doctor(command)) => doctor::run(&command, &context()?, ui),
        Some(Command::Status(args)) => status::run(*args, &context()?, ui),
        Some(Command::Snapshot(command)) => snapshot::run(&command, &context()?, ui),
        Some(Command::Explain(args)) => explain::run(&args, &context()?, ui),
        Some(Command::Tree(args)) => tree::run(&args, &context()?, ui),
        Some(Command::Reconcile(args)) => reconcile::run(&args, &context()?, ui),
    }
}

/// Whether a command is told to read two things from standard input.
fn stdin_twice(matches: &clap::ArgMatches) -> bool {
    let mut deepest = matches;
    while let Some((_, next)) = deepest.subcommand() {
        deepest = next;
    }
    let token = matches!(deepest.try_get_one::<bool>("registry_token_stdin"), Ok(Some(true)));
    let file = deepest.try_get_many::<PathBuf>("file").ok().flatten();
    let sources = ["source", "new", "old"].into_iter();
    let mut sources = sources.filter_map(|name| deepest.try_get_one::<String>(name).ok().flatten());
    token && (file.into_iter().flatten().any(|file| file.as_os_str() == "-") || sources.any(|source| source == "-"))
}

fn finish(ui: &Ui, result: Result<Outcome, Problem>) -> u8 {
    match result {
        Ok(outcome) => outcome.code(),
        Err(problem) => {
            ui.problem(&problem);
            exit::of_problem(&problem)
        }
    }
}

/// How the user called it: both kubectl and flux run plugins by a file whose name says it.
///
/// kubectl and flux start a plugin by its whole path, a shell by the word that was typed: the bare name is the program's own.
fn called_as(program: Option<&OsString>) -> &'static str {
    if program.is_some_and(|program| Path::new(program).components().count() == 1) {
        return if program.is_some_and(|program| program == "flux-runway") { "flux-runway" } else { "kubectl-runway" };
    }
    let stem = program.and_then(|path| Path::new(path).file_stem()).and_then(|stem| stem.to_str()).unwrap_or_default();
    match stem {
        "kubectl-runway" => "kubectl runway",
        "flux-runway" => "flux runway",
        _ => "kubectl-runway",
    }
}

#[cfg(test)]
mod tests {
    use super::{Cli, called_as};
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn names() {
        assert_eq!(called_as(Some(&"/x/kubectl-runway".into())), "kubectl runway");
        assert_eq!(called_as(Some(&"/x/flux-runway".into())), "flux runway");
        assert_eq!(called_as(Some(&"kubectl-runway".into())), "kubectl-runway");
        assert_eq!(called_as(Some(&"./kubectl-runway".into())), "kubectl runway");
        assert_eq!(called_as(None), "kubectl-runway");
    }
}
