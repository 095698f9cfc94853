//! Runs cargo: its output is passed on as it comes, and its tests are counted.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use runway_testkit::command::{mortal, signal_group};
use rustix::process::Signal;

use crate::folders;
use crate::interrupt::Interrupt;
use crate::tally::Tally;

/// How a cargo run ended.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    pub(crate) tally: Tally,
    pub(crate) success: bool,
}

/// Runs cargo with these arguments and variables; past the limit it is killed.
pub(crate) fn run(
    arguments: &[&str],
    variables: &[(&str, &Path)],
    interrupt: &Interrupt,
    limit: Option<Duration>,
) -> io::Result<Ended> {
    let mut command = command(arguments);
    for (name, value) in variables {
        command.env(name, value);
    }
    println!("$ cargo {}", arguments.join(" "));
    // A process group of its own, so that its tests can be ended with it.
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0).spawn()?;
    interrupt.watch_child(&child);
    let (finished, over) = mpsc::channel::<()>();
    if let Some(limit) = limit {
        let leader = child.id();
        thread::spawn(move || {
            if over.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
                println!("the tests did not end within {} minutes: killed", limit.as_secs() / 60);
                signal_group(leader, Signal::KILL);
            }
        });
    }

    let mut tally = Tally::default();
    if let Some(stdout) = child.stdout.take() {
        let mut reader = BufReader::new(stdout);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            io::stdout().write_all(&line)?;
            tally.add_line(String::from_utf8_lossy(&line).trim_end());
            line.clear();
        }
    }
    drop(finished);
    interrupt.forget_child();
    let status = child.wait()?;
    Ok(Ended { tally, success: status.success() })
}

/// What cargo prints to stdout, when it ends well.
pub(crate) fn output(arguments: &[&str]) -> io::Result<String> {
    let output = command(arguments).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("cargo {}: {}", arguments.join(" "), output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn command(arguments: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = mortal(Path::new(&cargo));
    command.args(arguments).current_dir(folders::workspace());
    // A standing bed is not for a run that has its own, or none.
    command.env_remove(runway_testkit::bed::VARIABLE);
    command
}
