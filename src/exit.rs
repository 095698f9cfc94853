//! The one map from what happened to exit codes.
//!
//! Uses: nothing.
//! Never: exiting; `main` does that.

use runway_core::problem::{Class, Problem};

/// A fault of this program.
pub(crate) const INTERNAL: u8 = 2;

/// Every exit code and what it means, for `help exit-codes`.
pub(crate) const CODES: [(u8, &str); 8] = [
    (0, "yes, same, done"),
    (1, "the answer is no: verify found errors, diff found differences, status found a verdict but Ready"),
    (2, "no answer, or the work was not done: usage, input, registry, cluster"),
    (3, "partial: some clusters gave no answer, the rest are fine"),
    (4, "--wait ran out of time while things were still progressing"),
    (
        5,
        "refused, and nothing was changed: by the guard of push, because somebody moved the tag, or by reconcile of what is suspended",
    ),
    (130, "interrupted by SIGINT (Ctrl-C)"),
    (143, "ended by SIGTERM"),
];

/// How a command that did its work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that may have happened; several do at once")]
pub(crate) struct Outcome {
    /// The answer is no: different, not Ready, findings.
    pub(crate) no: bool,
    /// There is no answer at all.
    pub(crate) nothing: bool,
    /// Some clusters gave no answer.
    pub(crate) partial: bool,
    /// The time was up while it was still on its way.
    pub(crate) late: bool,
}

impl Outcome {
    /// Yes, same, done.
    pub(crate) const YES: Self = Self { no: false, nothing: false, partial: false, late: false };
    /// The answer is no.
    pub(crate) const NO: Self = Self { no: true, ..Self::YES };

    /// The exit code: 2 only if there is no answer at all, else 1, else 4, else 3, else 0.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self { nothing: true, .. } => 2,
            Self { no: true, .. } => 1,
            Self { late: true, .. } => 4,
            Self { partial: true, .. } => 3,
            _ => 0,
        }
    }
}

/// The exit code of a problem.
pub(crate) fn of_problem(problem: &Problem) -> u8 {
    match problem.class {
        Class::Refused => 5,
        Class::Interrupted(code) => code,
        Class::Usage | Class::Input | Class::Registry | Class::Cluster | Class::Output | Class::Internal => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::Outcome;

    #[test]
    fn precedence() {
        let code = |no, nothing, partial| Outcome { no, nothing, partial, late: false }.code();
        assert_eq!(code(true, true, true), 2);
        assert_eq!(code(true, false, true), 1);
        assert_eq!(code(false, false, true), 3);
        assert_eq!(Outcome { late: true, partial: true, ..Outcome::YES }.code(), 4);
        assert_eq!(Outcome { late: true, ..Outcome::NO }.code(), 1);
        assert_eq!(Outcome::YES.code(), 0);
        assert_eq!(Outcome::NO.code(), 1);
    }
}
