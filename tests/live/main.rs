//! Scenarios on the live test bed: a real API server, Flux's controllers, a registry, and their own tools as peers.
//!
//! `cargo xtask test` starts the bed and runs them. Each scenario has a namespace and a place in the registry of its own.
#![expect(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::string_slice,
    reason = "a scenario that cannot go on says so by a panic"
)]

mod alone;
mod api_servers;
mod background;
mod bad_input;
mod causes;
mod clusters;
mod completion;
mod contexts;
mod deploys;
mod examples;
mod faults;
mod install;
mod interrupted;
mod inventories;
mod main_job;
mod many;
mod parents;
mod paste;
mod peers;
mod pods;
mod registries;
mod stage;
mod terminal;
mod tutorial;
mod verify;
mod waiting;
