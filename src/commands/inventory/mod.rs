//! `inventory …`: build, publish and read inventories.

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

/// Build and publish inventories.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Print the Flux objects of a runtime's workloads, or write them to a folder
    Build(build::Args),
    /// Show what would change, workload by workload, field by field
    Diff(Box<diff::Args>),
    /// Check an inventory before it is published
    Verify(Box<verify::Args>),
    /// Publish the inventory: plan, guard, push, read back
    Push(push::Args),
    /// Get the files of a published inventory
    Pull(pull::Args),
    /// List the tags of an inventory
    List(list::Args),
    /// Print a published inventory
    Show(show::Args),
}

/// Runs one of them.
pub(crate) fn run(command: Command, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    match command {
        Command::Build(args) => build::run(&args, context, ui),
        Command::Diff(args) => diff::run(&args, context, ui),
        Command::Pull(args) => pull::run(&args, context, ui),
        Command::List(args) => list::run(&args, context, ui),
        Command::Verify(args) => verify::run(&args, context, ui),
        Command::Push(args) => push::run(&args, context, ui),
        Command::Show(args) => show::run(&args, context, ui),
    }
}
