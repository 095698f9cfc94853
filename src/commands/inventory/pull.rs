//! `inventory pull`: the files of a published inventory, to a folder.

use super::super::context::Context;
use super::super::flags::{PlaceFlags, RegistryFlags};
use super::request::{Surroundings, missing, published, read};
use crate::exit::Outcome;
use crate::files::write;
use crate::ui::Ui;
use runway_core::problem::Problem;
use std::path::PathBuf;

/// Get the files of a published inventory.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// oci://REPOSITORY[:TAG|@DIGEST] or layout:DIR[:TAG] [default: what is published]
    source: Option<String>,
    /// Write the files below this folder
    #[arg(long, value_name = "DIR")]
    output_dir: PathBuf,
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
    let (held, _) = crate::block_on(read(&source, &around))?.map_err(|why| missing(why, &source.to_string()))?;
    write::tree(&context.start.join(&args.output_dir), &held.tree, |path| {
        ui.note(&format!("wrote {}", args.output_dir.join(path).display()));
    })?;
    Ok(Outcome::YES)
}
