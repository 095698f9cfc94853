//! The report of a verify, in every format that somebody reads: what inventories and deploy artifacts share.

use super::context::Context;
use super::outputs;
use crate::files::find;
use crate::render::findings::{Sources, with_sources};
use crate::render::output::{self, Output};
use crate::render::reports;
use crate::ui::Ui;
use runway_core::api;
use runway_core::finding::{Finding, Severity};
use runway_core::problem::Problem;
use std::path::Path;

/// The formats of a report; the first is what is printed without `-o`.
pub(super) const FORMATS: [&str; 7] = ["human", "json", "yaml", "junit", "gitlab-codequality", "github", "sarif"];

/// What was checked, and what is wrong with it.
pub(super) struct Report<'a> {
    /// The name of the check, for readers that show it.
    pub(super) suite: &'a str,
    pub(super) findings: &'a [Finding],
    pub(super) sources: &'a Sources,
    pub(super) workloads: &'a [String],
}

impl Report<'_> {
    /// Shows it in every format that was asked for.
    pub(super) fn show(&self, outputs: &[Output], context: &Context, ui: &Ui) -> Result<(), Problem> {
        let placed = placed(self.findings, &context.start);
        let document = || api::verify::document(self.findings, self.workloads.len());
        outputs::show(outputs, (context, ui), document, |format| match format {
            "junit" => Ok(reports::junit(self.suite, &placed, self.workloads)),
            "gitlab-codequality" => output::json(&reports::code_quality(&placed)),
            "github" => Ok(reports::github(&placed)),
            "sarif" => output::json(&reports::sarif(&placed)),
            _ => Ok(with_sources(self.findings, self.sources, ui.style())),
        })
    }
}

/// The findings with files as they are named from the repository's root: reports are read there, wherever we were started.
fn placed(findings: &[Finding], start: &Path) -> Vec<Finding> {
    let root = find::repository(start).unwrap_or(start);
    let named = |file: &str| {
        let path = start.join(file);
        let below = path.strip_prefix(root).ok().filter(|_| path.exists());
        below.map_or_else(|| file.to_owned(), |below| below.display().to_string().trim_start_matches("./").to_owned())
    };
    let mut placed = findings.to_vec();
    for finding in &mut placed {
        finding.place.file = named(&finding.place.file);
    }
    placed
}

/// The finding to read about first: an error, if there is one.
pub(super) fn worst(findings: &[Finding]) -> Option<&Finding> {
    findings.iter().find(|finding| finding.severity == Severity::Error).or(findings.first())
}

/// So many of something, in words.
pub(super) fn counted(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}
