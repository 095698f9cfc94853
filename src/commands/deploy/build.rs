//! `deploy build`.

use super::super::context::Context;
use super::request::{ManifestFlags, Request, WorkloadFlags};
use crate::exit::Outcome;
use crate::files::write;
use crate::ui::Ui;
use runway_core::deploy;
use runway_core::problem::Problem;
use std::path::PathBuf;

/// Print a workload's objects as they would be published, or write them to a folder.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: WorkloadFlags,
    #[command(flatten)]
    manifests: ManifestFlags,
    /// Write DIR/manifests.yaml instead of printing
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,
}

pub(super) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let request = Request::new(&args.which, &args.manifests, context, ui)?.accepted(ui)?;
    let tree = deploy::write(&request.objects)?;
    let Some(folder) = &args.output_dir else {
        let text: String = tree.files().map(|(_, content)| String::from_utf8_lossy(content)).collect();
        ui.answer(&text)?;
        return Ok(Outcome::YES);
    };
    write::tree(&context.start.join(folder), &tree, |path| ui.note(&format!("wrote {}", folder.join(path).display())))?;
    Ok(Outcome::YES)
}
