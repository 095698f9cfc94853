//! The verdict of a row: the rules in their order, the first match wins.

use super::chain::{Chain, Context, Row};
use super::installed::{ABSENT, DRIFT, TERMINATING};
use super::item::{Break, Item, ItemKind, KustomizationView, Look, SourceView, Step};
use super::next;
use super::objects::{self, Worst};
use super::parent::ParentState;
use super::rows::Index;
use super::words::{Link, State, Verdict};
use crate::flux::object::{Kustomization, Object, Source, Status};
use crate::observed::Gap;
use std::collections::{HashMap, HashSet};

/// Judges a row and finds its first broken link.
pub(super) fn item(context: &Context<'_>, row: &Row<'_>, chain: Chain, parent: Option<&ParentState>) -> Item {
    let verdict = verdict(context, row, &chain, parent);
    let broken = first_break(context, row, &chain, verdict);
    let (mut reason, mut message) = words(context, row, &chain, verdict, broken);
    let not_declared = chain.step(Link::Declared).is_some_and(|step| step.evidence.starts_with("not in "));
    if not_declared && verdict == Verdict::Ready {
        "NotDeclared".clone_into(&mut reason);
        let evidence = chain.step(Link::Declared).map(|step| step.evidence.as_str()).unwrap_or_default();
        message = format!("{message}; {evidence}");
    }
    let namespace = &context.expected.namespace;
    let of_objects = |step: &Step| chain.objects.as_ref().filter(|_| step.link == Link::Healthy && verdict != Verdict::Suspended);
    let broken = broken.map(|step| Break {
        link: step.link,
        reason: reason.clone(),
        message: message.clone(),
        since: step.since.clone().filter(|_| step.state == State::Broken),
        next: of_objects(step)
            .map(|found| objects::next(found, namespace, row.name))
            .filter(|next| !next.is_empty())
            .unwrap_or_else(|| next::steps(context, row, step, verdict)),
    });
    let (objects, objects_left_out) = chain.objects.map(|found| (found.views, found.left_out)).unzip();
    Item {
        kind: row.kind,
        cluster: context.cluster.to_owned(),
        runtime: context.expected.runtime.clone(),
        environment: context.expected.environment.clone(),
        workload: row.name.to_owned(),
        verdict,
        reason,
        message,
        broken,
        source: row.source.map(source_view),
        kustomization: row.kustomization.map(kustomization_view),
        objects,
        objects_left_out: objects_left_out.unwrap_or_default(),
        expected: chain.expected,
        links: chain.steps,
    }
}

fn verdict(context: &Context<'_>, row: &Row<'_>, chain: &Chain, parent: Option<&ParentState>) -> Verdict {
    let installed = chain.step(Link::Installed);
    let why = installed.filter(|step| step.state == State::Broken).map(|step| step.reason.as_str());
    if installed.is_some_and(|step| step.state == State::Unknown) {
        return Verdict::Unknown;
    }
    if why == Some(TERMINATING) {
        return Verdict::Terminating;
    }
    // Rows are expected, except those that only this parent's labels brought here.
    if why == Some(ABSENT) {
        let leftover = row.kind == ItemKind::Workload && row.entry.is_none() && chain.is_broken(Link::Published);
        let somewhere = row.source.is_some() || row.kustomization.is_some();
        return if leftover && somewhere { Verdict::Unexpected } else { Verdict::Missing };
    }
    if let (Some(parent), true) = (parent, chain.is_broken(Link::Published)) {
        let wanted = Some((parent.name.as_str(), context.expected.namespace.as_str()));
        let ours = row.source.and_then(Object::owner) == wanted || row.kustomization.and_then(Object::owner) == wanted;
        // Declared and not published, with objects of somebody else in its place: it is still missing.
        return if ours { Verdict::Unexpected } else { Verdict::Missing };
    }
    let (Some(source), Some(kustomization)) = (row.source, row.kustomization) else { return Verdict::Missing };
    if source.suspended() || kustomization.suspended() {
        return Verdict::Suspended;
    }
    if source.stalled().is_some() || kustomization.stalled().is_some() {
        return Verdict::Stalled;
    }
    let is = |object: Option<&str>, status: &str| object == Some(status);
    let (source_ready, ready) = (status_of(source), status_of(kustomization));
    let worst = chain.objects.as_ref().map(|objects| objects.worst).unwrap_or_default();
    if failed_for_flux(context, row, chain) || worst >= Worst::Failed {
        return Verdict::Failed;
    }
    let drifted = why.is_some_and(|why| DRIFT.contains(&why));
    if drifted && !chain.is_broken(Link::Parent) {
        return Verdict::Drifted;
    }
    let waits = !is(source_ready, "True") || !is(ready, "True") || !source.looked_at() || !kustomization.looked_at();
    // Flux may be done with its part while the objects still come up.
    if waits || worst == Worst::Waiting && !behind(chain) {
        return Verdict::Reconciling;
    }
    let counted = |step: &&Step| step.state == State::Broken && step.link != Link::Parent;
    if chain.steps.iter().any(|step| counted(&step)) { Verdict::Outdated } else { Verdict::Ready }
}

/// Failed by what Flux or the registry says, without a look at the objects.
fn failed_for_flux(context: &Context<'_>, row: &Row<'_>, chain: &Chain) -> bool {
    let (Some(source), Some(kustomization)) = (row.source, row.kustomization) else { return false };
    let failed = status_of(kustomization) == Some("False") && !excused(context, kustomization, source);
    chain.tag_is_gone || status_of(source) == Some("False") || failed
}

/// Whether a newer digest waits to be fetched or applied.
fn behind(chain: &Chain) -> bool {
    chain.is_broken(Link::Fetched) || chain.is_broken(Link::Applied)
}

fn status_of<S: Status>(object: &Object<S>) -> Option<&str> {
    object.ready().map(|ready| ready.status.as_str())
}

/// Whether a Kustomization's Ready=False is no failure of what is wanted now.
fn excused(context: &Context<'_>, kustomization: &Kustomization, source: &Source) -> bool {
    let Some(ready) = kustomization.ready() else { return false };
    match ready.reason.as_str() {
        // A newer revision came; the check of the old one was given up.
        "HealthCheckCanceled" => true,
        "DependencyNotReady" => dependencies_can_come(kustomization, context.index),
        // Every new workload passes through this: Kustomizations are applied before their sources. A missing path is
        // worded alike, and is a fault of the artifact.
        "ArtifactFailed" => {
            let not_found = ready.message.contains("not found") && !ready.message.starts_with("kustomization path not found");
            let first = source.digest().is_none() && status_of(source) != Some("False");
            not_found && (source.digest().is_some() || first)
        }
        // The failure is about another revision than the one that the source has now.
        _ => match (kustomization.attempted_digest(), source.digest()) {
            (Some(tried), Some(has)) => tried != has,
            _ => false,
        },
    }
}

/// Whether every dependency exists and none waits, over any number of steps, for this Kustomization.
fn dependencies_can_come(kustomization: &Kustomization, index: &Index<'_>) -> bool {
    let home = kustomization.metadata.namespace.as_str();
    let mut seen: HashSet<String> = HashSet::new();
    let mut open: Vec<&Kustomization> = vec![kustomization];
    while let Some(next) = open.pop() {
        for (namespace, name) in next.depends_on() {
            // What lies in another namespace was not read: it may be there.
            if namespace != home {
                continue;
            }
            if name == kustomization.metadata.name {
                return false;
            }
            let Some(dependency) = index.kustomizations.get(name.as_str()) else {
                // Only this Kustomization's own dependencies decide; a dependency's missing one is its own row's matter.
                if std::ptr::eq(next, kustomization) {
                    return false;
                }
                continue;
            };
            if seen.insert(name) {
                open.push(dependency);
            }
        }
    }
    true
}

/// The first broken link, by the exceptions of the design.
fn first_break<'a>(context: &Context<'_>, row: &Row<'_>, chain: &'a Chain, verdict: Verdict) -> Option<&'a Step> {
    let at = |link| chain.step(link);
    match verdict {
        Verdict::Ready | Verdict::Unknown | Verdict::Unreachable => return None,
        Verdict::Terminating => return at(Link::Installed),
        Verdict::Unexpected => return at(Link::Published),
        // Flux is content: the verdict comes from the objects, and so does the break.
        Verdict::Failed if !failed_for_flux(context, row, chain) => return at(Link::Healthy),
        _ => {}
    }
    let parent_counts = at(Link::Installed).is_some_and(|step| step.state != State::Holds);
    let counts = |step: &&Step| step.state == State::Broken && (step.link != Link::Parent || parent_counts);
    chain.steps.iter().find(counts).or_else(|| {
        // Suspended, and nothing is behind yet: the suspended object's own link.
        let source = row.source.is_some_and(Object::suspended);
        at(if source { Link::Fetched } else { Link::Applied })
    })
}

/// Reason and message of the verdict.
fn words(context: &Context<'_>, row: &Row<'_>, chain: &Chain, verdict: Verdict, broken: Option<&Step>) -> (String, String) {
    let Some(step) = broken else {
        if verdict == Verdict::Ready {
            let applied = chain.step(Link::Applied).map(|step| step.evidence.clone()).unwrap_or_default();
            return ("ReconciliationSucceeded".to_owned(), applied);
        }
        let gaps: Vec<&Gap> = context.gaps().collect();
        let reason = gaps.first().map_or("Unknown", |gap| gap.reason.as_str());
        let message: Vec<&str> = gaps.iter().map(|gap| gap.message.as_str()).collect();
        return (reason.to_owned(), message.join("; "));
    };
    let mut reason = step.reason.clone();
    let mut message = step.evidence.clone();
    match verdict {
        Verdict::Suspended => {
            let who: Vec<&str> = [
                row.source.is_some_and(Object::suspended).then_some("source"),
                row.kustomization.is_some_and(Object::suspended).then_some("Kustomization"),
            ]
            .into_iter()
            .flatten()
            .collect();
            if !message.contains("is suspended") {
                let verb = if who.len() == 1 { "is" } else { "are" };
                message = format!("the {} {verb} suspended; {message}", who.join(" and the "));
            }
            "Suspended".clone_into(&mut reason);
        }
        Verdict::Unexpected => {
            let runs = row.kustomization.and_then(Kustomization::applied_digest).map(crate::flux::revision::short);
            let parent = chain.step(Link::Parent).filter(|step| step.state == State::Broken);
            if let Some(runs) = runs {
                message.push_str(&format!("; it still runs {runs}"));
            }
            if let Some(parent) = parent {
                message.push_str(&format!(", since {}", parent.evidence));
            }
        }
        _ => {}
    }
    (reason, message)
}

/// Names the dependencies that a row waits for, with their verdicts.
pub(super) fn name_dependencies(items: &mut [Item], index: &Index<'_>) {
    let verdicts: HashMap<String, Verdict> = items.iter().map(|item| (item.workload.clone(), item.verdict)).collect();
    for item in items.iter_mut().filter(|item| item.reason == "DependencyNotReady") {
        let Some(kustomization) = index.kustomizations.get(item.workload.as_str()) else { continue };
        let waits: Vec<String> = kustomization
            .depends_on()
            .into_iter()
            .filter_map(|(_, name)| match verdicts.get(&name) {
                Some(Verdict::Ready) | None => None,
                Some(verdict) => Some(format!("{name}, which is {}", verdict.as_str())),
            })
            .collect();
        if waits.is_empty() {
            continue;
        }
        item.message = format!("{}; it waits for {}", item.message, waits.join(" and "));
        if let Some(broken) = &mut item.broken {
            broken.message.clone_from(&item.message);
        }
    }
}

fn look<S: Status>(object: &Object<S>) -> Look {
    let ready = object.ready().cloned().unwrap_or_default();
    let time = |kind| object.condition(kind).and_then(|condition| condition.last_transition_time.as_deref()).unwrap_or_default();
    Look {
        attempt: format!("{} {}", time("Ready"), time("Reconciling")),
        generation: object.metadata.generation,
        current: object.looked_at(),
        handled: object.handled().map(str::to_owned),
        reason: ready.reason,
        since: ready.last_transition_time,
    }
}

fn source_view(source: &Source) -> SourceView {
    let status = source.status.as_ref();
    SourceView {
        stored: status.and_then(|status| status.artifact.as_ref()?.last_update_time.clone()),
        look: look(source),
        revision: source.revision().map(str::to_owned),
        digest: source.digest().map(str::to_owned),
        suspended: source.suspended(),
        ready: status_of(source).unwrap_or("Unknown").to_owned(),
    }
}

fn kustomization_view(kustomization: &Kustomization) -> KustomizationView {
    KustomizationView {
        look: look(kustomization),
        applied_digest: kustomization.applied_digest().map(str::to_owned),
        attempted_digest: kustomization.attempted_digest().map(str::to_owned),
        origin_revision: kustomization.status.as_ref().and_then(|status| status.last_applied_origin_revision.clone()),
        last_reconciled: kustomization.last_reconciled().map(str::to_owned),
        suspended: kustomization.suspended(),
        ready: status_of(kustomization).unwrap_or("Unknown").to_owned(),
    }
}
