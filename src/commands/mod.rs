//! A file per command: its flags and its three moves, side by side.
//!
//! Uses: gather, ui, render, registry, cluster, files, net, clock, env, exit, process.
//! Never: knowing Flux's rules; a command that needs an `if` about Flux wants a function in core.

mod bootstrap;
mod cli;
mod config;
mod context;
mod flags;
mod help;
mod inventory;
mod publish;
mod status;

pub(crate) use cli::run;
