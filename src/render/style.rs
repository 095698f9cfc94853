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
    /// The name by which the program was called; commands that are told to run next begin with it. None: as they are written.
    pub(crate) program: Option<&'static str>,
}

/// The name that texts about this program's own commands are written with.
pub(crate) const WRITTEN: &str = "kubectl runway";

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

    /// A command to run next, with the name by which the program was called.
    pub(crate) fn command(self, line: &str) -> String {
        match (self.program, line.strip_prefix(WRITTEN)) {
            (Some(name), Some(rest)) if rest.starts_with(' ') => format!("{name}{rest}"),
            _ => line.to_owned(),
        }
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
