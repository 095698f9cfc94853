//! `completion`: what TAB offers, and what makes shells ask for it.
//!
//! Every shell, kubectl and flux ask the same hidden `__complete`, in cobra's protocol ([`protocol`]). What may follow is read
//! from clap's own definition of the command line ([`line`]), what a value may be from files ([`values`]).

mod ids;
mod install;
mod line;
mod protocol;
mod values;

pub(super) use protocol::{Asked, answer};

use crate::exit::Outcome;
use crate::files::find;
use crate::ui::Ui;
use runway_core::problem::Problem;

/// Print the script that completes in a shell, or set completion up.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Print the script for bash
    Bash,
    /// Print the script for zsh
    Zsh,
    /// Print the script for fish
    Fish,
    /// Print the script for PowerShell
    Powershell,
    /// Set completion up for kubectl, bash and fish
    Install(install::Args),
}

/// The scripts, as they stand in `completions/`.
const BASH: &str = include_str!("../../../completions/kubectl-runway.bash");
const ZSH: &str = include_str!("../../../completions/_kubectl-runway");
const FISH: &str = include_str!("../../../completions/kubectl-runway.fish");
const POWERSHELL: &str = include_str!("../../../completions/kubectl-runway.ps1");
/// What kubectl runs.
const SHIM: &str = include_str!("../../../completions/kubectl_complete-runway");

pub(super) fn run(command: &Command, directory: Option<&std::path::Path>, ui: &Ui) -> Result<Outcome, Problem> {
    let script = match command {
        Command::Bash => BASH,
        Command::Zsh => ZSH,
        Command::Fish => FISH,
        Command::Powershell => POWERSHELL,
        Command::Install(args) => return install::run(args, &find::start(directory)?, ui),
    };
    ui.answer(script).map(|()| Outcome::YES)
}
