//! `deploy pull`: the files of a published deploy artifact, to a folder.

use super::super::context::Context;
use super::super::flags::RegistryFlags;
use super::request::WorkloadFlags;
use super::show::held;
use crate::exit::Outcome;
use crate::files::write;
use crate::ui::Ui;
use runway_core::problem::Problem;
use std::path::PathBuf;

/// Get the files of a published deploy artifact.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: WorkloadFlags,
    /// oci://REPOSITORY[:TAG|@DIGEST] or layout:DIR[:TAG] [default: what is published]
    source: Option<String>,
    /// Write the files below this folder
    #[arg(long, value_name = "DIR")]
    output_dir: PathBuf,
    #[command(flatten)]
    registry: RegistryFlags,
}

pub(super) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let settings = args.which.settings(None, context)?;
    let held = held(&args.which, args.source.as_deref(), &settings, &args.registry, context)?;
    write::tree(&context.start.join(&args.output_dir), &held.tree, |path| {
        ui.note(&format!("wrote {}", args.output_dir.join(path).display()));
    })?;
    Ok(Outcome::YES)
}
