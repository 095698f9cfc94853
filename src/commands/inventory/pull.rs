//! `inventory pull`: the files of a published inventory, to a folder.

use super::super::context::{Context, environment};
use super::super::flags::{RegistryFlags, WorkloadsFlags};
use super::super::sources::Reading;
use super::request::published;
use crate::exit::Outcome;
use crate::files::write;
use crate::ui::Ui;
use runway_core::problem::{Class, Place, Problem};
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
    let client = context.registry(&settings, &args.registry)?;
    let runtime = settings.runtime();
    let reading = Reading { context, settings: &settings, runtime, environment, client: &client, ui };
    let held = crate::block_on(reading.held(&source))?
        .ok_or_else(|| Problem::new(Class::Registry, "there is no such inventory").at(Place::file(source.to_string())))?;
    write::tree(&context.start.join(&args.output_dir), &held.tree, |path| {
        ui.note(&format!("wrote {}", args.output_dir.join(path).display()));
    })?;
    Ok(Outcome::YES)
}
