//! What the tests of kubectl-runway stand on; never part of the product.
//!
//! * [`env::Env`] runs the product's program in an environment of its own: nothing of the machine's user shows through.
//! * [`bed`] builds, starts and drives the live test bed (`tests/testbed`): a real API server, Flux and a registry on loopback.
//!   A test begins at [`bed::Handle::connect`]; `cargo xtask` uses the rest.
//! * [`fake`] are servers on the test's own threads: proxies that count, cut and delay, a token endpoint, registries that lie.
//! * [`terminal`] runs a program on a terminal of its own, and types.
//! * [`ci`] runs the jobs of `ci-tasks/` in a shell, as GitLab would.
#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on says so by a panic; nothing here is in the product, for which the bans are"
)]

pub mod bed;
pub mod ci;
mod ci_run;
pub mod command;
pub mod env;
pub mod fake;
pub mod terminal;
