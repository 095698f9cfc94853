//! Asks and tells Kubernetes API servers: the only client of theirs.
//!
//! In: kubectl's connection flags and the kubeconfig that they lead to. Out: a [`Cluster`] that answers with
//! [`runway_core::observed::Objects`], or says in a [`runway_core::observed::Gap`] why it could not.
//! Uses: net, clock.
//! Never: judging what was read; reading variables (a lookup is handed in); falling back to a pod's own account; showing
//! a secret or a response's body.
//! Start at [`Cluster`].

mod answer;
mod choose;
mod client;
mod connection;
mod dry_run;
mod event;
mod exec;
mod fault;
mod files;
mod flags;
mod list;
mod objects;
mod prepare;
mod proxy;
mod read;
mod stream;
mod watch;
mod write;

#[cfg(test)]
mod tests;

#[cfg(test)]
use choose::Contexts;
pub(crate) use connection::{Cluster, Configured, configured, connect, contexts};
#[cfg(test)]
use flags::Secret;
pub(crate) use flags::{KubeFlags, Surroundings};
pub(crate) use watch::Mirror;
pub(crate) use write::{Address, Refusal};
