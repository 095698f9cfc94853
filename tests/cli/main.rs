//! The built program, run as a user runs it, in an environment of its own. No test bed, no network beyond loopback.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and says what it could not try"
)]

mod api;
mod bad_input;
mod build;
mod ci_jobs;
mod ci_tasks;
mod clusters;
mod completion;
mod contexts;
mod deploy;
mod docs;
mod documents;
mod examples;
mod fake;
mod first_contact;
mod following;
mod generated;
mod hostile;
mod inventories;
mod kept;
mod looks;
mod names;
mod next;
mod objects;
mod outputs;
mod packaging;
mod parents;
mod picture;
mod pipes;
mod plans;
mod pushes;
mod recorded;
mod releases;
mod settings;
mod shells;
mod snapshot;
mod verify;

use runway_testkit::env::Env;

/// An environment with the program in it.
fn env() -> Env {
    Env::new(env!("CARGO_BIN_EXE_kubectl-runway"))
}

/// A platform repository with one runtime.
fn platform(list: &str) -> Env {
    let env = env();
    env.write("config/runtimes/gke/workloads.yml", list);
    env
}
