//! Runs other programs: with a deadline, bounded output and nothing of the user's terminal.
//!
//! In: a [`Program`]. Out: its [`Output`], or why there is none.
//! Uses: nothing.
//! Never: a shell, secrets in arguments, showing what a program wrote on stdout.
//! Start at [`run`].

mod find;
pub(crate) mod git;
pub(crate) mod helm;
mod runner;
#[cfg(all(test, unix))]
mod tests;

pub(crate) use find::{find, may_write, user_id};
pub(crate) use runner::{Failure, Output, Program, run};
