//! `deploy verify`: all that is wrong with a workload's manifests.

use super::super::context::Context;
use super::super::flags::OutputFlags;
use super::super::report::{FORMATS, Report};
use super::request::{ManifestFlags, Request, WorkloadFlags};
use crate::exit::Outcome;
use crate::render::output::Output;
use crate::ui::Ui;
use runway_core::problem::Problem;
use runway_core::publish::Things;

/// Check a workload's manifests.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  kubectl runway deploy verify example-service-gke --path manifests\n  kubectl runway deploy verify example-service-gke -e production --chart chart --values production.yaml\n  kubectl runway deploy verify example-service-gke --path manifests -o human -o junit=verify.xml\n\nOutput formats: human (default), json, yaml, junit, gitlab-codequality, github, sarif; several at once with FORMAT=FILE.\nExit codes: 0 fine, 1 errors were found, 2 the manifests could not be read.\nEach finding is explained by: kubectl runway help finding CODE"
)]
pub(crate) struct Args {
    #[command(flatten)]
    which: WorkloadFlags,
    #[command(flatten)]
    manifests: ManifestFlags,
    #[command(flatten)]
    output: OutputFlags,
}

pub(super) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let outputs = Output::parse_all(&args.output.output, &FORMATS, "human")?;
    let request = Request::new(&args.which, &args.manifests, context, ui)?;
    let sources = request.sources();
    let workloads = [args.which.workload.clone()];
    let report = Report { suite: "deploy verify", findings: &request.findings, sources: &sources, workloads: &workloads };
    report.show(&outputs, context, ui)?;
    let (objects, findings) = (Things::Objects.count(request.objects.len()), request.findings.len());
    ui.note(&match findings {
        0 => format!("verified {objects} of {}: no findings", args.which.workload),
        n => format!("verified {objects} of {}: {n} findings", args.which.workload),
    });
    Ok(if request.errors() == 0 { Outcome::YES } else { Outcome::NO })
}
