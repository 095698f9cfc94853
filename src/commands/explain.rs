//! `explain`: the first broken link of a workload, why, what to do next, and the evidence of every link.

use super::context::Context;
use super::flags::OutputFlags;
use super::look::{Look, LookFlags, names, show_one};
use crate::exit::Outcome;
use crate::render::status as render;
use crate::ui::Ui;
use runway_core::problem::Problem;

/// Say which link broke first, why, and what to do next.
#[derive(Debug, clap::Args)]
#[command(mut_arg("output", super::flags::formats(&FORMATS)))]
pub(crate) struct Args {
    /// The workload
    #[arg(required = true, value_name = "WORKLOAD")]
    workloads: Vec<String>,
    #[command(flatten)]
    look: LookFlags,
    #[command(flatten)]
    output: OutputFlags,
}

const FORMATS: [&str; 3] = ["text", "json", "yaml"];

pub(crate) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let settings = context.settings(&args.look.which)?;
    let named = names(&args.workloads);
    let look = Look { flags: &args.look, named: &named, objects: true, context, settings: &settings, ui };
    show_one(&look, &args.output, "text", |items, now, style| {
        items.iter().map(|item| render::explain(item, now, style)).collect::<Vec<_>>().join("\n")
    })
}
