//! The rows as a Markdown table, for a comment on a merge request or a job's summary.

use super::status::summary;
use runway_core::assess::{Item, Verdict};
use runway_core::flux::revision::short;
use runway_core::text::visible;

/// The table below the counts. Everything from outside stands in code, where it can neither be markup nor call anybody.
pub(crate) fn rows(all: &[Item], items: &[&Item], clusters: usize) -> String {
    let mut out = format!("**{}**\n", summary(all, clusters));
    if items.is_empty() {
        return out;
    }
    out.push_str("\n| cluster | workload | verdict | break | expected | applied | message |\n|---|---|---|---|---|---|---|\n");
    for item in items {
        let mark = match item.verdict {
            Verdict::Ready => "✅",
            Verdict::Reconciling | Verdict::Suspended | Verdict::Outdated => "🟡",
            Verdict::Unknown | Verdict::Unreachable => "⚪",
            _ => "❌",
        };
        let applied = item.kustomization.as_ref().and_then(|it| it.applied_digest.as_deref()).map(short).unwrap_or_default();
        out.push_str(&format!(
            "| {} | {} | {mark} {} | {} | {} | {} | {} |\n",
            code(&item.cluster),
            code(&item.workload),
            item.verdict.as_str(),
            item.broken.as_ref().map(|broken| broken.link.as_str()).unwrap_or_default(),
            code(item.expected.digest.as_deref().map(short).unwrap_or_default()),
            code(applied),
            code(&item.message)
        ));
    }
    out
}

/// Text as code inside a table's cell: a backtick would end it, and a bar would end the cell.
fn code(text: &str) -> String {
    let text = visible(text).replace('`', "'").replace('|', "\\|");
    let text = text.trim();
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn text_from_outside_is_no_markup() {
        assert_eq!(code("a|b `c` <img> @all\n**x**"), "`a\\|b 'c' <img> @all **x**`");
        assert_eq!(code(" "), "");
    }
}
