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
use runway_core::flux::revision::short;
use runway_core::problem::Problem;
use runway_core::settings::Settings;
use serde_json::{Value, json};

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

fn document(list: &[Tagged]) -> Value {
    let items: Vec<Value> = list
        .iter()
        .map(|tagged| {
            let mut item = json!({ "tag": tagged.tag, "digest": tagged.digest });
            let more = [("created", &tagged.created), ("revision", &tagged.revision), ("source", &tagged.source)];
            for (key, value) in more.into_iter().filter_map(|(key, value)| value.as_ref().map(|value| (key, value))) {
                if let Some(map) = item.as_object_mut() {
                    map.insert(key.to_owned(), value.clone().into());
                }
            }
            item
        })
        .collect();
    json!({ "apiVersion": runway_core::api::API_VERSION, "kind": "TagList", "items": items })
}
