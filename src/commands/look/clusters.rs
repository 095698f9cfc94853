//! The look itself: every chosen cluster side by side, each judged as soon as it has answered.

use super::expectations::{Expectations, Scope};
use super::flags::LookFlags;
use super::scopes::{Stranger, drop_nowhere, has_parent, nothing_known, scopes};
use crate::cluster::{self, Cluster, Configured};
use crate::commands::context::Context;
use crate::exit::Outcome;
use crate::gather::deployed::Asker;
use crate::gather::objects;
use crate::gather::observed::{Saved, from_cluster, named_from_cluster};
use crate::gather::targets::{self, Target};
use crate::registry::Client;
use crate::render::status::age;
use crate::ui::Ui;
use crate::{clock, env};
use futures_util::future::join_all;
use runway_core::api;
use runway_core::assess::{self, Expected, Item, ItemKind, Link, Verdict, Way};
use runway_core::flux::applied::AppliedId;
use runway_core::flux::names;
use runway_core::observed::objects::Looked;
use runway_core::observed::{Gap, NO_PARENT, Observed, Registry};
use runway_core::problem::Problem;
use runway_core::settings::{Origin, Settings};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// A snapshot that is older is worth a word.
const OLD: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

/// What a command wants to know.
pub(crate) struct Look<'a> {
    /// Where to look.
    pub(crate) flags: &'a LookFlags,
    /// The workloads to look at; none: all.
    pub(crate) named: &'a [String],
    /// Whether the applied objects themselves are looked at.
    pub(crate) objects: bool,
    /// The command's surroundings.
    pub(crate) context: &'a Context,
    /// The settings, with the command's flags on top.
    pub(crate) settings: &'a Settings,
    /// Where warnings go.
    pub(crate) ui: &'a Ui,
}

/// What was gathered and judged.
#[derive(Default)]
pub(crate) struct Answer {
    /// The clusters, in the order in which they were named.
    pub(crate) clusters: Vec<api::status::Cluster>,
    /// The rows: clusters in their order, in each the parent first.
    pub(crate) items: Vec<Item>,
    /// With one workload named: what Flux lists as applied for it, by cluster.
    pub(crate) applied: BTreeMap<String, Vec<AppliedId>>,
}

impl Answer {
    /// Says which clusters were silent.
    pub(crate) fn warn(&self, ui: &Ui) {
        for cluster in &self.clusters {
            let Some(error) = &cluster.error else { continue };
            let words = if cluster.reachable { "answers, and cannot be judged" } else { "gave no answer" };
            ui.warning(&format!("{} {words}: {error}", cluster.name));
        }
    }

    /// How the command ends, by all rows, shown or not: an answer without any cluster's is none.
    pub(crate) fn outcome(&self) -> Outcome {
        let silent = self.clusters.iter().filter(|cluster| cluster.error.is_some()).count();
        let is_silent = |item: &Item| item.verdict == Verdict::Unreachable || item.reason == NO_PARENT;
        let no = self.items.iter().any(|item| item.verdict != Verdict::Ready && !is_silent(item));
        Outcome { no, nothing: silent == self.clusters.len(), partial: silent > 0, late: false }
    }
}

/// Adds rows to rows. Nearly always there are none yet, and then thousands of them need no second place.
fn join(all: &mut Vec<Item>, more: Vec<Item>) {
    if all.is_empty() { *all = more } else { all.extend(more) }
}

/// What may stand before a name: as `-o name` prints it, and as kubectl and flux call the two objects.
const KINDS: [&str; 8] =
    ["workload", "parent", "ocirepository", "ocirepositories", "kustomization", "kustomizations", "ks", "ocirepo"];

/// The names that a command line gives.
pub(crate) fn names(given: &[String]) -> Result<Vec<String>, Problem> {
    given.iter().map(|text| name(text)).collect()
}

fn name(text: &str) -> Result<String, Problem> {
    let is_kind = |word: &str| {
        let kind = word.split('.').next().unwrap_or_default().to_ascii_lowercase();
        KINDS.contains(&kind.as_str())
    };
    let bare = text.split_once('/').filter(|(kind, _)| is_kind(kind)).map_or(text, |(_, name)| name);
    match names::subdomain_fault(bare) {
        None => Ok(bare.to_owned()),
        Some(why) => Err(Problem::usage(format!("'{text}' is no name of a workload")).cause(why)),
    }
}

/// What all clusters of a look share.
pub(super) struct Shared<'a> {
    pub(super) look: &'a Look<'a>,
    saved: Option<&'a Saved>,
    pub(super) expectations: Expectations<'a>,
    asker: Asker<'a>,
    /// With one cluster a fault of it ends the command; among several it is that cluster's row.
    pub(super) several: bool,
}

/// One cluster, judged.
struct Judged {
    cluster: api::status::Cluster,
    items: Vec<Item>,
    strangers: BTreeSet<Stranger>,
    applied: Option<(String, Vec<AppliedId>)>,
}

impl Look<'_> {
    /// The same look by another command, `verb` and what it needs.
    pub(crate) fn again(&self, verb: &str) -> String {
        let flags = self.flags;
        let named = [&[String::new()][..], self.named].concat().join(" ");
        let namespace = ("-n".to_owned(), Some(self.settings.namespace().to_owned()));
        let expected = flags.expected.iter().filter(|text| *text != "-").cloned();
        let expected = expected.map(|text| ("--expected".to_owned(), Some(text)));
        let typed: Vec<_> = std::iter::once(namespace)
            .chain(flags.which.again())
            .chain(expected)
            .chain(flags.cluster.again())
            .chain(flags.many.again(&flags.cluster))
            .collect();
        format!("kubectl runway {verb}{named}{}", assess::flags(&typed))
    }

    /// Gathers, and decides.
    pub(crate) async fn answer(&self) -> Result<Answer, Problem> {
        let saved = self.flags.snapshot.as_ref().map(|path| Saved::read(&self.context.start.join(path))).transpose()?;
        let client = self.context.registry(self.settings, &self.flags.registry)?;
        let mut answer = match &saved {
            Some(saved) => {
                if self.objects {
                    self.ui.warning("a snapshot has no applied objects: what Flux said of them counts");
                }
                self.of_snapshot(saved, &client).await?
            }
            None => self.of_clusters(&client).await?,
        };
        self.say_parents_trouble(&answer.items);
        if !self.named.is_empty() {
            answer.items.retain(|item| self.named.contains(&item.workload));
        }
        Ok(answer)
    }

    async fn of_snapshot(&self, saved: &Saved, client: &Client) -> Result<Answer, Problem> {
        let shared = self.shared(Some(saved), client, false);
        let observed = saved.observed(&self.namespace(saved)?);
        self.say_age(saved);
        let mut judged = shared.judge(&observed, &Target::default(), None, None).await?;
        drop_nowhere(&mut judged.items, &judged.strangers);
        self.say_nearest(&shared, &judged.items);
        let applied = self.applied(&observed).into_iter().collect();
        Ok(Answer { clusters: vec![judged.cluster], items: judged.items, applied })
    }

    async fn of_clusters(&self, client: &Client) -> Result<Answer, Problem> {
        // Which contexts there are is asked of the whole kubeconfig; the flag chooses among them.
        let flags = self.flags.cluster.all()?;
        let choice = self.flags.many.choice(&self.flags.cluster, &self.flags.which)?;
        let around = cluster::Surroundings { variables: &env::variable, home: env::home() };
        let configured = cluster::configured(&flags, &around)?;
        let targets = targets::targets(&choice, self.settings, &configured)?;
        let shared = self.shared(None, client, targets.len() > 1);
        let judged = join_all(targets.iter().map(|target| shared.cluster(&configured, target))).await;
        let (mut answer, mut strangers) = (Answer::default(), BTreeSet::new());
        for judged in judged {
            let judged = judged?;
            answer.clusters.push(judged.cluster);
            join(&mut answer.items, judged.items);
            answer.applied.extend(judged.applied);
            strangers.extend(judged.strangers);
        }
        drop_nowhere(&mut answer.items, &strangers);
        self.say_nearest(&shared, &answer.items);
        Ok(answer)
    }

    /// What Flux lists as applied for the one workload that is named, with the cluster's name.
    pub(super) fn applied(&self, observed: &Observed) -> Option<(String, Vec<AppliedId>)> {
        let ([name], Ok(objects)) = (self.named, &observed.objects) else { return None };
        let found = objects.kustomizations.iter().flatten().find(|it| it.metadata.name == *name)?;
        Some((observed.cluster.clone(), found.applied()))
    }

    /// What a snapshot says was so when it was saved.
    fn say_age(&self, saved: &Saved) {
        let time = &saved.about.time;
        let Ok(then) = time.parse::<jiff::Timestamp>() else { return };
        if self.context.now.duration_since(then) > OLD
            && let Some(age) = age(time, self.context.now)
        {
            self.ui.warning(&format!("the snapshot was saved {age} ago ({time}): what it says may not be so any more"));
        }
    }

    /// A name that is nowhere may be a slip of the finger.
    fn say_nearest(&self, shared: &Shared<'_>, items: &[Item]) {
        let nowhere = |item: &Item| item.broken.as_ref().is_some_and(|broken| broken.link == Link::Declared);
        for name in self.named {
            let mut rows = items.iter().filter(|item| item.workload == *name).peekable();
            if rows.peek().is_some()
                && rows.all(nowhere)
                && let Some(near) = shared.expectations.nearest(name)
            {
                self.ui.warning(&format!("there is no workload {name}; did you mean {near}?"));
            }
        }
    }

    pub(super) fn shared<'s>(&'s self, saved: Option<&'s Saved>, client: &'s Client, several: bool) -> Shared<'s> {
        let expectations = Expectations {
            flags: self.flags,
            context: self.context,
            settings: self.settings,
            saved,
            client,
            ui: self.ui,
            known: RefCell::default(),
            refused: RefCell::default(),
        };
        Shared { look: self, saved, expectations, asker: Asker::new(client), several }
    }

    /// The namespace to read: as said; a snapshot of one other namespace speaks for itself.
    fn namespace(&self, saved: &Saved) -> Result<String, Problem> {
        let default = self.settings.namespace();
        let namespaces = &saved.snapshot.namespaces;
        if *self.settings.origin("namespace") != Origin::Default || namespaces.contains(default) || namespaces.is_empty() {
            return Ok(default.to_owned());
        }
        let names: Vec<&str> = namespaces.iter().map(String::as_str).collect();
        match names.as_slice() {
            [only] => Ok((*only).to_owned()),
            several => Err(Problem::usage(format!("the snapshot has no object in the namespace {default}"))
                .cause(format!("it has objects in {}", several.join(", ")))
                .hint("choose one with -n")),
        }
    }

    /// With workloads named only those decide; a parent in trouble is still worth a word.
    fn say_parents_trouble(&self, items: &[Item]) {
        if self.named.is_empty() {
            return;
        }
        let named = |item: &Item| self.named.contains(&item.workload);
        // A row that breaks at its parent says all of it itself.
        let said = |parent: &Item| {
            let of = |item: &&Item| item.cluster == parent.cluster && item.runtime == parent.runtime && named(item);
            items.iter().filter(of).any(|item| item.broken.as_ref().is_some_and(|broken| broken.link == Link::Parent))
        };
        let trouble = items.iter().filter(|item| item.kind == ItemKind::Parent && !named(item) && !said(item));
        for item in trouble.filter(|item| !matches!(item.verdict, Verdict::Ready | Verdict::Unreachable)) {
            self.ui.warning(&format!(
                "the parent {} on {} is {}: {}",
                item.workload,
                item.cluster,
                item.verdict.as_str(),
                item.message
            ));
        }
    }
}

impl Shared<'_> {
    /// Asks one cluster and judges it.
    async fn cluster(&self, configured: &Configured<'_>, target: &Target) -> Result<Judged, Problem> {
        let look = self.look;
        // A budget of its own: how long one cluster takes is nothing to another.
        let cluster = match configured.connect(target.context.as_deref(), look.context.budget) {
            Ok(cluster) => cluster,
            // Only files were read: it is the kubeconfig's fault, or the command line's.
            Err(problem) if !self.several => return Err(problem),
            Err(problem) => return self.unusable(target, &problem).await,
        };
        let name = target.name.as_deref().unwrap_or(cluster.name()).to_owned();
        let (observed, asked) = self.observed(&cluster, &name, target).await;
        self.judge(&observed, target, Some(&cluster), asked).await
    }

    async fn observed(&self, cluster: &Cluster, name: &str, target: &Target) -> (Observed, Option<BTreeSet<String>>) {
        let (look, namespace) = (self.look, self.look.settings.namespace());
        if look.named.is_empty() {
            return (from_cluster(cluster, name, namespace).await, None);
        }
        let runtime = self.runtime(target);
        let runtimes = runtime.as_ref().map_or(look.settings.runtimes(), std::slice::from_ref);
        let parents: Vec<String> = runtimes.iter().map(|runtime| names::parent(runtime)).collect();
        let wanted = look.named.iter().chain(&parents).cloned();
        let (observed, asked) = named_from_cluster(cluster, name, namespace, wanted).await;
        let objects = observed.objects.as_ref().ok().filter(|objects| objects.sources.is_ok());
        if runtime.is_none() && objects.is_some_and(|objects| !has_parent(objects, &parents)) {
            // A parent of a runtime that the settings do not know shows itself only in a list.
            return (from_cluster(cluster, name, namespace).await, None);
        }
        (observed, Some(asked))
    }

    /// A context that cannot be used is a cluster that gave no answer.
    async fn unusable(&self, target: &Target, problem: &Problem) -> Result<Judged, Problem> {
        let gap = Gap { reason: "Kubeconfig".to_owned(), message: problem.to_string() };
        let name = target.name.clone().or(target.context.clone()).unwrap_or_default();
        let namespace = self.look.settings.namespace().to_owned();
        self.judge(&Observed { cluster: name, namespace, objects: Err(gap) }, target, None, None).await
    }

    /// Judges what was observed; `asked` has the names when only some were asked for.
    async fn judge(
        &self,
        observed: &Observed,
        target: &Target,
        cluster: Option<&Cluster>,
        asked: Option<BTreeSet<String>>,
    ) -> Result<Judged, Problem> {
        let mut error = observed.objects.as_ref().err().map(|gap| gap.message.clone());
        let reachable = error.is_none();
        let named = self.look.named;
        let (mut items, mut strangers) = (Vec::new(), BTreeSet::new());
        match self.scopes(observed, target) {
            Ok(scopes) => {
                for scope in &scopes {
                    let whole = self.expectations.of(scope, &observed.namespace).await?;
                    let narrow = asked.as_ref().map(|asked| whole.only(asked));
                    let expected: &Expected = narrow.as_ref().unwrap_or(&whole);
                    let (registry, looked) =
                        tokio::join!(self.registry(expected, observed), self.objects(expected, observed, cluster));
                    join(&mut items, assess::assess_with(expected, observed, &registry, named, &looked));
                    strangers.extend(self.strangers(&whole, observed));
                }
            }
            Err(problem) if !self.several => return Err(problem),
            Err(problem) => error = Some(problem.to_string()),
        }
        if items.is_empty() {
            items = nothing_known(observed, error.as_deref(), named);
        }
        self.lead(&mut items, target);
        let cluster = api::status::Cluster { name: observed.cluster.clone(), reachable, error };
        Ok(Judged { cluster, items, strangers, applied: self.look.applied(observed) })
    }

    /// The named rows that are none of this parent's business.
    pub(super) fn strangers(&self, expected: &Expected, observed: &Observed) -> Vec<Stranger> {
        let (runtime, environment) = (&expected.runtime, &expected.environment);
        let row = |name| (observed.cluster.clone(), runtime.clone(), environment.clone(), name);
        assess::strangers(expected, observed, self.look.named).into_iter().map(row).collect()
    }

    /// A look at the objects of the named workloads, else of all that are expected.
    async fn objects(&self, expected: &Expected, observed: &Observed, cluster: Option<&Cluster>) -> Looked {
        let Some(cluster) = cluster.filter(|_| self.look.objects) else { return Looked::default() };
        let inventories = expected.declared().into_iter().chain(expected.published());
        let names: BTreeSet<String> = match self.look.named {
            [] => inventories.flat_map(|inventory| &inventory.entries).map(|entry| entry.name.clone()).collect(),
            named => named.iter().cloned().collect(),
        };
        objects::look(cluster, observed, &names, clock::now()).await
    }

    async fn registry(&self, expected: &Expected, observed: &Observed) -> Registry {
        match self.saved {
            _ if self.look.flags.no_registry => Registry::default(),
            Some(saved) => saved.registry.clone(),
            None if observed.objects.is_err() => Registry::default(),
            None => self.asker.ask(&assess::references(expected, observed)).await,
        }
    }

    /// The runtime: as typed, else what the settings say of the cluster, else the settings' default.
    fn runtime(&self, target: &Target) -> Option<String> {
        let settings = self.look.settings.runtime();
        self.look.flags.which.runtime.clone().or(target.runtime.clone()).or(settings.map(str::to_owned))
    }

    /// The environment, likewise.
    fn environment(&self, target: &Target) -> Option<String> {
        let settings = self.look.settings.environment();
        self.look.flags.which.environment.clone().or(target.environment.clone()).or(settings.map(str::to_owned))
    }

    /// What to do next is for this cluster, which need not be the current context's.
    pub(super) fn lead(&self, items: &mut [Item], target: &Target) {
        let way = self.way(target);
        for next in items.iter_mut().filter_map(|item| item.broken.as_mut()).flat_map(|broken| &mut broken.next) {
            *next = way.lead(next);
        }
    }

    fn way(&self, target: &Target) -> Way {
        let flags = self.look.flags;
        let shown = |path: &PathBuf| path.display().to_string();
        let mut way = Way {
            cluster: flags.cluster.again(),
            snapshot: flags.snapshot.as_ref().map(shown),
            file: flags.which.file.as_ref().filter(|file| file.as_os_str() != "-").map(shown),
        };
        // A command that acts must not go to the current context because the snapshot does not say where it was taken.
        let context = self.saved.map(|saved| saved.context().unwrap_or("CLUSTER").to_owned()).or(target.context.clone());
        way.cluster.extend(context.map(|context| ("--context".to_owned(), Some(context))));
        way
    }

    /// Runtime and environment: as said, else those of the parent pairs on the cluster.
    pub(super) fn scopes(&self, observed: &Observed, target: &Target) -> Result<Vec<Scope>, Problem> {
        let (runtime, environment) = (self.runtime(target), self.environment(target));
        scopes((runtime.as_deref(), environment.as_deref()), self.look.settings.runtimes(), observed)
    }
}
