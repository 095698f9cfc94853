//! Questions to a person, asked only where there is one.

use super::streams::Ui;
use runway_core::problem::{Class, Problem};
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

impl Ui {
    /// Whether somebody is there who reads what is said and could answer.
    #[expect(clippy::unused_self, reason = "whoever asks has the streams in hand")]
    pub(crate) fn is_attended(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks for a yes; without a terminal on both sides it is an error, never an answer.
    pub(crate) fn confirm(&self, question: &str) -> Result<bool, Problem> {
        if !self.is_attended() {
            return Err(Problem::usage("this needs a yes, and there is no terminal to ask on").hint("add --yes"));
        }
        let ask = || {
            let mut err = io::stderr().lock();
            write!(err, "{} [y/N] ", self.spoken(question)).and_then(|()| err.flush())?;
            let mut answer = String::new();
            io::stdin().lock().read_line(&mut answer).map(|_| answer)
        };
        let answer = ask().map_err(|error| Problem::new(Class::Output, "the question cannot be asked").caused_by(&error))?;
        Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }
}
