//! The verdict of a row: the rules in their order, the first match wins.

use super::chain::{Chain, Context, Row, not_declared};
use super::installed::{ABSENT, DRIFT, TERMINATING};
use super::item::{Break, Item, ItemKind, KustomizationView, Look, SourceView, Step};
use super::next;
use super::objects::{self, Worst};
use super::parent::ParentState;
use super::rows::Index;
use super::words::{Link, State, Verdict};
use crate::flux::object::{Kustomization, Object, Source, Status};
use crate::observed::Gap;
use std::collections::{HashMap, VecDeque};

/// Judges a row and finds its first broken link.
pub(super) fn item(context: &Context<'_>, row: &Row<'_>, chain: Chain, parent: Option<&ParentState>) -> Item {
    let verdict = verdict(context, row, &chain, parent);
    let broken = first_break(context, row, &chain, verdict);
    let (mut reason, mut message) = words(context, row, &chain, verdict, broken);
    if row.kind == ItemKind::Workload && verdict == Verdict::Ready && not_declared(context, row) {
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
    // What could not be read is judged by what could: only with nothing left there is nothing to say.
    if context.gaps().count() == 2 {
        return Verdict::Unknown;
    }
    let installed = chain.step(Link::Installed).filter(|step| step.state == State::Broken);
    let why = installed.map(|step| step.reason.as_str());
    if why == Some(TERMINATING) {
        return Verdict::Terminating;
    }
    let ours = parent.is_some_and(|parent| {
        let wanted = Some((parent.name.as_str(), context.expected.namespace.as_str()));
        row.source.and_then(Object::owner) == wanted || row.kustomization.and_then(Object::owner) == wanted
    });
    // Rows are expected, except those that only this parent's labels brought here.
    let unpublished = parent.is_some() && chain.is_broken(Link::Published);
    if why == Some(ABSENT) {
        let wanted = row.entry.is_some() || context.index.declared.contains_key(row.name);
        return if unpublished && ours && !wanted { Verdict::Unexpected } else { Verdict::Missing };
    }
    if unpublished {
        // Declared and not published, with objects of somebody else in its place: it is still missing.
        return if ours { Verdict::Unexpected } else { Verdict::Missing };
    }
    if row.source.is_some_and(Object::suspended) || row.kustomization.is_some_and(Object::suspended) {
        return Verdict::Suspended;
    }
    if row.source.and_then(Object::stalled).is_some() || row.kustomization.and_then(Object::stalled).is_some() {
        return Verdict::Stalled;
    }
    let worst = chain.objects.as_ref().map(|objects| objects.worst).unwrap_or_default();
    if failed_for_flux(context, row, chain) || worst >= Worst::Failed {
        return Verdict::Failed;
    }
    let drifted = why.is_some_and(|why| DRIFT.contains(&why));
    if drifted && !chain.is_broken(Link::Parent) {
        return Verdict::Drifted;
    }
    // Flux may be done with its part while the objects still come up.
    if row.source.is_some_and(waits) || row.kustomization.is_some_and(waits) || worst == Worst::Waiting && !behind(chain) {
        return Verdict::Reconciling;
    }
    let counted = |step: &Step| step.state == State::Broken && step.link != Link::Parent;
    if chain.steps.iter().any(counted) {
        return Verdict::Outdated;
    }
    if context.gaps().next().is_some() { Verdict::Unknown } else { Verdict::Ready }
}

/// Whether Flux has not said that it is done with what the object asks for now.
fn waits<S: Status>(object: &Object<S>) -> bool {
    status_of(object) != Some("True") || !object.looked_at()
}

/// Failed by what Flux or the registry says, without a look at the objects.
fn failed_for_flux(context: &Context<'_>, row: &Row<'_>, chain: &Chain) -> bool {
    let says_no = |object: Option<&str>| object == Some("False");
    let failed = |found: &Kustomization| says_no(status_of(found)) && !excused(context, found, row.source);
    chain.tag_is_gone || says_no(row.source.and_then(status_of)) || row.kustomization.is_some_and(failed)
}

/// Whether a newer digest waits to be fetched or applied.
fn behind(chain: &Chain) -> bool {
    chain.is_broken(Link::Fetched) || chain.is_broken(Link::Applied)
}

fn status_of<S: Status>(object: &Object<S>) -> Option<&str> {
    object.ready().map(|ready| ready.status.as_str())
}

/// Whether a Kustomization's Ready=False is no failure of what is wanted now.
fn excused(context: &Context<'_>, kustomization: &Kustomization, source: Option<&Source>) -> bool {
    let Some(ready) = kustomization.ready() else { return false };
    match ready.reason.as_str() {
        // A newer revision came; the check of the old one was given up.
        "HealthCheckCanceled" => true,
        "DependencyNotReady" => dependencies_can_come(kustomization, context),
        // Every new workload passes through this: Kustomizations are applied before their sources. A missing path is
        // worded alike, and is a fault of the artifact.
        "ArtifactFailed" => {
            let not_found = ready.message.contains("not found") && !ready.message.starts_with("kustomization path not found");
            // A source that could not be read may well have one.
            let first = |source: &Source| source.digest().is_some() || status_of(source) != Some("False");
            not_found && source.is_none_or(first)
        }
        // The failure is about another revision than the one that the source has now.
        _ => match (kustomization.attempted_digest(), source.and_then(Source::digest)) {
            (Some(tried), Some(has)) => tried != has,
            _ => false,
        },
    }
}

/// Whether every dependency exists and none waits, over any number of steps, for this Kustomization.
fn dependencies_can_come(kustomization: &Kustomization, context: &Context<'_>) -> bool {
    let home = kustomization.metadata.namespace.as_str();
    // What lies in another namespace was not read: it may be there.
    let missing =
        |(namespace, name): &(String, String)| namespace == home && !context.index.kustomizations.contains_key(name.as_str());
    // Only this Kustomization's own dependencies decide; a dependency's missing one is its own row's matter.
    !kustomization.depends_on().iter().any(missing) && cycle(kustomization, context.index).is_none()
}

/// The names along which a Kustomization waits for itself, itself first and last.
fn cycle(kustomization: &Kustomization, index: &Index<'_>) -> Option<Vec<String>> {
    let (home, start) = (kustomization.metadata.namespace.as_str(), kustomization.metadata.name.as_str());
    // By whom a name was reached first; breadth first, so that the way back is the shortest.
    let mut reached: HashMap<String, String> = HashMap::new();
    let mut open: VecDeque<&Kustomization> = VecDeque::from([kustomization]);
    while let Some(next) = open.pop_front() {
        let from = next.metadata.name.as_str();
        for (_, name) in next.depends_on().into_iter().filter(|(namespace, _)| namespace == home) {
            if name == start {
                let mut way = vec![start.to_owned()];
                let mut at = from;
                while at != start {
                    way.push(at.to_owned());
                    at = reached.get(at)?;
                }
                way.push(start.to_owned());
                way.reverse();
                return Some(way);
            }
            if let Some(dependency) = index.kustomizations.get(name.as_str())
                && !reached.contains_key(&name)
            {
                reached.insert(name, from.to_owned());
                open.push_back(dependency);
            }
        }
    }
    None
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
        // The break is before Flux's own failure: both are to be read.
        Verdict::Failed => {
            // What Flux is about to do is no reason for what the objects say.
            let of_objects = chain.objects.as_ref().filter(|_| !failed_for_flux(context, row, chain));
            if let Some(worst) = of_objects.and_then(objects::reason) {
                worst.clone_into(&mut reason);
            }
            let kustomization = row.kustomization.and_then(Object::ready);
            let failed =
                row.source.and_then(Object::ready).into_iter().chain(kustomization).find(|ready| ready.status == "False");
            let text = failed.map(|ready| ready.message.trim_end()).unwrap_or_default();
            if !message.contains(text) {
                message.push_str(&format!("; Flux says: {text}"));
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
        if let Some(way) = cycle(kustomization, index) {
            item.message = format!("{}; the dependencies are a cycle: {}", item.message, way.join(" -> "));
        } else {
            let home = &kustomization.metadata.namespace;
            let here = kustomization.depends_on().into_iter().filter(|(namespace, _)| namespace == home);
            let waits: Vec<String> = here
                .filter_map(|(_, name)| match verdicts.get(&name) {
                    Some(Verdict::Ready) | None => None,
                    Some(verdict) => Some(format!("{name}, which is {}", verdict.as_str())),
                })
                .collect();
            if waits.is_empty() {
                continue;
            }
            item.message = format!("{}; it waits for {}", item.message, waits.join(" and "));
        }
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
