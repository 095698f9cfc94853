//! The command line: name, commands, and what every command has.

use super::context::Context;
use super::{bootstrap, config, deploy, doctor, explain, help, inventory, reconcile, snapshot, status, tree};
use crate::exit::{self, Outcome};
use crate::ui::{ColorChoice, Ui};
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use runway_core::problem::Problem;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Publish Runway's Flux inventories, and see whether what was published is what runs.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110, disable_help_subcommand = true, infer_subcommands = false)]
#[command(
    after_help = "Examples:\n  kubectl runway inventory build --runtime gke -e production\n  kubectl runway inventory push --runtime gke -e production --dry-run\n  kubectl runway status\n  kubectl runway status example-service-gke\n\nExit codes: 0 yes, 1 no, 2 no answer, 3 partial, 4 out of time, 5 refused."
)]
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
    /// Give up after this time, such as 30s or 2m (default 60s)
    #[arg(long, global = true, value_name = "DURATION", help_heading = "Global options")]
    pub(crate) timeout: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build and publish inventories
    #[command(subcommand)]
    Inventory(Box<inventory::Command>),
    /// Build, check and publish a workload's resource manifests
    #[command(subcommand)]
    Deploy(Box<deploy::Command>),
    /// Print, check or apply the parent pair that makes a cluster follow an inventory
    Bootstrap(Box<bootstrap::Args>),
    /// Look at the settings
    #[command(subcommand)]
    Config(config::Command),
    /// Look at what this program would use, and whether it works
    #[command(subcommand)]
    Doctor(doctor::Command),
    /// Store what a cluster has, to be judged later or elsewhere
    #[command(subcommand)]
    Snapshot(snapshot::Command),
    /// Say whether each workload is what is published
    Status(Box<status::Args>),
    /// Say which link broke first, why, and what to do next
    Explain(Box<explain::Args>),
    /// Show the objects that a workload has applied, each with its health
    Tree(Box<tree::Args>),
    /// Ask Flux to look now, and wait until it has
    Reconcile(Box<reconcile::Args>),
    /// Explain a finding, the exit codes, the verdicts, or a command
    Help(help::Args),
}

/// Runs a command line; the answer is the exit code.
pub(crate) fn run(arguments: Vec<OsString>) -> u8 {
    let name = called_as(arguments.first());
    let command = Cli::command().name("kubectl-runway").bin_name(name);
    let parsed = command.clone().try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let ui = Ui::new(cli.global.color, cli.global.quiet);
    let Some(chosen) = cli.command else {
        let help = command.clone().render_help();
        return finish(&ui, ui.answer(&help.to_string()).map(|()| Outcome::YES));
    };
    if let Command::Help(args) = &chosen {
        // Needs no settings: it explains those that are broken, too.
        return finish(&ui, help::run(args, command, &ui));
    }
    let result = Context::new(&cli.global).and_then(|context| match chosen {
        Command::Inventory(command) => inventory::run(*command, &context, &ui),
        Command::Deploy(command) => deploy::run(*command, &context, &ui),
        Command::Bootstrap(args) => bootstrap::run(&args, &context, &ui),
        Command::Config(command) => config::run(&command, &context, &ui),
        Command::Doctor(command) => doctor::run(&command, &context, &ui),
        Command::Status(args) => status::run(*args, &context, &ui),
        Command::Help(_) => Ok(Outcome::YES),
        Command::Snapshot(command) => snapshot::run(&command, &context, &ui),
        Command::Explain(args) => explain::run(&args, &context, &ui),
        Command::Tree(args) => tree::run(&args, &context, &ui),
        Command::Reconcile(args) => reconcile::run(&args, &context, &ui),
    });
    finish(&ui, result)
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

/// clap's own words about the command line; help and version go to stdout.
fn usage(error: &clap::Error) -> u8 {
    // When even this cannot be written there is nobody to tell.
    drop(error.print());
    if error.use_stderr() { 2 } else { 0 }
}

/// How the user called it: both kubectl and flux run plugins by a file whose name says it.
fn called_as(program: Option<&OsString>) -> &'static str {
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
        assert_eq!(called_as(Some(&"kubectl-runway.exe".into())), "kubectl runway");
        assert_eq!(called_as(None), "kubectl-runway");
    }
}
