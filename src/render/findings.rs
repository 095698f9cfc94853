//! Findings with the lines that they are about, as rustc prints its own.

use super::style::Style;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use runway_core::finding::{Finding, Severity};
use runway_core::text::visible;

/// All findings of one source, one after the other.
pub(crate) fn text(findings: &[Finding], source: &str, style: Style) -> String {
    let renderer = if style.color { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for finding in findings {
        out.push_str(&one(finding, source, &renderer));
        out.push('\n');
    }
    out
}

fn one(finding: &Finding, source: &str, renderer: &Renderer) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let message = visible(&finding.message).into_owned();
    let place = visible(&finding.place.to_string()).into_owned();
    let file = visible(&finding.place.file).into_owned();
    let (start, len) = finding.span;
    let range = start..start.saturating_add(len.max(1));
    // The source itself may hold escapes: then only the place is shown.
    let line = finding.place.line.and_then(|line| source.lines().nth(line.saturating_sub(1))).unwrap_or_default();
    let printable = !line.is_empty()
        && visible(line) == line
        && source.is_char_boundary(range.start)
        && range.end <= source.len()
        && source.is_char_boundary(range.end);
    let title = level.primary_title(&message).id(finding.code);
    let mut group = Group::with_title(title);
    if printable && finding.place.line.is_some() {
        let annotation = AnnotationKind::Primary.span(range);
        group = group.element(Snippet::source(source).path(&file).line_start(1).annotation(annotation));
    } else {
        group = group.element(annotate_snippets::Origin::path(&place));
    }
    let hint = finding.hint.as_deref().map(|hint| visible(hint).into_owned());
    if let Some(hint) = &hint {
        group = group.element(Level::HELP.message(hint));
    }
    renderer.render(&[group])
}

#[cfg(test)]
mod tests {
    use super::text;
    use crate::render::style::Style;

    #[test]
    fn a_finding_shows_its_line() {
        let source = "- runway_service_id: a\n- runway_service_id: a\n";
        let (_, findings) = runway_core::workloads::parse("w.yml", source);
        let shown = text(&findings, source, Style::default());
        assert!(shown.contains("error[duplicate-id]: 'a' is listed twice, first in line 1"), "{shown}");
        assert!(shown.contains("w.yml:2:22") && shown.contains("2 | - runway_service_id: a"), "{shown}");
    }
}
