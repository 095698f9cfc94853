//! A look that is kept up to date: clusters by watches, what is published and the digests by asking again now and then.

use super::clusters::{Answer, Look, Shared, drop_nowhere, paste_into};
use super::expectations::Scope;
use crate::cluster::{self, Cluster, Mirror};
use crate::env;
use crate::gather::deployed::Asker;
use crate::gather::follow::{Follower, Next, follow};
use crate::gather::targets::{self, Target};
use crate::registry::Client;
use runway_core::api;
use runway_core::assess::{self, Expected, Item, Published};
use runway_core::flux::reference::Target as Tag;
use runway_core::observed::{Gap, Observed, Registry};
use runway_core::problem::Problem;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::Notify;

/// What everything looks like now.
pub(crate) struct Seen<'a> {
    /// The clusters and all rows, those of parents that nobody named included.
    pub(crate) answer: Answer,
    /// Clusters that give no answer now.
    pub(crate) gaps: Vec<(String, Gap)>,
    /// Why what is published could not be read, when nothing else says what to expect.
    pub(crate) unread: Option<String>,
    /// Registries were asked just before.
    pub(crate) fresh: bool,
    /// The clusters themselves.
    pub(crate) mirrors: &'a [Mirror<'a>],
}

/// Who decides what a look leads to.
pub(crate) trait Watcher {
    /// Looks once.
    async fn turn(&mut self, seen: Seen<'_>) -> Result<Next, Problem>;
}

/// A chosen cluster.
struct Place<'a> {
    target: &'a Target,
    name: String,
    /// Its mirror, or why there is none.
    mirror: Result<usize, Gap>,
    /// The runtimes and environments that it has; kept once they are known.
    scopes: Vec<Scope>,
    /// Why they are not known.
    fault: Option<String>,
}

struct Following<'a, W> {
    shared: Shared<'a>,
    client: &'a Client,
    places: Vec<Place<'a>>,
    expected: BTreeMap<Scope, Expected>,
    registry: Registry,
    watcher: &'a mut W,
}

impl Look<'_> {
    /// Follows every chosen cluster until the watcher has enough; registries are asked at most once in `every`.
    pub(crate) async fn follow(&self, every: Duration, watcher: &mut impl Watcher) -> Result<(), Problem> {
        let client = self.context.registry(self.settings, &self.flags.registry)?;
        let flags = self.flags.cluster.all()?;
        let choice = self.flags.many.choice(&self.flags.cluster, &self.flags.which)?;
        let around = cluster::Surroundings { variables: &env::variable, home: env::home() };
        let configured = cluster::configured(&flags, &around)?;
        let targets = targets::targets(&choice, self.settings, &configured)?;
        let shared = self.shared(None, &client, targets.len() > 1);
        let (mut clusters, mut places): (Vec<(String, Cluster)>, Vec<Place<'_>>) = (Vec::new(), Vec::new());
        for target in &targets {
            let (name, mirror) = match configured.connect(target.context.as_deref(), self.context.budget) {
                Ok(cluster) => {
                    let name = target.name.as_deref().unwrap_or(cluster.name()).to_owned();
                    clusters.push((name.clone(), cluster));
                    (name, Ok(clusters.len() - 1))
                }
                Err(problem) if targets.len() == 1 => return Err(problem),
                Err(problem) => {
                    let name = target.name.clone().or(target.context.clone()).unwrap_or_default();
                    (name, Err(Gap { reason: "Kubeconfig".to_owned(), message: problem.to_string() }))
                }
            };
            places.push(Place { target, name, mirror, scopes: Vec::new(), fault: None });
        }
        let changed = Notify::new();
        let namespace = self.settings.namespace();
        let mirrors: Vec<Mirror<'_>> =
            clusters.iter().map(|(name, cluster)| Mirror::new(cluster, name, namespace, &changed)).collect();
        let (expected, registry) = (BTreeMap::new(), Registry::default());
        let mut following = Following { shared, client: &client, places, expected, registry, watcher };
        follow(&mirrors, &changed, every, &mut following).await
    }
}

impl<W: Watcher> Follower for Following<'_, W> {
    async fn ask(&mut self, mirrors: &[Mirror<'_>]) -> Result<(), Problem> {
        self.find_scopes(mirrors)?;
        self.read_published().await?;
        let mut references = BTreeSet::new();
        for (place, scope) in self.pairs() {
            if let (Ok(at), Some(expected)) = (&place.mirror, self.expected.get(scope))
                && let Some(mirror) = mirrors.get(*at)
            {
                references.extend(mirror.observed(|observed| assess::references(expected, observed)));
            }
        }
        if !self.shared.look.flags.no_registry {
            // A new asker: the answers of before are what is doubted.
            self.registry = Asker::new(self.client).ask(&references).await;
        }
        Ok(())
    }

    async fn turn(&mut self, mirrors: &[Mirror<'_>], fresh: bool) -> Result<Next, Problem> {
        // A cluster that answers only now has scopes that nobody asked about yet.
        if !fresh && self.places.iter().any(|place| place.scopes.is_empty()) {
            self.find_scopes(mirrors)?;
            if self.pairs().any(|(_, scope)| !self.expected.contains_key(scope)) {
                return Ok(Next::Ask);
            }
        }
        let mut answer = Answer::default();
        let mut gaps = Vec::new();
        for place in &self.places {
            let (cluster, gap, items) = match place.mirror.as_ref().map(|at| mirrors.get(*at)) {
                Ok(Some(mirror)) => mirror.observed(|observed| self.judge(place, observed)),
                Ok(None) => continue,
                Err(gap) => {
                    let namespace = self.shared.look.settings.namespace().to_owned();
                    let observed = Observed { cluster: place.name.clone(), namespace, objects: Err(gap.clone()) };
                    self.judge(place, &observed)
                }
            };
            gaps.extend(gap.map(|gap| (cluster.name.clone(), gap)));
            answer.clusters.push(cluster);
            answer.items.extend(items);
        }
        let unread = if self.shared.look.flags.no_registry { None } else { self.unread() };
        self.watcher.turn(Seen { answer, gaps, unread, fresh, mirrors }).await
    }
}

impl<W> Following<'_, W> {
    fn pairs(&self) -> impl Iterator<Item = (&Place<'_>, &Scope)> {
        self.places.iter().flat_map(|place| place.scopes.iter().map(move |scope| (place, scope)))
    }

    fn find_scopes(&mut self, mirrors: &[Mirror<'_>]) -> Result<(), Problem> {
        for place in self.places.iter_mut().filter(|place| place.scopes.is_empty()) {
            let Some(mirror) = place.mirror.as_ref().ok().and_then(|at| mirrors.get(*at)) else { continue };
            match mirror.observed(|observed| self.shared.scopes(observed, place.target)) {
                Ok(scopes) => (place.scopes, place.fault) = (scopes, None),
                Err(problem) if !self.shared.several => return Err(problem),
                Err(problem) => place.fault = Some(problem.to_string()),
            }
        }
        Ok(())
    }

    /// Reads what is published, and again when its tag has moved.
    async fn read_published(&mut self) -> Result<(), Problem> {
        let scopes: BTreeSet<Scope> = self.pairs().map(|(_, scope)| scope.clone()).collect();
        for scope in scopes {
            let Some(known) = self.expected.get(&scope) else {
                let namespace = self.shared.look.settings.namespace();
                let read = self.shared.expectations.of(&scope, namespace).await?;
                self.expected.insert(scope, (*read).clone());
                continue;
            };
            if self.shared.look.flags.no_registry || self.is_current(known, &scope).await? {
                continue;
            }
            let published = self.shared.expectations.published(&scope.0, &scope.1).await?;
            if let Some(known) = self.expected.get_mut(&scope) {
                known.published = published;
            }
        }
        Ok(())
    }

    /// Whether the tag still has the digest that was read: one HEAD.
    async fn is_current(&self, known: &Expected, (runtime, environment): &Scope) -> Result<bool, Problem> {
        if self.shared.look.flags.expected.is_some() {
            return Ok(false);
        }
        let Published::Known { digest: Some(digest), .. } = &known.published else { return Ok(false) };
        let repository = self.shared.look.settings.inventory_repository(runtime)?;
        let head = self.client.head(&repository, &Tag::Tag(environment.clone())).await;
        // A registry that gives no answer now has not said that it moved.
        Ok(head.map_or(true, |head| head.is_some_and(|head| head.digest.as_str() == digest)))
    }

    /// Judges one cluster.
    fn judge(&self, place: &Place<'_>, observed: &Observed) -> (api::status::Cluster, Option<Gap>, Vec<Item>) {
        let named = self.shared.look.named;
        let gap = observed.objects.as_ref().err().cloned();
        let known = place.scopes.iter().filter_map(|scope| self.expected.get(scope));
        let mut items: Vec<Item> = known.flat_map(|expected| assess::assess(expected, observed, &self.registry, named)).collect();
        if let (true, Some(gap)) = (items.is_empty(), &gap) {
            items = assess::unscoped(&observed.cluster, gap, named);
        }
        paste_into(&mut items, place.target);
        let error = gap.as_ref().map(|gap| gap.message.clone()).or(place.fault.clone());
        let cluster = api::status::Cluster { name: observed.cluster.clone(), reachable: gap.is_none(), error };
        let fault = place.fault.clone().map(|message| Gap { reason: "NoParent".to_owned(), message });
        (cluster, gap.or(fault), items)
    }

    fn unread(&self) -> Option<String> {
        self.expected.values().find_map(|expected| match &expected.published {
            Published::Unknown(why) if expected.declared.is_none() => Some(why.clone()),
            _ => None,
        })
    }
}

impl Answer {
    /// The rows that were asked for: with names only those.
    pub(crate) fn only(mut self, named: &[String]) -> Self {
        if !named.is_empty() {
            self.items.retain(|item| named.contains(&item.workload));
            drop_nowhere(&mut self.items);
        }
        self
    }
}
