//! `completion install`: the program that kubectl asks, and the scripts that bash and fish find by themselves. krew puts one
//! file on PATH, so that this one has to be written afterwards.

use super::{BASH, FISH, SHIM};
use crate::env;
use crate::exit::Outcome;
use crate::files::{read, write};
use crate::process;
use crate::ui::Ui;
use runway_core::problem::{Place, Problem};
use std::path::{Path, PathBuf};

/// Set completion up for kubectl, bash and fish.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder of kubectl_complete-runway [default: that of kubectl-runway, else ~/.local/bin or ~/bin, on PATH]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The shell to set up beside kubectl [default: that of the variable SHELL]
    #[arg(long, value_enum, value_name = "SHELL")]
    shell: Option<Shell>,
    /// Write without a question
    #[arg(short, long)]
    yes: bool,
    /// Say what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// How a file of ours begins, below the line that says what runs it.
const MARK: &str = "# Written by kubectl-runway: ";
/// What kubectl looks for on PATH.
const NAME: &str = "kubectl_complete-runway";
/// What that runs.
const PROGRAM: &str = "kubectl-runway";
/// How we are called by flux.
const FLUX: &str = "flux runway";
/// Where the package that bash finds completions by has its script: Linux, Homebrew on both processors, and MacPorts.
const BASH_COMPLETION: [&str; 5] = [
    "/usr/share/bash-completion/bash_completion",
    "/etc/bash_completion",
    "/usr/local/etc/profile.d/bash_completion.sh",
    "/opt/homebrew/etc/profile.d/bash_completion.sh",
    "/opt/local/etc/profile.d/bash_completion.sh",
];

/// A file to be there.
struct Wanted {
    path: PathBuf,
    content: &'static str,
    is_program: bool,
}

/// What is at its place now.
#[derive(PartialEq, Eq)]
enum Found {
    Nothing,
    Same,
    /// Written by another version of this program.
    Older,
}

pub(super) fn run(args: &Args, start: &Path, ui: &Ui) -> Result<Outcome, Problem> {
    if cfg!(windows) {
        return Err(Problem::usage("completion install writes a shell script, which Windows does not run")
            .hint("kubectl-runway completion powershell prints the script for PowerShell"));
    }
    let shell = args.shell.or_else(own_shell);
    if ui.name() == FLUX {
        // A program of kubectl's would run kubectl-runway, which a plugin of flux is not called.
        under_flux(shell, ui);
        return Ok(Outcome::YES);
    }
    let folder = folder(args.dir.as_deref(), start)?;
    let mut wanted = vec![Wanted { path: folder.join(NAME), content: SHIM, is_program: true }];
    wanted.extend(shell.and_then(script));
    let mut due = Vec::new();
    for file in wanted {
        // All are looked at before one is written.
        match found(&file)? {
            Found::Same => ui.note(&format!("{} is there", file.path.display())),
            state => due.push((file, state)),
        }
    }
    let verb = if args.dry_run { "would be written" } else { "will be written" };
    for (file, state) in &due {
        let over = if *state == Found::Older { ", over one of another version" } else { "" };
        ui.answer(&format!("{} {verb}{over}\n", file.path.display()))?;
    }
    if !args.dry_run && !due.is_empty() {
        if !args.yes && !ui.confirm("Write this?")? {
            ui.note("nothing was written");
            return Ok(Outcome { nothing: true, ..Outcome::YES });
        }
        for (file, _) in &due {
            carry_out(file)?;
            ui.answer(&format!("{} written\n", file.path.display()))?;
        }
    }
    if !is_on_path(&folder) {
        ui.warning(&format!("{} is not on PATH: kubectl will not find what is in it", folder.display()));
    }
    if process::find(PROGRAM, env::variable("PATH").as_deref()).is_none() {
        ui.warning("kubectl-runway is not on PATH: what was written runs it by that name, and TAB will offer nothing");
    }
    if shell == Some(Shell::Bash) && !BASH_COMPLETION.iter().any(|file| Path::new(file).exists()) {
        ui.warning(
            "the package bash-completion was not found; bash reads these files by it, and kubectl's own completion needs it: \
             apt-get install bash-completion, or brew install bash-completion@2",
        );
    }
    next(shell, ui);
    Ok(Outcome::YES)
}

/// flux asks its plugins itself; its own completion has to be loaded in the shell.
fn under_flux(shell: Option<Shell>, ui: &Ui) {
    ui.note("flux asks its plugins itself: nothing needs to be written");
    ui.note(match shell {
        Some(Shell::Bash) => "flux's own completion belongs in ~/.bashrc: source <(flux completion bash)",
        Some(Shell::Zsh) => "flux's own completion belongs in ~/.zshrc, after compinit: source <(flux completion zsh)",
        Some(Shell::Fish) => "flux's own completion belongs in ~/.config/fish/config.fish: flux completion fish | source",
        None => "flux's own completion has to be loaded in the shell: flux completion --help; --shell names the shell",
    });
}

/// What is still to be done by hand: nobody's shell is edited.
fn next(shell: Option<Shell>, ui: &Ui) {
    ui.note(match shell {
        Some(Shell::Bash) => "kubectl's own completion belongs in ~/.bashrc: source <(kubectl completion bash)",
        Some(Shell::Zsh) => {
            "these belong in ~/.zshrc, after compinit:\n  source <(kubectl completion zsh)\n  source <(kubectl-runway completion zsh)"
        }
        Some(Shell::Fish) => "kubectl's own completion belongs in ~/.config/fish/config.fish: kubectl completion fish | source",
        None => "kubectl's own completion has to be loaded in the shell: kubectl completion --help; --shell names the shell",
    });
}

fn own_shell() -> Option<Shell> {
    let path = env::variable("SHELL")?;
    match Path::new(&path).file_name()?.to_str()? {
        "bash" => Some(Shell::Bash),
        "zsh" => Some(Shell::Zsh),
        "fish" => Some(Shell::Fish),
        _ => None,
    }
}

/// Where a shell looks for completions by itself; zsh has no such folder of the user's.
fn script(shell: Shell) -> Option<Wanted> {
    let folder = |variable: &str, below_home: &str| {
        env::variable(variable).map(PathBuf::from).filter(|it| it.is_absolute()).or_else(|| Some(env::home()?.join(below_home)))
    };
    let (path, content) = match shell {
        Shell::Bash => (folder("XDG_DATA_HOME", ".local/share")?.join("bash-completion/completions/kubectl-runway"), BASH),
        Shell::Fish => (folder("XDG_CONFIG_HOME", ".config")?.join("fish/completions/kubectl-runway.fish"), FISH),
        Shell::Zsh => return None,
    };
    Some(Wanted { path, content, is_program: false })
}

/// The folder of PATH that the program for kubectl goes into.
fn folder(given: Option<&Path>, start: &Path) -> Result<PathBuf, Problem> {
    if let Some(folder) = given {
        let folder = start.join(folder);
        return if folder.is_dir() {
            Ok(folder)
        } else {
            Err(Problem::usage("--dir names no folder").at(Place::file(folder.display().to_string())))
        };
    }
    let path = env::variable("PATH");
    let beside = process::find(PROGRAM, path.as_deref()).and_then(|file| file.parent().map(Path::to_path_buf));
    let own = env::home().into_iter().flat_map(|home| [home.join(".local/bin"), home.join("bin")]).filter(|it| is_on_path(it));
    let candidates: Vec<PathBuf> = beside.into_iter().chain(own).collect();
    candidates.iter().find(|folder| process::may_write(folder)).cloned().ok_or_else(|| {
        let problem = Problem::usage("no folder of PATH is known that the program for kubectl can be written to");
        let problem = if candidates.is_empty() {
            problem.cause("kubectl-runway is not on PATH, nor is ~/.local/bin or ~/bin")
        } else {
            candidates.iter().fold(problem, |problem, folder| problem.cause(format!("{} is not writable", folder.display())))
        };
        problem.hint("name a folder of PATH with --dir DIR; under flux nothing needs to be written")
    })
}

fn is_on_path(folder: &Path) -> bool {
    env::variable("PATH").is_some_and(|path| std::env::split_paths(&path).any(|it| it == folder))
}

/// What is there; a file that somebody else has written is never replaced, nor is a link.
fn found(file: &Wanted) -> Result<Found, Problem> {
    let Ok(metadata) = std::fs::symlink_metadata(&file.path) else { return Ok(Found::Nothing) };
    let foreign = |why: &str| {
        Problem::usage("there is a file that this program has not written, and it stays as it is")
            .cause(why.to_owned())
            .at(Place::file(file.path.display().to_string()))
            .hint("move it away, or choose another folder with --dir")
    };
    if !metadata.is_file() {
        return Err(foreign("it is a link or a folder"));
    }
    let content = read::bytes(&file.path, "the file", 1 << 20)?;
    if content == file.content.as_bytes() {
        return Ok(Found::Same);
    }
    let is_ours = String::from_utf8_lossy(&content).lines().take(2).any(|line| line.starts_with(MARK));
    if is_ours { Ok(Found::Older) } else { Err(foreign("its first lines are not this program's")) }
}

fn carry_out(file: &Wanted) -> Result<(), Problem> {
    if let Some(folder) = file.path.parent() {
        write::folder(folder)?;
    }
    let bytes = file.content.as_bytes();
    if file.is_program { write::program(&file.path, bytes) } else { write::atomic(&file.path, bytes) }
}

#[cfg(test)]
mod tests {
    use super::super::{BASH, FISH, POWERSHELL, SHIM, ZSH};
    use super::MARK;

    #[test]
    fn every_script_says_who_wrote_it() {
        for script in [BASH, ZSH, FISH, POWERSHELL, SHIM] {
            assert!(script.lines().take(2).any(|line| line.starts_with(MARK)), "{script}");
        }
    }
}
