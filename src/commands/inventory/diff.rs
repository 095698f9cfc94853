//! `inventory diff`: what would change, workload by workload, field by field.

use super::super::context::Context;
use super::super::flags::{ClusterFlags, OutputFlags, RegistryFlags, WorkloadsFlags};
use super::super::outputs;
use super::super::sources::Reading;
use super::request::{Request, published};
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
use runway_core::problem::{Class, Place, Problem};
use runway_core::publish::{Plan, plan};
use std::path::PathBuf;

/// Show what would change, workload by workload, field by field.
#[derive(Debug, clap::Args)]
#[command(mut_arg("output", super::super::flags::formats(&FORMATS)))]
pub(crate) struct Args {
    /// What would be: local, a workloads.yml, a file of manifests, a folder, oci://…, layout:DIR[:TAG] or cluster:CONTEXT [default: local]
    new: Option<String>,
    /// What is [default: what is published]
    old: Option<String>,
    #[command(flatten)]
    workloads: WorkloadsFlags,
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
    let sides = Sides::new(args, context, ui)?;
    let (new, old) = crate::block_on(async {
        Ok((sides.side(args.new.as_deref(), true).await?, sides.side(args.old.as_deref(), false).await?))
    })?;
    let new_inventory = new.inventory.ok_or_else(|| missing(&new.name))?;
    let plan = plan(&new_inventory, old.inventory.as_ref());
    if old.inventory.is_none() {
        ui.note(&format!("{} is not there: everything would be added", old.name));
    }
    let document = || api::diff::document(&new.name, &old.name, &plan);
    outputs::show(&outputs, (context, ui), document, |format| {
        Ok(if format == "markdown" { markdown::plan(&title(&sides), &plan) } else { render::text(&plan) })
    })?;
    Ok(outcome(&plan))
}

fn outcome(plan: &Plan) -> Outcome {
    if plan.is_empty() { Outcome::YES } else { Outcome::NO }
}

fn missing(name: &str) -> Problem {
    Problem::new(Class::Registry, "there is no such inventory").at(Place::file(name))
}

fn title(sides: &Sides<'_>) -> String {
    format!("{} {}", sides.request.runtime, sides.request.environment)
}

struct Sides<'a> {
    args: &'a Args,
    context: &'a Context,
    ui: &'a Ui,
    request: Request,
}

/// One side of the comparison; none: asked, and not there.
struct Side {
    name: String,
    inventory: Option<Inventory>,
}

impl<'a> Sides<'a> {
    fn new(args: &'a Args, context: &'a Context, ui: &'a Ui) -> Result<Self, Problem> {
        let local = |text: Option<&str>, default: bool| text.map_or(default, |text| text == "local");
        let needs_file = local(args.new.as_deref(), true) || local(args.old.as_deref(), false);
        let request = if needs_file {
            Request::new(&args.workloads, context, ui)?
        } else {
            // A workloads.yml that is a side says the runtime by its place, as -f does.
            let mut flags = args.workloads.clone();
            let sides = [&args.new, &args.old].into_iter().flatten();
            let mut files = sides.filter(|side| find::runtime_of(&context.start.join(side)).is_some());
            flags.file = flags.file.or_else(|| files.next().map(PathBuf::from));
            Request::without_file(&flags, context)?
        };
        Ok(Self { args, context, ui, request })
    }

    async fn side(&self, text: Option<&str>, local: bool) -> Result<Side, Problem> {
        let environment = &self.request.environment;
        if text == Some("local") || (text.is_none() && local) {
            return Ok(Side { name: self.request.file.clone(), inventory: Some(self.request.inventory()) });
        }
        let source = published(text, &self.request.settings, environment, &self.context.start)?;
        if let Source::Cluster(context) = &source {
            return self.cluster(context).await;
        }
        let settings = &self.request.settings;
        let client = self.context.registry(settings, &self.args.registry)?;
        let place = if let Source::File(path) = &source { find::runtime_of(path) } else { None };
        let runtime = settings.runtime().or(place.as_deref()).or(Some(self.request.runtime.as_str()));
        let reading = Reading { context: self.context, settings, runtime, environment, client: &client, ui: self.ui };
        let Some(held) = reading.held(&source).await? else { return Ok(Side { name: source.to_string(), inventory: None }) };
        let inventory = held.inventory(environment)?;
        if !inventory.has_folder {
            // It would be compared as one that has nothing, and so as the removal of everything.
            return Err(held.without_folder(environment));
        }
        let name = if let Source::File(_) = source { held.origin } else { source.to_string() };
        Ok(Side { name, inventory: Some(inventory) })
    }

    /// What this runtime's parent has applied on a cluster.
    async fn cluster(&self, context: &str) -> Result<Side, Problem> {
        let flags = self.args.cluster.kube()?;
        let around = cluster::Surroundings { variables: &env::variable, home: env::home() };
        let cluster = cluster::connect(&flags, Some(context), &around, self.context.budget)?;
        let observed = observed::from_cluster(&cluster, context, self.request.settings.namespace()).await;
        let parent = names::parent(&self.request.runtime);
        let inventory = observed.applied_by(&parent).map_err(|gap| {
            Problem::new(Class::Cluster, format!("the cluster {context} cannot be compared")).cause(gap.message)
        })?;
        Ok(Side { name: format!("cluster:{context}"), inventory: Some(inventory) })
    }
}
