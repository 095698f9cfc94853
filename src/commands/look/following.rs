//! A look that is kept up to date: clusters by watches, what is published and the digests by asking again now and then.

use super::clusters::{Answer, Look, Shared};
use super::expectations::Scope;
use super::scopes::{Stranger, drop_nowhere, nothing_known};
use crate::cluster::{self, Cluster, Mirror};
use crate::env;
use crate::gather::deployed::{self, Asker};
use crate::gather::follow::{Follower, Next, Question, follow};
use crate::gather::outbox::Outbox;
use crate::gather::targets::{self, Target};
use crate::registry::Client;
use runway_core::api;
use runway_core::assess::{self, Expected, Item, Published};
use runway_core::flux::applied::AppliedId;
use runway_core::flux::reference::Target as Tag;
use runway_core::observed::{Answer as Known, Gap, NO_PARENT, Observed, Registry};
use runway_core::problem::{Class, Problem};
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
    /// Why what is published could not be read, when nothing else says what to expect; whether that will last.
    pub(crate) unread: Option<(String, bool)>,
    /// Registries were asked just before.
    pub(crate) fresh: bool,
    /// The clusters themselves.
    pub(crate) mirrors: &'a [Mirror<'a>],
}

/// Who decides what a look leads to.
pub(crate) trait Watcher {
    /// Looks once.
    async fn turn<'a>(&mut self, seen: Seen<'a>, outbox: &mut Outbox<'a>) -> Result<Next, Problem>;

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

/// A judged cluster, why it gives no answer, its rows, and those that only their name brought here.
struct Judged {
    cluster: api::status::Cluster,
    gap: Option<Gap>,
    items: Vec<Item>,
    strangers: Vec<Stranger>,
    applied: Option<(String, Vec<AppliedId>)>,
}

struct Following<'a, 'w, W> {
    shared: &'a Shared<'a>,
    client: &'a Client,
    places: Vec<Place<'a>>,
    expected: Expectations,
    /// Why what is published now could not be read, where what was read before still stands.
    stale: BTreeMap<Scope, String>,
    /// Something was seen already: from now on no cluster's state ends it.
    begun: bool,
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
        let shared = &shared;
        let (stale, begun) = (BTreeMap::new(), false);
        let mut following = Following { shared, client: &client, places, expected, stale, begun, registry, watcher };
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
            let expected = read_published(shared, client, &known, &asked).await?;
            if shared.look.flags.no_registry {
                return Ok(News { expected, registry: None });
            }
            // A new asker: the answers of before are what is doubted.
            let mut all = known;
            all.extend(expected.clone().into_iter().filter(|(_, news)| !matches!(news.published, Published::Unknown(_))));
            for (scope, news) in &expected {
                all.entry(scope.clone()).or_insert_with(|| Rc::clone(news));
            }
            let registry = Asker::new(client).ask(&references(&asked, &all)).await;
            Ok(News { expected, registry: Some(registry) })
        }))
    }

    fn learn(&mut self, mirrors: &'a [Mirror<'a>], news: Option<News>) -> Result<(), Problem> {
        if let Some(news) = news {
            for (scope, expected) in news.expected {
                self.take_in(scope, expected);
            }
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

    async fn turn(&mut self, mirrors: &'a [Mirror<'a>], outbox: &mut Outbox<'a>, fresh: bool) -> Result<Next, Problem> {
        // A cluster that answers only now has scopes that nobody asked about yet.
        if self.places.iter().any(|place| place.scopes.is_empty()) {
            self.find_scopes(mirrors)?;
        }
        if self.pairs().any(|(_, scope)| !self.expected.contains_key(scope)) {
            return Ok(Next::Ask);
        }
        let (mut answer, mut gaps, mut strangers) = (Answer::default(), Vec::new(), BTreeSet::new());
        for place in &self.places {
            let judged = match place.mirror.as_ref().map(|at| mirrors.get(*at)) {
                Ok(Some(mirror)) => mirror.observed(|observed| self.judge(place, observed)),
                Ok(None) => continue,
                Err(gap) => {
                    let namespace = self.shared.look.settings.namespace().to_owned();
                    let observed = Observed { cluster: place.name.clone(), namespace, objects: Err(gap.clone()) };
                    self.judge(place, &observed)
                }
            };
            gaps.extend(judged.gap.map(|gap| (judged.cluster.name.clone(), gap)));
            answer.clusters.push(judged.cluster);
            answer.items.extend(judged.items);
            answer.applied.extend(judged.applied);
            strangers.extend(judged.strangers);
        }
        drop_nowhere(&mut answer.items, &strangers);
        let unread = if self.shared.look.flags.no_registry { None } else { self.unread() };
        self.begun = true;
        self.watcher.turn(Seen { answer, gaps, unread, fresh, mirrors }, outbox).await
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
                Err(problem) if !self.shared.several && !self.begun => return Err(problem),
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

    /// Takes in what is published now. What cannot be read leaves what was read before as it is; that is said once.
    fn take_in(&mut self, scope: Scope, news: Rc<Expected>) {
        let Some(known) = self.expected.get_mut(&scope) else {
            self.expected.insert(scope, news);
            return;
        };
        let ui = self.shared.look.ui;
        if let Published::Unknown(why) = &news.published
            && !matches!(known.published, Published::Unknown(_))
        {
            if self.stale.insert(scope, why.clone()).is_none() {
                ui.warning(&format!("what is published now could not be read, what was read before still counts: {why}"));
            }
            return;
        }
        *known = news;
        if self.stale.remove(&scope).is_some() {
            ui.note("what is published can be read again");
        }
    }

    /// Judges one cluster.
    fn judge(&self, place: &Place<'_>, observed: &Observed) -> Judged {
        let named = self.shared.look.named;
        let gap = observed.objects.as_ref().err().cloned();
        let (mut items, mut strangers) = (Vec::new(), Vec::new());
        for expected in place.scopes.iter().filter_map(|scope| self.expected.get(scope)) {
            items.extend(assess::assess(expected, observed, &self.registry, named));
            strangers.extend(self.shared.strangers(expected, observed));
        }
        if items.is_empty() {
            items = nothing_known(observed, place.fault.as_deref(), named);
        }
        self.shared.lead(&mut items, place.target);
        let error = gap.as_ref().map(|gap| gap.message.clone()).or(place.fault.clone());
        let cluster = api::status::Cluster { name: observed.cluster.clone(), reachable: gap.is_none(), error };
        let fault = place.fault.clone().map(|message| Gap { reason: NO_PARENT.to_owned(), message });
        Judged { cluster, gap: gap.or(fault), items, strangers, applied: self.shared.look.applied(observed) }
    }

    fn unread(&self) -> Option<(String, bool)> {
        let refused = self.shared.expectations.refused.borrow();
        self.expected.iter().find_map(|(scope, expected)| match (&expected.published, self.stale.get(scope)) {
            (Published::Unknown(why), _) if expected.declared.is_none() => Some((why.clone(), refused.contains(scope))),
            (_, Some(why)) => Some((why.clone(), refused.contains(scope))),
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

/// Reads what is published, and again when its tag has moved; nothing of a scope: the registry gives no answer now.
async fn read_published(
    shared: &Shared<'_>,
    client: &Client,
    known: &Expectations,
    asked: &Asked<'_>,
) -> Result<Expectations, Problem> {
    let scopes: BTreeSet<&Scope> = asked.iter().map(|(_, scope)| scope).collect();
    let mut news = Expectations::new();
    for scope in scopes {
        let Some(before) = known.get(scope) else {
            news.insert(scope.clone(), shared.expectations.of(scope, shared.look.settings.namespace()).await?);
            continue;
        };
        let is_current =
            if shared.look.flags.no_registry { Some(true) } else { is_current(shared, client, before, scope).await? };
        match is_current {
            None => {}
            Some(true) => drop(news.insert(scope.clone(), Rc::clone(before))),
            Some(false) => {
                // What was a slip of the finger at first, such as a path with nothing there, is a state of the world now.
                let published = match shared.expectations.published(&scope.0, &scope.1).await {
                    Err(problem) if matches!(problem.class, Class::Usage | Class::Input) => {
                        Published::Unknown(deployed::text(&problem))
                    }
                    published => published?,
                };
                news.insert(scope.clone(), Rc::new(Expected { published, ..(**before).clone() }));
            }
        }
    }
    Ok(news)
}

/// Whether the tag still has the digest that was read: one HEAD. None: it gives no answer now.
async fn is_current(
    shared: &Shared<'_>,
    client: &Client,
    known: &Expected,
    (runtime, environment): &Scope,
) -> Result<Option<bool>, Problem> {
    if shared.look.flags.expected.is_some() {
        return Ok(Some(shared.expectations.is_final()));
    }
    let Published::Known { digest: Some(digest), .. } = &known.published else { return Ok(Some(false)) };
    let repository = shared.look.settings.inventory_repository(runtime)?;
    let head = client.head(&repository, &Tag::Tag(environment.clone())).await;
    Ok(head.ok().map(|head| head.is_some_and(|head| head.digest.as_str() == digest)))
}

impl Answer {
    /// The rows that were asked for: with names only those.
    pub(crate) fn only(mut self, named: &[String]) -> Self {
        if !named.is_empty() {
            self.items.retain(|item| named.contains(&item.workload));
        }
        self
    }
}
