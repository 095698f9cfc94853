//! The only registry client: manifests, blobs, tags and uploads, with logins that go nowhere else.
//!
//! In: a repository and what is wanted from it. Out: bytes whose digest was checked, or a `Problem` that says what to do.
//! Uses: core, clock, net, process.
//! Never: reading the environment (variables are handed in), showing a secret, believing what a registry says about
//! sizes, digests or addresses.
//! Start at [`client::Client`]; `exchange` decides what is sent along, `origin` to whom.

mod certificate;
mod challenge;
mod client;
mod docker;
mod errand;
mod exchange;
mod explain;
mod fault;
mod gate;
mod helper;
mod http;
mod jwt;
mod local;
mod logins;
mod origin;
mod probe;
mod proxy;
mod push;
mod retry;
mod room;
mod secret;
mod sent;
#[cfg(test)]
mod tests;
mod tls;
mod token;
mod words;

pub(crate) use client::{Client, Options};
pub(crate) use explain::{ends_the_asking, refuses_us};
pub(crate) use logins::Login;
pub(crate) use probe::{Check, State};
pub(crate) use secret::Secret;
pub(crate) use tls::Files;
