//! kubectl-runway: publishes Runway's Flux inventories and says whether what was published is what runs.
//!
//! One binary, three names: `kubectl runway` and `flux runway` call it as a plugin, and it can be called by itself. A
//! command is three moves: gather (registries, clusters, files), decide (`runway_core`, pure), show or act.

mod clock;
mod cluster;
mod commands;
mod env;
mod exit;
mod files;
mod gather;
mod net;
mod process;
mod registry;
mod render;
mod ui;

pub use commands::command_line;
use runway_core::problem::{Class, Problem};
use std::ffi::OsString;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

/// Runs the program with its arguments, the program's own name first.
pub fn run(arguments: &[OsString]) -> ExitCode {
    let run = AssertUnwindSafe(|| commands::run(arguments));
    ExitCode::from(std::panic::catch_unwind(run).unwrap_or(exit::INTERNAL))
}

/// Runs asynchronous work to its end, or to the first signal.
fn block_on<T>(work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Problem::new(Class::Internal, "no runtime for network work").caused_by(&error))?;
    let result = runtime.block_on(async {
        // The work first: what it reads before it waits for anything, such as standard input, is read while a signal still
        // ends the program by itself.
        tokio::select! {
            biased;
            result = work => result,
            code = interrupted() => Err(Problem::new(Class::Interrupted(code), "interrupted")),
        }
    });
    // A thread that still decodes a list must not hold the exit back.
    runtime.shutdown_background();
    result
}

/// Ends when a signal asks for the end; the answer is the exit code.
#[cfg(unix)]
async fn interrupted() -> u8 {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => 130,
        _ = terminate.recv() => 143,
    }
}

#[cfg(not(unix))]
async fn interrupted() -> u8 {
    match tokio::signal::ctrl_c().await {
        Ok(()) => 130,
        Err(_) => std::future::pending().await,
    }
}
