//! What a command would change on a cluster, as values: shown by `--dry-run` and sent by the cluster's client, both the same.
//!
//! [`Request`] asks Flux to look now, in the order that proves something: a source first, and its Kustomization only once the
//! source has handled the request, so that the Kustomization's run has seen what the source fetched.

use crate::flux::object::{Kustomization, Object, Source};
use crate::observed::Objects;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The annotation by which Flux is asked to look now.
pub const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";

/// One merge patch of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// `group/version` under which the object was read.
    pub api_version: String,
    /// Kind.
    pub kind: String,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// The JSON merge patch.
    pub merge: Value,
}

/// The value of a request that is made at this time; nanoseconds keep two of them apart.
pub fn token(now: Timestamp) -> String {
    format!("{now:.9}")
}

/// The patch that asks Flux to look at an object now; `token` comes back as `status.lastHandledReconcileAt`.
pub fn reconcile<S>(object: &Object<S>, token: &str) -> Patch {
    Patch {
        api_version: object.api_version.clone(),
        kind: object.kind.clone(),
        namespace: object.metadata.namespace.clone(),
        name: object.metadata.name.clone(),
        merge: json!({"metadata": {"annotations": {REQUESTED_AT: token}}}),
    }
}

/// The token, or the next moment after the last request that was handled: where our clock is behind that of whoever made that
/// one, its handling must not count as an answer to ours.
fn after(token: &str, handled: &[Option<&str>]) -> String {
    let time = |text: &str| text.parse::<Timestamp>().ok();
    let last = handled.iter().flatten().filter_map(|text| time(text)).max();
    let next = last.zip(time(token)).filter(|(last, token)| last >= token);
    let next = next.and_then(|(last, _)| last.checked_add(jiff::SignedDuration::from_nanos(1)).ok());
    next.map_or_else(|| token.to_owned(), self::token)
}

/// Whether a controller has handled the request `token`, or one that came after it.
pub fn is_handled(handled: Option<&str>, token: &str) -> bool {
    let Some(handled) = handled else { return false };
    let time = |text: &str| text.parse::<Timestamp>().ok();
    handled == token || time(handled).zip(time(token)).is_some_and(|(handled, asked)| handled > asked)
}

/// How far the request has come with a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Nobody was asked.
    Planned,
    /// source-controller was asked.
    SourceAsked,
    /// kustomize-controller was asked; the source has handled it.
    KustomizationAsked,
    /// Both have handled it.
    Handled,
}

/// A pair that Flux is asked to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The name of both objects.
    pub name: String,
    /// Whether it is a parent: workloads are asked after it.
    pub parent: bool,
    /// How far it is.
    pub stage: Stage,
    /// The value that is written and waited for.
    token: String,
}

/// A request to look at some pairs of one cluster, now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pairs: Vec<Pair>,
}

impl Request {
    /// A request for these pairs; `token` is the time of now in RFC 3339.
    pub fn new(token: &str, parents: impl IntoIterator<Item = String>, workloads: impl IntoIterator<Item = String>) -> Self {
        let pair = |parent| move |name| Pair { name, parent, stage: Stage::Planned, token: token.to_owned() };
        let pairs = parents.into_iter().map(pair(true)).chain(workloads.into_iter().map(pair(false))).collect();
        Self { pairs }
    }

    /// Asks once more for a pair, or for the first time: what it was asked for before is of no interest any more.
    pub fn renew(&mut self, name: &str, parent: bool, token: &str) {
        let pair = Pair { name: name.to_owned(), parent, stage: Stage::Planned, token: token.to_owned() };
        match self.pairs.iter_mut().find(|known| known.name == name) {
            Some(known) => *known = pair,
            None => self.pairs.push(pair),
        }
    }

    /// The value that is written and waited for with this pair; `None`: nobody asks for it.
    pub fn token_of(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|pair| pair.name == name).map(|pair| pair.token.as_str())
    }

    /// The pairs, parents first.
    pub fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// Whether all have handled it.
    pub fn is_handled(&self) -> bool {
        self.pairs.iter().all(|pair| pair.stage == Stage::Handled)
    }

    /// Looks at what the cluster has now and gives the patches that are due; each is given once.
    pub fn next(&mut self, objects: &Objects) -> Vec<Patch> {
        let mut due = Vec::new();
        for parents in [true, false] {
            for pair in self.pairs.iter_mut().filter(|pair| pair.parent == parents) {
                advance(pair, objects, &mut due);
            }
            if self.pairs.iter().any(|pair| pair.parent && pair.stage != Stage::Handled) {
                break;
            }
        }
        due
    }

    /// All patches, as if each were handled at once: what `--dry-run` shows.
    pub fn all(&self, objects: &Objects) -> Vec<Patch> {
        let of = |pair: &Pair| {
            let (source, kustomization) = (source(objects, &pair.name), kustomization(objects, &pair.name));
            let handled = [source.and_then(Object::handled), kustomization.and_then(Object::handled)];
            let token = after(&pair.token, &handled);
            [source.map(|object| reconcile(object, &token)), kustomization.map(|object| reconcile(object, &token))]
        };
        self.pairs.iter().flat_map(of).flatten().collect()
    }
}

fn source<'a>(objects: &'a Objects, name: &str) -> Option<&'a Source> {
    objects.sources.iter().flatten().find(|object| object.metadata.name == name)
}

fn kustomization<'a>(objects: &'a Objects, name: &str) -> Option<&'a Kustomization> {
    objects.kustomizations.iter().flatten().find(|object| object.metadata.name == name)
}

fn advance(pair: &mut Pair, objects: &Objects, due: &mut Vec<Patch>) {
    let (Some(source), Some(kustomization)) = (source(objects, &pair.name), kustomization(objects, &pair.name)) else { return };
    if pair.stage == Stage::Planned {
        pair.token = after(&pair.token, &[source.handled(), kustomization.handled()]);
    }
    let token = pair.token.clone();
    if pair.stage == Stage::Planned {
        due.push(reconcile(source, &token));
        pair.stage = Stage::SourceAsked;
    }
    if pair.stage == Stage::SourceAsked && is_handled(source.handled(), &token) {
        due.push(reconcile(kustomization, &token));
        pair.stage = Stage::KustomizationAsked;
    }
    if pair.stage == Stage::KustomizationAsked && is_handled(kustomization.handled(), &token) {
        pair.stage = Stage::Handled;
    }
}

/// Whom to ask.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    /// These; empty: every workload that the cluster has.
    pub names: &'a [String],
    /// The names of parents: `--all` leaves them out.
    pub parents: &'a [String],
    /// The parents that applied them go first.
    pub with_parent: bool,
}

/// Who would be asked on one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The request.
    pub request: Request,
    /// Names that the cluster does not have.
    pub absent: Vec<String>,
    /// Who was not named and is left out, in words.
    pub skipped: Vec<String>,
    /// Why it cannot be done, in words, with what to do.
    pub refused: Vec<(String, Vec<String>)>,
}

/// Chooses the pairs of one cluster.
pub fn plan(objects: &Objects, choice: &Choice<'_>, token: &str) -> Planned {
    let sources = objects.sources.iter().flatten().map(|object| object.metadata.name.as_str());
    let kustomizations = objects.kustomizations.iter().flatten().map(|object| object.metadata.name.as_str());
    let there: BTreeSet<&str> = sources.chain(kustomizations).collect();
    let all = there.iter().map(|name| (*name).to_owned()).filter(|name| !choice.parents.contains(name));
    let wanted: BTreeSet<String> = if choice.names.is_empty() { all.collect() } else { choice.names.iter().cloned().collect() };
    let (mut absent, mut skipped, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    let (mut workloads, mut parents) = (Vec::new(), BTreeSet::new());
    for name in wanted {
        match refusal(objects, &name) {
            _ if !there.contains(name.as_str()) => absent.push(name),
            Some((words, _)) if choice.names.is_empty() => skipped.push(words),
            Some(why) => refused.push(why),
            None => {
                if choice.with_parent {
                    let owner = kustomization(objects, &name).and_then(Object::owner).map(|(owner, _)| owner.to_owned());
                    match owner {
                        Some(owner) => drop(parents.insert(owner)),
                        None => refused.push((format!("{name} has no parent: nothing applied it"), Vec::new())),
                    }
                }
                workloads.push(name);
            }
        }
    }
    refused.extend(parents.iter().filter_map(|name| refusal(objects, name)));
    workloads.retain(|name| !parents.contains(name));
    Planned { request: Request::new(token, parents, workloads), absent, skipped, refused }
}

/// Why a pair cannot be asked, in words, with what to do; `None` when it can.
pub fn refusal(objects: &Objects, name: &str) -> Option<(String, Vec<String>)> {
    let namespace = |namespace: &str| if namespace.is_empty() { String::new() } else { format!("-n {namespace} ") };
    match (source(objects, name), kustomization(objects, name)) {
        (None, None) => Some((format!("there is no workload {name} on the cluster"), Vec::new())),
        (None, Some(_)) => Some((format!("{name} has no OCIRepository on the cluster"), Vec::new())),
        (Some(_), None) => Some((format!("{name} has no Kustomization on the cluster"), Vec::new())),
        (Some(source), Some(kustomization)) => {
            let deleting = [&source.metadata, &kustomization.metadata].iter().any(|meta| meta.deletion_timestamp.is_some());
            if deleting {
                return Some((format!("{name} is being deleted"), Vec::new()));
            }
            let mut what = Vec::new();
            let mut hints = Vec::new();
            if source.suspended() {
                what.push("source");
                hints.push(format!("flux {}resume source oci {name}", namespace(&source.metadata.namespace)));
            }
            if kustomization.suspended() {
                what.push("Kustomization");
                hints.push(format!("flux {}resume kustomization {name}", namespace(&kustomization.metadata.namespace)));
            }
            let words = || format!("{name} is suspended (its {}): Flux would only note the request", what.join(" and its "));
            (!what.is_empty()).then(|| (words(), hints))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Choice, REQUESTED_AT, Request, Stage, is_handled, plan, refusal, token};
    use crate::observed::Objects;
    use serde_json::{Value, json};

    const TOKEN: &str = "2026-11-24T10:00:00.5Z";

    fn objects(handled: &[(&str, Option<&str>, Option<&str>)], spec: &Value) -> Objects {
        let object = |kind: &str, name: &str, handled: Option<&str>| {
            json!({"apiVersion": "g/v1", "kind": kind, "metadata": {"name": name, "namespace": "n"}, "spec": spec,
                "status": {"lastHandledReconcileAt": handled}})
        };
        let sources: Value = handled.iter().map(|it| object("OCIRepository", it.0, it.1)).collect();
        let kustomizations: Value = handled.iter().map(|it| object("Kustomization", it.0, it.2)).collect();
        Objects {
            sources: Ok(serde_json::from_str(&sources.to_string()).unwrap()),
            kustomizations: Ok(serde_json::from_str(&kustomizations.to_string()).unwrap()),
        }
    }

    #[test]
    fn handled_means_this_request_or_a_later_one() {
        assert!(is_handled(Some(TOKEN), TOKEN));
        assert!(is_handled(Some("2026-11-24T10:00:01Z"), TOKEN));
        for not in [None, Some("2026-11-24T10:00:00.499999999Z"), Some("by-hand"), Some("")] {
            assert!(!is_handled(not, TOKEN), "{not:?}");
        }
        assert!(is_handled(Some("by-hand"), "by-hand"));
    }

    #[test]
    fn a_source_goes_before_its_kustomization_and_a_parent_before_workloads() {
        let mut request = Request::new(TOKEN, ["p".to_owned()], ["w".to_owned()]);
        let names = |request: &mut Request, state: &[(&str, Option<&str>, Option<&str>)]| -> Vec<String> {
            request.next(&objects(state, &json!({}))).into_iter().map(|patch| format!("{} {}", patch.kind, patch.name)).collect()
        };
        let old = Some("2026-11-24T09:00:00Z");
        let now = Some(TOKEN);
        assert_eq!(names(&mut request, &[("p", old, old), ("w", old, old)]), ["OCIRepository p"]);
        assert!(names(&mut request, &[("p", old, old), ("w", old, old)]).is_empty(), "each patch is given once");
        assert_eq!(names(&mut request, &[("p", now, old), ("w", old, old)]), ["Kustomization p"]);
        assert_eq!(names(&mut request, &[("p", now, now), ("w", old, old)]), ["OCIRepository w"]);
        assert_eq!(request.pairs()[0].stage, Stage::Handled);
        assert_eq!(names(&mut request, &[("p", now, now), ("w", now, old)]), ["Kustomization w"]);
        assert!(!request.is_handled());
        assert!(names(&mut request, &[("p", now, now), ("w", now, now)]).is_empty());
        assert!(request.is_handled());
    }

    #[test]
    fn a_renewed_pair_is_asked_again_and_the_others_are_not() {
        let mut request = Request::new(TOKEN, [], ["v".to_owned(), "w".to_owned()]);
        let handled = [("v", Some(TOKEN), Some(TOKEN)), ("w", Some(TOKEN), Some(TOKEN))];
        request.next(&objects(&[("v", None, None), ("w", None, None)], &json!({})));
        while !request.next(&objects(&handled, &json!({}))).is_empty() {}
        assert!(request.is_handled());
        let later = "2026-11-24T10:00:07Z";
        request.renew("w", false, later);
        let due = request.next(&objects(&handled, &json!({})));
        assert_eq!(
            due.iter().map(|patch| (patch.kind.as_str(), patch.name.as_str())).collect::<Vec<_>>(),
            [("OCIRepository", "w")]
        );
        assert_eq!(due[0].merge["metadata"]["annotations"][REQUESTED_AT], later);
        assert_eq!((request.token_of("v"), request.token_of("w"), request.token_of("x")), (Some(TOKEN), Some(later), None));
        request.renew("x", false, later);
        assert_eq!(request.pairs().len(), 3);
    }

    #[test]
    fn a_clock_that_is_behind_proves_nothing_by_an_older_request() {
        let mut request = Request::new(TOKEN, [], ["w".to_owned()]);
        let ahead = Some("2026-11-24T10:10:00Z");
        let state = objects(&[("w", ahead, ahead)], &json!({}));
        let shown = request.all(&state);
        let due = request.next(&state);
        assert_eq!(due.len(), 1, "the source alone: it has handled somebody else's request, not ours");
        assert_eq!(due[0].merge["metadata"]["annotations"][REQUESTED_AT], "2026-11-24T10:10:00.000000001Z");
        assert_eq!(
            (shown[0].merge.clone(), request.token_of("w")),
            (due[0].merge.clone(), Some("2026-11-24T10:10:00.000000001Z"))
        );
        assert!(request.next(&state).is_empty());
    }

    #[test]
    fn patches_are_the_annotation_alone() {
        let request = Request::new(TOKEN, [], ["w".to_owned()]);
        let all = request.all(&objects(&[("w", None, None)], &json!({})));
        assert_eq!(all.len(), 2);
        assert_eq!(all[1].merge, json!({"metadata": {"annotations": {REQUESTED_AT: TOKEN}}}));
        assert_eq!((all[1].api_version.as_str(), all[1].namespace.as_str()), ("g/v1", "n"));
    }

    #[test]
    fn suspended_and_absent_ones_are_refused_in_words() {
        let suspended = objects(&[("w", None, None)], &json!({"suspend": true}));
        let (words, hints) = refusal(&suspended, "w").unwrap();
        assert!(words.contains("its source and its Kustomization"), "{words}");
        assert_eq!(hints, ["flux -n n resume source oci w", "flux -n n resume kustomization w"]);
        assert!(refusal(&suspended, "x").unwrap().0.contains("no workload x"));
        assert_eq!(refusal(&objects(&[("w", None, None)], &json!({})), "w"), None);
    }

    #[test]
    fn a_plan_leaves_out_parents_and_refuses_what_was_named() {
        let parents = ["p".to_owned()];
        let state = [("p", None, None), ("w", None, None)];
        let all = Choice { names: &[], parents: &parents, with_parent: false };
        let planned = plan(&objects(&state, &json!({})), &all, TOKEN);
        assert_eq!(planned.request.pairs().iter().map(|pair| pair.name.as_str()).collect::<Vec<_>>(), ["w"]);
        let suspended = plan(&objects(&state, &json!({"suspend": true})), &all, TOKEN);
        assert_eq!((suspended.skipped.len(), suspended.refused.len()), (1, 0));
        let names = ["w".to_owned(), "x".to_owned()];
        let named = Choice { names: &names, parents: &parents, with_parent: true };
        let planned = plan(&objects(&state, &json!({"suspend": true})), &named, TOKEN);
        assert_eq!((planned.skipped.len(), planned.refused.len(), planned.absent), (0, 1, vec!["x".to_owned()]));
        let planned = plan(&objects(&state, &json!({})), &named, TOKEN);
        assert!(planned.refused[0].0.contains("no parent"), "{planned:?}");
    }

    #[test]
    fn tokens_have_nanoseconds() {
        assert_eq!(token("2026-11-24T10:00:00Z".parse().unwrap()), "2026-11-24T10:00:00.000000000Z");
    }
}
