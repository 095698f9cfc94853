//! `doctor`: what this program would use, and whether it works.

mod registry;

use super::context::Context;
use crate::exit::Outcome;
use crate::ui::Ui;
use runway_core::problem::Problem;

/// The commands below `doctor`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Say which login a registry gets from where, and whether it may read and write
    Registry(Box<registry::Args>),
}

pub(crate) fn run(command: &Command, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    match command {
        Command::Registry(args) => registry::run(args, context, ui),
    }
}
