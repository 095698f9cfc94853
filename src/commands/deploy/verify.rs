//! `deploy verify`: all that is wrong with a workload's manifests.

use super::super::context::Context;
use super::request::{ManifestFlags, Request, WorkloadFlags};
use crate::exit::Outcome;
use crate::ui::Ui;
use runway_core::problem::Problem;

/// Check a workload's manifests.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  kubectl runway deploy verify example-service-gke --path manifests\n  kubectl runway deploy verify example-service-gke -e production --chart chart --values production.yaml\n\nExit codes: 0 fine, 1 errors were found, 2 the manifests could not be read."
)]
pub(crate) struct Args {
    #[command(flatten)]
    which: WorkloadFlags,
    #[command(flatten)]
    manifests: ManifestFlags,
}

pub(super) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let request = Request::new(&args.which, &args.manifests, context, ui)?;
    request.show(ui);
    Ok(if request.errors() == 0 { Outcome::YES } else { Outcome::NO })
}
