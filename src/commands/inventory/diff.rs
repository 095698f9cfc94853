//! `inventory diff`: what would change, workload by workload, field by field.

use super::super::context::Context;
use super::super::flags::{ClusterFlags, OutputFlags, RegistryFlags, WorkloadsFlags};
use super::super::outputs;
use super::request::{Request, published_of};
use crate::exit::Outcome;
use crate::gather::source::Source;
use crate::gather::{expected, observed};
use crate::render::output::Output;
use crate::render::{markdown, plan as render};
use crate::ui::Ui;
use crate::{cluster, env};
use runway_core::api;
use runway_core::flux::names;
use runway_core::inventory::Inventory;
use runway_core::problem::{Class, Place, Problem};
use runway_core::publish::{Plan, plan};

/// Show what would change, workload by workload, field by field.
#[derive(Debug, clap::Args)]
#[command(mut_arg("output", super::super::flags::formats(&FORMATS)))]
pub(crate) struct Args {
    /// What would be: local, a folder, oci://…, layout:DIR[:TAG] or cluster:CONTEXT [default: local]
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
    request: Request,
}

/// One side of the comparison; none: asked, and not there.
struct Side {
    name: String,
    inventory: Option<Inventory>,
}

impl<'a> Sides<'a> {
    fn new(args: &'a Args, context: &'a Context, ui: &Ui) -> Result<Self, Problem> {
        let local = |text: Option<&str>, default: bool| text.map_or(default, |text| text == "local");
        let needs_file = local(args.new.as_deref(), true) || local(args.old.as_deref(), false);
        let request = if needs_file {
            Request::new(&args.workloads, context, ui)?
        } else {
            Request::without_file(&args.workloads, context)?
        };
        Ok(Self { args, context, request })
    }

    async fn side(&self, text: Option<&str>, local: bool) -> Result<Side, Problem> {
        let environment = &self.request.environment;
        if text == Some("local") || (text.is_none() && local) {
            return Ok(Side { name: self.request.file.clone(), inventory: Some(self.request.inventory()) });
        }
        // The runtime of the file, which may be the repository's only one and named nowhere.
        let source = match text {
            Some(text) if text != "published" => Source::parse(text, &self.context.start)?,
            _ => published_of(&self.request.runtime, &self.request.settings, environment)?,
        };
        if let Source::Cluster(context) = &source {
            return self.cluster(context).await;
        }
        let client = self.context.registry(&self.request.settings, &self.args.registry)?;
        let held = expected::held(&source, environment, &client).await?;
        let inventory = held.map(|held| held.inventory(environment)).transpose()?;
        Ok(Side { name: source.to_string(), inventory })
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
