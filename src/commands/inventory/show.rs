//! `inventory show`.

use super::super::context::Context;
use super::super::flags::{PlaceFlags, RegistryFlags};
use super::request::{Surroundings, missing, published, read};
use crate::exit::Outcome;
use crate::ui::Ui;
use runway_core::flux::kept::Kept;
use runway_core::problem::Problem;
use runway_core::yaml::emit;

/// Print a published inventory.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// oci://REPOSITORY[:TAG], layout:DIR[:TAG], a folder, a workloads.yml or a file of manifests [default: what is published]
    source: Option<String>,
    #[command(flatten)]
    workloads: PlaceFlags,
    #[command(flatten)]
    registry: RegistryFlags,
}

pub(super) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let settings = context.settings(&args.workloads)?;
    let source = published(args.source.as_deref(), &settings, settings.runtime(), &context.start)?;
    let client = context.registry_of(&source, &settings, &args.registry)?;
    let around = Surroundings { context, settings: &settings, runtime: settings.runtime(), client: &client, ui };
    let (held, environment) = crate::block_on(read(&source, &around))?.map_err(|why| missing(why, &source.to_string()))?;
    let inventory = held.inventory(&environment)?;
    if !inventory.has_folder {
        return Err(held.without_folder(&environment));
    }
    if let (None, Some(runtime)) = (&args.source, settings.runtime()) {
        context.remember(&settings, (runtime, &environment), inventory.names());
    }
    let objects = inventory
        .entries
        .iter()
        .flat_map(|entry| [entry.source.as_ref(), entry.kustomization.as_ref()])
        .flatten()
        .chain(inventory.others.iter().map(|other| &other.object))
        .map(Kept::value)
        .collect::<Vec<_>>();
    ui.answer(&emit::documents(&objects)?)?;
    Ok(Outcome::YES)
}
