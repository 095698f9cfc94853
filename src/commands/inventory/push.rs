//! `inventory push`: gather what the tag holds, plan, guard, push, and ask again.

use super::super::context::Context;
use super::super::flags::{OutputFlags, RegistryFlags, WorkloadsFlags};
use super::request::Request;
use crate::exit::Outcome;
use crate::files::write;
use crate::gather::provenance;
use crate::gather::publish::Destination;
use crate::render::output::{self, Output};
use crate::render::plan as render;
use crate::ui::Ui;
use runway_core::api;
use runway_core::artifact::{Artifact, build};
use runway_core::problem::{Class, Problem};
use runway_core::publish::{self, Allowance, Plan, Receipt, guard, plan};

/// Publish the inventory: plan, guard, push, read back.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  kubectl runway inventory push --runtime gke -e production --dry-run\n  kubectl runway inventory push --runtime gke -e production\n  kubectl runway inventory push --runtime gke -e production --to layout:out\n\nExit codes: 0 pushed or unchanged, 2 not done, 5 refused by the guard or because somebody moved the tag."
)]
pub(crate) struct Args {
    #[command(flatten)]
    workloads: WorkloadsFlags,
    /// oci://REPOSITORY[:TAG] or layout:DIR[:TAG] [default: the settings' inventory repository]
    #[arg(long, value_name = "TARGET")]
    to: Option<String>,
    /// Show the plan and push nothing
    #[arg(long)]
    dry_run: bool,
    /// Push even when the tag already holds this content
    #[arg(long)]
    force: bool,
    /// Let up to N workloads be removed
    #[arg(long, value_name = "N")]
    allow_removals: Option<u64>,
    /// URL of the repository that the content comes from
    #[arg(long, value_name = "URL")]
    source: Option<String>,
    /// Git revision that the content comes from, such as main@sha1:…
    #[arg(long, value_name = "REVISION")]
    revision: Option<String>,
    /// Annotation of the manifest; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    annotate: Vec<String>,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    registry: RegistryFlags,
}

const FORMATS: [&str; 4] = ["text", "json", "yaml", "dotenv"];

pub(super) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let outputs = Output::parse_all(&args.output.output, &FORMATS, "text")?;
    let request = Request::new(&args.workloads, context, ui)?;
    let tree = request.tree()?;
    let given =
        provenance::Given { source: args.source.as_deref(), revision: args.revision.as_deref(), annotations: &args.annotate };
    let artifact = build(&tree, &crate::block_on(provenance::of(&given, &context.start))?);
    let client = context.registry(&request.settings, &args.registry)?;
    let destination =
        Destination::parse(args.to.as_deref(), &request.settings, &request.runtime, &request.environment, &context.start)?;
    let (receipt, plan) = crate::block_on(async {
        let held = destination.held(&client).await?;
        let old = held.as_ref().map(|held| held.inventory(&request.environment)).transpose()?;
        let new = request.inventory();
        let plan = plan(&new, old.as_ref());
        let allowance = Allowance {
            max_removals: request.settings.max_removals(),
            max_percent: request.settings.max_removal_percent(),
            allowed: args.allow_removals,
        };
        if let Err(problem) = guard(&plan, allowance) {
            return Ok((receipt(&destination, &artifact, publish::Outcome::Refused), plan, Some(problem)));
        }
        let unchanged = held.as_ref().is_some_and(|held| held.tree == tree) && !args.force;
        let digest = held.as_ref().and_then(|held| held.digest.clone());
        if unchanged {
            let mut receipt = receipt(&destination, &artifact, publish::Outcome::Unchanged);
            if let Some(digest) = digest {
                digest.as_str().clone_into(&mut receipt.digest);
            }
            return Ok((receipt, plan, None));
        }
        if args.dry_run {
            return Ok((receipt(&destination, &artifact, publish::Outcome::Planned), plan, None));
        }
        destination.push(&client, &artifact, digest.as_ref()).await?;
        Ok((receipt(&destination, &artifact, publish::Outcome::Pushed), plan, None))
    })
    .and_then(|(receipt, plan, refused)| {
        show(&outputs, &receipt, &plan, ui)?;
        refused.map_or(Ok((receipt, plan)), Err)
    })?;
    if receipt.result == publish::Outcome::Pushed {
        ui.note(&format!("next: kubectl runway status --runtime {} -e {}", request.runtime, request.environment));
    }
    drop(plan);
    Ok(Outcome::YES)
}

fn receipt(destination: &Destination, artifact: &Artifact, result: publish::Outcome) -> Receipt {
    Receipt {
        result,
        repository: destination.repository(),
        tag: destination.tag().to_owned(),
        digest: artifact.manifest.digest.as_str().to_owned(),
        size: artifact.manifest.bytes.len() + artifact.config.bytes.len() + artifact.layer.bytes.len(),
    }
}

fn show(outputs: &[Output], receipt: &Receipt, plan: &Plan, ui: &Ui) -> Result<(), Problem> {
    for output in outputs {
        let text = match output.format.as_str() {
            "json" => output::json(&api::push::document(receipt, plan))?,
            "yaml" => output::yaml(&api::push::document(receipt, plan))?,
            "dotenv" => dotenv(receipt)?,
            _ => render::text(plan) + &render::receipt(receipt, plan),
        };
        match &output.path {
            None => ui.answer(&text)?,
            Some(path) => write::atomic(path, text.as_bytes())?,
        }
    }
    Ok(())
}

/// Variables for later CI jobs.
fn dotenv(receipt: &Receipt) -> Result<String, Problem> {
    let changed = receipt.result == publish::Outcome::Pushed;
    let reference = format!("{}@{}", receipt.repository, receipt.digest);
    if reference.chars().any(char::is_control) {
        return Err(Problem::new(Class::Output, "the reference cannot be written as a variable"));
    }
    Ok(format!(
        "RUNWAY_REF={reference}\nRUNWAY_TAG={}\nRUNWAY_DIGEST={}\nRUNWAY_CHANGED={changed}\n",
        receipt.tag, receipt.digest
    ))
}
