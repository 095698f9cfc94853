//! A file per command: its flags and its three moves, side by side.
//!
//! Uses: gather, ui, render, registry, cluster, files, net, clock, env, exit, process.
//! Never: knowing Flux's rules; a command that needs an `if` about Flux wants a function in core.

#![expect(clippy::doc_markdown, reason = "clap prints the comments of flags as they are")]

mod bootstrap;
mod cli;
mod completion;
mod config;
mod context;
mod deploy;
mod doctor;
mod explain;
mod flags;
mod follow;
mod help;
mod inventory;
mod look;
mod outputs;
mod pages;
mod publish;
mod reconcile;
mod report;
mod snapshot;
mod sources;
mod start;
mod status;
mod tags;
mod topics;
mod tree;
mod usage;
mod version;

pub use cli::command_line;
pub(crate) use cli::run;
