//! Patches on their way: side by side, and tried again while a server only has no time for them.
//!
//! Every patch that goes through here writes a token that is the same each time, so that sending it twice does no harm.

use crate::cluster::{Address, Cluster, Mirror, Refusal};
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use runway_core::actions::Patch;
use runway_core::problem::Problem;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};

/// Patches side by side, for each cluster.
const PATCHES: usize = 8;
/// Pause after the first failure; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// What came of a patch that was not written.
pub(crate) struct News {
    /// The cluster.
    pub(crate) cluster: String,
    /// The object's name.
    pub(crate) workload: String,
    /// It is tried again; told once for each cluster.
    pub(crate) goes_on: bool,
    /// Why it was not written.
    pub(crate) problem: Problem,
}

/// Cluster, kind, name.
type Key = (String, String, String);

/// What letters share: the newest of each object, and what is to be told.
#[derive(Default)]
struct Desk {
    newest: BTreeMap<Key, u64>,
    /// Clusters of which it was told that something is tried again: what comes after that is no news.
    hindered: BTreeSet<String>,
    news: Vec<News>,
}

/// Patches on their way.
pub(crate) struct Outbox<'a> {
    changed: &'a Notify,
    flying: FuturesUnordered<LocalBoxFuture<'a, ()>>,
    permits: BTreeMap<String, Rc<Semaphore>>,
    desk: Rc<RefCell<Desk>>,
    count: u64,
}

impl<'a> Outbox<'a> {
    /// An empty one; `changed` is told when there is news.
    pub(crate) fn new(changed: &'a Notify) -> Self {
        Self { changed, flying: FuturesUnordered::new(), permits: BTreeMap::new(), desk: Rc::default(), count: 0 }
    }

    /// Takes patches for a cluster; one for the same object that was not written yet is forgotten.
    pub(crate) fn post(&mut self, mirror: &Mirror<'a>, patches: Vec<Patch>) {
        let permits = self.permits.entry(mirror.name().to_owned()).or_insert_with(|| Rc::new(Semaphore::new(PATCHES)));
        for patch in patches {
            self.count += 1;
            let key = (mirror.name().to_owned(), patch.kind.clone(), patch.name.clone());
            self.desk.borrow_mut().newest.insert(key.clone(), self.count);
            let letter = Letter { key, number: self.count, desk: Rc::clone(&self.desk), changed: self.changed };
            self.flying.push(Box::pin(letter.deliver(mirror.cluster(), patch, Rc::clone(permits))));
        }
    }

    /// Sends; never ends by itself.
    pub(crate) async fn work(&mut self) {
        while self.flying.next().await.is_some() {}
        std::future::pending::<()>().await;
    }

    /// What came of patches since this was asked last.
    pub(crate) fn news(&self) -> Vec<News> {
        std::mem::take(&mut self.desk.borrow_mut().news)
    }
}

struct Letter<'a> {
    key: Key,
    number: u64,
    desk: Rc<RefCell<Desk>>,
    changed: &'a Notify,
}

impl Letter<'_> {
    async fn deliver(self, cluster: &Cluster, patch: Patch, permits: Rc<Semaphore>) {
        let address = address(&patch);
        let mut pause = FIRST_PAUSE;
        while self.desk.borrow().newest.get(&self.key) == Some(&self.number) {
            let sent = {
                // The semaphore is never closed; were it, sending without a permit would still be right.
                let _permit = permits.acquire().await;
                cluster.merge_patch(&address, &patch.merge, false).await
            };
            let Err(Refusal { may_pass, absent, problem }) = sent else { return };
            if absent {
                // The watch says that it is gone.
                return;
            }
            self.tell(may_pass, problem);
            if !may_pass {
                return;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn tell(&self, goes_on: bool, problem: Problem) {
        let (cluster, _, workload) = self.key.clone();
        let mut desk = self.desk.borrow_mut();
        if goes_on && !desk.hindered.insert(cluster.clone()) {
            return;
        }
        desk.news.push(News { cluster, workload, goes_on, problem });
        self.changed.notify_one();
    }
}

fn address(patch: &Patch) -> Address {
    Address {
        api_version: patch.api_version.clone(),
        kind: patch.kind.clone(),
        namespace: Some(patch.namespace.clone()),
        name: patch.name.clone(),
    }
}
