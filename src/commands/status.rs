//! `status`: the verdict per workload and cluster, and for one workload the whole chain.

use super::context::{Context, known};
use super::flags::{ClusterFlags, OutputFlags, RegistryFlags, WorkloadsFlags};
use crate::exit::Outcome;
use crate::files::write;
use crate::gather::observed::{Saved, from_cluster};
use crate::gather::source::Source;
use crate::gather::{deployed, expected};
use crate::registry::Client;
use crate::render::output::{self, Output};
use crate::render::status as render;
use crate::ui::Ui;
use crate::{cluster, env};
use runway_core::api;
use runway_core::assess::{self, Expected, Item, ItemKind, Published, Verdict};
use runway_core::flux::object::Wanted;
use runway_core::flux::reference::{Reference, Target};
use runway_core::flux::{names, object};
use runway_core::observed::{Observed, Registry};
use runway_core::problem::{Place, Problem};
use runway_core::settings::{Origin, Settings};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Say whether each workload is what is published.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  kubectl runway status\n  kubectl runway status example-service-gke\n  kubectl runway status --context production-gke -o json\n  kubectl runway status --snapshot saved/\n\nExit codes: 0 all Ready, 1 something is not, 2 no answer, 3 some clusters gave no answer."
)]
pub(crate) struct Args {
    /// Workloads to look at [default: all]
    workloads: Vec<String>,
    #[command(flatten)]
    which: WorkloadsFlags,
    /// Where the published inventory is read [default: the registry's tag]
    #[arg(long, value_name = "SOURCE")]
    expected: Option<String>,
    /// Judge a saved snapshot, a file or a folder, instead of a cluster
    #[arg(long, value_name = "PATH")]
    snapshot: Option<PathBuf>,
    /// Do not ask registries
    #[arg(long)]
    no_registry: bool,
    /// Whether an answer of no exits with 1
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true", hide_default_value = true)]
    exit_code: bool,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    registry: RegistryFlags,
    #[command(flatten)]
    cluster: ClusterFlags,
}

const FORMATS: [&str; 4] = ["table", "wide", "json", "yaml"];

/// What was gathered and judged.
struct Answer {
    clusters: Vec<api::status::Cluster>,
    items: Vec<Item>,
}

pub(crate) fn run(args: Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let outputs = Output::parse_all(&args.output.output, &FORMATS, "table")?;
    let settings = context.settings(&args.which)?;
    let saved = args.snapshot.as_ref().map(|path| Saved::read(&context.start.join(path))).transpose()?;
    let work = Work { args: &args, context, settings: &settings, saved: saved.as_ref(), ui };
    let answer = crate::block_on(work.answer())?;
    show(&answer, &args, &outputs, context, ui)?;
    let outcome = outcome(&answer);
    Ok(Outcome { no: outcome.no && args.exit_code, ..outcome })
}

struct Work<'a> {
    args: &'a Args,
    context: &'a Context,
    settings: &'a Settings,
    saved: Option<&'a Saved>,
    ui: &'a Ui,
}

impl Work<'_> {
    /// Gather, then decide.
    async fn answer(&self) -> Result<Answer, Problem> {
        let client = self.context.registry(self.settings, &self.args.registry)?;
        let observed = self.observed().await?;
        let mut items = Vec::new();
        for (runtime, environment) in self.scopes(&observed)? {
            let expected = self.expected(&client, &runtime, &environment, &observed.namespace).await?;
            let registry = self.registry(&client, &expected, &observed).await;
            items.extend(assess::assess(&expected, &observed, &registry, &self.args.workloads));
        }
        self.ui_parent_trouble(&items);
        if !self.args.workloads.is_empty() {
            items.retain(|item| self.args.workloads.contains(&item.workload));
        }
        let error = observed.objects.as_ref().err().map(|gap| gap.message.clone());
        let cluster = api::status::Cluster { name: observed.cluster.clone(), reachable: error.is_none(), error };
        Ok(Answer { clusters: vec![cluster], items })
    }

    async fn observed(&self) -> Result<Observed, Problem> {
        if let Some(saved) = self.saved {
            return Ok(saved.observed(&self.namespace(saved)?));
        }
        let flags = self.args.cluster.kube()?;
        let around = cluster::Surroundings { variables: &env::variable, home: env::home() };
        let namespace = self.settings.namespace();
        // Only files are read here: what goes wrong is the kubeconfig's or the command line's fault, not the cluster's.
        let cluster = cluster::connect(&flags, flags.context.as_deref(), &around, self.context.budget).await?;
        Ok(from_cluster(&cluster, namespace).await)
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

    /// Runtime and environment: as said, else those of the parent pairs on the cluster.
    fn scopes(&self, observed: &Observed) -> Result<Vec<(String, String)>, Problem> {
        let (runtime, environment) = (self.settings.runtime(), self.settings.environment());
        if let (Some(runtime), Some(environment)) = (runtime, environment) {
            return Ok(vec![(runtime.to_owned(), environment.to_owned())]);
        }
        let objects = match &observed.objects {
            Ok(objects) => objects,
            Err(_) => return Ok(Vec::new()),
        };
        let mut found: BTreeSet<(String, String)> = BTreeSet::new();
        for source in objects.sources.iter().flatten() {
            let Some(name) = names::runtime_of_parent(&source.metadata.name) else { continue };
            let Wanted::Tag(reference) = object::wanted(&source.spec) else { continue };
            let tag = reference.rsplit_once(':').map_or("", |(_, tag)| tag);
            if runtime.is_none_or(|runtime| runtime == name) && environment.is_none_or(|environment| environment == tag) {
                found.insert((name.to_owned(), tag.to_owned()));
            }
        }
        if found.is_empty() {
            let forbidden = objects.sources.as_ref().err().map(|gap| gap.message.clone());
            let cause = forbidden.unwrap_or_else(|| {
                format!("there is no parent <runtime>-inventory in the namespace {} of {}", observed.namespace, observed.cluster)
            });
            return Err(Problem::usage("which runtime and environment this is cannot be seen")
                .cause(cause)
                .hint("say it with --runtime and -e"));
        }
        Ok(found.into_iter().collect())
    }

    async fn expected(&self, client: &Client, runtime: &str, environment: &str, namespace: &str) -> Result<Expected, Problem> {
        let file = self.args.which.file.as_deref();
        let declared = expected::declared(file, &self.context.start, runtime)?;
        let declared = match declared {
            None => None,
            Some(declared) => {
                if declared.is_refused() {
                    self.ui.findings(&declared.findings, &declared.text);
                    return Err(Problem::input("the declared file has errors").at(Place::file(declared.file)));
                }
                known("environment", Some(environment), self.settings.environments())?;
                let inventory = declared.inventory(self.settings, environment);
                Some((declared.file, inventory))
            }
        };
        let published = self.published(client, runtime, environment).await?;
        if let Published::Known { inventory, .. } = &published
            && !inventory.has_folder
        {
            self.ui.warning(&format!("what is published has no folder {environment}: it expects nothing"));
        }
        if let Published::Unknown(why) = &published
            && !self.args.no_registry
        {
            self.ui.warning(&format!("what is published could not be read: {why}"));
        }
        let (runtime, environment, namespace) = (runtime.to_owned(), environment.to_owned(), namespace.to_owned());
        Ok(Expected { runtime, environment, namespace, declared, published })
    }

    async fn published(&self, client: &Client, runtime: &str, environment: &str) -> Result<Published, Problem> {
        let held = match (&self.args.expected, self.saved) {
            (Some(text), _) => {
                let source = Source::parse(text, &self.context.start)?;
                expected::held(&source, environment, client).await?
            }
            (None, Some(saved)) => {
                let Some(held) = &saved.published else {
                    return Ok(Published::Unknown("the snapshot holds no inventory".to_owned()));
                };
                return Ok(Published::Known { inventory: held.inventory(environment)?, digest: None });
            }
            (None, None) if self.args.no_registry => {
                return Ok(Published::Unknown("registries were not asked (--no-registry)".to_owned()));
            }
            (None, None) => {
                let repository = self.settings.inventory_repository(runtime)?;
                match expected::from_registry(client, &repository, &Target::Tag(environment.to_owned())).await {
                    Ok(held) => held,
                    Err(problem) => {
                        let place = Reference { repository, target: Some(Target::Tag(environment.to_owned())) };
                        return Ok(Published::Unknown(format!("{place}: {}", deployed::text(&problem))));
                    }
                }
            }
        };
        match held {
            None => Ok(Published::NotThere),
            Some(held) => Ok(Published::Known {
                inventory: held.inventory(environment)?,
                digest: held.digest.map(|digest| digest.to_string()),
            }),
        }
    }

    async fn registry(&self, client: &Client, expected: &Expected, observed: &Observed) -> Registry {
        match self.saved {
            Some(saved) => saved.registry.clone(),
            None if self.args.no_registry || observed.objects.is_err() => Registry::default(),
            None => deployed::ask(client, &assess::references(expected, observed)).await,
        }
    }

    /// With workloads named only those decide; a parent in trouble is still worth a word.
    fn ui_parent_trouble(&self, items: &[Item]) {
        if self.args.workloads.is_empty() {
            return;
        }
        let trouble = items.iter().filter(|item| item.kind == ItemKind::Parent && !self.args.workloads.contains(&item.workload));
        for item in trouble.filter(|item| !matches!(item.verdict, Verdict::Ready | Verdict::Unreachable)) {
            self.ui.warning(&format!("the parent {} is {}: {}", item.workload, item.verdict.as_str(), item.message));
        }
    }
}

fn show(answer: &Answer, args: &Args, outputs: &[Output], context: &Context, ui: &Ui) -> Result<(), Problem> {
    let document = || api::status::document(context.now.to_string(), answer.clusters.clone(), &answer.items);
    for output in outputs {
        let text = match output.format.as_str() {
            "json" => output::json(&document())?,
            "yaml" => output::yaml(&document())?,
            "wide" => render::rows(&answer.items, context.now, ui.style(), true),
            _ => match answer.items.as_slice() {
                [] => String::new(),
                [one] if !args.workloads.is_empty() => render::chain(one, context.now, ui.style()),
                items => render::rows(items, context.now, ui.style(), false),
            },
        };
        match &output.path {
            None => ui.answer(&text)?,
            Some(path) => write::atomic(&context.start.join(path), text.as_bytes())?,
        }
    }
    for cluster in answer.clusters.iter().filter(|cluster| !cluster.reachable) {
        ui.warning(&format!("{} gave no answer: {}", cluster.name, cluster.error.as_deref().unwrap_or_default()));
    }
    if answer.items.len() > 1 {
        ui.note(&render::summary(&answer.items));
    }
    Ok(())
}

fn outcome(answer: &Answer) -> Outcome {
    let away = answer.clusters.iter().filter(|cluster| !cluster.reachable).count();
    let no = answer.items.iter().any(|item| !matches!(item.verdict, Verdict::Ready | Verdict::Unreachable));
    Outcome { no, nothing: away == answer.clusters.len(), partial: away > 0 }
}
