//! `status --wait`: until every row is Ready with what the registry has now, or will not become so.

use super::FollowFlags;
use super::changes::Changes;
use super::rollout::say;
use crate::clock;
use crate::commands::look::{Answer, Look, Seen, Watcher};
use crate::exit::Outcome;
use crate::gather::follow::Next;
use crate::gather::outbox::Outbox;
use crate::render::{follow as render, status};
use crate::ui::Progress;
use runway_core::actions::{self, Request};
use runway_core::assess::wait::{Facts, Goal, State, Step, Trouble, Turn};
use runway_core::assess::{Item, ItemKind, Verdict};
use runway_core::problem::{Class, Problem};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Registries are asked at most this often.
const EVERY: Duration = Duration::from_secs(15);
/// Lines of one turn; more become one line with the numbers.
const LINES: usize = 20;

/// Waits; gives what was seen last and how it ended.
pub(crate) fn wait(look: &Look<'_>, flags: &FollowFlags) -> Result<(Answer, Outcome), Problem> {
    let (timeout, grace) = flags.limits()?;
    if look.flags.no_registry && !flags.trigger {
        look.ui.warning("registries are not asked: Flux's last look is believed, which may be older than the last push (--trigger makes Flux look)");
    }
    let without_registry = format!("{} --no-registry", look.again("status --wait"));
    let goal = Goal { names: look.named.to_vec(), timeout, grace, registry: !look.flags.no_registry, without_registry };
    let mut waiter = Waiter {
        look,
        goal,
        trigger: flags.trigger,
        begun: clock::monotonic(),
        state: State::default(),
        requests: BTreeMap::new(),
        asked: BTreeMap::new(),
        refused: BTreeMap::new(),
        changes: Changes::default(),
        progress: look.ui.progress(),
        last: None,
        end: None,
    };
    let followed = crate::block_on(look.follow(EVERY, &mut waiter));
    waiter.progress.clear();
    if matches!(&followed, Err(problem) if matches!(problem.class, Class::Interrupted(_))) {
        waiter.say_so_far();
    }
    followed?;
    Ok(waiter.end.unwrap_or_default())
}

struct Waiter<'a> {
    look: &'a Look<'a>,
    goal: Goal,
    trigger: bool,
    begun: Instant,
    state: State,
    /// What Flux was asked to look at, by cluster.
    requests: BTreeMap<String, Request>,
    /// The digest that each row had to reach when Flux was asked last, by cluster and workload.
    asked: BTreeMap<(String, String), Option<String>>,
    /// Why Flux could not be asked for a row, likewise.
    refused: BTreeMap<(String, String), String>,
    changes: Changes,
    progress: Progress,
    /// What was seen last, while it goes on.
    last: Option<Answer>,
    end: Option<(Answer, Outcome)>,
}

impl Watcher for Waiter<'_> {
    fn end(&self) -> Option<Instant> {
        Some(self.begun + self.goal.timeout)
    }

    async fn turn<'a>(&mut self, seen: Seen<'a>, outbox: &mut Outbox<'a>) -> Result<Next, Problem> {
        if self.trigger {
            self.ask_flux(&seen, outbox);
            self.hear(outbox);
        }
        let now = clock::monotonic().saturating_duration_since(self.begun);
        let unread = seen.unread.as_ref().map(|(why, lasts)| (why.as_str(), *lasts));
        let facts = Facts { now, requests: &self.requests, unread, refused: &self.refused, gaps: &seen.gaps };
        let turn = self.state.step(&seen.answer.items, &self.goal, &facts);
        if !matches!(turn.step, Step::Waiting(_) | Step::Late(_)) && self.goal.registry && !seen.fresh {
            // The end must not rest on digests that somebody may have moved since.
            self.note(&turn);
            return Ok(Next::Ask);
        }
        self.tell(&seen, &turn, now);
        let until = match turn.step {
            Step::Waiting(until) => until,
            step => {
                self.progress.clear();
                self.end = Some(self.finish(seen, &step));
                return Ok(Next::End);
            }
        };
        self.last = Some(seen.answer);
        let tick = if self.progress.is_live() { now + Duration::from_secs(1) } else { until };
        Ok(Next::Until(Some(self.begun + until.min(tick))))
    }
}

impl Waiter<'_> {
    /// Asks Flux to look at what is not there yet: once as soon as a cluster answers, and again for what a newer push supersedes.
    fn ask_flux<'a>(&mut self, seen: &Seen<'a>, outbox: &mut Outbox<'a>) {
        for mirror in seen.mirrors {
            let rows: Vec<&Item> = seen.answer.items.iter().filter(|item| item.cluster == mirror.name()).collect();
            let due: Vec<&Item> = rows.into_iter().filter(|item| self.is_due(item) && self.is_news(item)).collect();
            if !due.is_empty() {
                let token = actions::token(clock::now());
                let request = self.requests.entry(mirror.name().to_owned()).or_insert_with(|| Request::new(&token, [], []));
                for item in due {
                    self.refused.remove(&(item.cluster.clone(), item.workload.clone()));
                    request.renew(&item.workload, item.kind == ItemKind::Parent, &token);
                }
            }
            let Some(request) = self.requests.get_mut(mirror.name()) else { continue };
            let patches =
                mirror.observed(|observed| observed.objects.as_ref().map(|objects| request.next(objects)).unwrap_or_default());
            outbox.post(mirror, patches);
        }
    }

    /// Takes in what came of the requests: what is refused is that row's trouble, what failed is sent again.
    fn hear(&mut self, outbox: &Outbox<'_>) {
        for news in outbox.news() {
            if news.goes_on {
                self.progress.clear();
                self.look.ui.warning(&format!("{}; it is tried again", news.problem));
            } else {
                self.refused.insert((news.cluster, news.workload), news.problem.to_string());
            }
        }
    }

    /// Whether Flux was not asked about a row yet, or it has to reach another digest than when Flux was asked. A registry that
    /// gives no answer now says nothing new.
    fn is_news(&mut self, item: &Item) -> bool {
        let key = (item.cluster.clone(), item.workload.clone());
        let wanted = item.expected.digest.clone();
        match self.asked.get(&key) {
            Some(known) if wanted.is_none() || *known == wanted => false,
            _ => {
                self.asked.insert(key, wanted);
                true
            }
        }
    }

    /// Whether a look of Flux's may bring a row further.
    fn is_due(&self, item: &Item) -> bool {
        let is_parent = item.kind == ItemKind::Parent;
        let named = self.goal.names.is_empty() || is_parent || self.goal.names.contains(&item.workload);
        let suspended =
            item.source.as_ref().is_some_and(|it| it.suspended) || item.kustomization.as_ref().is_some_and(|it| it.suspended);
        let there = item.source.is_some() && item.kustomization.is_some();
        let proven = item.verdict == Verdict::Ready && item.expected.digest.is_some();
        named && there && !suspended && !proven
    }

    fn tell(&mut self, seen: &Seen<'_>, turn: &Turn, now: Duration) {
        self.progress.clear();
        self.changes.clusters(seen, self.look.ui);
        self.note(turn);
        let named = &self.goal.names;
        let rows: Vec<&Item> =
            seen.answer.items.iter().filter(|item| named.is_empty() || named.contains(&item.workload)).collect();
        let (changed, _) = self.changes.rows(&rows);
        let several = seen.answer.clusters.len() > 1;
        if self.progress.is_live() {
            let busy = rows.iter().find(|item| item.verdict != Verdict::Ready).copied();
            self.progress.show(&render::live(now, turn.arrived, turn.total, busy));
        } else if changed.len() > LINES {
            let all: Vec<Item> = rows.iter().map(|item| (*item).clone()).collect();
            let summary = status::summary(&all, seen.answer.clusters.len());
            self.look.ui.note(&format!("{} {} changed; {summary}", render::elapsed(now), changed.len()));
        } else {
            for item in changed {
                self.look.ui.note(&render::line(item, now, several));
            }
        }
    }

    fn note(&self, turn: &Turn) {
        for note in &turn.notes {
            self.look.ui.note(note);
        }
    }

    /// Says how far it had come: who ends a wait by hand, or whose CI job does, wants to know what it hung on.
    fn say_so_far(&mut self) {
        let now = render::elapsed(clock::monotonic().saturating_duration_since(self.begun));
        let Some(answer) = self.last.take() else {
            self.look.ui.note(&format!("ended after {now}: no cluster had answered yet"));
            return;
        };
        let answer = answer.only(self.look.named);
        let clusters = answer.clusters.len();
        self.look.ui.note(&format!("ended after {now}, with {}", status::summary(&answer.items, clusters)));
        let open: Vec<&Item> = answer.items.iter().filter(|item| item.verdict != Verdict::Ready).collect();
        for item in open.iter().take(LINES) {
            self.look.ui.note(&render::open(item, clusters > 1));
        }
        if let Some(more) = open.len().checked_sub(LINES).filter(|more| *more > 0) {
            self.look.ui.note(&format!("  and {more} more"));
        }
    }

    fn finish(&self, seen: Seen<'_>, step: &Step) -> (Answer, Outcome) {
        let silent = seen.answer.clusters.iter().filter(|cluster| cluster.error.is_some()).count();
        let nothing = silent == seen.answer.clusters.len();
        let base = Outcome { nothing, partial: silent > 0, ..Outcome::YES };
        let outcome = match step {
            Step::Failed(troubles) => {
                self.say("will not become Ready", troubles);
                // That a cluster gives no answer says nothing about rows: it makes the answer partial.
                Outcome { no: !troubles.iter().all(Trouble::is_of_cluster), ..base }
            }
            Step::Late(troubles) => {
                let what = format!("is not Ready after {}, the time for it (--wait-timeout)", render::elapsed(self.goal.timeout));
                self.say(&what, troubles);
                Outcome { late: !troubles.iter().all(Trouble::is_of_cluster), ..base }
            }
            Step::Done | Step::Waiting(_) => Outcome::YES,
        };
        (seen.answer.only(self.look.named), outcome)
    }

    fn say(&self, what: &str, troubles: &[Trouble]) {
        say(self.look.ui, what, troubles);
    }
}
