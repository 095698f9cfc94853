//! The program: takes the command line and the environment, and hands them on.

use std::process::ExitCode;

#[expect(clippy::disallowed_methods, reason = "this is the one permitted place")]
fn main() -> ExitCode {
    kubectl_runway::run(&std::env::args_os().collect::<Vec<_>>())
}
