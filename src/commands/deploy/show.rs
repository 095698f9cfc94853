//! `deploy show`, and what show, pull and diff share: where a deploy artifact is.

use super::super::context::{Context, environment};
use super::super::flags::RegistryFlags;
use super::push::objects;
use super::request::WorkloadFlags;
use crate::exit::Outcome;
use crate::gather::expected::{self, Held};
use crate::gather::source::Source;
use crate::ui::Ui;
use runway_core::deploy::write;
use runway_core::flux::reference::{Reference, Target};
use runway_core::problem::Problem;
use runway_core::settings::Settings;

/// Print a published deploy artifact.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: WorkloadFlags,
    /// oci://REPOSITORY[:TAG|@DIGEST], layout:DIR[:TAG] or a folder [default: what is published]
    source: Option<String>,
    #[command(flatten)]
    registry: RegistryFlags,
}

pub(super) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let settings = args.which.settings(None, context)?;
    let held = held(&args.which, args.source.as_deref(), &settings, &args.registry, context)?;
    ui.answer(&write::text(&objects(&held)?.0))?;
    Ok(Outcome::YES)
}

/// Where a workload's artifact is: as named, else the settings' repository, tagged with the environment.
pub(super) fn source(workload: &str, text: Option<&str>, settings: &Settings, context: &Context) -> Result<Source, Problem> {
    match text {
        Some(text) if text != "published" => Source::parse(text, &context.start),
        _ => {
            let target = Some(Target::Tag(environment(settings)?.to_owned()));
            Ok(Source::Registry(Reference { repository: settings.deploy_repository(workload)?, target }))
        }
    }
}

/// Reads a published artifact; one that is not there is a problem.
pub(super) fn held(
    which: &WorkloadFlags,
    text: Option<&str>,
    settings: &Settings,
    registry: &RegistryFlags,
    context: &Context,
) -> Result<Held, Problem> {
    let source = source(&which.workload, text, settings, context)?;
    let client = context.registry_of(&source, settings, registry)?;
    let tag = settings.environment().unwrap_or("latest");
    crate::block_on(expected::held(&source, tag, &client))?.map_err(|why| {
        let problem = Problem { what: "there is no such deploy artifact".to_owned(), ..why };
        let is_named = match &source {
            Source::Registry(reference) => reference.target.is_some(),
            Source::Layout(_, tag) => tag.is_some(),
            _ => true,
        };
        if is_named || settings.environment().is_some() {
            return problem;
        }
        problem.hint("no tag was named: write SOURCE:TAG, or name the environment with -e")
    })
}
