//! Both output streams: answers to stdout, everything else to stderr.
//!
//! Uses: render, env, net.
//! Never: being called by code that works; commands show what they gathered and decided.

mod progress;
mod prompt;
mod screen;
mod streams;

pub(crate) use progress::Progress;
pub(crate) use screen::{Screen, reader_is_gone, stream};
pub(crate) use streams::{ColorChoice, Ui, request};
