//! The links `applied` and `healthy`: what the Kustomization says about the source's digest.

use super::chain::{Row, not_looked_at};
use super::item::Step;
use super::words::Link;
use crate::flux::object::{Kustomization, Source};
use crate::flux::revision::short;

/// `applied`: looked at, and what was applied is what the source has.
///
/// Flux moves lastAppliedRevision only after health checks, so an attempt at the source's digest that failed for health
/// alone was applied.
pub(super) fn applied(row: &Row<'_>) -> Step {
    let link = Link::Applied;
    let Some(kustomization) = row.kustomization else {
        return Step::broken(link, "NotFound", "there is no Kustomization");
    };
    let suspended = kustomization.suspended();
    if let Some(stalled) = kustomization.stalled() {
        let text = format!("the Kustomization is stalled, no retry will help: {}", stalled.message);
        return Step::broken(link, stalled.reason.as_str(), text).since(stalled.last_transition_time.as_ref());
    }
    let Some(ready) = kustomization.ready() else {
        return if suspended {
            Step::broken(link, "Suspended", "the Kustomization is suspended; nothing was ever applied")
        } else {
            Step::broken(link, "NotLookedAt", "kustomize-controller has not looked at the Kustomization yet")
        };
    };
    let since = ready.last_transition_time.as_ref();
    if !kustomization.looked_at() {
        return not_looked_at(link, kustomization, "kustomize-controller").since(since);
    }
    let has = row.source.and_then(Source::digest);
    let (done, tried) = (kustomization.applied_digest(), kustomization.attempted_digest());
    if has.is_some() && done == has {
        let last = kustomization.last_reconciled().map(str::to_owned);
        return Step::holds(link, format!("applied {}", has.map(short).unwrap_or_default())).since(last.as_ref());
    }
    if has.is_some() && tried == has && ready.reason == "HealthCheckFailed" {
        return Step::holds(link, format!("applied {}, and its health checks failed", has.map(short).unwrap_or_default()));
    }
    match ready.status.as_str() {
        "True" => {
            let (has, done) = (has.map_or("nothing", short), done.map_or("nothing", short));
            let text = format!("the source has {has}, applied is {done}");
            if suspended {
                Step::broken(link, "Suspended", format!("the Kustomization is suspended: {text}")).since(since)
            } else {
                Step::broken(link, "NewRevision", text).since(since)
            }
        }
        _ => Step::broken(link, ready.reason.as_str(), attempt(kustomization, ready.message.trim_end(), has)).since(since),
    }
}

/// A failure's text, with what was tried and what runs.
fn attempt(kustomization: &Kustomization, message: &str, has: Option<&str>) -> String {
    let mut text = message.to_owned();
    let (done, tried) = (kustomization.applied_digest(), kustomization.attempted_digest());
    if let Some(tried) = tried {
        text.push_str(&format!("; attempted {}", short(tried)));
        if has.is_some_and(|has| has != tried) {
            text.push_str(&format!(", the source has {}", has.map(short).unwrap_or_default()));
        }
    }
    if let Some(done) = done {
        text.push_str(&format!("{} runs {}", if tried.is_some() { "," } else { ";" }, short(done)));
    }
    text
}

/// `healthy`: Ready=True for the revision that the source has.
pub(super) fn healthy(row: &Row<'_>) -> Step {
    let link = Link::Healthy;
    let Some(kustomization) = row.kustomization else {
        return Step::broken(link, "NotFound", "there is no Kustomization");
    };
    let Some(ready) = kustomization.ready() else {
        return Step::broken(link, "NotLookedAt", "nothing was applied yet");
    };
    let since = ready.last_transition_time.as_ref();
    if ready.status != "True" {
        return Step::broken(link, ready.reason.as_str(), ready.message.trim_end()).since(since);
    }
    let (has, done) = (row.source.and_then(Source::digest), kustomization.applied_digest());
    if has.is_some() && has == done {
        Step::holds(link, "Ready=True").since(since)
    } else {
        Step::broken(link, "NewRevision", format!("Ready=True is about {}", done.map_or("nothing", short))).since(since)
    }
}
