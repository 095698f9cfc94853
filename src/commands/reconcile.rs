//! `reconcile`: asks Flux to look now, and waits for the proof that it has.

use super::context::Context;
use super::flags::{ClusterFlags, ManyFlags, OutputFlags, PlaceFlags};
use super::follow;
use super::look::names;
use super::outputs;
use crate::cluster::{self, Cluster, Mirror};
use crate::exit::Outcome;
use crate::gather::follow::{Follower, Next, Question, follow as follow_clusters};
use crate::gather::outbox::Outbox;
use crate::gather::targets;
use crate::render::follow::{elapsed, patches, reconciled};
use crate::render::output::Output;
use crate::ui::Ui;
use crate::{clock, env};
use runway_core::actions::{self, Choice, Patch, Planned, Request, Stage};
use runway_core::api::reconcile::{self as api, Ending};
use runway_core::flux::names::parent as parent_name;
use runway_core::observed::Objects;
use runway_core::problem::{Class, Problem};
use runway_core::settings::Settings;
use runway_core::suggest;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Ask Flux to look at workloads now, source and Kustomization, and wait until it has.
#[derive(Debug, clap::Args)]
#[command(mut_arg("output", super::flags::formats(&FORMATS)))]
pub(crate) struct Args {
    /// Workloads, or a parent such as gke-inventory
    #[arg(required_unless_present = "all")]
    workloads: Vec<String>,
    /// Every workload of the namespace that is not suspended
    #[arg(long, conflicts_with = "workloads")]
    all: bool,
    /// The parents that applied them go first
    #[arg(long)]
    with_parent: bool,
    /// Show the patches and send none
    #[arg(long)]
    dry_run: bool,
    /// How long Flux may take
    #[arg(long, value_name = "DURATION", default_value = "5m")]
    wait_timeout: String,
    /// Namespace of the Flux objects [default: runway-provisioner]
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<String>,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    cluster: ClusterFlags,
    #[command(flatten)]
    many: ManyFlags,
}

const FORMATS: [&str; 3] = ["text", "json", "yaml"];

pub(crate) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let outputs = Output::parse_all(&args.output.output, &FORMATS)?;
    let limit = follow::parse("--wait-timeout", &args.wait_timeout)?;
    let named = names(&args.workloads)?;
    let context = context.endless();
    let which = PlaceFlags { namespace: args.namespace.clone(), ..PlaceFlags::default() };
    let settings = context.settings(&which)?;
    let around = cluster::Surroundings { variables: &env::variable, home: env::home() };
    let flags = args.cluster.all()?;
    let configured = cluster::configured(&flags, &around)?;
    let targets = targets::targets(&args.many.choice(&args.cluster, &which)?, &settings, &configured)?;
    let connect = |target: &targets::Target| {
        let cluster = configured.connect(target.context.as_deref(), context.budget)?;
        Ok((target.name.as_deref().unwrap_or(cluster.name()).to_owned(), cluster))
    };
    let clusters: Vec<(String, Cluster)> = targets.iter().map(connect).collect::<Result<_, Problem>>()?;
    let changed = Notify::new();
    let mirrors: Vec<Mirror<'_>> =
        clusters.iter().map(|(name, cluster)| Mirror::new(cluster, name, settings.namespace(), &changed)).collect();
    let begun = clock::monotonic();
    let (requests, troubles) = (Vec::new(), BTreeMap::new());
    let mut reconciler = Reconciler { args, named, settings: &settings, ui, begun, limit, requests, troubles, end: None };
    crate::block_on(follow_clusters(&mirrors, &changed, limit, &mut reconciler))?;
    let Some((ending, items, planned)) = reconciler.end else { return Ok(Outcome::NO) };
    outputs::show(
        &outputs,
        (&context, ui),
        || api::document(ending, items.clone()),
        |_| {
            if ending == Ending::Planned { patches(&planned) } else { Ok(reconciled(&items)) }
        },
    )?;
    let refused = items.iter().filter(|item| item.error.is_some()).count();
    let nothing = refused > 0 && !items.iter().any(|item| item.handled);
    Ok(Outcome { late: ending == Ending::Late, no: refused > 0, nothing, partial: false })
}

/// How it ended, with the pairs, and with what would have been sent.
type End = (Ending, Vec<api::Item>, Vec<(String, Patch)>);

struct Reconciler<'a> {
    args: &'a Args,
    named: Vec<String>,
    settings: &'a Settings,
    ui: &'a Ui,
    begun: Instant,
    limit: Duration,
    /// One for each cluster, once all are planned.
    requests: Vec<Request>,
    /// Why a pair could not be asked, by cluster and name.
    troubles: BTreeMap<(String, String), Problem>,
    end: Option<End>,
}

impl<'a> Follower<'a> for Reconciler<'_> {
    type News = ();

    fn ask(&mut self, _mirrors: &'a [Mirror<'a>]) -> Result<Question<'a, ()>, Problem> {
        Ok(Box::pin(std::future::ready(Ok(()))))
    }

    fn learn(&mut self, _mirrors: &'a [Mirror<'a>], _news: Option<()>) -> Result<(), Problem> {
        Ok(())
    }

    fn end(&self) -> Option<Instant> {
        Some(self.begun + self.limit)
    }

    async fn turn(&mut self, mirrors: &'a [Mirror<'a>], outbox: &mut Outbox<'a>, _fresh: bool) -> Result<Next, Problem> {
        let until = self.begun + self.limit;
        if self.requests.is_empty() {
            if clock::monotonic() < until && !mirrors.iter().all(Mirror::is_known) {
                return Ok(Next::Until(Some(until)));
            }
            self.requests = self.plan(mirrors)?;
            if self.args.dry_run {
                self.end = Some(self.finish(mirrors, Ending::Planned));
                return Ok(Next::End);
            }
        }
        for (request, mirror) in self.requests.iter_mut().zip(mirrors) {
            let before: Vec<Stage> = request.pairs().iter().map(|pair| pair.stage).collect();
            let due =
                mirror.observed(|observed| observed.objects.as_ref().map(|objects| request.next(objects)).unwrap_or_default());
            for (pair, before) in request.pairs().iter().zip(before) {
                if pair.stage == Stage::Handled && before != Stage::Handled {
                    let now = elapsed(clock::monotonic().saturating_duration_since(self.begun));
                    self.ui.note(&format!("{now:>6} Flux has looked at {} on {}", pair.name, mirror.name()));
                }
            }
            outbox.post(mirror, due);
        }
        self.hear(outbox);
        if self.is_settled(mirrors) {
            let ending = if self.troubles.is_empty() { Ending::Handled } else { Ending::Refused };
            self.end = Some(self.finish(mirrors, ending));
            return Ok(Next::End);
        }
        if clock::monotonic() >= until {
            self.say_late(mirrors);
            self.end = Some(self.finish(mirrors, Ending::Late));
            return Ok(Next::End);
        }
        Ok(Next::Until(Some(until)))
    }
}

impl Reconciler<'_> {
    /// Takes in what came of the requests: what is refused is that pair's trouble, what failed is sent again.
    fn hear(&mut self, outbox: &Outbox<'_>) {
        for news in outbox.news() {
            if news.goes_on {
                self.ui.warning(&format!("{}; it is tried again", news.problem));
            } else {
                self.ui.warning(&format!("{} on {} could not be asked: {}", news.workload, news.cluster, news.problem));
                self.troubles.insert((news.cluster, news.workload), news.problem);
            }
        }
    }

    /// Whether nothing is on its way any more: what goes after a parent that could not be asked is not asked either.
    fn is_settled(&self, mirrors: &[Mirror<'_>]) -> bool {
        self.requests.iter().zip(mirrors).all(|(request, mirror)| {
            let refused = |name: &str| self.troubles.contains_key(&(mirror.name().to_owned(), name.to_owned()));
            let stuck = request.pairs().iter().any(|pair| pair.parent && refused(&pair.name));
            request.pairs().iter().all(|pair| pair.stage == Stage::Handled || refused(&pair.name) || stuck && !pair.parent)
        })
    }

    /// Plans for all clusters before anything is sent to one.
    fn plan(&self, mirrors: &[Mirror<'_>]) -> Result<Vec<Request>, Problem> {
        let parents: Vec<String> = self.settings.runtimes().iter().map(|runtime| parent_name(runtime)).collect();
        let choice = Choice { names: &self.named, parents: &parents, with_parent: self.args.with_parent };
        let token = actions::token(clock::now());
        let mut refused = Problem::new(Class::Refused, "Flux is not asked, and nothing was changed");
        let mut requests = Vec::new();
        let mut absent: Option<Vec<String>> = None;
        for mirror in mirrors {
            let planned: Planned = mirror.observed(|observed| {
                let objects = observed.objects.as_ref().map_err(|gap| unread(mirror.name(), &gap.message))?;
                let gap = objects.sources.as_ref().err().or(objects.kustomizations.as_ref().err());
                gap.map_or_else(|| Ok(actions::plan(objects, &choice, &token)), |gap| Err(unread(mirror.name(), &gap.message)))
            })?;
            for words in planned.skipped {
                self.ui.warning(&format!("left out on {}: {words}", mirror.name()));
            }
            for (words, hints) in planned.refused {
                refused = refused.cause(format!("on {}: {words}", mirror.name()));
                refused.hints.extend(hints);
            }
            let here = planned.absent;
            absent = Some(absent.map_or(here.clone(), |known| known.into_iter().filter(|name| here.contains(name)).collect()));
            requests.push(planned.request);
        }
        if let Some(name) = absent.iter().flatten().next() {
            let what = format!("there is no workload {name} in the namespace {}", self.settings.namespace());
            let mut known: Vec<String> = Vec::new();
            for mirror in mirrors {
                let names =
                    |objects: &Objects| objects.kustomizations.iter().flatten().map(|it| it.metadata.name.clone()).collect();
                known.extend(mirror.observed(|observed| observed.objects.as_ref().map_or_else(|_| Vec::new(), names)));
            }
            let problem = match suggest::nearest(name, known.iter().map(String::as_str)) {
                Some(near) => Problem::usage(what).hint(format!("did you mean {near}?")),
                None => Problem::usage(what),
            };
            return Err(problem.hint("kubectl runway status shows those that are there; -n chooses the namespace"));
        }
        if !refused.causes.is_empty() {
            return Err(refused);
        }
        if requests.iter().all(|request| request.pairs().is_empty()) {
            return Err(Problem::usage(format!(
                "there is no workload to ask for in the namespace {}",
                self.settings.namespace()
            )));
        }
        Ok(requests)
    }

    fn finish(&self, mirrors: &[Mirror<'_>], ending: Ending) -> End {
        let (mut items, mut planned) = (Vec::new(), Vec::new());
        let nothing = Objects { sources: Ok(Vec::new()), kustomizations: Ok(Vec::new()) };
        for (request, mirror) in self.requests.iter().zip(mirrors) {
            mirror.observed(|observed| {
                let objects = observed.objects.as_ref().unwrap_or(&nothing);
                let patches = if ending == Ending::Planned { request.all(objects) } else { Vec::new() };
                let rows = api::items(mirror.name(), request, objects, &patches).into_iter().map(|mut item| {
                    let trouble = self.troubles.get(&(item.cluster.clone(), item.workload.clone()));
                    item.error = trouble.map(ToString::to_string);
                    item
                });
                items.extend(rows);
                planned.extend(patches.into_iter().map(|patch| (mirror.name().to_owned(), patch)));
            });
        }
        (ending, items, planned)
    }

    fn say_late(&self, mirrors: &[Mirror<'_>]) {
        for (request, mirror) in self.requests.iter().zip(mirrors) {
            for pair in request.pairs().iter().filter(|pair| pair.stage != Stage::Handled) {
                let who = match pair.stage {
                    Stage::Planned => "it was not asked, since what goes before it has not ended",
                    Stage::SourceAsked => "source-controller has not handled it; is it running?",
                    _ => "kustomize-controller has not handled it; it may be busy with a run, or not running",
                };
                let limit = elapsed(self.limit);
                self.ui.warning(&format!("{} on {} after {limit} (--wait-timeout): {who}", pair.name, mirror.name()));
            }
        }
    }
}

fn unread(cluster: &str, why: &str) -> Problem {
    Problem::new(Class::Cluster, format!("what is on {cluster} could not be read, and nothing was changed")).cause(why)
}
