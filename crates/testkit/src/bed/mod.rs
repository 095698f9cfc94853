//! The live test bed: a real API server, Flux and a registry on loopback, without a container engine and without root.
//!
//! `pins` says what is built, `build` builds it into the user's cache, `start` runs one bed ([`Bed`]), and [`Handle`] is what a test drives it by.
//! `cargo xtask testbed` and `cargo xtask test` own the bed; a test only connects. Everything started dies with what started it,
//! also after `kill -9` (`process`).

mod accounts;
mod api;
mod artifacts;
mod build;
mod cluster;
mod conditions;
mod furniture;
mod handle;
mod kinds;
mod kube;
mod namespace;
mod nodes;
mod pins;
pub(crate) mod pki;
mod ports;
mod process;
mod registry;
mod secured;
mod start;
mod state;
mod trouble;
mod wire;

pub use build::{Built, build, find_built};
pub use cluster::{Cluster, Options};
pub use handle::{Handle, merge_kubeconfig};
pub use kube::Kube;
pub use namespace::Ns;
pub use pins::{Pins, cache, go_version};
pub use process::log_tail;
pub use registry::Registry;
pub use secured::{Secured, docker_config};
pub use start::Bed;
pub use state::{ClusterState, Ground, State, USERS};
pub use trouble::{Context, Result, Trouble};

use std::time::Duration;

/// How long a test waits for the cluster: machines are slow and noisy, and a wait ends as soon as what it waits for is there.
pub const DEADLINE: Duration = Duration::from_secs(180);

/// The variable that tells a test where the bed's state file is.
pub const VARIABLE: &str = "RUNWAY_TESTBED";
