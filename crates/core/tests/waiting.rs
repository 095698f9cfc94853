//! Waiting, judged from documents: what a cluster and a registry say at each moment, and what the wait makes of it.
//!
//! The races are those that real waits got wrong, in both directions: an old success that hides a new break, an old failure
//! that blocks its own repair, a source that is Ready while the new digest is still on its way.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use runway_core::actions::Request;
use runway_core::assess::wait::{Facts, Goal, State, Step, Turn};
use runway_core::assess::{Expected, Item, Published, Verdict, assess};
use runway_core::inventory;
use runway_core::observed::{Answer, Gap, Objects, Observed, Registry};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const OLD: char = 'a';
const NEW: char = 'b';
const NEWER: char = 'c';
/// The inventory's digest.
const INVENTORY: char = '1';
const TOKEN: &str = "2026-11-24T10:00:00Z";

fn digest(letter: char) -> String {
    format!("sha256:{}", letter.to_string().repeat(64))
}

/// A pair of objects; what is not said is Ready with the digest NEW at generation 1.
#[derive(Clone)]
struct Pair {
    name: &'static str,
    has: char,
    applied: char,
    attempted: char,
    source: (&'static str, &'static str, &'static str),
    kustomization: (&'static str, &'static str, &'static str),
    stored: &'static str,
    generation: i64,
    looked: i64,
    handled: (Option<&'static str>, Option<&'static str>),
    suspended: bool,
    interval: &'static str,
}

impl Pair {
    fn of(name: &'static str, digest: char) -> Self {
        Self {
            name,
            has: digest,
            applied: digest,
            attempted: digest,
            source: ("True", "Succeeded", "09:00:00"),
            kustomization: ("True", "ReconciliationSucceeded", "09:00:00"),
            stored: "09:00:00",
            generation: 1,
            looked: 1,
            handled: (None, None),
            suspended: false,
            interval: "5m0s",
        }
    }

    fn fetched(mut self, digest: char, stored: &'static str) -> Self {
        (self.has, self.stored) = (digest, stored);
        self
    }

    /// The Kustomization failed at this digest.
    fn failed(mut self, reason: &'static str, attempted: char, since: &'static str) -> Self {
        self.kustomization = ("False", reason, since);
        self.attempted = attempted;
        self
    }

    fn source_failed(mut self, since: &'static str) -> Self {
        self.source = ("False", "OCIArtifactPullFailed", since);
        self
    }

    fn progressing(mut self) -> Self {
        self.kustomization = ("Unknown", "Progressing", "10:00:05");
        self
    }

    fn json(&self, namespace: &str, repository: &str, tag: &str) -> (Value, Value) {
        let condition = |(status, reason, since): (&str, &str, &str)| {
            json!([{"type": "Ready", "status": status, "reason": reason, "message": format!("says {reason}"),
                "lastTransitionTime": format!("2026-11-24T{since}Z"), "observedGeneration": self.looked}])
        };
        let labels =
            json!({"kustomize.toolkit.fluxcd.io/name": "gke-inventory", "kustomize.toolkit.fluxcd.io/namespace": namespace});
        let meta = json!({"name": self.name, "namespace": namespace, "generation": self.generation,
            "labels": if self.name == "gke-inventory" { json!({}) } else { labels }});
        let revision = |letter: char| format!("{tag}@{}", digest(letter));
        let suspend = self.suspended;
        let source = json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "OCIRepository", "metadata": meta,
            "spec": {"interval": self.interval, "url": format!("oci://{repository}"), "ref": {"tag": tag}, "suspend": suspend},
            "status": {"observedGeneration": self.looked, "conditions": condition(self.source), "lastHandledReconcileAt": self.handled.0,
                "artifact": {"revision": revision(self.has), "lastUpdateTime": format!("2026-11-24T{}Z", self.stored)}}});
        let kustomization = json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": meta,
            "spec": {"interval": "5m0s", "prune": true, "sourceRef": {"kind": "OCIRepository", "name": self.name}},
            "status": {"observedGeneration": self.looked, "conditions": condition(self.kustomization),
                "lastHandledReconcileAt": self.handled.1,
                "lastAppliedRevision": revision(self.applied), "lastAttemptedRevision": revision(self.attempted)}});
        (source, kustomization)
    }
}

/// One moment: what is there, and what the registry has.
#[derive(Clone)]
struct Moment {
    parent: Option<Pair>,
    workload: Option<Pair>,
    tag: Answer,
    published: bool,
}

fn moment(workload: Pair) -> Moment {
    let parent = Some(Pair::of("gke-inventory", INVENTORY));
    Moment { parent, workload: Some(workload), tag: Answer::Digest(digest(NEW)), published: true }
}

struct Wait {
    state: State,
    goal: Goal,
    requests: BTreeMap<String, Request>,
}

impl Wait {
    fn new() -> Self {
        let goal = Goal {
            names: vec!["svc".to_owned()],
            timeout: Duration::from_secs(1200),
            grace: Duration::from_secs(30),
            registry: true,
            without_registry: "again".to_owned(),
        };
        Self { state: State::default(), goal, requests: BTreeMap::new() }
    }

    fn all() -> Self {
        let mut wait = Self::new();
        wait.goal.names.clear();
        wait
    }

    fn triggered() -> Self {
        let mut wait = Self::new();
        wait.requests.insert("c".to_owned(), Request::new(TOKEN, [], ["svc".to_owned()]));
        wait
    }

    fn at(&mut self, seconds: u64, moment: &Moment) -> Turn {
        let items = self.items("c", moment);
        self.step(seconds, &items)
    }

    fn step(&mut self, seconds: u64, items: &[Item]) -> Turn {
        let facts = Facts {
            now: Duration::from_secs(seconds),
            requests: &self.requests,
            unread: None,
            refused: &BTreeMap::new(),
            gaps: &[],
        };
        self.state.step(items, &self.goal, &facts)
    }

    fn items(&self, cluster: &str, moment: &Moment) -> Vec<Item> {
        let namespace = "runway-provisioner";
        let (repository, inventory) = ("example.com/r/deployments/svc/deploy", "example.com/r/provisioner/gke-inventory");
        let (mut sources, mut kustomizations) = (Vec::new(), Vec::new());
        for (pair, repository) in [(&moment.parent, inventory), (&moment.workload, repository)] {
            let Some(pair) = pair else { continue };
            let (source, kustomization) = pair.json(namespace, repository, "production");
            sources.push(source);
            kustomizations.push(kustomization);
        }
        let read = |list: Vec<Value>| Value::from(list).to_string();
        let objects = Objects {
            sources: Ok(serde_json::from_str(&read(sources)).unwrap()),
            kustomizations: Ok(serde_json::from_str(&read(kustomizations)).unwrap()),
        };
        let observed = Observed { cluster: cluster.to_owned(), namespace: namespace.to_owned(), objects: Ok(objects) };
        let (mut source, mut kustomization) = Pair::of("svc", NEW).json(namespace, repository, "production");
        for object in [&mut source, &mut kustomization] {
            object.as_object_mut().unwrap().remove("status");
            object["spec"].as_object_mut().unwrap().remove("suspend");
        }
        let objects = if moment.published { vec![source, kustomization] } else { Vec::new() };
        let mut inventory_read = inventory::read::from_objects(objects);
        inventory_read.has_folder = true;
        let expected = Expected {
            runtime: "gke".to_owned(),
            environment: "production".to_owned(),
            namespace: namespace.to_owned(),
            declared: None,
            published: Published::Known { inventory: inventory_read, digest: Some(digest(INVENTORY)) },
        };
        let mut registry = Registry::default();
        registry.insert(format!("{repository}:production"), moment.tag.clone());
        registry.insert(format!("{inventory}:production"), Answer::Digest(digest(INVENTORY)));
        assess(&expected, &observed, &registry, &self.goal.names)
    }
}

fn is_waiting(turn: &Turn) -> bool {
    matches!(turn.step, Step::Waiting(_))
}

#[track_caller]
fn words(turn: &Turn) -> String {
    match &turn.step {
        Step::Failed(list) | Step::Late(list) => {
            list.iter().map(|it| format!("{} {}: {}", it.workload, it.verdict, it.words)).collect::<Vec<_>>().join("\n")
        }
        other => panic!("neither failed nor late: {other:?}"),
    }
}

/// False-pass: Ready, current, healthy, and about the digest of before the push.
#[test]
fn an_old_success_is_not_the_new_one() {
    let mut wait = Wait::new();
    assert!(is_waiting(&wait.at(0, &moment(Pair::of("svc", OLD)))));
    // Fetched and not yet applied: the second race.
    assert!(is_waiting(&wait.at(5, &moment(Pair::of("svc", OLD).fetched(NEW, "10:00:00")))));
    assert!(is_waiting(&wait.at(6, &moment(Pair::of("svc", OLD).fetched(NEW, "10:00:00").progressing()))));
    // Revisions match and Ready is not there: no success either.
    assert!(is_waiting(&wait.at(7, &moment(Pair::of("svc", NEW).progressing()))));
    assert_eq!(wait.at(8, &moment(Pair::of("svc", NEW))).step, Step::Done);
}

/// A success that was said of an older spec.
#[test]
fn a_success_of_an_older_generation_is_none() {
    let mut wait = Wait::new();
    let pair = Pair { generation: 2, ..Pair::of("svc", NEW) };
    assert!(is_waiting(&wait.at(0, &moment(pair.clone()))));
    assert_eq!(wait.at(1, &moment(Pair { looked: 2, ..pair })).step, Step::Done);
}

/// False-fail: the failure of before does not block its own repair, for as long as it takes Flux to look again.
#[test]
fn an_old_failure_is_not_the_new_one() {
    let mut wait = Wait::new();
    let old = Pair { applied: '9', ..Pair::of("svc", OLD) }.failed("BuildFailed", OLD, "08:00:00");
    for seconds in [0, 40, 290] {
        assert!(is_waiting(&wait.at(seconds, &moment(old.clone()))), "{seconds}");
    }
    // The source has the repair, the Kustomization still says what it said of the old one.
    assert!(is_waiting(&wait.at(300, &moment(old.clone().fetched(NEW, "10:00:00")))));
    assert!(is_waiting(&wait.at(340, &moment(old.fetched(NEW, "10:00:00")))));
    assert_eq!(wait.at(345, &moment(Pair::of("svc", NEW))).step, Step::Done);
}

#[test]
fn a_failure_of_the_very_digest_ends_the_wait_after_the_grace() {
    let mut wait = Wait::new();
    let failing = Pair { applied: OLD, ..Pair::of("svc", NEW) }.failed("HealthCheckFailed", NEW, "10:00:30");
    assert!(is_waiting(&wait.at(0, &moment(Pair::of("svc", OLD)))));
    assert_eq!(wait.at(10, &moment(failing.clone())).step, Step::Waiting(Duration::from_secs(40)));
    assert!(is_waiting(&wait.at(39, &moment(failing.clone()))));
    let end = wait.at(40, &moment(failing));
    assert!(words(&end).contains("says HealthCheckFailed"), "{end:?}");
}

#[test]
fn what_recovers_within_the_grace_has_not_failed() {
    let mut wait = Wait::new();
    let failing = Pair { applied: OLD, ..Pair::of("svc", NEW) }.failed("ReconciliationFailed", NEW, "10:00:30");
    assert!(is_waiting(&wait.at(0, &moment(failing))));
    assert!(is_waiting(&wait.at(29, &moment(Pair { applied: OLD, ..Pair::of("svc", NEW) }.progressing()))));
    assert_eq!(wait.at(60, &moment(Pair::of("svc", NEW))).step, Step::Done);
}

/// A retry of the same digest does not give it a new grace, or a short retryInterval would never fail.
#[test]
fn retries_share_one_grace() {
    let mut wait = Wait::new();
    let failing = Pair { applied: OLD, ..Pair::of("svc", NEW) }.failed("BuildFailed", NEW, "10:00:30");
    let retrying = Pair { applied: OLD, ..Pair::of("svc", NEW) }.progressing();
    assert!(is_waiting(&wait.at(0, &moment(failing.clone()))));
    assert!(is_waiting(&wait.at(20, &moment(retrying.clone()))));
    assert!(is_waiting(&wait.at(35, &moment(retrying))), "nothing fails while it is tried");
    assert!(matches!(wait.at(36, &moment(failing)).step, Step::Failed(_)));
}

/// The repair came as a new spec: the clock begins anew.
#[test]
fn a_new_generation_has_its_own_grace() {
    let mut wait = Wait::new();
    let failing = Pair { applied: OLD, ..Pair::of("svc", NEW) }.failed("BuildFailed", NEW, "10:00:30");
    assert!(is_waiting(&wait.at(0, &moment(failing.clone()))));
    let unseen = Pair { generation: 2, ..failing.clone() };
    assert!(is_waiting(&wait.at(31, &moment(unseen))));
    let seen = Pair { generation: 2, looked: 2, ..failing };
    assert!(is_waiting(&wait.at(32, &moment(seen.clone()))));
    assert!(is_waiting(&wait.at(61, &moment(seen.clone()))));
    assert!(matches!(wait.at(62, &moment(seen)).step, Step::Failed(_)));
}

/// The objects were made anew in between, or the spec is another one: what failed before was something else.
#[test]
fn another_failure_has_its_own_grace() {
    let failing = Pair { applied: OLD, ..Pair::of("svc", NEW) }.failed("BuildFailed", NEW, "10:00:30");
    let mut wait = Wait::new();
    assert!(is_waiting(&wait.at(0, &moment(failing.clone()))));
    assert!(is_waiting(&wait.at(10, &Moment { workload: None, ..moment(failing.clone()) })));
    assert!(is_waiting(&wait.at(40, &moment(failing.clone()))));
    let mut wait = Wait::new();
    assert!(is_waiting(&wait.at(0, &moment(failing.clone()))));
    assert!(is_waiting(&wait.at(40, &moment(Pair { generation: 2, looked: 2, ..failing }))));
}

/// Named, and expected on one of two clusters: the other one has nothing to wait for.
#[test]
fn a_name_that_is_nowhere_on_another_cluster_is_not_waited_for_there() {
    let mut wait = Wait::new();
    let mut items = wait.items("c", &moment(Pair::of("svc", NEW)));
    let nowhere = Moment { workload: None, published: false, ..moment(Pair::of("svc", NEW)) };
    items.extend(wait.items("d", &nowhere));
    let turn = wait.step(0, &items);
    assert_eq!((&turn.step, turn.total), (&Step::Done, 1));
}

/// A cluster that is away is one trouble, not one for each of its rows.
#[test]
fn rows_of_a_cluster_that_is_away_are_not_judged() {
    let mut wait = Wait::all();
    let mut items = wait.items("c", &moment(Pair::of("svc", NEW)));
    for item in &mut items {
        item.verdict = Verdict::Unreachable;
    }
    let gaps = [("c".to_owned(), Gap { reason: "ConnectionRefused".to_owned(), message: "away".to_owned() })];
    let facts = Facts {
        now: Duration::from_secs(1200),
        requests: &BTreeMap::new(),
        unread: None,
        refused: &BTreeMap::new(),
        gaps: &gaps,
    };
    let turn = wait.state.step(&items, &wait.goal, &facts);
    let Step::Late(list) = &turn.step else { panic!("{turn:?}") };
    assert_eq!(list.len(), 1, "{list:?}");
}

#[test]
fn a_newer_push_is_waited_for_instead() {
    let mut wait = Wait::new();
    let failing = Pair { applied: OLD, ..Pair::of("svc", NEW) }.failed("BuildFailed", NEW, "10:00:30");
    assert!(is_waiting(&wait.at(0, &moment(failing.clone()))));
    let superseded = Moment { tag: Answer::Digest(digest(NEWER)), ..moment(failing) };
    let turn = wait.at(31, &superseded);
    assert!(is_waiting(&turn), "the failure was about what nobody wants any more: {turn:?}");
    assert!(turn.notes[0].contains("superseded") && turn.notes[0].contains("cccccccc"), "{turn:?}");
    assert!(wait.at(32, &superseded).notes.is_empty(), "said once");
    // What was waited for first has arrived by now: that is no success any more.
    assert!(is_waiting(&wait.at(33, &Moment { tag: Answer::Digest(digest(NEWER)), ..moment(Pair::of("svc", NEW)) })));
    let there = Moment { tag: Answer::Digest(digest(NEWER)), ..moment(Pair::of("svc", NEWER)) };
    assert_eq!(wait.at(40, &there).step, Step::Done);
}

/// `kustomization path not found` never moves lastAttemptedRevision.
#[test]
fn a_missing_path_counts_when_it_is_younger_than_the_artifact() {
    let mut wait = Wait::new();
    let pair =
        |since| Pair { applied: OLD, ..Pair::of("svc", NEW) }.failed("ArtifactFailed", OLD, since).fetched(NEW, "10:00:00");
    for seconds in [0, 40] {
        let turn = wait.at(seconds, &moment(pair("09:59:59")));
        assert!(is_waiting(&turn), "a failure of before the artifact is about another one: {turn:?}");
    }
    assert!(is_waiting(&wait.at(41, &moment(pair("10:00:03")))));
    assert!(matches!(wait.at(71, &moment(pair("10:00:03"))).step, Step::Failed(_)));
}

#[test]
fn a_missing_path_counts_when_the_request_was_handled() {
    let mut wait = Wait::triggered();
    let pair = Pair { applied: OLD, ..Pair::of("svc", NEW) }.failed("ArtifactFailed", OLD, "10:00:03").fetched(NEW, "10:00:00");
    for seconds in [0, 100] {
        assert!(is_waiting(&wait.at(seconds, &moment(pair.clone()))), "Flux has not looked since it was asked");
    }
    let handled = Pair { handled: (Some(TOKEN), Some(TOKEN)), ..pair };
    assert!(is_waiting(&wait.at(101, &moment(handled.clone()))));
    assert!(matches!(wait.at(131, &moment(handled)).step, Step::Failed(_)));
}

/// The same secret was repaired: the old failure is at the very digest, and the request makes it not count.
#[test]
fn a_trigger_makes_only_later_failures_count() {
    let mut wait = Wait::triggered();
    let failing = Pair { applied: OLD, ..Pair::of("svc", NEW) }.failed("ReconciliationFailed", NEW, "09:00:00");
    assert!(is_waiting(&wait.at(0, &moment(failing.clone()))));
    assert!(is_waiting(&wait.at(100, &moment(failing))));
    assert_eq!(wait.at(101, &moment(Pair::of("svc", NEW))).step, Step::Done);
}

/// A source does not say which digest it failed to fetch: an attempt must have ended since the wait began.
#[test]
fn a_source_that_failed_before_is_given_another_try() {
    let mut wait = Wait::new();
    let before = Pair::of("svc", OLD).source_failed("09:30:00");
    assert!(is_waiting(&wait.at(0, &moment(before.clone()))));
    assert!(is_waiting(&wait.at(200, &moment(before))));
    let again = Pair::of("svc", OLD).source_failed("10:03:21");
    assert!(is_waiting(&wait.at(201, &moment(again.clone()))));
    assert!(matches!(wait.at(231, &moment(again)).step, Step::Failed(_)));
    // With the digest in hand a failed look at the registry is no failure of it.
    let mut wait = Wait::new();
    for (seconds, since) in [(0, "09:30:00"), (1, "10:00:00"), (100, "10:00:01")] {
        assert!(is_waiting(&wait.at(seconds, &moment(Pair::of("svc", NEW).source_failed(since)))));
    }
}

#[test]
fn a_suspended_workload_never_arrives() {
    let mut wait = Wait::new();
    let turn = wait.at(0, &moment(Pair { suspended: true, ..Pair::of("svc", OLD) }));
    let Step::Failed(list) = &turn.step else { panic!("{turn:?}") };
    assert!(list[0].words.contains("suspended"), "{list:?}");
    assert!(list[0].next.iter().any(|next| next.contains("resume")), "{list:?}");
}

#[test]
fn a_missing_workload_waits_for_its_parent_and_fails_with_it() {
    let absent = Moment { workload: None, ..moment(Pair::of("svc", NEW)) };
    // The parent is on its way.
    let behind = Moment { parent: Some(Pair::of("gke-inventory", '0')), ..absent.clone() };
    let mut wait = Wait::new();
    assert!(is_waiting(&wait.at(0, &behind)) && is_waiting(&wait.at(500, &behind)));
    // It has applied what is published, and the objects were deleted by hand: it puts them back.
    assert!(is_waiting(&wait.at(501, &absent)) && is_waiting(&wait.at(600, &absent)));
    assert_eq!(wait.at(601, &moment(Pair::of("svc", NEW))).step, Step::Done);
    // It is suspended: nobody will.
    let suspended = Pair { suspended: true, ..Pair::of("gke-inventory", '0') };
    let turn = Wait::new().at(0, &Moment { parent: Some(suspended), ..absent.clone() });
    assert!(words(&turn).contains("its parent will not bring it"), "{turn:?}");
    // It fails at the inventory that is published.
    let broken = Pair { applied: '0', ..Pair::of("gke-inventory", INVENTORY) }.failed("BuildFailed", INVENTORY, "10:00:00");
    let failing = Moment { parent: Some(broken), ..absent.clone() };
    let mut wait = Wait::new();
    assert!(is_waiting(&wait.at(0, &failing)));
    assert!(words(&wait.at(30, &failing)).contains("BuildFailed"));
    // There is none.
    let mut wait = Wait::new();
    let none = Moment { parent: None, ..absent };
    assert!(is_waiting(&wait.at(0, &none)));
    assert!(matches!(wait.at(30, &none).step, Step::Failed(_)));
}

/// The deploy is the old one and failing, and the repair is a new spec that the parent has yet to apply.
#[test]
fn a_failure_under_an_older_spec_waits_for_the_parent() {
    let failing = Pair { interval: "1m0s", ..Pair::of("svc", NEW) }.failed("BuildFailed", NEW, "09:00:00");
    let behind = Moment { parent: Some(Pair::of("gke-inventory", '0')), ..moment(failing) };
    let mut wait = Wait::new();
    assert!(is_waiting(&wait.at(0, &behind)) && is_waiting(&wait.at(100, &behind)));
}

#[test]
fn a_name_that_is_nowhere_fails_at_once() {
    let mut wait = Wait::new();
    let nowhere = Moment { workload: None, published: false, ..moment(Pair::of("svc", NEW)) };
    assert!(matches!(wait.at(0, &nowhere).step, Step::Failed(_)));
}

#[test]
fn a_tag_that_is_not_there_may_still_be_pushed_within_the_grace() {
    let mut wait = Wait::new();
    let gone = Moment { tag: Answer::NotThere, ..moment(Pair::of("svc", OLD)) };
    assert!(is_waiting(&wait.at(0, &gone)));
    assert!(is_waiting(&wait.at(20, &moment(Pair::of("svc", OLD)))));
    assert!(is_waiting(&wait.at(50, &gone)), "its own grace again");
    assert!(words(&wait.at(80, &gone)).contains("not in the registry"));
}

#[test]
fn a_registry_without_an_answer_proves_nothing() {
    let mut wait = Wait::new();
    let away = Moment { tag: Answer::Unknown("503".to_owned()), ..moment(Pair::of("svc", NEW)) };
    assert!(is_waiting(&wait.at(0, &away)));
    let late = wait.at(1200, &away);
    assert!(matches!(late.step, Step::Late(_)) && words(&late).contains("503"), "{late:?}");
    // Unless Flux itself has looked since it was asked to.
    let handled = Pair { handled: (Some(TOKEN), Some("2026-11-24T10:00:01Z")), ..Pair::of("svc", NEW) };
    assert_eq!(Wait::triggered().at(0, &Moment { workload: Some(handled), ..away.clone() }).step, Step::Done);
    // Or nobody wanted it to be asked.
    let mut wait = Wait::new();
    wait.goal.registry = false;
    assert_eq!(wait.at(0, &away).step, Step::Done);
}

#[test]
fn at_the_deadline_what_is_on_its_way_is_late_and_what_fails_has_failed() {
    let mut wait = Wait::new();
    let turn = wait.at(1200, &moment(Pair::of("svc", OLD)));
    assert!(matches!(turn.step, Step::Late(_)), "{turn:?}");
    assert!(words(&turn).starts_with("svc Outdated at fetched"), "{turn:?}");
    let failing = Pair { applied: OLD, ..Pair::of("svc", NEW) }.failed("BuildFailed", NEW, "10:00:30");
    assert!(matches!(Wait::new().at(1200, &moment(failing)).step, Step::Failed(_)));
    assert_eq!(Wait::new().at(1300, &moment(Pair::of("svc", NEW))).step, Step::Done, "what is there is there");
}

#[test]
fn without_names_the_parent_is_waited_for_too() {
    let mut wait = Wait::all();
    let behind = Moment { parent: Some(Pair::of("gke-inventory", '0')), ..moment(Pair::of("svc", NEW)) };
    let turn = wait.at(0, &behind);
    assert_eq!((turn.arrived, turn.total), (1, 2), "{turn:?}");
    assert!(is_waiting(&turn));
    assert_eq!(wait.at(1, &moment(Pair::of("svc", NEW))).step, Step::Done);
    assert_eq!(Wait::new().at(0, &behind).step, Step::Done, "a named workload that is there is there");
}

/// A row may leave Ready again while others are still on their way.
#[test]
fn all_must_be_there_at_the_same_moment() {
    let mut wait = Wait::all();
    let behind = Moment { parent: Some(Pair::of("gke-inventory", '0')), ..moment(Pair::of("svc", NEW)) };
    assert!(is_waiting(&wait.at(0, &behind)));
    assert!(is_waiting(&wait.at(1, &moment(Pair::of("svc", NEW).progressing()))));
    assert_eq!(wait.at(2, &moment(Pair::of("svc", NEW))).step, Step::Done);
}

#[test]
fn clusters_and_registries_that_give_no_answer() {
    let goal = Wait::all().goal;
    let requests = BTreeMap::new();
    let gap = |reason: &str| vec![("c".to_owned(), Gap { reason: reason.to_owned(), message: "no answer".to_owned() })];
    let step = |state: &mut State, now, gaps: &[(String, Gap)], unread| {
        state
            .step(
                &[],
                &goal,
                &Facts { now: Duration::from_secs(now), requests: &requests, unread, refused: &BTreeMap::new(), gaps },
            )
            .step
    };
    // A server that is away may come back; one that does not know us will not.
    let mut state = State::default();
    assert!(matches!(step(&mut state, 0, &gap("ConnectionRefused"), None), Step::Waiting(_)));
    assert!(matches!(step(&mut state, 600, &gap("ConnectionRefused"), None), Step::Waiting(_)));
    for (reason, verdict) in [("ConnectionRefused", "Unreachable"), ("NoParent", "Unknown")] {
        let end = step(&mut state, 1200, &gap(reason), None);
        assert!(matches!(&end, Step::Late(list) if list[0].verdict == verdict), "{end:?}");
    }
    let mut state = State::default();
    assert!(matches!(step(&mut state, 0, &gap("Unauthorized"), None), Step::Waiting(_)));
    assert!(matches!(step(&mut state, 30, &gap("Unauthorized"), None), Step::Failed(_)));
    // Nothing expected is not everything there.
    assert!(matches!(step(&mut State::default(), 0, &[], None), Step::Waiting(_)));
    let mut state = State::default();
    assert!(matches!(step(&mut state, 0, &[], Some(("401", true))), Step::Waiting(_)));
    let end = step(&mut state, 30, &[], Some(("401", true)));
    assert!(matches!(&end, Step::Failed(list) if list[0].words.contains("401") && list[0].next == ["again"]), "{end:?}");
    // A registry that has a fault may lose it.
    let mut state = State::default();
    for now in [0, 30, 1199] {
        assert!(matches!(step(&mut state, now, &[], Some(("500", false))), Step::Waiting(_)), "{now}");
    }
    assert!(matches!(step(&mut state, 1200, &[], Some(("500", false))), Step::Late(_)));
}

/// What one cluster does not take ends no wait for the others.
#[test]
fn a_cluster_that_will_not_answer_ends_the_wait_with_the_last_row() {
    let (requests, refused) = (BTreeMap::new(), BTreeMap::new());
    let gaps = [("away".to_owned(), Gap { reason: "Unauthorized".to_owned(), message: "401".to_owned() })];
    let mut wait = Wait::new();
    let mut step = |seconds, moment: &Moment, refused: &BTreeMap<(String, String), String>| {
        let items = wait.items("c", moment);
        let facts = Facts { now: Duration::from_secs(seconds), requests: &requests, unread: None, refused, gaps: &gaps };
        wait.state.step(&items, &wait.goal, &facts).step
    };
    let busy = moment(Pair::of("svc", NEW).progressing());
    for seconds in [0, 31, 600] {
        assert!(matches!(step(seconds, &busy, &refused), Step::Waiting(_)), "{seconds}");
    }
    let end = step(601, &moment(Pair::of("svc", NEW)), &refused);
    assert!(matches!(&end, Step::Failed(list) if list.len() == 1 && list[0].is_of_cluster()), "{end:?}");
    let end = step(1200, &busy, &refused);
    assert!(matches!(&end, Step::Late(list) if list.len() == 2), "{end:?}");
    // A row that Flux may not be asked for is lost, unless it comes by itself.
    let forbidden = BTreeMap::from([(("c".to_owned(), "svc".to_owned()), "you may not".to_owned())]);
    let end = step(602, &busy, &forbidden);
    assert!(matches!(&end, Step::Failed(list) if list.iter().any(|it| it.words.contains("you may not"))), "{end:?}");
    let end = step(603, &moment(Pair::of("svc", NEW)), &forbidden);
    assert!(matches!(&end, Step::Failed(list) if list.len() == 1 && list[0].is_of_cluster()), "{end:?}");
}
