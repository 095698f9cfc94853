//! The one loop of everything that follows clusters: mirrors in, a turn whenever something changed, until the turn says that
//! it is over.
//!
//! What clusters have comes by watches and is never asked for again; what registries have can only be asked for, so that is
//! done on a schedule of its own.

use crate::clock;
use crate::cluster::{Address, Cluster, Mirror};
use futures_util::future::join_all;
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
pub(crate) trait Follower {
    /// Asks what can only be asked: registries.
    async fn ask(&mut self, mirrors: &[Mirror<'_>]) -> Result<(), Problem>;
    /// Looks at what the clusters have now; `fresh` says that registries were asked just before.
    async fn turn(&mut self, mirrors: &[Mirror<'_>], fresh: bool) -> Result<Next, Problem>;
}

/// Follows until the follower has enough. Registries are asked at most once in `every`.
pub(crate) async fn follow(
    mirrors: &[Mirror<'_>],
    changed: &Notify,
    every: Duration,
    follower: &mut impl Follower,
) -> Result<(), Problem> {
    let keeping = async {
        if mirrors.is_empty() {
            std::future::pending::<()>().await;
        }
        join_all(mirrors.iter().map(Mirror::keep)).await;
    };
    tokio::pin!(keeping);
    let mut ask_at = clock::monotonic();
    let mut wake: Option<Instant> = None;
    let mut known = mirrors.is_empty();
    loop {
        tokio::select! {
            () = &mut keeping => {}
            () = until_due(mirrors, changed, &mut known, wake) => {}
        }
        let mut fresh = false;
        loop {
            if clock::monotonic() >= ask_at {
                let begun = clock::monotonic();
                follower.ask(mirrors).await?;
                let ended = clock::monotonic();
                ask_at = ended + every.max(ended.saturating_duration_since(begun).saturating_mul(REST));
                fresh = true;
            }
            match follower.turn(mirrors, fresh).await? {
                Next::End => return Ok(()),
                Next::Ask => ask_at = clock::monotonic(),
                Next::Until(at) => {
                    wake = Some(at.map_or(ask_at, |at| at.min(ask_at)));
                    break;
                }
            }
        }
    }
}

/// Ends when there is something new, or at a time; at first when every cluster has answered, or not answered in time.
async fn until_due(mirrors: &[Mirror<'_>], changed: &Notify, known: &mut bool, wake: Option<Instant>) {
    while !*known {
        changed.notified().await;
        *known = mirrors.iter().all(Mirror::is_known);
        if *known {
            return;
        }
    }
    match wake {
        None => {}
        Some(at) => {
            let left = at.saturating_duration_since(clock::monotonic());
            if tokio::time::timeout(left, changed.notified()).await.is_ok() {
                tokio::time::sleep(GATHERING).await;
            }
        }
    }
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
