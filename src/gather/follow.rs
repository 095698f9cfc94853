//! The one loop of everything that follows clusters: mirrors in, a turn whenever something changed, until the turn says that
//! it is over.
//!
//! What clusters have comes by watches and is never asked for again; what registries have can only be asked for, so that is
//! done on a schedule of its own, beside the turns: a registry that lets us wait holds up nothing but its own answers.

use crate::clock;
use crate::cluster::{Address, Cluster, Mirror};
use futures_util::future::{LocalBoxFuture, join_all};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use runway_core::actions::Patch;
use runway_core::problem::Problem;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How long after a change others may join it: a rollout writes many objects at once.
const GATHERING: Duration = Duration::from_millis(200);
/// Registries are asked for at most this share of the time: a round that takes 10 s is followed by 100 s of rest.
const REST: u32 = 10;
/// Patches side by side.
const PATCHES: usize = 8;
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
    async fn turn(&mut self, mirrors: &'a [Mirror<'a>], fresh: bool) -> Result<Next, Problem>;

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
    changed: &Notify,
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
    let mut wake: Option<Instant> = None;
    let mut known = mirrors.is_empty();
    loop {
        let mut fresh = false;
        let end = round.end;
        tokio::select! {
            () = &mut keeping => {}
            news = round.answer() => {
                follower.learn(mirrors, Some(news?))?;
                round.close(every);
                fresh = true;
            }
            () = until_due(mirrors, changed, &mut known, (wake, end)) => {}
        }
        wake = match turns(mirrors, &mut round, follower, fresh).await? {
            Some(at) => Some(at),
            None => return Ok(()),
        };
    }
}

/// Lets the follower look until it waits for something; gives when it has to look again at the latest, or nothing at its end.
async fn turns<'a, F: Follower<'a>>(
    mirrors: &'a [Mirror<'a>],
    round: &mut Round<'a, F::News>,
    follower: &mut F,
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
        match follower.turn(mirrors, fresh).await? {
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

/// Ends when there is something new, or at a time; at first when every cluster has answered, or not answered in time.
async fn until_due(mirrors: &[Mirror<'_>], changed: &Notify, known: &mut bool, (wake, end): (Option<Instant>, Option<Instant>)) {
    if !*known {
        let all = async {
            while !mirrors.iter().all(Mirror::is_known) {
                changed.notified().await;
            }
        };
        match end {
            Some(end) => drop(tokio::time::timeout(left(end), all).await),
            None => all.await,
        }
        *known = true;
        return;
    }
    match wake {
        None => {}
        Some(at) => {
            let heard = tokio::time::timeout(left(at), changed.notified()).await;
            if heard.is_ok() {
                tokio::time::sleep(GATHERING).await;
            }
        }
    }
}

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(clock::monotonic())
}

/// Sends patches to a cluster, some side by side; the first that is refused ends it.
pub(crate) async fn send(cluster: &Cluster, patches: Vec<Patch>) -> Result<(), Problem> {
    stream::iter(patches)
        .map(|patch| async move {
            let address = address(&patch);
            cluster.merge_patch(&address, &patch.merge, false).await.map(drop)
        })
        .buffer_unordered(PATCHES)
        .try_collect::<()>()
        .await
}

fn address(patch: &Patch) -> Address {
    Address {
        api_version: patch.api_version.clone(),
        kind: patch.kind.clone(),
        namespace: Some(patch.namespace.clone()),
        name: patch.name.clone(),
    }
}
