//! `tree`: the objects that a workload has applied, each with its health, and the Pods in trouble.

use super::context::Context;
use super::flags::OutputFlags;
use super::look::{Look, LookFlags, names, show_one};
use crate::exit::Outcome;
use crate::render::objects;
use crate::ui::Ui;
use runway_core::problem::Problem;

/// Show the objects that a workload has applied, each with its health.
#[derive(Debug, clap::Args)]
#[command(mut_arg("output", super::flags::formats(&FORMATS)))]
pub(crate) struct Args {
    /// The workload, or a parent such as gke-inventory
    #[arg(required = true, value_name = "WORKLOAD")]
    workloads: Vec<String>,
    #[command(flatten)]
    look: LookFlags,
    #[command(flatten)]
    output: OutputFlags,
}

const FORMATS: [&str; 3] = ["tree", "json", "yaml"];

pub(crate) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let settings = context.settings(&args.look.which)?;
    let named = names(&args.workloads);
    let look = Look { flags: &args.look, named: &named, objects: true, context, settings: &settings, ui };
    show_one(&look, &args.output, "tree", objects::forest)
}
