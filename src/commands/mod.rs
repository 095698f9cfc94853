//! A file per command: its flags and its three moves, side by side.
//!
//! Uses: gather, ui, render, registry, cluster, files, net, clock, env, exit, process.
//! Never: knowing Flux's rules; a command that needs an `if` about Flux wants a function in core.

mod cli;
mod context;
mod explain;
mod flags;
mod follow;
mod inventory;
mod look;
mod reconcile;
mod snapshot;
mod status;
mod tree;

pub(crate) use cli::run;
