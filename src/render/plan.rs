//! What a push would change, and what it did, for people.

use runway_core::diff::fields::shown;
use runway_core::flux::revision::short;
use runway_core::publish::{Consequence, Outcome, Plan, Receipt, Things};
use runway_core::text::visible;

/// The plan, one by one, field by field; empty when nothing changes.
pub(crate) fn text(plan: &Plan) -> String {
    let mut out = String::new();
    for name in &plan.added {
        out.push_str(&format!("+ {}\n", visible(name)));
    }
    for removal in &plan.removed {
        let what = consequence(plan.things, removal.consequence);
        out.push_str(&format!("- {} ({what})\n", visible(&removal.name)));
    }
    for change in &plan.changed {
        out.push_str(&format!("~ {}\n", visible(&change.name)));
        for (kind, field) in &change.fields {
            let (old, new) = (shown(field.live.as_ref()), shown(field.published.as_ref()));
            let gap = if kind.is_empty() { "" } else { " " };
            out.push_str(&format!("    {kind}{gap}{}: {} -> {}\n", visible(&field.path), visible(&old), visible(&new)));
        }
    }
    out
}

/// What a removal does, in words.
pub(super) fn consequence(things: Things, consequence: Consequence) -> &'static str {
    match (consequence, things) {
        (Consequence::Pruned, Things::Workloads) => "pruned: Flux deletes everything that it applied",
        (Consequence::Pruned, Things::Objects) => "pruned: Flux deletes it",
        (Consequence::Orphaned, Things::Workloads) => "orphaned: what it applied stays, and nobody looks after it",
        (Consequence::Orphaned, Things::Objects) => "orphaned: it stays, and nobody looks after it",
    }
}

/// One line about what happened, and the next command.
pub(crate) fn receipt(receipt: &Receipt, plan: &Plan) -> String {
    let mut counts = format!("{} added, {} removed, {} changed", plan.added.len(), plan.removed.len(), plan.changed.len());
    if plan.exists && plan.is_empty() {
        counts.push_str(if plan.identical { "; the same objects" } else { "; only defaults of the API are written otherwise" });
    }
    let place = format!("{}:{}", visible(&receipt.repository), visible(&receipt.tag));
    let tags: Vec<String> = receipt.tags.iter().map(|tag| visible(tag).into_owned()).collect();
    let tags = if tags.is_empty() { String::new() } else { format!("; further tags: {}", tags.join(", ")) };
    match receipt.result {
        Outcome::Pushed => format!("pushed {place}@{} ({}: {counts}){tags}\n", receipt.digest, plan.count_after()),
        Outcome::Unchanged => {
            format!("unchanged {place}@{}: the tag already holds this, {}{tags}\n", receipt.digest, plan.count_after())
        }
        Outcome::Planned => {
            format!("planned {place}: {counts}; nothing was pushed (would be {}){tags}\n", short(&receipt.digest))
        }
        Outcome::Refused => format!("refused {place}: {counts}; nothing was pushed\n"),
    }
}
