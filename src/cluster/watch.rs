//! Keeps what a namespace has current: one LIST and one watch per kind, decoded into the same narrow types as lists are.
//!
//! A watch begins where the list stood and goes on where it broke; what the server has forgotten (410) is listed anew. While
//! a cluster gives no answer, what was known is not told: stale objects judge nothing.

use super::connection::{Cluster, get, segment};
use super::event::{self, Event, Lines, MAX_LINE};
use super::fault::Fault;
use super::read::{KUSTOMIZATIONS, Listed, MAX_ONE, Resource, SOURCES, named_kind, path, together};
use http::{HeaderValue, header};
use http_body_util::BodyExt as _;
use kube::client::Body;
use runway_core::flux::object::{KustomizationStatus, Object, SourceStatus};
use runway_core::observed::{NOT_YET, Observed};
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::convert::Infallible;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::PoisonError;
use std::time::Duration;
use tokio::sync::Notify;

/// Seconds after which the server ends a watch; it goes on where it stood. Shorter than client-go's 5 to 10 minutes, so that
/// a connection that died without a word is noticed sooner.
const SERVER_SECONDS: u32 = 150;
/// How long a watch may be silent: longer than the server lets it live.
pub(super) const SILENCE: Duration = Duration::from_secs(SERVER_SECONDS as u64 + 30);
/// Pause after the first failure; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// A watch that lived this long has worked.
const WORKED: Duration = Duration::from_secs(5);

/// What a namespace has, kept current while [`Mirror::keep`] runs.
pub(crate) struct Mirror<'a> {
    cluster: &'a Cluster,
    name: String,
    namespace: String,
    changed: &'a Notify,
    sources: RefCell<Kind<SourceStatus>>,
    kustomizations: RefCell<Kind<KustomizationStatus>>,
}

/// The objects of a kind, sorted by name.
struct Kind<S> {
    objects: Vec<Object<S>>,
    /// Why they are not known; what was known before is kept for the watch that goes on.
    gap: Option<Fault>,
    asked: bool,
}

impl<S> Kind<S> {
    fn new() -> RefCell<Self> {
        let gap = Some(Fault::new(NOT_YET, "it has not answered yet"));
        RefCell::new(Self { objects: Vec::new(), gap, asked: false })
    }

    fn replace(&mut self, mut objects: Vec<Object<S>>) {
        objects.sort_by(|a, b| key(a).cmp(&key(b)));
        self.objects = objects;
        self.gap = None;
        self.asked = true;
    }

    fn put(&mut self, object: Object<S>) {
        match self.objects.binary_search_by(|known| key(known).cmp(&key(&object))) {
            Ok(at) => {
                if let Some(known) = self.objects.get_mut(at) {
                    *known = object;
                }
            }
            Err(at) => self.objects.insert(at, object),
        }
    }

    fn remove(&mut self, object: &Object<S>) {
        if let Ok(at) = self.objects.binary_search_by(|known| key(known).cmp(&key(object))) {
            self.objects.remove(at);
        }
    }

    /// The objects, moved out; they come back by [`Kind::give_back`].
    fn lend(&mut self) -> Result<Vec<Object<S>>, Fault> {
        match &self.gap {
            Some(gap) => Err(gap.clone()),
            None => Ok(std::mem::take(&mut self.objects)),
        }
    }

    fn give_back<G>(&mut self, lent: Result<Vec<Object<S>>, G>) {
        if let (Ok(objects), None) = (lent, &self.gap) {
            self.objects = objects;
        }
    }
}

fn key<S>(object: &Object<S>) -> (&str, &str) {
    (&object.metadata.namespace, &object.metadata.name)
}

/// How a watch ended that the server had begun.
enum End {
    /// It can go on from this version.
    At(String),
    /// What the server has must be listed anew.
    Anew,
}

impl<'a> Mirror<'a> {
    /// A mirror that knows nothing yet; `changed` is told of everything that it learns.
    pub(crate) fn new(cluster: &'a Cluster, name: &str, namespace: &str, changed: &'a Notify) -> Self {
        let (name, namespace) = (name.to_owned(), namespace.to_owned());
        Self { cluster, name, namespace, changed, sources: Kind::new(), kustomizations: Kind::new() }
    }

    /// The cluster.
    pub(crate) fn cluster(&self) -> &'a Cluster {
        self.cluster
    }

    /// Its name in reports.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Lists and watches until it is dropped.
    pub(crate) async fn keep(&self) -> Infallible {
        tokio::join!(self.keep_kind(&SOURCES, &self.sources), self.keep_kind(&KUSTOMIZATIONS, &self.kustomizations)).0
    }

    /// Whether both kinds were asked at least once, with whatever answer.
    pub(crate) fn is_known(&self) -> bool {
        self.sources.borrow().asked && self.kustomizations.borrow().asked
    }

    /// Shows what the cluster has now.
    pub(crate) fn observed<R>(&self, look: impl FnOnce(&Observed) -> R) -> R {
        let (sources, kustomizations) = (self.sources.borrow_mut().lend(), self.kustomizations.borrow_mut().lend());
        // Of a cluster that gave no answer nothing is told; what one kind has is kept all the same.
        let whole = match (&sources, &kustomizations) {
            (Ok(_), Ok(_)) => true,
            (one, other) => [one.as_ref().err(), other.as_ref().err()].into_iter().flatten().all(Fault::is_of_kind),
        };
        let objects = if whole {
            together(sources, kustomizations)
        } else {
            let gap = sources.as_ref().err().or(kustomizations.as_ref().err()).cloned().map(Fault::gap);
            self.sources.borrow_mut().give_back(sources);
            self.kustomizations.borrow_mut().give_back(kustomizations);
            Err(gap.unwrap_or_else(|| Fault::new(NOT_YET, "it has not answered yet").gap()))
        };
        let observed = Observed { cluster: self.name.clone(), namespace: self.namespace.clone(), objects };
        let seen = look(&observed);
        if let Ok(objects) = observed.objects {
            self.sources.borrow_mut().give_back(objects.sources);
            self.kustomizations.borrow_mut().give_back(objects.kustomizations);
        }
        seen
    }

    async fn keep_kind<S: DeserializeOwned + Send + 'static>(&self, resource: &Resource, kind: &RefCell<Kind<S>>) -> Infallible {
        let mut pause = Pause::default();
        let mut version: Option<String> = None;
        loop {
            let Some(at) = version.clone() else {
                match self.cluster.list(resource, &self.namespace).await {
                    Ok(Listed { objects, version: listed }) => {
                        kind.borrow_mut().replace(objects);
                        self.changed.notify_one();
                        version = Some(listed);
                    }
                    Err(fault) => self.rest(kind, fault, &mut pause).await,
                }
                continue;
            };
            match self.begin(resource, &at).await {
                Ok(body) => {
                    self.answered(kind);
                    let begun = crate::clock::monotonic();
                    match self.follow(resource, kind, body, at).await {
                        Ok(End::At(next)) => version = Some(next),
                        Ok(End::Anew) => version = None,
                        Err(fault) => {
                            version = None;
                            self.rest(kind, fault, &mut pause).await;
                            continue;
                        }
                    }
                    if crate::clock::monotonic().saturating_duration_since(begun) > WORKED {
                        pause = Pause::default();
                    } else {
                        tokio::time::sleep(pause.next()).await;
                    }
                }
                // What stood there is forgotten, or the kind moved to another version of its API.
                Err(fault) if matches!(fault.code, Some(404 | 410)) => {
                    version = None;
                    tokio::time::sleep(pause.next()).await;
                }
                Err(fault) => self.rest(kind, fault, &mut pause).await,
            }
        }
    }

    /// Notes that there is no answer, and waits before the next try.
    async fn rest<S>(&self, kind: &RefCell<Kind<S>>, fault: Fault, pause: &mut Pause) {
        {
            let mut kind = kind.borrow_mut();
            kind.asked = true;
            kind.gap = Some(fault);
        }
        self.changed.notify_one();
        tokio::time::sleep(pause.next()).await;
    }

    /// Notes that the server answers (again).
    fn answered<S>(&self, kind: &RefCell<Kind<S>>) {
        if kind.borrow_mut().gap.take().is_some() {
            self.changed.notify_one();
        }
    }

    /// Begins a watch.
    async fn begin(&self, resource: &Resource, version: &str) -> Result<Body, Fault> {
        let served = self.cluster.served.lock().unwrap_or_else(PoisonError::into_inner).get(resource.group).cloned();
        let folder = path(resource, &self.namespace, served.as_deref().unwrap_or("v1"));
        let query =
            format!("watch=1&allowWatchBookmarks=true&timeoutSeconds={SERVER_SECONDS}&resourceVersion={}", segment(version));
        let mut request = get(&format!("{folder}?{query}"))?;
        // Since 1.37 servers compress each event on its own, which the client's decompression does not follow (kube 5 says why).
        request.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        Ok(self.cluster.open(request).await?.into_body())
    }

    /// Takes in events until the watch ends.
    async fn follow<S: DeserializeOwned>(
        &self,
        resource: &Resource,
        kind: &RefCell<Kind<S>>,
        mut body: Body,
        mut version: String,
    ) -> Result<End, Fault> {
        let mut lines = Lines::default();
        loop {
            let piece = match tokio::time::timeout(SILENCE, body.frame()).await {
                Ok(Some(Ok(frame))) => frame.into_data(),
                // Ended, broken or silent for too long: the next watch says whether the server is there.
                Ok(Some(Err(_)) | None) | Err(_) => return Ok(End::At(version)),
            };
            let Ok(piece) = piece else { continue };
            let mut changed = false;
            for line in lines.push(&piece) {
                let event = line.and_then(|line| event::read(&line)).map_err(|why| Fault::garbage(self.cluster.server(), why))?;
                match event {
                    Event::Put(object, at) => {
                        kind.borrow_mut().put(named_kind(object, resource, event::served_version(&at)));
                        (version, changed) = (at.version, true);
                    }
                    Event::Remove(object, at) => {
                        kind.borrow_mut().remove(&object);
                        (version, changed) = (at.version, true);
                    }
                    Event::Bookmark(at) => version = at.version,
                    Event::Anew => return Ok(End::Anew),
                    Event::Refused(message) => {
                        return Err(Fault::new("ServerError", format!("{} ended a watch: {message}", self.cluster.server())));
                    }
                }
            }
            if changed {
                self.changed.notify_one();
            }
        }
    }
}

/// Growing pauses, between half and one and a half of their length, so that many clients do not come back together.
#[derive(Default)]
struct Pause {
    failures: u32,
}

impl Pause {
    fn next(&mut self) -> Duration {
        let long = FIRST_PAUSE.saturating_mul(2u32.saturating_pow(self.failures)).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        // A hasher with random keys is the standard library's only source of randomness.
        let random = RandomState::new().build_hasher().finish() % 1000;
        long * (500 + u32::try_from(random).unwrap_or(500)) / 1000
    }
}

const _: () = assert!(MAX_ONE >= MAX_LINE as u64, "an object that a GET reads is one that a watch reads");

#[cfg(test)]
mod tests {
    use super::{FIRST_PAUSE, LONGEST_PAUSE, Pause};

    #[test]
    fn pauses_grow_to_a_limit() {
        let mut pause = Pause::default();
        assert!(pause.next() <= FIRST_PAUSE * 3 / 2);
        for _ in 0..40 {
            assert!(pause.next() <= LONGEST_PAUSE * 3 / 2);
        }
        assert!(pause.next() >= LONGEST_PAUSE / 2);
    }
}
