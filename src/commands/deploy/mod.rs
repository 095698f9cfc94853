//! `deploy …`: build, check, publish and read a workload's resource manifests.

mod build;
mod diff;
mod list;
mod pull;
mod push;
mod request;
mod show;
mod verify;

use super::context::Context;
use crate::exit::Outcome;
use crate::ui::Ui;
use runway_core::problem::Problem;

/// Build and publish a workload's manifests.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Print a workload's objects as they would be published, or write them to a folder
    Build(build::Args),
    /// Check a workload's manifests
    Verify(verify::Args),
    /// Show what would change, object by object, field by field
    Diff(diff::Args),
    /// Publish a workload's manifests: plan, guard, push, read back
    Push(push::Args),
    /// Get the files of a published deploy artifact
    Pull(pull::Args),
    /// Print a published deploy artifact
    Show(show::Args),
    /// List the tags of a workload's deploy artifact
    List(list::Args),
}

/// Runs one of them.
pub(crate) fn run(command: Command, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    match command {
        Command::Build(args) => build::run(&args, context, ui),
        Command::Verify(args) => verify::run(&args, context, ui),
        Command::Diff(args) => diff::run(&args, context, ui),
        Command::Push(args) => push::run(&args, context, ui),
        Command::Pull(args) => pull::run(&args, context, ui),
        Command::Show(args) => show::run(&args, context, ui),
        Command::List(args) => list::run(&args, context, ui),
    }
}
