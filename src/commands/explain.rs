//! `explain`: the first broken link of a workload, why, what to do next, and the evidence of every link.

use super::context::Context;
use super::look::{NamedFlags, show_named};
use crate::exit::Outcome;
use crate::render::status as render;
use crate::ui::Ui;
use runway_core::problem::Problem;

/// Say which link broke first, why, and what to do next.
#[derive(Debug, clap::Args)]
#[command(mut_arg("output", super::flags::formats(&FORMATS)))]
pub(crate) struct Args {
    #[command(flatten)]
    named: NamedFlags,
}

const FORMATS: [&str; 3] = ["text", "json", "yaml"];

pub(crate) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    show_named(&args.named, (context, ui), &FORMATS, |items, now, style| {
        items.iter().map(|item| render::explain(item, now, style)).collect::<Vec<_>>().join("\n")
    })
}
