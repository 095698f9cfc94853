//! `inventory diff`: what would change, workload by workload, field by field.

use super::super::context::Context;
use super::super::flags::{ClusterFlags, ExitFlags, OutputFlags, RegistryFlags, WorkloadsFlags};
use super::super::outputs;
use super::request::{self, Request, Surroundings, missing, published, read};
use crate::exit::Outcome;
use crate::files::find;
use crate::gather::observed;
use crate::gather::source::Source;
use crate::render::output::Output;
use crate::render::{markdown, plan as render};
use crate::ui::Ui;
use crate::{cluster, env};
use runway_core::api;
use runway_core::flux::names;
use runway_core::inventory::Inventory;
use runway_core::problem::{Class, Problem};
use runway_core::publish::{Plan, plan};
use runway_core::settings::Settings;
use std::path::PathBuf;

/// Show what would change, workload by workload, field by field.
#[derive(Debug, clap::Args)]
#[command(mut_arg("output", super::super::flags::formats(&FORMATS)), mut_arg("context", |arg| arg.hide(true)))]
pub(crate) struct Args {
    /// What would be: local, a workloads.yml, a file of manifests, a folder, oci://…, layout:DIR[:TAG] or cluster:CONTEXT [default: local]
    new: Option<String>,
    /// What is [default: what is published]
    old: Option<String>,
    #[command(flatten)]
    workloads: WorkloadsFlags,
    #[command(flatten)]
    exit: ExitFlags,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    registry: RegistryFlags,
    #[command(flatten)]
    cluster: ClusterFlags,
}

const FORMATS: [&str; 4] = ["text", "json", "yaml", "markdown"];

pub(super) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let outputs = Output::parse_all(&args.output.output, &FORMATS)?;
    if !args.cluster.context.is_empty() {
        return Err(Problem::usage("diff takes no --context")
            .cause("each side may be another cluster")
            .hint("name the side: cluster:CONTEXT"));
    }
    let sides = Sides::new(args, context, ui)?;
    let (new, old) = (sides.source(args.new.as_deref(), true)?, sides.source(args.old.as_deref(), false)?);
    Context::one_registry([&new, &old].into_iter().flatten(), &args.registry)?;
    let (new, old) = crate::block_on(async { Ok((sides.side(new.as_ref()).await?, sides.side(old.as_ref()).await?)) })?;
    let new_inventory = new.inventory.map_err(|why| missing(why, &new.name))?;
    let plan = plan(&new_inventory, old.inventory.as_ref().ok());
    if let Err(why) = &old.inventory {
        ui.note(&format!("{} is not there: everything would be added ({})", old.name, why.causes.join(": ")));
    }
    let document = || api::diff::document(&new.name, &old.name, &plan);
    outputs::show(&outputs, (context, ui), document, |format| {
        Ok(if format == "markdown" { markdown::plan(&title(&sides), &plan) } else { render::text(&plan) })
    })?;
    Ok(args.exit.of(outcome(&plan)))
}

fn outcome(plan: &Plan) -> Outcome {
    if plan.is_empty() { Outcome::YES } else { Outcome::NO }
}

fn title(sides: &Sides<'_>) -> String {
    let names = [sides.runtime.as_deref(), sides.settings.environment()];
    names.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

struct Sides<'a> {
    args: &'a Args,
    context: &'a Context,
    ui: &'a Ui,
    settings: Settings,
    /// Of the declared file, when one is compared.
    request: Option<Request>,
    /// Its runtime, or that of what is published or of the cluster; none when neither is asked for.
    runtime: Option<String>,
}

/// One side of the comparison; the error says that it is not there.
struct Side {
    name: String,
    inventory: Result<Inventory, Problem>,
}

impl<'a> Sides<'a> {
    fn new(args: &'a Args, context: &'a Context, ui: &'a Ui) -> Result<Self, Problem> {
        let (new, old) = (args.new.as_deref().unwrap_or("local"), args.old.as_deref().unwrap_or("published"));
        if new == "local" || old == "local" {
            let request = Request::new(&args.workloads, context, ui)?;
            let (settings, runtime) = (request.settings.clone(), Some(request.runtime.clone()));
            return Ok(Self { args, context, ui, settings, request: Some(request), runtime });
        }
        if args.workloads.file.is_some() {
            return Err(Problem::usage("-f is a declared file, and neither side is local"));
        }
        // A workloads.yml that is a side says the runtime by its place, as -f does.
        let mut flags = args.workloads.clone();
        flags.file = [new, old].into_iter().find(|side| find::runtime_of(&context.start.join(side)).is_some()).map(PathBuf::from);
        let settings = context.settings(&flags)?;
        let of_a_runtime = |side: &str| side == "published" || side.starts_with("cluster:");
        let runtime = if of_a_runtime(new) || of_a_runtime(old) {
            Some(request::runtime(&flags, &settings, context)?)
        } else {
            settings.runtime().map(str::to_owned)
        };
        Ok(Self { args, context, ui, settings, request: None, runtime })
    }

    /// Where a side is; none: the declared file.
    fn source(&self, text: Option<&str>, local: bool) -> Result<Option<Source>, Problem> {
        if self.request.is_some() && (text == Some("local") || (text.is_none() && local)) {
            return Ok(None);
        }
        published(text, &self.settings, self.runtime.as_deref(), &self.context.start).map(Some)
    }

    async fn side(&self, source: Option<&Source>) -> Result<Side, Problem> {
        let source = match (source, &self.request) {
            (Some(source), _) => source,
            (None, Some(request)) => return Ok(Side { name: request.file.clone(), inventory: Ok(request.inventory()) }),
            (None, None) => return Err(Problem::usage("there is no declared file to compare")),
        };
        if let Source::Cluster(context) = source {
            return self.cluster(context).await;
        }
        let client = self.context.registry_of(source, &self.settings, &self.args.registry)?;
        let place = if let Source::File(path) = source { find::runtime_of(path) } else { None };
        let runtime = place.as_deref().filter(|_| self.settings.runtime().is_none()).or(self.runtime.as_deref());
        let around = Surroundings { context: self.context, settings: &self.settings, runtime, client: &client, ui: self.ui };
        let (held, environment) = match read(source, &around).await? {
            Ok(read) => read,
            Err(why) => return Ok(Side { name: source.to_string(), inventory: Err(why) }),
        };
        let inventory = held.inventory(&environment)?;
        if !inventory.has_folder {
            // It would be compared as one that has nothing, and so as the removal of everything.
            return Err(held.without_folder(&environment));
        }
        let name = if let Source::File(_) = source { held.origin } else { source.to_string() };
        Ok(Side { name, inventory: Ok(inventory) })
    }

    /// What this runtime's parent has applied on a cluster.
    async fn cluster(&self, context: &str) -> Result<Side, Problem> {
        let flags = self.args.cluster.all()?;
        let around = cluster::Surroundings { variables: &env::variable, home: env::home() };
        let cluster = cluster::connect(&flags, Some(context), &around, self.context.budget)?;
        let observed = observed::from_cluster(&cluster, context, self.settings.namespace()).await;
        let parent = names::parent(self.runtime.as_deref().unwrap_or_default());
        let inventory = observed.applied_by(&parent).map_err(|gap| {
            Problem::new(Class::Cluster, format!("the cluster {context} cannot be compared")).cause(gap.message)
        })?;
        Ok(Side { name: format!("cluster:{context}"), inventory: Ok(inventory) })
    }
}
