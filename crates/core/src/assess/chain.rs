//! The eight links of a row, each judged alone.

use super::applied;
use super::expected::{Expected, Published};
use super::installed;
use super::item::{ExpectedView, ItemKind, Step};
use super::objects::{self, Objects};
use super::parent::ParentState;
use super::rows::Index;
use super::words::{Link, State};
use crate::flux::object::{Kustomization, Object, Source, Status, Wanted, wanted};
use crate::flux::revision::short;
use crate::inventory::Entry;
use crate::observed::objects::Looked;
use crate::observed::{Answer, Gap, Registry};
use serde_json::Value;

/// What every row is judged with.
pub(super) struct Context<'a> {
    pub(super) expected: &'a Expected,
    pub(super) registry: &'a Registry,
    pub(super) objects: &'a crate::observed::Objects,
    pub(super) index: &'a Index<'a>,
    pub(super) looked: &'a Looked,
    pub(super) cluster: &'a str,
}

impl<'a> Context<'a> {
    /// The kinds that could not be read.
    pub(super) fn gaps(&self) -> impl Iterator<Item = &'a Gap> + use<'a> {
        let objects = self.objects;
        [objects.sources.as_ref().err(), objects.kustomizations.as_ref().err()].into_iter().flatten()
    }
}

/// A row's subject.
pub(super) struct Row<'a> {
    pub(super) kind: ItemKind,
    pub(super) name: &'a str,
    /// What its objects should be, when it is expected.
    pub(super) entry: Option<&'a Entry>,
    pub(super) source: Option<&'a Source>,
    pub(super) kustomization: Option<&'a Kustomization>,
}

impl Row<'_> {
    /// The spec that its source should have; when nothing is expected, the one that it has.
    pub(super) fn source_spec(&self) -> Option<Value> {
        let published = self.entry.and_then(|entry| entry.source.as_ref()?.field("spec"));
        published.or_else(|| self.source.map(|source| source.spec.value()))
    }
}

/// The judged links of a row, and what the registry says about its deploy tag.
pub(super) struct Chain {
    pub(super) steps: Vec<Step>,
    pub(super) expected: ExpectedView,
    /// The deploy tag was asked for, and is not there.
    pub(super) tag_is_gone: bool,
    /// The applied objects, when they were looked at.
    pub(super) objects: Option<Objects>,
}

impl Chain {
    /// The parent's chain: it begins with the objects.
    pub(super) fn of_parent(context: &Context<'_>, row: &Row<'_>) -> Self {
        let none = |link| Step::unknown(link, "does not apply to the parent itself");
        let head = vec![none(Link::Declared), none(Link::Published), none(Link::Parent), installed::judge(context, row, None)];
        Self::rest(context, row, head)
    }

    /// A workload's chain.
    pub(super) fn of_workload(context: &Context<'_>, row: &Row<'_>, parent: &ParentState) -> Self {
        let head = vec![
            declared(context, row),
            published(context, row),
            parent.step_for(row),
            installed::judge(context, row, Some(parent)),
        ];
        Self::rest(context, row, head)
    }

    fn rest(context: &Context<'_>, row: &Row<'_>, mut steps: Vec<Step>) -> Self {
        let (deployed, expected, tag_is_gone) = deployed(context, row);
        let digest = expected.digest.clone();
        steps.push(deployed);
        steps.push(
            unread(context.objects.sources.as_ref().err(), Link::Fetched).unwrap_or_else(|| fetched(row, digest.as_deref())),
        );
        // What a content Kustomization has applied is held against its source; its own trouble is told without.
        let content = row.kustomization.and_then(Object::ready).is_none_or(|ready| ready.status == "True");
        let blind = context.objects.sources.as_ref().err().filter(|_| content);
        let gap = context.objects.kustomizations.as_ref().err().or(blind);
        steps.push(unread(gap, Link::Applied).unwrap_or_else(|| applied::applied(row)));
        let objects = objects::judge(context.looked, row.name, row.kind);
        let healthy = unread(gap, Link::Healthy).unwrap_or_else(|| applied::healthy(row));
        steps.push(match &objects {
            Some(objects) => objects::healthy(healthy, objects),
            None => healthy,
        });
        Self { steps, expected, tag_is_gone, objects }
    }

    /// The step of a link.
    pub(super) fn step(&self, link: Link) -> Option<&Step> {
        self.steps.iter().find(|step| step.link == link)
    }

    /// Whether a link is broken.
    pub(super) fn is_broken(&self, link: Link) -> bool {
        self.step(link).is_some_and(|step| step.state == State::Broken)
    }
}

fn unread(gap: Option<&Gap>, link: Link) -> Option<Step> {
    gap.map(|gap| Step::unknown(link, gap.message.clone()))
}

pub(super) fn declared(context: &Context<'_>, row: &Row<'_>) -> Step {
    let Some((file, _)) = &context.expected.declared else {
        return match row.entry {
            Some(_) => Step::unknown(Link::Declared, "no workloads.yml was given"),
            None if row.source.is_some() || row.kustomization.is_some() => {
                Step::unknown(Link::Declared, "no workloads.yml was given")
            }
            None if matches!(context.expected.published, Published::Unknown(_)) => {
                let text = format!("'{}' is not on the cluster, and what is published could not be read", row.name);
                Step::broken(Link::Declared, "NotFound", text)
            }
            None => Step::broken(Link::Declared, "NotFound", format!("'{}' is neither published nor on the cluster", row.name)),
        };
    };
    if context.index.declared.contains_key(row.name) {
        return Step::holds(Link::Declared, format!("in {file}"));
    }
    let environment = &context.expected.environment;
    if not_declared(context, row) {
        // Judged as usual; the reason NotDeclared says it.
        return Step::unknown(Link::Declared, format!("not in {file} for {environment}"));
    }
    Step::broken(Link::Declared, "NotDeclared", format!("'{}' is not in {file} for {environment}", row.name))
}

/// Whether a workload is published or on the cluster, and the file that was read does not have it.
pub(super) fn not_declared(context: &Context<'_>, row: &Row<'_>) -> bool {
    let somewhere = row.entry.is_some() || row.source.is_some() || row.kustomization.is_some();
    somewhere && context.expected.declared.is_some() && !context.index.declared.contains_key(row.name)
}

pub(super) fn published(context: &Context<'_>, row: &Row<'_>) -> Step {
    let what = || format!("{}:{}", context.expected.parent(), context.expected.environment);
    match &context.expected.published {
        Published::Unknown(why) => Step::unknown(Link::Published, why.clone()),
        Published::NotThere => Step::broken(Link::Published, "NotFound", format!("no inventory is published as {}", what())),
        Published::Known { inventory, digest } => match context.index.published.get(row.name) {
            Some(entry) if entry.source.is_some() && entry.kustomization.is_some() => Step::holds(
                Link::Published,
                digest
                    .as_deref()
                    .map_or_else(|| "in the inventory".to_owned(), |digest| format!("in the inventory {}", short(digest))),
            ),
            Some(entry) => {
                let absent = if entry.source.is_none() { "OCIRepository" } else { "Kustomization" };
                Step::broken(Link::Published, "Incomplete", format!("the published inventory has no {absent} for '{}'", row.name))
            }
            None if !inventory.has_folder => {
                let folder = &context.expected.environment;
                Step::broken(
                    Link::Published,
                    "FolderMissing",
                    format!("what is published has no folder {folder}; it expects nothing"),
                )
            }
            None => Step::broken(
                Link::Published,
                "NotPublished",
                format!("'{}' is not in the inventory that {} holds now", row.name, what()),
            ),
        },
    }
}

/// The link `deployed`, what is expected of the source, and whether the tag was asked for and is gone.
pub(super) fn deployed(context: &Context<'_>, row: &Row<'_>) -> (Step, ExpectedView, bool) {
    let Some(spec) = row.source_spec() else {
        return (Step::unknown(Link::Deployed, "there is no source that says where to look"), ExpectedView::default(), false);
    };
    let runs = row
        .kustomization
        .and_then(Kustomization::applied_digest)
        .map(|digest| format!("; still runs {}", short(digest)))
        .unwrap_or_default();
    match wanted(&spec) {
        Wanted::Unknown(why) => (Step::unknown(Link::Deployed, why), ExpectedView::default(), false),
        Wanted::Digest(digest) => {
            let view = ExpectedView { revision: Some(digest.clone()), digest: Some(digest.clone()), tag: None };
            (Step::unknown(Link::Deployed, format!("pinned to {}", short(&digest))), view, false)
        }
        Wanted::Tag(reference) => {
            let tag = reference.rsplit_once(':').map(|(_, tag)| tag.to_owned()).unwrap_or_default();
            let mut view = ExpectedView { tag: Some(tag.clone()), ..ExpectedView::default() };
            match context.registry.get(&reference) {
                Some(Answer::Digest(digest)) => {
                    view.revision = Some(format!("{tag}@{digest}"));
                    view.digest = Some(digest.clone());
                    (Step::holds(Link::Deployed, format!("{reference} is {}", short(digest))), view, false)
                }
                Some(Answer::NotThere) => {
                    let text = format!("{reference} is not in the registry: the repository or the tag does not exist{runs}");
                    (Step::broken(Link::Deployed, "TagNotFound", text), view, true)
                }
                Some(Answer::Unknown(why)) => {
                    (Step::unknown(Link::Deployed, format!("{reference} could not be asked: {why}")), view, false)
                }
                None => (Step::unknown(Link::Deployed, format!("{reference} was not asked")), view, false),
            }
        }
    }
}

fn fetched(row: &Row<'_>, wanted: Option<&str>) -> Step {
    let link = Link::Fetched;
    let Some(source) = row.source else {
        return Step::broken(link, "NotFound", "there is no OCIRepository");
    };
    let suspended = source.suspended();
    let kept = source.digest().map(|digest| format!("; still serves {}", short(digest))).unwrap_or_default();
    if let Some(stalled) = source.stalled() {
        let text = format!("the source is stalled, no retry will help: {}", stalled.message);
        return Step::broken(link, stalled.reason.as_str(), text).since(stalled.last_transition_time.as_ref());
    }
    let Some(ready) = source.ready() else {
        return if suspended {
            Step::broken(link, "Suspended", "the source is suspended; nothing was ever fetched")
        } else {
            Step::broken(link, "NotLookedAt", "source-controller has not looked at the source yet")
        };
    };
    let since = ready.last_transition_time.as_ref();
    match ready.status.as_str() {
        "True" => {}
        _ => return Step::broken(link, ready.reason.as_str(), format!("{}{kept}", ready.message.trim_end())).since(since),
    }
    if !source.looked_at() {
        return not_looked_at(link, source, "source-controller").since(since);
    }
    match (source.digest(), wanted) {
        (None, _) => Step::broken(link, "NoArtifact", "the source is Ready and has no artifact").since(since),
        (Some(have), Some(wanted)) if have != wanted => {
            let text = format!("the registry has {}, fetched is {}", short(wanted), short(have));
            if suspended {
                Step::broken(link, "Suspended", format!("the source is suspended: {text}"))
            } else {
                Step::broken(link, "NewRevision", text)
            }
        }
        (Some(have), _) => {
            let time = source.status.as_ref().and_then(|status| status.artifact.as_ref()?.last_update_time.as_ref());
            Step::holds(link, format!("fetched {}", short(have))).since(time)
        }
    }
}

/// The controller has not seen the current spec.
pub(super) fn not_looked_at<S: Status>(link: Link, object: &Object<S>, controller: &str) -> Step {
    let generation = object.metadata.generation;
    let text = format!("generation {generation} of {} was not looked at; is {controller} running?", object.metadata.name);
    Step::broken(link, "GenerationNotLookedAt", text)
}
