//! The one loop of everything that follows clusters: mirrors in, a turn whenever something changed, until the turn says that
//! it is over.
//!
//! What clusters have comes by watches and is never asked for again; what registries have can only be asked for, so that is
//! done on a schedule of its own, beside the turns: a registry that lets us wait holds up nothing but its own answers.

use super::outbox::Outbox;
use crate::clock;
use crate::cluster::Mirror;
use futures_util::future::{LocalBoxFuture, join_all};
use runway_core::problem::Problem;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How long after a change others may join it: a rollout writes many objects at once.
const GATHERING: Duration = Duration::from_millis(200);
/// Registries are asked for at most this share of the time: a round that takes 10 s is followed by 100 s of rest.
const REST: u32 = 10;
/// Once a cluster has answered, the others have so long to join the first turn.
const OTHERS: Duration = Duration::from_secs(1);
/// How long a round of questions may hold up turns that would rest on older answers.
const ROUND: Duration = Duration::from_secs(1);
/// How long the first answers of registries are waited for before it goes on without them.
const FIRST: Duration = Duration::from_secs(5);
/// How long the last question before an end may take: it may have been asked a moment before.
const LAST: Duration = Duration::from_secs(2);

/// What a turn wants next.
pub(crate) enum Next {
    /// Look again when something changes, or at this time.
    Until(Option<Instant>),
    /// Ask registries first: what was just seen shall not rest on old answers.
    Ask,
    /// It is over.
    End,
}

/// Who decides.
pub(crate) trait Follower<'a> {
    /// What registries answered.
    type News;

    /// Asks what can only be asked: registries. The question holds nothing of the follower, which looks on meanwhile.
    fn ask(&mut self, mirrors: &'a [Mirror<'a>]) -> Result<Question<'a, Self::News>, Problem>;

    /// Takes in what registries answered; `None`: nothing in time, and nothing of before counts any more.
    fn learn(&mut self, mirrors: &'a [Mirror<'a>], news: Option<Self::News>) -> Result<(), Problem>;

    /// Looks at what the clusters have now; `fresh` says that registries were asked just before.
    /// What it puts into the outbox is sent, and sent again while it may be taken later.
    async fn turn(&mut self, mirrors: &'a [Mirror<'a>], outbox: &mut Outbox<'a>, fresh: bool) -> Result<Next, Problem>;

    /// When it is over, whoever has not answered by then.
    fn end(&self) -> Option<Instant> {
        None
    }
}

/// A question to registries that is under way.
pub(crate) type Question<'a, News> = LocalBoxFuture<'a, Result<News, Problem>>;

/// What is known of registries' answers.
struct Round<'a, News> {
    /// The question that is under way, and since when.
    asking: Option<(Instant, Question<'a, News>)>,
    /// When they are asked again.
    next: Instant,
    /// Whether they have answered once, or were given up once.
    answered: bool,
    end: Option<Instant>,
}

impl<News> Round<'_, News> {
    /// The answer to the question that is under way; none is under way: never.
    async fn answer(&mut self) -> Result<News, Problem> {
        match &mut self.asking {
            Some((_, question)) => question.await,
            None => std::future::pending().await,
        }
    }

    /// Takes the question off that was answered; registries are asked at most once in `every`.
    fn close(&mut self, every: Duration) {
        let ended = clock::monotonic();
        let took = self.asking.take().map_or(Duration::ZERO, |(begun, _)| ended.saturating_duration_since(begun));
        self.next = ended + every.max(took.saturating_mul(REST));
        self.answered = true;
    }

    /// Until when the question that is under way is waited for where nothing can go on without its answer.
    fn patience(&self) -> Instant {
        let begun = self.asking.as_ref().map_or(self.next, |(begun, _)| *begun);
        match self.end {
            Some(end) => end.max((begun + LAST).min(end + LAST)),
            None => begun + FIRST,
        }
    }
}

/// Follows until the follower has enough. Registries are asked at most once in `every`.
pub(crate) async fn follow<'a, F: Follower<'a>>(
    mirrors: &'a [Mirror<'a>],
    changed: &'a Notify,
    every: Duration,
    follower: &mut F,
) -> Result<(), Problem> {
    let keeping = async {
        if mirrors.is_empty() {
            std::future::pending::<()>().await;
        }
        join_all(mirrors.iter().map(Mirror::keep)).await;
    };
    tokio::pin!(keeping);
    let mut round = Round { asking: None, next: clock::monotonic(), answered: false, end: follower.end() };
    let mut outbox = Outbox::new(changed);
    tokio::select! {
        () = &mut keeping => {}
        () = first(mirrors, changed, round.end) => {}
    }
    let mut wake = clock::monotonic();
    loop {
        let mut fresh = false;
        tokio::select! {
            () = &mut keeping => {}
            () = outbox.work() => {}
            news = round.answer() => {
                follower.learn(mirrors, Some(news?))?;
                round.close(every);
                fresh = true;
            }
            () = until_due(changed, wake) => {}
        }
        wake = match turns(mirrors, &mut round, (&mut *follower, &mut outbox), fresh).await? {
            Some(at) => at,
            None => return Ok(()),
        };
    }
}

/// Lets the follower look until it waits for something; gives when it has to look again at the latest, or nothing at its end.
async fn turns<'a, F: Follower<'a>>(
    mirrors: &'a [Mirror<'a>],
    round: &mut Round<'a, F::News>,
    (follower, outbox): (&mut F, &mut Outbox<'a>),
    mut fresh: bool,
) -> Result<Option<Instant>, Problem> {
    loop {
        let now = clock::monotonic();
        if round.asking.is_none() && now >= round.next {
            round.asking = Some((now, follower.ask(mirrors)?));
            return Ok(Some((now + ROUND).min(round.patience())));
        }
        if !round.answered {
            if now < round.patience() {
                return Ok(Some(round.patience()));
            }
            follower.learn(mirrors, None)?;
            (round.answered, fresh) = (true, true);
        }
        match follower.turn(mirrors, outbox, fresh).await? {
            Next::End => return Ok(None),
            Next::Ask if round.asking.is_none() => round.next = clock::monotonic(),
            Next::Ask if round.end.is_none() || clock::monotonic() < round.patience() => {
                return Ok(Some(if round.end.is_none() { now + ROUND } else { round.patience() }));
            }
            // What an end wants to rest on did not come in time.
            Next::Ask => {
                follower.learn(mirrors, None)?;
                round.asking = None;
                round.next = clock::monotonic() + ROUND;
                fresh = true;
            }
            Next::Until(at) => {
                let ask = if round.asking.is_none() { Some(round.next) } else { None };
                let all = [at, ask, round.end];
                return Ok(Some(all.into_iter().flatten().filter(|at| *at > now).min().unwrap_or(now + ROUND)));
            }
        }
    }
}

/// Ends when every cluster has answered, or given no answer in its time; a while after the first of them has, when others take
/// longer; or at the end.
async fn first(mirrors: &[Mirror<'_>], changed: &Notify, end: Option<Instant>) {
    let mut limit = end;
    let mut any = false;
    while !mirrors.iter().all(Mirror::is_known) {
        if !any && mirrors.iter().any(Mirror::is_known) {
            any = true;
            let soon = clock::monotonic() + OTHERS;
            limit = Some(limit.map_or(soon, |limit| limit.min(soon)));
        }
        if !is_news(changed, limit).await {
            return;
        }
    }
}

/// Ends when there is something new, or at a time.
async fn until_due(changed: &Notify, wake: Instant) {
    if is_news(changed, Some(wake)).await {
        tokio::time::sleep(GATHERING).await;
    }
}

/// Waits for something new; false: the time is up.
async fn is_news(changed: &Notify, limit: Option<Instant>) -> bool {
    match limit {
        None => {
            changed.notified().await;
            true
        }
        Some(limit) => {
            let left = limit.saturating_duration_since(clock::monotonic());
            tokio::time::timeout(left, changed.notified()).await.is_ok()
        }
    }
}
