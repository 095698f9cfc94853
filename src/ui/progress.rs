//! One line of progress on a terminal's stderr that is written over and goes away; nowhere else.

use std::io::{self, IsTerminal as _, Write as _};
use unicode_width::UnicodeWidthChar as _;

/// The line. It hides no cursor and changes no mode, so that nothing has to be put back when the program is ended.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    live: bool,
    shown: bool,
}

impl Progress {
    /// A line where stderr is a terminal that can take it.
    pub(super) fn new(quiet: bool, dumb: bool) -> Self {
        Self { live: !quiet && !dumb && io::stderr().is_terminal(), shown: false }
    }

    /// Whether there is a terminal to show it on.
    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    /// Shows a text in the place of the one before, cut to the terminal's width.
    pub(crate) fn show(&mut self, text: &str) {
        if !self.live {
            return;
        }
        let width = terminal_size::terminal_size_of(io::stderr()).map_or(80, |(width, _)| usize::from(width.0));
        write(&format!("\r{}\u{1b}[K", cut(text, width.saturating_sub(1))));
        self.shown = true;
    }

    /// Takes it away.
    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            write("\r\u{1b}[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// When even this cannot be written there is nobody to tell.
fn write(text: &str) {
    let mut err = io::stderr().lock();
    drop(err.write_all(text.as_bytes()).and_then(|()| err.flush()));
}

/// The start of a text that fits.
pub(super) fn cut(text: &str, width: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > width {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn fits() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "abc");
        assert_eq!(cut("日本語", 5), "日本");
    }
}
