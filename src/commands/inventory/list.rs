//! `inventory list`: the tags of an inventory, each with what it holds.

use super::super::context::Context;
use super::super::flags::{OutputFlags, RegistryFlags, WorkloadsFlags};
use crate::exit::Outcome;
use crate::files::write;
use crate::gather::source::Source;
use crate::gather::tags::{self, Tagged};
use crate::render::output::{self, Output};
use crate::render::table::table;
use crate::ui::Ui;
use runway_core::flux::reference::Reference;
use runway_core::flux::revision::short;
use runway_core::problem::Problem;
use serde_json::{Value, json};

/// List the tags of an inventory.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  kubectl runway inventory list --runtime gke\n  kubectl runway inventory list layout:out -o json"
)]
pub(crate) struct Args {
    /// oci://REPOSITORY or layout:DIR [default: the runtime's repository]
    source: Option<String>,
    #[command(flatten)]
    workloads: WorkloadsFlags,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    registry: RegistryFlags,
}

const FORMATS: [&str; 4] = ["table", "json", "yaml", "name"];

pub(super) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let outputs = Output::parse_all(&args.output.output, &FORMATS, "table")?;
    let settings = context.settings(&args.workloads)?;
    let source = match (&args.source, settings.runtime()) {
        (Some(text), _) => Source::parse(text, &context.start)?,
        (None, Some(runtime)) => {
            Source::Registry(Reference { repository: settings.inventory_repository(runtime)?, target: None })
        }
        (None, None) => {
            return Err(Problem::usage("no inventory was named")
                .hint(format!("name a source, or add --runtime, one of {}", settings.runtimes().join(", "))));
        }
    };
    let client = context.registry(&settings, &args.registry)?;
    let list = crate::block_on(tags::list(&source, &client))?;
    for output in &outputs {
        let text = match output.format.as_str() {
            "json" => output::json(&document(&list))?,
            "yaml" => output::yaml(&document(&list))?,
            "name" => list.iter().map(|tagged| format!("{}\n", tagged.tag)).collect(),
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
