//! The report of a verify, in every format that somebody reads: what inventories and deploy artifacts share.

use super::context::Context;
use super::outputs;
use crate::files::find;
use crate::gather::manifests;
use crate::render::findings::{Sources, with_sources};
use crate::render::output::{self, Output};
use crate::render::reports;
use crate::ui::Ui;
use runway_core::api;
use runway_core::finding::{Finding, Severity};
use runway_core::problem::{Place, Problem};
use std::path::{Component, Path, PathBuf};

/// The formats of a report; the first is what is printed without `-o`.
pub(super) const FORMATS: [&str; 7] = ["human", "json", "yaml", "junit", "gitlab-codequality", "github", "sarif"];

/// What was checked, and what is wrong with it.
pub(super) struct Report<'a> {
    /// The name of the check, for readers that show it.
    pub(super) suite: &'a str,
    pub(super) findings: &'a [Finding],
    pub(super) sources: &'a Sources,
    pub(super) workloads: &'a [String],
    /// Runtime and environment, as far as the check is about one.
    pub(super) scope: &'a [&'a str],
    /// What was rendered, when the findings are about that.
    pub(super) rendered: Option<&'a Rendered>,
}

/// Where the manifests come from that helm has printed.
#[derive(Debug, Clone, Default)]
pub(super) struct Rendered {
    /// The chart, a folder or an archive, when it is no reference to somewhere else.
    pub(super) chart: Option<PathBuf>,
    /// The first file of values.
    pub(super) values: Option<PathBuf>,
}

impl Rendered {
    /// The file that somebody has to open for a finding in what a template became; helm names it by the chart's own name.
    fn source(&self, file: &str) -> Option<PathBuf> {
        let file = file.strip_suffix(manifests::RENDERED)?;
        let Some(chart) = self.chart.as_ref().filter(|chart| chart.is_dir()) else {
            return self.chart.clone().or_else(|| self.values.clone());
        };
        let below = Path::new(file.split_once('/').map_or("", |(_, below)| below));
        let stays = below.components().all(|part| matches!(part, Component::Normal(_)));
        // A chart that this one depends on may be packed.
        Some(chart.join(below)).filter(|template| stays && template.is_file()).or_else(|| Some(chart.join(CHART)))
    }
}

/// What describes a chart.
const CHART: &str = "Chart.yaml";

impl Report<'_> {
    /// Shows it in every format that was asked for.
    pub(super) fn show(&self, outputs: &[Output], context: &Context, ui: &Ui) -> Result<(), Problem> {
        let placed = placed(self.findings, &context.start, self.rendered);
        let document = || api::verify::document(self.findings, self.workloads.len());
        outputs::show(outputs, (context, ui), document, |format| match format {
            "junit" => Ok(reports::junit(self.suite, self.scope, &placed, self.workloads)),
            "gitlab-codequality" => output::json(&reports::code_quality(&placed)),
            "github" => Ok(reports::github(&placed)),
            "sarif" => output::json(&reports::sarif(&placed)),
            _ => Ok(with_sources(self.findings, self.sources, ui.style())),
        })
    }
}

/// The findings with files as they are named from the repository's root: reports are read there, wherever we were started.
fn placed(findings: &[Finding], start: &Path, rendered: Option<&Rendered>) -> Vec<Finding> {
    let root = find::repository(start).unwrap_or(start);
    let named = |path: &Path| {
        let path = clean(&start.join(path));
        let path = Some(path.join(CHART)).filter(|chart| chart.is_file()).unwrap_or(path);
        path.strip_prefix(root).ok().filter(|_| path.exists()).map(|below| below.display().to_string())
    };
    let mut placed = findings.to_vec();
    for finding in &mut placed {
        let place = &mut finding.place;
        let Some(source) = rendered.and_then(|rendered| rendered.source(&place.file)) else {
            place.file = named(Path::new(&place.file)).unwrap_or_else(|| place.file.clone());
            continue;
        };
        let Some(file) = named(&source) else { continue };
        // A line of what came out is none of what went in.
        let was = std::mem::replace(place, Place::file(file));
        let line = was.line.map(|line| format!("line {line} of {}", was.file));
        let hints = finding.hint.take().into_iter().chain(line);
        finding.hint = Some(hints.collect::<Vec<_>>().join("; ")).filter(|hint| !hint.is_empty());
    }
    placed
}

/// A path without `.` and `..`.
fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(clean.pop()),
            part => clean.push(part),
        }
    }
    clean
}

/// The finding to read about first: an error, if there is one.
pub(super) fn worst(findings: &[Finding]) -> Option<&Finding> {
    findings.iter().find(|finding| finding.severity == Severity::Error).or(findings.first())
}

/// So many of something, in words.
pub(super) fn counted(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}
