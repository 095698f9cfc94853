//! `deploy diff`: what would change, object by object, field by field.

use super::super::context::Context;
use super::super::flags::{ExitFlags, OutputFlags, RegistryFlags};
use super::super::outputs;
use super::push::objects;
use super::request::{ManifestFlags, Request, WorkloadFlags};
use super::show::source;
use crate::exit::Outcome;
use crate::gather::expected;
use crate::render::output::Output;
use crate::render::{markdown, plan as render};
use crate::ui::Ui;
use runway_core::api;
use runway_core::problem::Problem;
use runway_core::publish::plan_objects;

/// Show what would change, object by object, field by field.
#[derive(Debug, clap::Args)]
#[command(mut_arg("output", super::super::flags::formats(&FORMATS)))]
pub(crate) struct Args {
    #[command(flatten)]
    which: WorkloadFlags,
    #[command(flatten)]
    manifests: ManifestFlags,
    /// What to compare with: oci://REPOSITORY[:TAG|@DIGEST], layout:DIR[:TAG] or a folder [default: what is published]
    #[arg(long, value_name = "SOURCE")]
    with: Option<String>,
    #[command(flatten)]
    exit: ExitFlags,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    registry: RegistryFlags,
}

const FORMATS: [&str; 4] = ["text", "json", "yaml", "markdown"];

pub(super) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let outputs = Output::parse_all(&args.output.output, &FORMATS)?;
    let request = Request::new(&args.which, &args.manifests, context, ui)?.accepted(ui)?;
    let (settings, workload) = (&request.settings, &args.which.workload);
    let source = source(workload, args.with.as_deref(), settings, context)?;
    let client = context.registry_of(&source, settings, &args.registry)?;
    let held = crate::block_on(expected::held(&source, settings.environment().unwrap_or("latest"), &client))?;
    if let Err(why) = &held {
        ui.note(&format!("{source} is not there: everything would be added ({})", why.causes.join(": ")));
    }
    let (old, plain) =
        held.as_ref().ok().map(objects).transpose()?.map_or((None, true), |(objects, plain)| (Some(objects), plain));
    if !plain {
        ui.warning(&format!(
            "{source} has a kustomization file, which decides what Flux applies of it: only the files are compared"
        ));
    }
    let plan = plan_objects(&request.objects, old.as_deref(), request.declared.prunes);
    let (new, old) = ("local", source.to_string());
    let title = || format!("{workload} {}", settings.environment().unwrap_or_default());
    outputs::show(
        &outputs,
        (context, ui),
        || api::diff::document(new, &old, &plan),
        |format| Ok(if format == "markdown" { markdown::plan(&title(), &plan) } else { render::text(&plan) }),
    )?;
    Ok(args.exit.of(if plain && plan.is_empty() { Outcome::YES } else { Outcome::NO }))
}
