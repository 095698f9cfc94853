//! `tree`: the objects that a workload has applied, each with its health, and the Pods in trouble.

use super::context::Context;
use super::look::{NamedFlags, show_named};
use crate::exit::Outcome;
use crate::render::objects;
use crate::ui::Ui;
use runway_core::problem::Problem;

/// Show the objects that a workload has applied, each with its health.
#[derive(Debug, clap::Args)]
#[command(mut_arg("output", super::flags::formats(&FORMATS)))]
pub(crate) struct Args {
    #[command(flatten)]
    named: NamedFlags,
}

const FORMATS: [&str; 3] = ["tree", "json", "yaml"];

pub(crate) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    show_named(&args.named, (context, ui), &FORMATS, objects::forest)
}
