//! The link `parent`: has the cluster's parent applied the inventory that the tag holds now?

use super::chain::{Context, Row};
use super::item::{Item, Step};
use super::words::{Link, Verdict};
use crate::flux::object::{Kustomization, Source};
use crate::flux::revision::short;

/// What workloads need to know of their parent.
pub(super) struct ParentState {
    /// `<runtime>-inventory`.
    pub(super) name: String,
    /// At least one of its objects is on the cluster.
    pub(super) present: bool,
    /// The link, the same for every workload.
    pub(super) step: Step,
}

impl ParentState {
    /// Judges the parent from its row and its own verdict.
    pub(super) fn of(context: &Context<'_>, row: &Row<'_>, item: &Item) -> Self {
        let present = row.source.is_some() || row.kustomization.is_some();
        Self { name: row.name.to_owned(), present, step: step(context, row, item, present) }
    }
}

fn step(context: &Context<'_>, row: &Row<'_>, item: &Item, present: bool) -> Step {
    let link = Link::Parent;
    if let Some(gap) = context.gaps().next() {
        return Step::unknown(link, gap.message.clone());
    }
    if !present {
        return Step::unknown(link, format!("there is no parent {} on this cluster", row.name));
    }
    let done = row.kustomization.and_then(Kustomization::applied_digest);
    // The digest that the parent's own reference has now; else that of the inventory that was read.
    let wanted = item.expected.digest.as_deref().or(context.expected.published_digest());
    match wanted {
        Some(wanted) if done == Some(wanted) => Step::holds(link, format!("{} has applied {}", row.name, short(wanted))),
        Some(wanted) => behind(row, item, &format!("the inventory {}", short(wanted))),
        None if item.verdict == Verdict::Ready => Step::unknown(
            link,
            format!("{} is Ready with {}; what the tag holds now is not known", row.name, done.map_or("nothing", short)),
        ),
        None => behind(row, item, "its inventory"),
    }
}

/// The parent has not applied what it should; its own trouble is the reason.
fn behind(row: &Row<'_>, item: &Item, what: &str) -> Step {
    let has = row.source.and_then(Source::digest).map_or("nothing", short);
    let text = match item.verdict {
        Verdict::Ready | Verdict::Outdated | Verdict::Reconciling => {
            format!("{} has not applied {what} yet (its source has {has}): {}", row.name, item.message)
        }
        verdict => format!("{} cannot apply {what}: it is {}: {}", row.name, verdict.as_str(), item.message),
    };
    let since = item.broken.as_ref().and_then(|broken| broken.since.clone());
    Step { since, ..Step::broken(Link::Parent, item.reason.clone(), text) }
}
