//! The bed's error: a text that grows by what was being done.

use std::fmt;

/// What went wrong, from the outside in.
#[derive(Debug)]
pub struct Trouble(String);

/// A result of the bed's own work.
pub type Result<T> = std::result::Result<T, Trouble>;

impl Trouble {
    /// An error with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Trouble {}

/// Says what was being done when an error came up.
pub trait Context<T> {
    /// Puts this before the error's own text.
    fn context(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: fmt::Display> Context<T> for std::result::Result<T, E> {
    fn context(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Trouble(format!("{}: {error}", what())))
    }
}
