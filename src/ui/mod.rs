//! Both output streams: answers to stdout, everything else to stderr.
//!
//! Uses: render, env.
//! Never: being called by code that works; commands show what they gathered and decided.

mod streams;

pub(crate) use streams::{ColorChoice, Ui};
