//! The list of tags that inventories and deploy artifacts share.

use super::context::Context;
use super::flags::{OutputFlags, RegistryFlags};
use super::outputs;
use crate::exit::Outcome;
use crate::gather::source::Source;
use crate::gather::tags::{self, Tagged};
use crate::render::output::Output;
use crate::render::table::table;
use crate::ui::Ui;
use runway_core::api::tags::{self as api, Item, TagList};
use runway_core::flux::revision::short;
use runway_core::problem::Problem;
use runway_core::settings::Settings;

const FORMATS: [&str; 4] = ["table", "json", "yaml", "name"];

/// The flags of a list.
#[derive(Debug, clap::Args)]
#[command(mut_arg("output", super::flags::formats(&FORMATS)))]
pub(super) struct ListFlags {
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    registry: RegistryFlags,
}

/// Reads and shows the tags of a repository or layout.
pub(super) fn list(
    source: impl FnOnce() -> Result<Source, Problem>,
    flags: &ListFlags,
    settings: &Settings,
    context: &Context,
    ui: &Ui,
) -> Result<Outcome, Problem> {
    let outputs = Output::parse_all(&flags.output.output, &FORMATS)?;
    let source = source()?;
    let client = context.registry_of(&source, settings, &flags.registry)?;
    let list = crate::block_on(tags::list(&source, &client))?;
    outputs::show(
        &outputs,
        (context, ui),
        || document(&list),
        |format| {
            if format == "name" {
                return Ok(list.iter().flat_map(|tagged| [tagged.tag.as_str(), "\n"]).collect());
            }
            let rows: Vec<Vec<String>> = list.iter().map(row).collect();
            Ok(table(&["TAG", "DIGEST", "CREATED", "REVISION", "SOURCE"], &rows, ui.style()))
        },
    )?;
    Ok(Outcome::YES)
}

fn row(tagged: &Tagged) -> Vec<String> {
    vec![
        tagged.tag.clone(),
        short(&tagged.digest).to_owned(),
        tagged.created.clone().unwrap_or_default(),
        tagged.revision.clone().unwrap_or_default(),
        tagged.source.clone().unwrap_or_default(),
    ]
}

fn document(list: &[Tagged]) -> TagList {
    let item = |tagged: &Tagged| {
        let Tagged { tag, digest, created, revision, source } = tagged.clone();
        Item { tag, digest, created, revision, source }
    };
    api::document(list.iter().map(item).collect())
}
