//! Waiting, as a pure state machine: rows in, "done", "failed", "too late" or "go on" out. The time is passed in.
//!
//! What moves a row: a new digest in the registry starts it anew (and says so); Ready with that digest ends it; a failure that
//! is provably about that digest starts a clock, which `--grace` ends; a retry under way does not stop that clock, anything
//! else does. What can never come by itself (suspended, a name that is nowhere, a parent that failed) fails at once.

use super::item::{Item, ItemKind};
use super::standing::{self, Around, Standing};
use super::words::{Link, Verdict};
use crate::actions::Request;
use crate::flux::revision::short;
use crate::observed::{Gap, NO_PARENT};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What is waited for.
#[derive(Debug, Clone)]
pub struct Goal {
    /// Only these workloads; empty: all, and the parent.
    pub names: Vec<String>,
    /// One deadline for all.
    pub timeout: Duration,
    /// How long a failure may last before it is believed.
    pub grace: Duration,
    /// Registries are asked; without, Flux's last look is believed.
    pub registry: bool,
    /// The command that waits for the same without asking registries.
    pub without_registry: String,
}

/// What is known besides the rows.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Time since the wait began.
    pub now: Duration,
    /// What Flux was asked to look at, by cluster.
    pub requests: &'a BTreeMap<String, Request>,
    /// Why what is published could not be read, when nothing else says what to expect; whether no waiting changes that.
    pub unread: Option<(&'a str, bool)>,
    /// Why Flux could not be asked for a row, by cluster and workload: nobody will ask again.
    pub refused: &'a BTreeMap<(String, String), String>,
    /// Clusters that give no answer now.
    pub gaps: &'a [(String, Gap)],
}

/// A row that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The cluster.
    pub cluster: String,
    /// The workload; empty when the cluster as a whole is meant.
    pub workload: String,
    /// The verdict's word, or what stands in for it.
    pub verdict: String,
    /// Why.
    pub words: String,
    /// What to do next.
    pub next: Vec<String>,
}

/// What a step decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Everything is there.
    Done,
    /// This will not come.
    Failed(Vec<Trouble>),
    /// The time is up, and this was still on its way.
    Late(Vec<Trouble>),
    /// Go on; look again at this time at the latest.
    Waiting(Duration),
}

/// A step, and what is worth a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// What was decided.
    pub step: Step,
    /// Expectations that moved, in words.
    pub notes: Vec<String>,
    /// Rows that are there.
    pub arrived: usize,
    /// Rows that are waited for.
    pub total: usize,
}

/// What a wait remembers from step to step.
#[derive(Debug, Clone, Default)]
pub struct State {
    rows: BTreeMap<Key, Row>,
    others: BTreeMap<String, Duration>,
}

/// Cluster, runtime, environment, workload.
pub(super) type Key = (String, String, String, String);

#[derive(Debug, Clone, Default)]
struct Row {
    /// The digest that is waited for.
    wanted: Option<String>,
    /// The source's last failed attempt when that began.
    attempt: Option<String>,
    /// The specs' generations that the clock is about.
    generations: Option<(i64, i64)>,
    /// Since when the attempt at it fails.
    failing: Option<Duration>,
}

/// A row's standing, with the clock of its failure.
pub(super) enum Fate {
    Arrived,
    Waiting(String),
    Failing(String, Duration),
    Failed(String),
    /// It will not come, and the others are waited for all the same.
    Lost(String),
}

impl State {
    /// Takes in what the rows say now.
    pub fn step(&mut self, items: &[Item], goal: &Goal, facts: &Facts<'_>) -> Turn {
        let mut notes = Vec::new();
        let mut parents: BTreeMap<[&str; 3], String> = BTreeMap::new();
        let mut fates: Vec<(&Item, Fate)> = Vec::new();
        for kind in [ItemKind::Parent, ItemKind::Workload] {
            for item in items.iter().filter(|item| item.kind == kind) {
                let scope = [item.cluster.as_str(), item.runtime.as_str(), item.environment.as_str()];
                let wanted = is_wanted(item, goal, items);
                let mut unheard = Vec::new();
                let said = if wanted { &mut notes } else { &mut unheard };
                let fate = self.row(item, goal, facts, parents.get(&scope).map(String::as_str), said);
                if let (ItemKind::Parent, Fate::Failed(why)) = (kind, &fate) {
                    parents.insert(scope, why.clone());
                }
                if wanted {
                    fates.push((item, fate));
                }
            }
        }
        let mut troubles: Vec<(Trouble, Fate)> = self.others(goal, facts);
        let arrived = fates.iter().filter(|(_, fate)| matches!(fate, Fate::Arrived)).count();
        let total = fates.len();
        troubles.extend(
            fates.into_iter().filter(|(_, fate)| !matches!(fate, Fate::Arrived)).map(|(item, fate)| (trouble(item, &fate), fate)),
        );
        let step = decide(&troubles, total, goal, facts.now);
        Turn { step, notes, arrived, total }
    }

    fn row(&mut self, item: &Item, goal: &Goal, facts: &Facts<'_>, parent_failed: Option<&str>, notes: &mut Vec<String>) -> Fate {
        let key = (item.cluster.clone(), item.runtime.clone(), item.environment.clone(), item.workload.clone());
        let attempt = item.source.as_ref().map(|source| source.look.attempt.clone());
        let is_new = !self.rows.contains_key(&key);
        let row = self.rows.entry(key).or_default();
        let moved = item.expected.digest.is_some() && item.expected.digest != row.wanted;
        if moved && let (Some(new), Some(old)) = (&item.expected.digest, &row.wanted) {
            let (new, old) = (short(new), short(old));
            notes.push(format!("{} on {}: superseded, the registry has {new} now instead of {old}", item.workload, item.cluster));
        }
        if moved || is_new {
            *row = Row { wanted: item.expected.digest.clone().or(row.wanted.take()), attempt: attempt.clone(), ..Row::default() };
        }
        let generations =
            item.source.as_ref().zip(item.kustomization.as_ref()).map(|(s, k)| (s.look.generation, k.look.generation));
        if generations != row.generations {
            (row.generations, row.failing) = (generations, None);
        }
        let token = facts.requests.get(&item.cluster).and_then(|request| request.token_of(&item.workload));
        let around = Around { registry: goal.registry, token, fresh: attempt != row.attempt, parent_failed };
        let refused = facts.refused.get(&(item.cluster.clone(), item.workload.clone()));
        match standing::of(item, &around) {
            Standing::Arrived => {
                row.failing = None;
                Fate::Arrived
            }
            _ if refused.is_some() => Fate::Lost(format!("Flux could not be asked: {}", refused.map_or("", String::as_str))),
            Standing::Never(words) => Fate::Failed(words),
            Standing::Failing(words) => clock(&mut row.failing, words, goal, facts.now),
            Standing::Waiting(words) => {
                if !is_retry(item) {
                    row.failing = None;
                }
                Fate::Waiting(words)
            }
        }
    }

    /// Clusters without an answer, and what is published when it could not be read.
    fn others(&mut self, goal: &Goal, facts: &Facts<'_>) -> Vec<(Trouble, Fate)> {
        let mut found = Vec::new();
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for (cluster, gap) in facts.gaps {
            names.insert(cluster);
            let fate = if will_last(&gap.reason) {
                let mut since = self.others.get(cluster).copied();
                let fate = clock(&mut since, gap.message.clone(), goal, facts.now);
                self.others.insert(cluster.clone(), since.unwrap_or(facts.now));
                // The other clusters are waited for all the same.
                if let Fate::Failed(words) = fate { Fate::Lost(words) } else { fate }
            } else {
                self.others.remove(cluster);
                Fate::Waiting(gap.message.clone())
            };
            // One without a parent answers well enough.
            let verdict = if gap.reason == NO_PARENT { Verdict::Unknown } else { Verdict::Unreachable };
            let verdict = verdict.as_str().to_owned();
            let (cluster, words) = (cluster.clone(), gap.message.clone());
            found.push((Trouble { cluster, workload: String::new(), verdict, words, next: Vec::new() }, fate));
        }
        if let Some((why, lasts)) = facts.unread.filter(|_| goal.names.is_empty()) {
            let words = format!("what is published could not be read: {why}");
            let fate = if lasts {
                names.insert("");
                let mut since = self.others.get("").copied();
                let fate = clock(&mut since, words.clone(), goal, facts.now);
                self.others.insert(String::new(), since.unwrap_or(facts.now));
                fate
            } else {
                Fate::Waiting(words.clone())
            };
            let verdict = Verdict::Unknown.as_str().to_owned();
            let next = vec![goal.without_registry.clone()];
            found.push((Trouble { cluster: String::new(), workload: String::new(), verdict, words, next }, fate));
        }
        self.others.retain(|name, _| names.contains(name.as_str()));
        found
    }
}

pub(super) fn clock(since: &mut Option<Duration>, words: String, goal: &Goal, now: Duration) -> Fate {
    let since = *since.get_or_insert(now);
    if now.saturating_sub(since) >= goal.grace { Fate::Failed(words) } else { Fate::Failing(words, since) }
}

/// Whether a row is waited for. A name that is nowhere in one runtime or cluster and somewhere in another is waited for there.
pub(super) fn is_wanted(item: &Item, goal: &Goal, items: &[Item]) -> bool {
    // A cluster without an answer is one trouble, not one for each of its rows.
    if item.verdict == Verdict::Unreachable || item.reason == NO_PARENT {
        return false;
    }
    if goal.names.is_empty() {
        return true;
    }
    let nowhere = |item: &Item| {
        item.verdict == Verdict::Missing && item.broken.as_ref().is_some_and(|broken| broken.link == Link::Declared)
    };
    goal.names.contains(&item.workload)
        && (!nowhere(item) || !items.iter().any(|other| other.workload == item.workload && !nowhere(other)))
}

/// A retry of the same digest under way: Flux says Progressing from the start of each run to its end.
fn is_retry(item: &Item) -> bool {
    item.verdict == Verdict::Reconciling && item.kustomization.as_ref().is_some_and(|it| it.ready == "Unknown" && it.look.current)
}

/// Reasons that no waiting changes.
fn will_last(reason: &str) -> bool {
    matches!(reason, "Unauthorized" | "TLS" | "ExecPlugin" | "Forbidden" | "NotInstalled" | "Garbage" | "Proxy" | "Refused")
}

pub(super) fn trouble(item: &Item, fate: &Fate) -> Trouble {
    let words = match fate {
        Fate::Arrived => String::new(),
        Fate::Waiting(words) | Fate::Failing(words, _) | Fate::Failed(words) | Fate::Lost(words) => words.clone(),
    };
    let at = item.broken.as_ref().map(|broken| format!(" at {}", broken.link.as_str())).unwrap_or_default();
    Trouble {
        cluster: item.cluster.clone(),
        workload: item.workload.clone(),
        verdict: format!("{}{at}", item.verdict.as_str()),
        words,
        next: item.broken.as_ref().map(|broken| broken.next.clone()).unwrap_or_default(),
    }
}

impl Trouble {
    /// Whether it is about a cluster as a whole, which gives no answer.
    pub fn is_of_cluster(&self) -> bool {
        self.workload.is_empty() && !self.cluster.is_empty()
    }
}

pub(super) fn decide(troubles: &[(Trouble, Fate)], total: usize, goal: &Goal, now: Duration) -> Step {
    let of = |wanted: &dyn Fn(&Trouble, &Fate) -> bool| -> Vec<Trouble> {
        troubles.iter().filter(|(trouble, fate)| wanted(trouble, fate)).map(|(trouble, _)| trouble.clone()).collect()
    };
    let lost = |fate: &Fate| matches!(fate, Fate::Lost(_));
    if troubles.iter().any(|(_, fate)| matches!(fate, Fate::Failed(_))) {
        return Step::Failed(of(&|_, fate| matches!(fate, Fate::Failed(_)) || lost(fate)));
    }
    if troubles.is_empty() && total > 0 {
        return Step::Done;
    }
    // Nothing is on its way any more.
    if !troubles.is_empty() && troubles.iter().all(|(_, fate)| lost(fate)) {
        return Step::Failed(of(&|_, _| true));
    }
    if now >= goal.timeout {
        let no = |trouble: &Trouble, fate: &Fate| match fate {
            Fate::Failing(..) => true,
            Fate::Lost(_) => !trouble.is_of_cluster(),
            _ => false,
        };
        let failing = of(&no);
        return if failing.is_empty() { Step::Late(of(&|_, _| true)) } else { Step::Failed(failing) };
    }
    let ends =
        troubles.iter().filter_map(|(_, fate)| if let Fate::Failing(_, since) = fate { Some(*since + goal.grace) } else { None });
    Step::Waiting(ends.fold(goal.timeout, Duration::min))
}
