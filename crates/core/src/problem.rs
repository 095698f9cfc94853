//! What went wrong, in the four parts that every error of this program has: what, cause, where, hint.
//!
//! Uses: nothing. A module that finds a problem builds it here and puts the hint beside the fact that it knows.

use std::fmt;

/// A place in a file. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Place {
    /// The file as the user named it, or a reference such as `oci://…` with a path inside.
    pub file: String,
    /// Line, from 1; absent when the whole file is meant.
    pub line: Option<usize>,
    /// Column in characters, from 1.
    pub column: Option<usize>,
}

impl Place {
    /// A whole file.
    pub fn file(file: impl Into<String>) -> Self {
        Self { file: file.into(), line: None, column: None }
    }

    /// A line and column of a file.
    pub fn at(file: impl Into<String>, line: usize, column: usize) -> Self {
        Self { file: file.into(), line: Some(line), column: Some(column) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ":{column}")?;
        }
        Ok(())
    }
}

/// What kind of problem it is; decides the exit code and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The command line or the settings ask for something impossible.
    Usage,
    /// A file cannot be read, or says something that is refused.
    Input,
    /// A registry did not do what was asked.
    Registry,
    /// A cluster, or the kubeconfig that leads to it, did not do what was asked.
    Cluster,
    /// A guard refused; nothing was changed (exit code 5).
    Refused,
    /// The answer could not be written.
    Output,
    /// A signal ended the work; the number is the exit code (128 + signal).
    Interrupted(u8),
    /// A fault of this program.
    Internal,
}

/// An error as the user reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Decides the exit code.
    pub class: Class,
    /// What did not work: lower case, no full stop.
    pub what: String,
    /// Why, from the nearest cause to the farthest.
    pub causes: Vec<String>,
    /// Where.
    pub place: Option<Place>,
    /// What to do next.
    pub hints: Vec<String>,
    /// An excerpt of the source with a caret below the fault, ready to print.
    pub excerpt: Option<String>,
}

impl Problem {
    /// A problem with nothing but its headline.
    pub fn new(class: Class, what: impl Into<String>) -> Self {
        Self { class, what: what.into(), causes: Vec::new(), place: None, hints: Vec::new(), excerpt: None }
    }

    /// A problem of a file's content or existence.
    pub fn input(what: impl Into<String>) -> Self {
        Self::new(Class::Input, what)
    }

    /// A problem of the command line.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(Class::Usage, what)
    }

    /// Adds a cause below those already there.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Adds an error and all that it names as its sources; a source that only repeats its parent is left out.
    #[must_use]
    pub fn caused_by(mut self, error: &dyn std::error::Error) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let text = error.to_string();
            if !self.causes.last().is_some_and(|last| last.ends_with(&text)) {
                self.causes.push(text);
            }
            next = error.source();
        }
        self
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Adds a next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        for cause in &self.causes {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::{Place, Problem};

    #[test]
    fn reads_as_one_line_with_all_causes() {
        let problem = Problem::input("cannot read the file").cause("it is a folder").at(Place::at("a.yml", 3, 7));
        assert_eq!(problem.to_string(), "cannot read the file: it is a folder");
        assert_eq!(problem.place.map(|p| p.to_string()).as_deref(), Some("a.yml:3:7"));
    }

    #[test]
    fn a_cause_that_repeats_its_parent_is_said_once() {
        #[derive(Debug)]
        struct Outer(std::io::Error);
        impl std::fmt::Display for Outer {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "outer: {}", self.0)
            }
        }
        impl std::error::Error for Outer {
            fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                Some(&self.0)
            }
        }
        let problem = Problem::input("x").caused_by(&Outer(std::io::Error::other("inner")));
        assert_eq!(problem.causes, ["outer: inner"]);
    }
}
