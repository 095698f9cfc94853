//! A built program is run before it is packed, where this machine can run it: as it is, or under qemu.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use runway_dist::targets::Target;
use runway_testkit::command::{mortal, run};

use super::VERSION;
use super::tools::Tools;
use crate::folders;

/// qemu on a busy machine is slow; a program that hangs is killed.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs the program; says in words who ran it.
///
/// It must tell its version, and build the example's inventory: the parser, the settings and files of this system.
pub(super) fn run_program(tools: &Tools, target: Target, program: &Path) -> Result<String, String> {
    let own = target.os == host_os() && target.arch == host_arch();
    let (emulator, words) = match (own, target.os) {
        (true, _) => (None, "ran here".to_owned()),
        (false, "linux") if host_os() == "linux" => {
            let qemu = tools.qemu(target.arch)?;
            (Some(qemu), "ran under qemu".to_owned())
        }
        _ => return Ok("not run: this machine cannot run it".to_owned()),
    };
    let start = |arguments: &[&str]| -> Result<String, String> {
        let mut command = match &emulator {
            Some(emulator) => {
                let mut command = mortal(emulator);
                command.arg(program);
                command
            }
            None => mortal(program),
        };
        plain(command.args(arguments));
        let run = run(command, b"", LIMIT).map_err(|error| format!("{}: {error}", program.display()))?;
        if run.code == Some(0) { Ok(run.stdout) } else { Err(format!("kubectl-runway {}: {run}", arguments.join(" "))) }
    };
    let version = start(&["--version"])?;
    if version != format!("kubectl-runway {VERSION}\n") {
        return Err(format!("it calls itself {version:?}"));
    }
    let inventory = start(&["inventory", "build", "--runtime", "gke", "-e", "production"])?;
    if inventory.matches("kind: Kustomization").count() == 0 {
        return Err(format!("it built an inventory without a Kustomization: {inventory}"));
    }
    Ok(words)
}

/// Nothing of the user's shows through.
fn plain(command: &mut Command) {
    command.env_clear().env("HOME", "/nonexistent").current_dir(folders::workspace().join("examples/platform"));
}

fn host_os() -> &'static str {
    if std::env::consts::OS == "macos" { "darwin" } else { std::env::consts::OS }
}

fn host_arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
