//! A plan as a merge-request comment.

use super::plan::consequence;
use runway_core::diff::fields::shown;
use runway_core::publish::{Plan, Things};
use runway_core::text::visible;

/// Longest comment, in bytes. GitLab takes a million characters; a reader does not.
const MAX: usize = 60_000;

/// The plan; what does not fit is counted.
pub(crate) fn plan(title: &str, plan: &Plan) -> String {
    let mut out = format!("### {} {}\n\n", heading(plan.things), code(title));
    if plan.is_empty() {
        out.push_str("Nothing changes.\n");
        return out;
    }
    out.push_str(&format!(
        "**{}** added, **{}** removed, **{}** changed ({} before, {} after)\n\n",
        plan.added.len(),
        plan.removed.len(),
        plan.changed.len(),
        plan.count_before(),
        plan.after
    ));
    let mut lines: Vec<String> = Vec::new();
    // What hurts comes first.
    for removal in &plan.removed {
        let (word, what) = consequence(plan.things, removal.consequence).split_once(':').unwrap_or_default();
        lines.push(format!("- :red_circle: {} removed, **{word}**:{what}\n", code(&removal.name)));
    }
    lines.extend(plan.added.iter().map(|name| format!("- :green_circle: {} added\n", code(name))));
    for change in &plan.changed {
        let mut text = format!("- :yellow_circle: {} changed\n", code(&change.name));
        for (kind, field) in &change.fields {
            let (old, new) = (shown(field.live.as_ref()), shown(field.published.as_ref()));
            let gap = if kind.is_empty() { "" } else { " " };
            text.push_str(&format!("  - {kind}{gap}{}: {} → {}\n", code(&field.path), code(&old), code(&new)));
        }
        lines.push(text);
    }
    let total = lines.len();
    for (n, line) in lines.into_iter().enumerate() {
        if out.len() + line.len() > MAX {
            out.push_str(&format!("- … and {} more\n", total - n));
            break;
        }
        out.push_str(&line);
    }
    out
}

fn heading(things: Things) -> &'static str {
    match things {
        Things::Workloads => "Inventory",
        Things::Objects => "Deploy artifact",
    }
}

/// Text from outside as code: nothing in it is markup, no name in it is a mention.
fn code(text: &str) -> String {
    let text = visible(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

#[cfg(test)]
mod tests {
    use super::{MAX, code, plan};
    use runway_core::publish::Plan;

    #[test]
    fn code_holds_whatever_it_gets() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`@all`"), "`` `@all` ``");
        assert_eq!(code("x\n# y"), "`x # y`");
    }

    #[test]
    fn a_long_plan_is_cut_and_counted() {
        let many = Plan { added: (0..10_000).map(|n| format!("workload-{n}")).collect(), after: 10_000, ..Plan::default() };
        let text = plan("gke production", &many);
        assert!(text.len() < MAX + 100);
        assert!(text.trim_end().ends_with("more"), "{}", text.len());
        assert!(plan("x", &Plan::default()).contains("Nothing changes"));
    }
}
