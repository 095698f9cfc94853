//! A block of text on a terminal's stdout that is drawn over, and whether anybody still reads stdout.

use runway_core::problem::{Class, Problem};
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};

/// The block. It stays in the terminal's own history, hides no cursor and changes no mode: nothing has to be put back,
/// however the program ends.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    lines: usize,
}

impl Screen {
    /// Columns and rows, when stdout is a terminal.
    pub(crate) fn size() -> Option<(usize, usize)> {
        let out = io::stdout();
        let (width, height) = terminal_size::terminal_size_of(&out).filter(|_| out.is_terminal())?;
        Some((usize::from(width.0), usize::from(height.0)))
    }

    /// Draws a text, whose lines fit the terminal, in the place of the one before.
    pub(crate) fn draw(&mut self, text: &str) -> Result<bool, Problem> {
        let up = if self.lines == 0 { String::new() } else { format!("\u{1b}[{}A", self.lines) };
        self.lines = text.lines().count();
        stream(&format!("{up}\r\u{1b}[J{text}"))
    }

    /// Forgets the block, which then stays where it is.
    pub(crate) fn leave(&mut self) {
        self.lines = 0;
    }
}

/// Prints a part of an answer that goes on; `false`: nobody reads it any more.
pub(crate) fn stream(text: &str) -> Result<bool, Problem> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Problem::new(Class::Output, "the answer cannot be written to standard output").caused_by(&error)),
    }
}

/// Whether the reader of stdout is gone, without writing anything: who waits for a change would else never notice.
#[cfg(unix)]
pub(crate) fn reader_is_gone() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let out = io::stdout();
    let mut asked = [PollFd::new(&out, PollFlags::empty())];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    let gone = PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL;
    poll(&mut asked, Some(&at_once)).is_ok() && asked.iter().any(|it| it.revents().intersects(gone))
}

/// Where it cannot be asked, the next write says it.
#[cfg(not(unix))]
pub(crate) fn reader_is_gone() -> bool {
    false
}
