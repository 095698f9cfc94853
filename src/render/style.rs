//! Colour by role, never by escape in a table.

/// How an answer may look.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Style {
    /// Whether colours may be used.
    pub(crate) color: bool,
    /// The terminal's width; none when the stream is no terminal, and lines are not cut.
    pub(crate) width: Option<usize>,
    /// Whether only ASCII may be drawn.
    pub(crate) ascii: bool,
}

/// What is drawn beyond ASCII, and what stands for it where that cannot be shown.
const DRAWN: [(&str, &str); 9] =
    [("├─", "|-"), ("└─", "`-"), ("│", "|"), ("✔", "+"), ("✘", "x"), ("→", "->"), ("…", "..."), ("─", "-"), ("\u{a0}", " ")];

impl Style {
    /// A text for people as the terminal can show it. What comes from outside stays as it is but for these marks.
    pub(crate) fn drawn(self, text: String) -> String {
        if !self.ascii || text.is_ascii() {
            return text;
        }
        DRAWN.iter().fold(text, |text, (mark, plain)| text.replace(mark, plain))
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// Good.
    pub(crate) fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// Bad.
    pub(crate) fn red(self, text: &str) -> String {
        self.paint("31;1", text)
    }

    /// Look here.
    pub(crate) fn yellow(self, text: &str) -> String {
        self.paint("33", text)
    }

    /// Less important.
    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }
}
