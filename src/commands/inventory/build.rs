//! `inventory build`.

use super::super::context::Context;
use super::super::flags::WorkloadsFlags;
use super::request::Request;
use crate::exit::Outcome;
use crate::files::write;
use crate::ui::Ui;
use runway_core::inventory;
use runway_core::problem::Problem;
use std::path::PathBuf;

/// Print the Flux objects of a runtime's workloads, or write them to a folder.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  kubectl runway inventory build --runtime gke -e production\n  kubectl runway inventory build --runtime gke -e production --output-dir out"
)]
pub(crate) struct Args {
    #[command(flatten)]
    workloads: WorkloadsFlags,
    /// Write DIR/<environment>/inventory.yaml instead of printing
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,
}

pub(super) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let request = Request::new(&args.workloads, context, ui)?;
    let tree = inventory::write(&request.pairs, &request.environment)?;
    let Some(folder) = &args.output_dir else {
        let text: String = tree.files().map(|(_, content)| String::from_utf8_lossy(content)).collect();
        ui.answer(&text)?;
        return Ok(Outcome::YES);
    };
    for (path, content) in tree.files() {
        let file = context.start.join(folder).join(&path);
        if let Some(above) = file.parent() {
            write::folder(above)?;
        }
        write::atomic(&file, content)?;
        ui.note(&format!("wrote {}", folder.join(&path).display()));
    }
    Ok(Outcome::YES)
}
