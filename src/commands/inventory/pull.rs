//! `inventory pull`: the files of a published inventory, to a folder.

use super::super::context::{Context, environment};
use super::super::flags::{RegistryFlags, WorkloadsFlags};
use super::request::{missing, published};
use crate::exit::Outcome;
use crate::files::write;
use crate::gather::expected;
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
    write::tree(&context.start.join(&args.output_dir), &held.tree, |path| {
        ui.note(&format!("wrote {}", args.output_dir.join(path).display()));
    })?;
    Ok(Outcome::YES)
}
