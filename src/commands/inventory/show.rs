//! `inventory show`.

use super::super::context::{Context, environment};
use super::super::flags::{RegistryFlags, WorkloadsFlags};
use super::request::{missing, published};
use crate::exit::Outcome;
use crate::gather::expected;
use crate::ui::Ui;
use runway_core::flux::kept::Kept;
use runway_core::problem::{Place, Problem};
use runway_core::yaml::emit;

/// Print a published inventory.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// oci://REPOSITORY[:TAG], layout:DIR[:TAG] or a folder [default: what is published]
    source: Option<String>,
    #[command(flatten)]
    workloads: WorkloadsFlags,
    #[command(flatten)]
    registry: RegistryFlags,
}

pub(super) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let settings = context.settings(&args.workloads)?;
    let environment = environment(&settings)?;
    let source = published(args.source.as_deref(), &settings, environment, &context.start)?;
    let client = context.registry_of(&source, &settings, &args.registry)?;
    let held =
        crate::block_on(expected::held(&source, environment, &client))?.map_err(|why| missing(why, &source.to_string()))?;
    let inventory = held.inventory(environment)?;
    if !inventory.has_folder {
        let folders: Vec<&str> = held.tree.top_folders().into_iter().collect();
        return Err(Problem::input(format!("the artifact has no folder {environment}"))
            .cause(format!("it has {}", if folders.is_empty() { "no folder at all".to_owned() } else { folders.join(", ") }))
            .at(Place::file(held.origin)));
    }
    if let (None, Some(runtime)) = (&args.source, settings.runtime()) {
        context.remember(&settings, (runtime, environment), inventory.names());
    }
    let objects = inventory
        .entries
        .iter()
        .flat_map(|entry| [entry.source.as_ref(), entry.kustomization.as_ref()])
        .flatten()
        .map(Kept::value)
        .collect::<Vec<_>>();
    ui.answer(&emit::documents(&objects)?)?;
    Ok(Outcome::YES)
}
