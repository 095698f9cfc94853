//! A look that is kept up to date: clusters by watches, what is published and the digests by asking again now and then.

use super::clusters::{Answer, Look, Shared, drop_nowhere, paste_into};
use super::expectations::Scope;
use crate::cluster::{self, Cluster, Mirror};
use crate::env;
use crate::gather::deployed::Asker;
use crate::gather::follow::{Follower, Next, Question, follow};
use crate::gather::targets::{self, Target};
use crate::registry::Client;
use runway_core::api;
use runway_core::assess::{self, Expected, Item, Published};
use runway_core::flux::reference::Target as Tag;
use runway_core::observed::{Answer as Known, Gap, Observed, Registry};
use runway_core::problem::Problem;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::{Duration, Instant};
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

    /// When it is over, whoever has not answered by then.
    fn end(&self) -> Option<Instant> {
        None
    }
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

struct Following<'a, 'w, W> {
    shared: &'a Shared<'a>,
    client: &'a Client,
    places: Vec<Place<'a>>,
    expected: Expectations,
    registry: Registry,
    watcher: &'w mut W,
}

/// What is expected, by scope.
type Expectations = BTreeMap<Scope, Rc<Expected>>;

/// What registries answered in one round.
struct News {
    expected: Expectations,
    /// The digests that they have now; none: they were not asked.
    registry: Option<Registry>,
}

/// What is said of a registry while it lets us wait.
const NO_ANSWER: &str = "the registry has given no answer in time";

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
        let mut following = Following { shared: &shared, client: &client, places, expected, registry, watcher };
        follow(&mirrors, &changed, every, &mut following).await
    }
}

impl<'a, W: Watcher> Follower<'a> for Following<'a, '_, W> {
    type News = News;

    fn ask(&mut self, mirrors: &'a [Mirror<'a>]) -> Result<Question<'a, News>, Problem> {
        self.find_scopes(mirrors)?;
        let asked = self.asked(mirrors);
        let (shared, client, known) = (self.shared, self.client, self.expected.clone());
        Ok(Box::pin(async move {
            let expected = read_published(shared, client, known, &asked).await?;
            if shared.look.flags.no_registry {
                return Ok(News { expected, registry: None });
            }
            // A new asker: the answers of before are what is doubted.
            let registry = Asker::new(client).ask(&references(&asked, &expected)).await;
            Ok(News { expected, registry: Some(registry) })
        }))
    }

    fn learn(&mut self, mirrors: &'a [Mirror<'a>], news: Option<News>) -> Result<(), Problem> {
        if let Some(news) = news {
            self.expected.extend(news.expected);
            self.registry = news.registry.unwrap_or_default();
            return Ok(());
        }
        self.find_scopes(mirrors)?;
        let asked = self.asked(mirrors);
        for (_, scope) in &asked {
            if !self.expected.contains_key(scope) {
                let expected = self.shared.expectations.without(scope, self.shared.look.settings.namespace(), NO_ANSWER)?;
                self.expected.insert(scope.clone(), Rc::new(expected));
            }
        }
        if !self.shared.look.flags.no_registry {
            self.registry = Registry::default();
            for reference in references(&asked, &self.expected) {
                self.registry.insert(reference, Known::Unknown(NO_ANSWER.to_owned()));
            }
        }
        Ok(())
    }

    fn end(&self) -> Option<Instant> {
        self.watcher.end()
    }

    async fn turn(&mut self, mirrors: &'a [Mirror<'a>], fresh: bool) -> Result<Next, Problem> {
        // A cluster that answers only now has scopes that nobody asked about yet.
        if self.places.iter().any(|place| place.scopes.is_empty()) {
            self.find_scopes(mirrors)?;
        }
        if self.pairs().any(|(_, scope)| !self.expected.contains_key(scope)) {
            return Ok(Next::Ask);
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

impl<'a, W> Following<'a, '_, W> {
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

    /// Each scope of each cluster that can be asked.
    fn asked(&self, mirrors: &'a [Mirror<'a>]) -> Asked<'a> {
        let mirror = |place: &Place<'_>| place.mirror.as_ref().ok().and_then(|at| mirrors.get(*at));
        self.pairs().map(|(place, scope)| (mirror(place), scope.clone())).collect()
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

/// Clusters, as far as they can be asked, with their scopes.
type Asked<'a> = Vec<(Option<&'a Mirror<'a>>, Scope)>;

/// What these clusters run or should run.
fn references(asked: &Asked<'_>, expected: &Expectations) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (mirror, scope) in asked {
        if let (Some(mirror), Some(expected)) = (mirror, expected.get(scope)) {
            found.extend(mirror.observed(|observed| assess::references(expected, observed)));
        }
    }
    found
}

/// Reads what is published, and again when its tag has moved.
async fn read_published(
    shared: &Shared<'_>,
    client: &Client,
    mut known: Expectations,
    asked: &Asked<'_>,
) -> Result<Expectations, Problem> {
    let scopes: BTreeSet<&Scope> = asked.iter().map(|(_, scope)| scope).collect();
    for scope in scopes {
        let Some(before) = known.get_mut(scope) else {
            let read = shared.expectations.of(scope, shared.look.settings.namespace()).await?;
            known.insert(scope.clone(), read);
            continue;
        };
        if shared.look.flags.no_registry || is_current(shared, client, before, scope).await? {
            continue;
        }
        let published = shared.expectations.published(&scope.0, &scope.1).await?;
        Rc::make_mut(before).published = published;
    }
    Ok(known)
}

/// Whether the tag still has the digest that was read: one HEAD.
async fn is_current(
    shared: &Shared<'_>,
    client: &Client,
    known: &Expected,
    (runtime, environment): &Scope,
) -> Result<bool, Problem> {
    if shared.look.flags.expected.is_some() {
        return Ok(false);
    }
    let Published::Known { digest: Some(digest), .. } = &known.published else { return Ok(false) };
    let repository = shared.look.settings.inventory_repository(runtime)?;
    let head = client.head(&repository, &Tag::Tag(environment.clone())).await;
    // A registry that gives no answer now has not said that it moved.
    Ok(head.map_or(true, |head| head.is_some_and(|head| head.digest.as_str() == digest)))
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
