//! `cargo xtask docs`: what is generated from the command line. The tests that compare the files write them.

use std::process::{Command, ExitCode};

/// The tests that keep texts.
const TESTS: [&str; 5] = ["generated::", "examples::", "first_contact::", "documents::", "picture::"];

/// Writes docs/cli, docs/man and tests/cli/help; `git diff` then shows what changes for users.
pub(crate) fn generated() -> ExitCode {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["test", "--quiet", "--test", "cli", "--"]).args(TESTS).env("RUNWAY_UPDATE", "1");
    match cargo.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: cargo: {error}");
            ExitCode::FAILURE
        }
    }
}
