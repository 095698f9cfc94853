//! The two streams, colour, width, and how problems and findings are printed.

use super::progress::Progress;
use crate::env;
use crate::render::{findings, style::Style};
use runway_core::finding::Finding;
use runway_core::problem::{Class, Problem};
use runway_core::text::visible;
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum ColorChoice {
    /// Where the stream is a terminal, and neither `NO_COLOR` nor `TERM=dumb` forbids it.
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
}

impl Ui {
    /// Decides colour and width once per stream.
    pub(crate) fn new(color: ColorChoice, quiet: bool) -> Self {
        let out = io::stdout();
        let width = if out.is_terminal() { terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)) } else { None };
        Self {
            out: Style { color: colored(color, out.is_terminal()), width },
            err: Style { color: colored(color, io::stderr().is_terminal()), width: None },
            quiet,
        }
    }

    /// How the answer may look.
    pub(crate) fn style(&self) -> Style {
        self.out
    }

    /// Prints the answer. A closed pipe is no problem of ours: whoever read it had enough.
    #[expect(clippy::unused_self, reason = "whoever prints has the streams in hand")]
    pub(crate) fn answer(&self, text: &str) -> Result<(), Problem> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Problem::new(Class::Output, "the answer cannot be written to standard output").caused_by(&error))
            }
            _ => Ok(()),
        }
    }

    /// A line of progress on the terminal, if there is one.
    pub(crate) fn progress(&self) -> Progress {
        Progress::new(self.quiet, env::variable("TERM").is_some_and(|term| term == "dumb"))
    }

    /// A line of talk on stderr, silenced by `--quiet`.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            line(text);
        }
    }

    /// A warning on stderr.
    pub(crate) fn warning(&self, text: &str) {
        line(&format!("{} {}", self.err.yellow("warning:"), visible(text)));
    }

    /// A problem on stderr, in its four parts.
    pub(crate) fn problem(&self, problem: &Problem) {
        line(&format!("{} {}", self.err.red("error:"), visible(&problem.what)));
        for cause in &problem.causes {
            line(&format!("  cause: {}", visible(cause)));
        }
        if let Some(place) = &problem.place {
            line(&format!("  where: {}", visible(&place.to_string())));
        }
        if let Some(excerpt) = &problem.excerpt {
            line(excerpt);
        }
        for hint in &problem.hints {
            line(&format!("  hint: {}", visible(hint)));
        }
    }

    /// Findings on stderr, with the lines that they are about.
    pub(crate) fn findings(&self, findings: &[Finding], source: &str) {
        if !findings.is_empty() {
            line(findings::text(findings, source, self.err).trim_end());
        }
    }
}

/// A line to stderr; when even that fails there is nobody to tell.
fn line(text: &str) {
    drop(writeln!(io::stderr().lock(), "{text}"));
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
