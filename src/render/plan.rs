//! What a push would change, and what it did, for people.

use runway_core::diff::fields::shown;
use runway_core::flux::revision::short;
use runway_core::publish::{Consequence, Outcome, Plan, Receipt};
use runway_core::text::visible;

/// The plan, workload by workload, field by field; empty when nothing changes.
pub(crate) fn text(plan: &Plan) -> String {
    let mut out = String::new();
    for name in &plan.added {
        out.push_str(&format!("+ {}\n", visible(name)));
    }
    for removal in &plan.removed {
        let what = match removal.consequence {
            Consequence::Pruned => "pruned: Flux deletes everything that it applied",
            Consequence::Orphaned => "orphaned: what it applied stays, and nobody looks after it",
        };
        out.push_str(&format!("- {} ({what})\n", visible(&removal.workload)));
    }
    for change in &plan.changed {
        out.push_str(&format!("~ {}\n", visible(&change.workload)));
        for (kind, field) in &change.fields {
            let (old, new) = (shown(field.live.as_ref()), shown(field.published.as_ref()));
            out.push_str(&format!("    {kind} {}: {} -> {}\n", visible(&field.path), visible(&old), visible(&new)));
        }
    }
    out
}

/// One line about what happened, and the next command.
pub(crate) fn receipt(receipt: &Receipt, plan: &Plan) -> String {
    let counts = format!("{} added, {} removed, {} changed", plan.added.len(), plan.removed.len(), plan.changed.len());
    let place = format!("{}:{}", visible(&receipt.repository), visible(&receipt.tag));
    match receipt.result {
        Outcome::Pushed => format!("pushed {place}@{} ({} workloads: {counts})\n", receipt.digest, plan.after),
        Outcome::Unchanged => {
            format!("unchanged {place}@{}: the tag already holds these {} workloads\n", receipt.digest, plan.after)
        }
        Outcome::Planned => format!("planned {place}: {counts}; nothing was pushed (would be {})\n", short(&receipt.digest)),
        Outcome::Refused => format!("refused {place}: {counts}; nothing was pushed\n"),
    }
}
