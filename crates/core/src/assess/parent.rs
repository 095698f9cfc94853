//! The link `parent`: has the cluster's parent applied the inventory that the tag holds now?

use super::chain::{Context, Row};
use super::item::{Item, Step};
use super::words::{Link, State, Verdict};
use crate::flux::object::{Kustomization, Source, Wanted, wanted};
use crate::flux::revision::short;

/// Reason of a parent that follows another environment's tag.
pub(super) const OTHER_TAG: &str = "OtherTag";

/// What workloads need to know of their parent.
pub(super) struct ParentState {
    /// `<runtime>-inventory`.
    pub(super) name: String,
    /// At least one of its objects is on the cluster.
    pub(super) present: bool,
    /// The link, the same for every workload that is there.
    pub(super) step: Step,
    /// The link of a workload that is not there, when the parent is in trouble and nobody knows whether it is behind.
    trouble: Option<Step>,
}

impl ParentState {
    /// Judges the parent from its row and its own verdict.
    pub(super) fn of(context: &Context<'_>, row: &Row<'_>, item: &Item) -> Self {
        let present = row.source.is_some() || row.kustomization.is_some();
        let step = step(context, row, item, present);
        let troubled =
            present && step.state == State::Unknown && item.verdict != Verdict::Ready && context.gaps().next().is_none();
        let trouble = troubled.then(|| behind(row, item, "its inventory"));
        Self { name: row.name.to_owned(), present, step, trouble }
    }

    /// The link of a row. That a published workload is not there while its parent is in trouble is the parent's doing, also
    /// when the registry did not say what the parent should have.
    pub(super) fn step_for(&self, row: &Row<'_>) -> Step {
        let absent = row.entry.is_some() && (row.source.is_none() || row.kustomization.is_none());
        self.trouble.as_ref().filter(|_| absent).unwrap_or(&self.step).clone()
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
    let done = row.kustomization.and_then(put_in_place);
    let published = context.expected.published_digest();
    if let Some(tag) = other_tag(context, row).filter(|_| published.is_none() || done != published) {
        let text = format!("{} follows the tag {tag}, not {}", row.name, context.expected.environment);
        return Step::broken(link, OTHER_TAG, text);
    }
    // The inventory that workloads are compared with; when it came from a folder, what the parent's own reference has now.
    match published.or(item.expected.digest.as_deref()) {
        Some(wanted) if done == Some(wanted) => Step::holds(link, format!("{} has applied {}", row.name, short(wanted))),
        Some(wanted) => behind(row, item, &format!("the inventory {}", short(wanted))),
        None => match (done, row.source.and_then(Source::digest)) {
            (Some(done), has) if has.is_none_or(|has| has == done) => {
                Step::unknown(link, format!("{} has applied {}; what the tag holds now is not known", row.name, short(done)))
            }
            _ => behind(row, item, "its inventory"),
        },
    }
}

/// The digest that a Kustomization has put in place: what it applied and found healthy, or what it applied and found
/// unhealthy, since Flux moves lastAppliedRevision only after health checks.
fn put_in_place(kustomization: &Kustomization) -> Option<&str> {
    let unhealthy = kustomization.ready().is_some_and(|ready| ready.reason == "HealthCheckFailed");
    kustomization.attempted_digest().filter(|_| unhealthy).or(kustomization.applied_digest())
}

/// The tag that the parent follows, when it is not the environment's.
pub(super) fn other_tag(context: &Context<'_>, row: &Row<'_>) -> Option<String> {
    let Wanted::Tag(reference) = wanted(&row.source?.spec.value()) else { return None };
    let tag = reference.rsplit_once(':').map(|(_, tag)| tag.to_owned())?;
    (tag != context.expected.environment).then_some(tag)
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
