//! The two streams, colour, width, and how problems and findings are printed.

use super::progress::Progress;
use crate::env;
use crate::net::Ended;
use crate::render::findings;
use crate::render::style::{Style, WRITTEN};
use runway_core::finding::Finding;
use runway_core::problem::{Class, Problem};
use runway_core::text::visible;
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};

/// `--color`.
#[expect(clippy::doc_markdown, reason = "clap prints the comments of values as they are")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum ColorChoice {
    /// Where the stream is a terminal, and neither NO_COLOR nor TERM=dumb forbids it.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The streams of one run.
pub(crate) struct Ui {
    out: Style,
    err: Style,
    quiet: bool,
    muted: bool,
    name: &'static str,
}

impl Ui {
    /// Decides colour and width once per stream.
    pub(crate) fn new(color: ColorChoice, quiet: bool, name: &'static str) -> Self {
        let ascii = is_ascii(env::variable);
        let out = io::stdout();
        let width = if out.is_terminal() { terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)) } else { None };
        Self {
            out: Style { color: colored(color, out.is_terminal()), width, ascii, program: Some(name) },
            err: Style { color: colored(color, io::stderr().is_terminal()), width: None, ascii, program: Some(name) },
            quiet,
            muted: false,
            name,
        }
    }

    /// The same for work that is done again and again, whose talk was heard the first time: nothing goes to stderr.
    pub(crate) fn muted(&self) -> Self {
        Self { muted: true, quiet: true, ..*self }
    }

    /// How the answer may look.
    pub(crate) fn style(&self) -> Style {
        self.out
    }

    /// Prints the answer. A closed pipe is no problem of ours: whoever read it had enough.
    pub(crate) fn answer(&self, text: &str) -> Result<(), Problem> {
        self.answer_bytes(text.as_bytes())
    }

    /// The same for what was made as bytes.
    #[expect(clippy::unused_self, reason = "whoever prints has the streams in hand")]
    pub(crate) fn answer_bytes(&self, text: &[u8]) -> Result<(), Problem> {
        let mut out = io::stdout().lock();
        match out.write_all(text).and_then(|()| out.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Problem::new(Class::Output, "the answer cannot be written to standard output").caused_by(&error))
            }
            _ => Ok(()),
        }
    }

    /// Prints a text for people that speaks of this program's own commands.
    pub(crate) fn answer_text(&self, text: &str) -> Result<(), Problem> {
        self.answer(&self.out.drawn(self.spoken(text)))
    }

    /// The name by which this program was called.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// A text with the name by which this program was called.
    pub(super) fn spoken(&self, text: &str) -> String {
        text.replace(WRITTEN, self.name)
    }

    /// A line to stderr, as its reader's terminal can show it; when even that fails there is nobody to tell.
    fn line(&self, text: &str) {
        if self.muted {
            return;
        }
        drop(writeln!(io::stderr().lock(), "{}", self.err.drawn(text.to_owned())));
    }

    /// A block of text on stderr, whatever `--quiet` says.
    pub(crate) fn block(&self, text: &str) {
        self.line(text);
    }

    /// A line of progress on the terminal, if there is one.
    pub(crate) fn progress(&self) -> Progress {
        Progress::new(self.quiet, env::variable("TERM").is_some_and(|term| term == "dumb"))
    }

    /// A line of talk on stderr, silenced by `--quiet`.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.line(&self.spoken(text));
        }
    }

    /// A warning on stderr.
    pub(crate) fn warning(&self, text: &str) {
        self.line(&format!("{} {}", self.err.yellow("warning:"), visible(text)));
    }

    /// A problem on stderr, in its four parts.
    pub(crate) fn problem(&self, problem: &Problem) {
        self.line(&format!("{} {}", self.err.red("error:"), visible(&problem.what)));
        for cause in &problem.causes {
            self.line(&format!("  cause: {}", visible(&self.spoken(cause))));
        }
        if let Some(place) = &problem.place {
            self.line(&format!("  where: {}", visible(&place.to_string())));
        }
        if let Some(excerpt) = &problem.excerpt {
            self.line(excerpt);
        }
        for hint in &problem.hints {
            self.line(&format!("  hint: {}", visible(&self.spoken(hint))));
        }
    }

    /// Findings on stderr, with the lines of the file that they are about.
    pub(crate) fn findings(&self, findings: &[Finding], (file, text): (&str, &str)) {
        if !findings.is_empty() {
            // Some are about settings: the lines of this file are none of theirs.
            let sources = findings::Sources::from([(file.to_owned(), text.to_owned())]);
            self.line(findings::with_sources(findings, &sources, self.err).trim_end());
        }
    }
}

/// A request that has ended, as a line on stderr, in the place of a line of progress that may stand there.
pub(crate) fn request(ended: &Ended<'_>) {
    let Ended { method, host, path, status, took } = ended;
    let status = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let text = format!("{method} {host}{path} {status} {} ms", took.as_millis());
    let mut err = io::stderr().lock();
    let clear = if err.is_terminal() { "\r\u{1b}[K" } else { "" };
    drop(writeln!(err, "{clear}{}", visible(&text)));
}

/// Whether the locale says that the terminal takes no UTF-8. A locale that nobody set says nothing: containers and CI jobs
/// have none, and what reads their output takes UTF-8.
fn is_ascii(variable: impl Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable);
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        !locale.contains("utf-8") && !locale.contains("utf8")
    })
}

fn colored(choice: ColorChoice, terminal: bool) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            let forced = env::variable("CLICOLOR_FORCE").is_some_and(|value| value != "0");
            let forbidden = env::variable("NO_COLOR").is_some() || env::variable("TERM").is_some_and(|term| term == "dumb");
            !forbidden && (terminal || forced)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_ascii;

    #[test]
    fn the_first_locale_that_is_set_counts() {
        let with =
            |set: &[(&str, &str)]| is_ascii(|name| set.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned()));
        assert!(!with(&[]) && !with(&[("LANG", "de_DE.UTF-8")]) && !with(&[("LC_CTYPE", "UTF-8")]));
        assert!(with(&[("LANG", "C")]) && with(&[("LC_ALL", "C"), ("LANG", "C.utf8")]) && with(&[("LANG", "de_DE.ISO-8859-1")]));
    }
}
