//! What a check found. Not an error: a file can have many, and all are shown at once.
//!
//! Uses: problem (for [`Place`]).

use crate::problem::Place;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Flux or the API server would refuse it, or it would harm a cluster: build and push stop.
    Error,
    /// Legal, and probably not meant.
    Warning,
}

impl Severity {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing that a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable kebab-case code, such as `duplicate-id`.
    pub code: &'static str,
    /// Its weight.
    pub severity: Severity,
    /// Where.
    pub place: Place,
    /// Length of the fault in bytes and its offset in the source, for the caret; zero when not known.
    pub span: (usize, usize),
    /// The workload concerned, when there is one.
    pub workload: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Finding {
    /// An error at a place.
    pub fn error(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, place, span: (0, 0), workload: None, message: message.into(), hint: None }
    }

    /// Lowers it to a warning.
    pub fn warning(&mut self) -> &mut Self {
        self.severity = Severity::Warning;
        self
    }

    /// Names the workload; an empty name is none.
    pub fn of(&mut self, workload: &str) -> &mut Self {
        self.workload = Some(workload.to_owned()).filter(|name| !name.is_empty());
        self
    }

    /// Says what to do.
    pub fn hint(&mut self, hint: impl Into<String>) -> &mut Self {
        self.hint = Some(hint.into());
        self
    }

    /// Its line holds what must not be shown, such as a Secret's value: reports have the place alone.
    pub fn hide_line(&mut self) {
        // A place that no text has.
        self.span = (usize::MAX, 0);
    }

    /// Suggests a word, when there is one near enough.
    pub fn did_you_mean(&mut self, word: Option<&str>) -> &mut Self {
        if let Some(word) = word {
            self.hint = Some(format!("did you mean {word}?"));
        }
        self
    }
}
