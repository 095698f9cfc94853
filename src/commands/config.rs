//! `config view`: every setting, and where it came from.

use super::context::Context;
use super::flags::{OutputFlags, WorkloadsFlags};
use super::outputs;
use crate::exit::Outcome;
use crate::render::output::Output;
use crate::render::table::table;
use crate::ui::Ui;
use runway_core::problem::Problem;
use runway_core::settings::{Key, Origin, Settings, Value};
use serde_json::json;

/// Look at the settings.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Print every setting with its value
    View(Args),
}

/// Print every setting with its value.
#[derive(Debug, clap::Args)]
#[command(mut_arg("output", super::flags::formats(&FORMATS)))]
pub(crate) struct Args {
    /// Say where each value came from
    #[arg(long)]
    show_origin: bool,
    #[command(flatten)]
    which: WorkloadsFlags,
    #[command(flatten)]
    output: OutputFlags,
}

const FORMATS: [&str; 3] = ["table", "json", "yaml"];

pub(crate) fn run(command: &Command, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let Command::View(args) = command;
    let outputs = Output::parse_all(&args.output.output, &FORMATS)?;
    let settings = context.settings(&args.which)?;
    outputs::show(&outputs, (context, ui), || document(&settings), |_| Ok(text(&settings, args.show_origin, ui)))?;
    Ok(Outcome::YES)
}

fn text(settings: &Settings, origins: bool, ui: &Ui) -> String {
    let row = |(key, value, origin): (&Key, &Value, &Origin)| {
        let mut row = vec![key.path.to_owned(), value.to_string()];
        if origins {
            row.push(origin.to_string());
        }
        row
    };
    let rows: Vec<Vec<String>> = settings.all().map(row).collect();
    let heads: &[&str] = if origins { &["KEY", "VALUE", "ORIGIN"] } else { &["KEY", "VALUE"] };
    table(heads, &rows, ui.style())
}

fn document(settings: &Settings) -> serde_json::Value {
    let item = |(key, value, origin): (&Key, &Value, &Origin)| {
        let value = match value {
            Value::Text(text) => json!(text),
            Value::List(list) => json!(list),
        };
        json!({ "key": key.path, "value": value, "origin": origin.to_string(), "variable": key.variable() })
    };
    json!({
        "apiVersion": runway_core::api::API_VERSION,
        "kind": "Settings",
        "items": settings.all().map(item).collect::<Vec<_>>(),
        "clusters": settings.clusters,
    })
}
