//! `config view`: every setting, and where it came from.

use super::context::Context;
use super::flags::{OutputFlags, PlaceFlags};
use super::outputs;
use crate::exit::Outcome;
use crate::render::output::Output;
use crate::render::table::table;
use crate::ui::Ui;
use runway_core::api;
use runway_core::problem::Problem;
use runway_core::settings::{Key, Origin, Settings, Value};

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
    which: PlaceFlags,
    #[command(flatten)]
    output: OutputFlags,
}

const FORMATS: [&str; 3] = ["table", "json", "yaml"];

pub(crate) fn run(command: &Command, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let Command::View(args) = command;
    let outputs = Output::parse_all(&args.output.output, &FORMATS)?;
    let settings = context.settings(&args.which)?;
    outputs::show(&outputs, (context, ui), || api::settings::document(&settings), |_| Ok(text(&settings, args.show_origin, ui)))?;
    Ok(Outcome::YES)
}

fn text(settings: &Settings, origins: bool, ui: &Ui) -> String {
    let row = |path: &str, value: String, origin: &Origin| {
        let mut row = vec![path.to_owned(), value];
        if origins {
            row.push(origin.to_string());
        }
        row
    };
    let one = |(key, value, origin): (&Key, &Value, &Origin)| row(key.path, value.to_string(), origin);
    let clusters: Vec<&str> = settings.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
    let clusters = row("clusters", clusters.join(","), &settings.clusters_from);
    let rows: Vec<Vec<String>> = settings.all().map(one).chain([clusters]).collect();
    let heads: &[&str] = if origins { &["KEY", "VALUE", "ORIGIN"] } else { &["KEY", "VALUE"] };
    table(heads, &rows, ui.style())
}
