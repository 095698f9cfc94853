//! `deploy diff`: what would change, object by object, field by field.

use super::super::context::Context;
use super::super::flags::{OutputFlags, RegistryFlags};
use super::push::objects;
use super::request::{ManifestFlags, Request, WorkloadFlags};
use super::show::source;
use crate::exit::Outcome;
use crate::files::write;
use crate::gather::expected;
use crate::render::output::{self, Output};
use crate::render::{markdown, plan as render};
use crate::ui::Ui;
use runway_core::api;
use runway_core::problem::Problem;
use runway_core::publish::plan_objects;

/// Show what would change, object by object, field by field.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  kubectl runway deploy diff example-service-gke -e production --chart chart --values production.yaml\n  kubectl runway deploy diff example-service-gke -e production --path manifests -o markdown=comment.md\n  kubectl runway deploy diff example-service-gke --path manifests --with layout:out:staging\n\nExit codes: 0 the same, 1 different, 2 could not be compared."
)]
pub(crate) struct Args {
    #[command(flatten)]
    which: WorkloadFlags,
    #[command(flatten)]
    manifests: ManifestFlags,
    /// What to compare with: oci://REPOSITORY[:TAG|@DIGEST], layout:DIR[:TAG] or a folder [default: what is published]
    #[arg(long, value_name = "SOURCE")]
    with: Option<String>,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    registry: RegistryFlags,
}

const FORMATS: [&str; 4] = ["text", "json", "yaml", "markdown"];

pub(super) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let outputs = Output::parse_all(&args.output.output, &FORMATS, "text")?;
    let request = Request::new(&args.which, &args.manifests, context, ui)?.accepted(ui)?;
    let (settings, workload) = (&request.settings, &args.which.workload);
    let source = source(workload, args.with.as_deref(), settings, context)?;
    let client = context.registry(settings, &args.registry)?;
    let held = crate::block_on(expected::held(&source, settings.environment().unwrap_or("latest"), &client))?;
    if held.is_none() {
        ui.note(&format!("{source} is not there: everything would be added"));
    }
    let old = held.as_ref().map(objects).transpose()?.map(|(objects, _)| objects);
    let plan = plan_objects(&request.objects, old.as_deref(), request.declared.prunes);
    let (new, old) = ("local", source.to_string());
    for output in &outputs {
        let text = match output.format.as_str() {
            "json" => output::json(&api::diff::document(new, &old, &plan))?,
            "yaml" => output::yaml(&api::diff::document(new, &old, &plan))?,
            "markdown" => markdown::plan(&format!("{workload} {}", settings.environment().unwrap_or_default()), &plan),
            _ => render::text(&plan),
        };
        match &output.path {
            None => ui.answer(&text)?,
            Some(path) => write::atomic(&context.start.join(path), text.as_bytes())?,
        }
    }
    Ok(if plan.is_empty() { Outcome::YES } else { Outcome::NO })
}
