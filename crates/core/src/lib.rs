//! The pure half of kubectl-runway: it reads, builds, packs, compares and judges, and touches nothing outside.
//!
//! No network, clock, environment, file or terminal: the time is passed in, bytes are passed in, and what comes out
//! are values. `Cargo.toml` shows it (there is no crate here that could open a socket), and `clippy.toml` beside it
//! bans the parts of the standard library that could.
//!
//! ```text
//! workloads.yml ─▶ workloads ─▶ objects ─▶ inventory ─▶ artifact        (what is published)
//!                                              │
//!                  observed ──────────────┐    ▼
//!                  (what a cluster has)   └▶ assess ─▶ api              (what is true)
//! ```

pub mod actions;
pub mod api;
pub mod artifact;
pub mod assess;
pub mod bootstrap;
pub mod deploy;
pub mod diff;
pub mod finding;
pub mod flux;
pub mod inventory;
pub mod objects;
pub mod observed;
pub mod problem;
pub mod publish;
pub mod settings;
pub mod suggest;
pub mod text;
pub mod verify;
pub mod workloads;
pub mod yaml;
