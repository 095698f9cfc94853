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
#[command(
    after_help = "The health is kstatus', as Flux's own health checks have it. Formats: tree, json, yaml.\n\nExamples:\n  kubectl runway tree example-service-gke\n  kubectl runway tree gke-inventory -o json\n\nExit codes: 0 Ready, 1 not Ready, 2 no answer, 3 some clusters gave no answer."
)]
pub(crate) struct Args {
    /// The workload, or a parent such as gke-inventory
    #[arg(required = true, value_name = "WORKLOAD")]
    workloads: Vec<String>,
    #[command(flatten)]
    look: LookFlags,
    #[command(flatten)]
    output: OutputFlags,
}

pub(crate) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let settings = context.settings(&args.look.which)?;
    let named = names(&args.workloads);
    let look = Look { flags: &args.look, named: &named, objects: true, context, settings: &settings, ui };
    show_one(&look, &args.output, "tree", objects::forest)
}
