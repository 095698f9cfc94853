//! `inventory list`: the tags of an inventory, each with what it holds.

use super::super::context::Context;
use super::super::flags::PlaceFlags;
use super::super::tags::{self, ListFlags};
use super::request::not_named;
use crate::exit::Outcome;
use crate::gather::source::Source;
use crate::ui::Ui;
use runway_core::flux::reference::Reference;
use runway_core::problem::Problem;

/// List the tags of an inventory.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// oci://REPOSITORY or layout:DIR [default: the runtime's repository]
    source: Option<String>,
    #[command(flatten)]
    workloads: PlaceFlags,
    #[command(flatten)]
    list: ListFlags,
}

pub(super) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let settings = context.settings(&args.workloads)?;
    let source = || match (&args.source, settings.runtime()) {
        (Some(text), _) => Source::parse(text, &context.start),
        (None, Some(runtime)) => {
            Ok(Source::Registry(Reference { repository: settings.inventory_repository(runtime)?, target: None }))
        }
        (None, None) => Err(not_named(&settings)),
    };
    tags::list(source, &args.list, &settings, context, ui)
}
