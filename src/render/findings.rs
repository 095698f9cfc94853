//! Findings with the lines that they are about, as rustc prints its own.

use super::style::Style;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use runway_core::finding::{Finding, Severity};
use runway_core::text::visible;
use std::collections::BTreeMap;

/// Texts of files, by the name that findings' places have.
pub(crate) type Sources = BTreeMap<String, String>;

/// All findings of several sources; of a file that is not among them only the place is shown.
pub(crate) fn with_sources(findings: &[Finding], sources: &Sources, style: Style) -> String {
    let renderer = if style.color { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for finding in findings {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(one(finding, sources.get(&finding.place.file).map(String::as_str), &renderer).trim_end());
        out.push('\n');
    }
    out
}

fn one(finding: &Finding, source: Option<&str>, renderer: &Renderer) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let message = visible(&finding.message).into_owned();
    let place = visible(&finding.place.to_string()).into_owned();
    let file = visible(&finding.place.file).into_owned();
    let mut group = Group::with_title(level.primary_title(&message).id(finding.code));
    match finding.place.line.zip(source.and_then(|source| line_of(source, finding.span))) {
        Some((number, line)) => {
            let annotation = AnnotationKind::Primary.span(line.range);
            group = group.element(Snippet::source(line.text).path(&file).line_start(number).annotation(annotation));
        }
        None => group = group.element(Origin::path(&place)),
    }
    let hint = finding.hint.as_deref().map(|hint| visible(hint).into_owned());
    if let Some(hint) = &hint {
        group = group.element(Level::HELP.message(hint));
    }
    renderer.render(&[group])
}

/// The line that holds the start of a span.
struct Line<'s> {
    text: &'s str,
    /// The span in it, cut to the line.
    range: std::ops::Range<usize>,
}

/// Only the one line is handed to the renderer: it looks at all that it gets, and there may be a finding for each of many.
fn line_of(source: &str, (at, length): (usize, usize)) -> Option<Line<'_>> {
    let (before, after) = source.split_at_checked(at)?;
    let start = before.rfind('\n').map_or(0, |line_break| line_break + 1);
    let end = at + after.find('\n').unwrap_or(after.len());
    // A byte order mark is no part of the line that people see.
    let start = if source.get(start..)?.starts_with('\u{feff}') { start + '\u{feff}'.len_utf8() } else { start };
    let text = source.get(start..end)?.trim_end_matches('\r');
    // The source itself may hold escapes: then only the place is shown.
    let plain = text.replace('\t', " ");
    if text.is_empty() || visible(&plain) != plain {
        return None;
    }
    let from = at.saturating_sub(start).min(text.len());
    let mut to = (from + length.max(1)).min(text.len());
    while !text.is_char_boundary(to) {
        to += 1;
    }
    Some(Line { text, range: from..to })
}

#[cfg(test)]
mod tests {
    use super::{Sources, with_sources};
    use crate::render::style::Style;

    fn shown(source: &str) -> String {
        let (_, findings) = runway_core::workloads::parse("w.yml", source);
        with_sources(&findings, &Sources::from([("w.yml".to_owned(), source.to_owned())]), Style::default())
    }

    #[test]
    fn a_finding_shows_its_line() {
        let shown = shown("- runway_service_id: a\n- runway_service_id: a\n");
        assert!(shown.contains("error[duplicate-id]: 'a' is listed twice, first in line 1"), "{shown}");
        assert!(shown.contains("w.yml:2:22") && shown.contains("2 | - runway_service_id: a"), "{shown}");
    }

    #[test]
    fn budgets_tabs_and_documents_show_their_own_place() {
        let deep = format!("- x\n- {}{}\n", "[".repeat(70), "]".repeat(70));
        let found = shown(&deep);
        assert!(found.contains("w.yml:2:66") && found.contains("2 | - [[[") && !found.contains("- x"), "{found}");
        let found = shown("- runway_service_id: a\n  regions: []\n\tgroups: []\n");
        assert!(found.contains("w.yml:3:1") && found.contains("3 |     groups: []\n  | ^^^^"), "{found}");
        let found = shown("- runway_service_id: a\n---\n- runway_service_id: b\n");
        assert!(found.contains("error[second-document]") && found.contains("2 | ---\n  | ^^^"), "{found}");
        let found = shown("- &a {runway_service_id: x, members: [foo, *a]}\n");
        assert!(
            found.contains("error[alias-loop]: an alias stands inside its own anchor") && found.contains("w.yml:1:44"),
            "{found}"
        );
        let found = shown("- &a\n  runway_service_id: x\n- *a\n");
        assert!(found.contains("3 | - *a\n  |   ^^"), "{found}");
        let found = shown("- runway_service_id: a\n  project_id: 010\n");
        assert!(found.contains("2 |   project_id: 010\n  |               ^^^") && found.contains("write 8"), "{found}");
    }

    #[test]
    fn long_spans_are_cut_to_their_line() {
        let shown = shown("\u{feff}- regions: [x]\r\n  members: [z]\r\n- runway_service_id: é\r\n");
        assert!(shown.contains("1 |") && !shown.contains("members"), "{shown}");
        assert!(shown.contains("3 | - runway_service_id: é") && shown.contains('^'), "{shown}");
    }

    #[test]
    fn escapes_in_the_source_are_not_shown() {
        let shown = shown("- runway_service_id: a\n  members: [\"\u{1b}[31m\", 1]\n");
        assert!(!shown.contains('\u{1b}'), "{shown}");
        assert!(shown.contains("w.yml:2:"), "{shown}");
    }
}
