//! The list of tags that inventories and deploy artifacts share.

use super::context::Context;
use super::flags::{OutputFlags, RegistryFlags};
use crate::exit::Outcome;
use crate::files::write;
use crate::gather::source::Source;
use crate::gather::tags::{self, Tagged};
use crate::render::output::{self, Output};
use crate::render::table::table;
use crate::ui::Ui;
use runway_core::flux::revision::short;
use runway_core::problem::Problem;
use runway_core::settings::Settings;
use serde_json::{Value, json};

const FORMATS: [&str; 4] = ["table", "json", "yaml", "name"];

/// The flags of a list.
#[derive(Debug, clap::Args)]
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
    let outputs = Output::parse_all(&flags.output.output, &FORMATS, "table")?;
    let client = context.registry(settings, &flags.registry)?;
    let list = crate::block_on(tags::list(&source()?, &client))?;
    for output in &outputs {
        let text = match output.format.as_str() {
            "json" => output::json(&document(&list))?,
            "yaml" => output::yaml(&document(&list))?,
            "name" => list.iter().flat_map(|tagged| [tagged.tag.as_str(), "\n"]).collect(),
            _ => {
                let rows: Vec<Vec<String>> = list.iter().map(row).collect();
                table(&["TAG", "DIGEST", "CREATED", "REVISION", "SOURCE"], &rows, ui.style())
            }
        };
        match &output.path {
            None => ui.answer(&text)?,
            Some(path) => write::atomic(&context.start.join(path), text.as_bytes())?,
        }
    }
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
