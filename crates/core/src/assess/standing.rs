//! What a row means to somebody who waits for it: there, on its way, failing at what is wanted, or never to come.
//!
//! A push changes no spec, so the conditions of before it stay as they are until Flux looks again. An old success must not
//! hide a new break, and an old failure must not block its own repair: only what is provably about the digest that is wanted
//! now counts as a failure.

use super::item::{Item, ItemKind, KustomizationView, SourceView};
use super::words::{Link, State, Verdict};
use crate::actions::is_handled;
use jiff::Timestamp;

/// What a row means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is there.
    Arrived,
    /// It may still come.
    Waiting(String),
    /// The attempt at what is wanted failed; Flux tries again, so it may still recover.
    Failing(String),
    /// It cannot come until somebody does something.
    Never(String),
}

/// What else decides, besides the row.
pub(super) struct Around<'a> {
    /// Registries are asked.
    pub(super) registry: bool,
    /// The request that was sent for this row.
    pub(super) token: Option<&'a str>,
    /// An attempt of the source has ended since this digest is waited for.
    pub(super) fresh: bool,
    /// Why the row's parent brings nothing any more.
    pub(super) parent_failed: Option<&'a str>,
}

/// Judges a row.
pub(super) fn of(item: &Item, around: &Around<'_>) -> Standing {
    let message = || item.message.clone();
    match item.verdict {
        // The cluster as a whole decides.
        Verdict::Unreachable | Verdict::Terminating => Standing::Waiting(message()),
        Verdict::Suspended => Standing::Never(message()),
        Verdict::Ready => arrived(item, around),
        Verdict::Missing => missing(item, around),
        Verdict::Drifted if item.reason == "ForeignOwner" => Standing::Failing(message()),
        Verdict::Drifted => by_parent(item, around),
        Verdict::Unexpected if is_broken(item, Link::Parent) => by_parent(item, around),
        Verdict::Unexpected | Verdict::Unknown => Standing::Failing(message()),
        // What is there will be replaced: only the parent's coming and failing counts.
        _ if is_broken(item, Link::Parent) && is_broken(item, Link::Installed) => by_parent(item, around),
        Verdict::Stalled => stalled(item, around),
        Verdict::Failed => failed(item, around),
        Verdict::Reconciling | Verdict::Outdated => Standing::Waiting(message()),
    }
}

fn is_broken(item: &Item, link: Link) -> bool {
    item.links.iter().any(|step| step.link == link && step.state == State::Broken)
}

fn by_parent(item: &Item, around: &Around<'_>) -> Standing {
    match around.parent_failed {
        Some(why) => Standing::Never(format!("{}; its parent will not bring it: {why}", item.message)),
        None => Standing::Waiting(item.message.clone()),
    }
}

fn missing(item: &Item, around: &Around<'_>) -> Standing {
    let link = item.broken.as_ref().map(|broken| broken.link);
    let published_unknown = item.links.iter().any(|step| step.link == Link::Published && step.state == State::Unknown);
    match link {
        // A name that is nowhere, unless what is published could not be read just now.
        Some(Link::Declared) if !published_unknown => Standing::Never(item.message.clone()),
        Some(Link::Declared | Link::Published) => Standing::Failing(item.message.clone()),
        _ if item.kind == ItemKind::Parent => Standing::Failing(item.message.clone()),
        // Deleted under a parent that has applied it: the parent puts it back at its next run.
        _ => by_parent(item, around),
    }
}

/// A Ready row is there when it is Ready with what the registry has now.
fn arrived(item: &Item, around: &Around<'_>) -> Standing {
    let (Some(source), Some(kustomization)) = (&item.source, &item.kustomization) else {
        return Standing::Waiting(item.message.clone());
    };
    if let Some(wanted) = item.expected.digest.as_deref() {
        let has = source.digest.as_deref() == Some(wanted) && kustomization.applied_digest.as_deref() == Some(wanted);
        let ready = source.ready == "True" && kustomization.ready == "True" && source.look.current && kustomization.look.current;
        return if has && ready { Standing::Arrived } else { Standing::Waiting(item.message.clone()) };
    }
    // Nobody knows what the registry has. That Flux has looked since it was asked to is as good.
    let handled =
        |token| is_handled(source.look.handled.as_deref(), token) && is_handled(kustomization.look.handled.as_deref(), token);
    match around.token {
        Some(token) if handled(token) => Standing::Arrived,
        Some(_) => Standing::Waiting("Flux has not looked since it was asked to".to_owned()),
        // A semver range, or nobody wanted registries to be asked: Flux's last look is all there is.
        None if item.expected.tag.is_none() || !around.registry => Standing::Arrived,
        None => {
            let asked = item.links.iter().find(|step| step.link == Link::Deployed);
            let why = asked.map(|step| step.evidence.as_str()).unwrap_or_default();
            Standing::Waiting(format!("whether it is the newest is not known: {why}"))
        }
    }
}

fn stalled(item: &Item, around: &Around<'_>) -> Standing {
    let looks = [item.source.as_ref().map(|it| &it.look), item.kustomization.as_ref().map(|it| &it.look)];
    let current = looks.iter().flatten().all(|look| look.current);
    let handled = around.token.is_none_or(|token| looks.iter().flatten().all(|look| is_handled(look.handled.as_deref(), token)));
    if current && handled { Standing::Failing(item.message.clone()) } else { Standing::Waiting(item.message.clone()) }
}

fn failed(item: &Item, around: &Around<'_>) -> Standing {
    if item.broken.as_ref().is_some_and(|broken| broken.link == Link::Deployed) {
        return Standing::Failing(item.message.clone());
    }
    let (Some(source), Some(kustomization)) = (&item.source, &item.kustomization) else {
        return Standing::Waiting(item.message.clone());
    };
    let wanted = item.expected.digest.as_deref().or(source.digest.as_deref());
    let fetched = source.digest.is_some() && source.digest.as_deref() == wanted;
    if source.ready == "False" && !fetched {
        return fetching(item, source, around);
    }
    if kustomization.ready != "False" || !fetched {
        return Standing::Waiting(item.message.clone());
    }
    if kustomization.look.current && is_about(kustomization, source, around.token) {
        Standing::Failing(item.message.clone())
    } else {
        Standing::Waiting(format!("{}; that was before what is waited for", item.message))
    }
}

/// A source says of no failure which digest it was about: only one that came after the question counts.
fn fetching(item: &Item, source: &SourceView, around: &Around<'_>) -> Standing {
    let handled = around.token.map(|token| is_handled(source.look.handled.as_deref(), token));
    if source.look.current && handled.unwrap_or(around.fresh) {
        Standing::Failing(item.message.clone())
    } else {
        Standing::Waiting(format!("{}; the source has not tried again since", item.message))
    }
}

/// Whether a Kustomization's failure is about what its source has.
fn is_about(kustomization: &KustomizationView, source: &SourceView, token: Option<&str>) -> bool {
    if token.is_some_and(|token| !is_handled(kustomization.look.handled.as_deref(), token)) {
        return false;
    }
    match kustomization.look.reason.as_str() {
        // These never move lastAttemptedRevision. They are about the source's artifact when Flux looked at our request, which
        // was sent after the source had it, or when the failure is not older than the artifact.
        "ArtifactFailed" | "DependencyNotReady" => {
            token.is_some() || not_before(kustomization.look.since.as_deref(), source.stored.as_deref())
        }
        _ => kustomization.attempted_digest.is_some() && kustomization.attempted_digest == source.digest,
    }
}

/// Whether a time is that of another, or later. Flux's times have whole seconds.
fn not_before(time: Option<&str>, other: Option<&str>) -> bool {
    let parse = |text: Option<&str>| text?.parse::<Timestamp>().ok();
    parse(time).zip(parse(other)).is_some_and(|(time, other)| time >= other)
}
