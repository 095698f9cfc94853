//! `deploy list`: the tags of a workload's deploy artifact, each with what it holds.

use super::super::context::Context;
use super::super::tags::{self, ListFlags};
use super::request::WorkloadFlags;
use crate::exit::Outcome;
use crate::gather::source::Source;
use crate::ui::Ui;
use runway_core::flux::reference::Reference;
use runway_core::problem::Problem;

/// List the tags of a workload's deploy artifact.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: WorkloadFlags,
    /// oci://REPOSITORY or layout:DIR [default: the workload's repository]
    source: Option<String>,
    #[command(flatten)]
    list: ListFlags,
}

pub(super) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let settings = args.which.settings(None, context)?;
    let source = || match &args.source {
        Some(text) => Source::parse(text, &context.start),
        None => Ok(Source::Registry(Reference { repository: settings.deploy_repository(&args.which.workload)?, target: None })),
    };
    tags::list(source, &args.list, &settings, context, ui)
}
