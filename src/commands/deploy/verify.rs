//! `deploy verify`: all that is wrong with a workload's manifests.

use super::super::context::Context;
use super::super::flags::{ExitFlags, OutputFlags};
use super::super::report::{FORMATS, Report, counted, worst};
use super::request::{ManifestFlags, Request, WorkloadFlags};
use crate::exit::Outcome;
use crate::render::findings::Sources;
use crate::render::output::Output;
use crate::ui::Ui;
use runway_core::finding::Finding;
use runway_core::problem::{Class, Place, Problem};
use runway_core::publish::Things;

/// Check a workload's manifests.
#[derive(Debug, clap::Args)]
#[command(mut_arg("output", super::super::flags::formats(&FORMATS)))]
pub(crate) struct Args {
    #[command(flatten)]
    which: WorkloadFlags,
    #[command(flatten)]
    manifests: ManifestFlags,
    #[command(flatten)]
    exit: ExitFlags,
    #[command(flatten)]
    output: OutputFlags,
}

/// Manifests that could not even be read: reports for other programs say so, instead of not being there.
fn unread(problem: &Problem, args: &Args, outputs: &[Output], context: &Context, ui: &Ui) -> Result<(), Problem> {
    let outputs: Vec<Output> = outputs.iter().filter(|output| output.format != "human").cloned().collect();
    if outputs.is_empty() || problem.class == Class::Usage {
        return Ok(());
    }
    let message = std::iter::once(&problem.what).chain(&problem.causes).map(String::as_str).collect::<Vec<_>>().join(": ");
    let place = problem.place.clone().unwrap_or_else(|| Place::file("manifests"));
    let mut finding = Finding::error("not-rendered", place, message);
    finding.of(&args.which.workload);
    let workloads = [args.which.workload.clone()];
    let findings = [finding];
    let environment = args.which.environment(context);
    let scope: Vec<&str> = environment.iter().map(String::as_str).collect();
    Report {
        suite: "deploy verify",
        findings: &findings,
        sources: &Sources::new(),
        workloads: &workloads,
        scope: &scope,
        rendered: Some(&args.manifests.rendered_from(context)),
    }
    .show(&outputs, context, ui)
}

pub(super) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let outputs = Output::parse_all(&args.output.output, &FORMATS)?;
    let request = match Request::new(&args.which, &args.manifests, context, ui) {
        Ok(request) => request,
        Err(problem) => {
            unread(&problem, args, &outputs, context, ui)?;
            return Err(problem);
        }
    };
    let sources = request.sources();
    let workloads = [args.which.workload.clone()];
    let scope: Vec<&str> = request.settings.environment().into_iter().collect();
    let report = Report {
        suite: "deploy verify",
        findings: &request.findings,
        sources: &sources,
        workloads: &workloads,
        scope: &scope,
        rendered: Some(&args.manifests.rendered_from(context)),
    };
    report.show(&outputs, context, ui)?;
    let (objects, findings) = (Things::Objects.count(request.objects.len()), request.findings.len());
    ui.note(&match findings {
        0 => format!("verified {objects} of {}: no findings", args.which.workload),
        n => {
            let first = worst(&request.findings).map_or("CODE", |finding| finding.code);
            format!(
                "verified {objects} of {}: {}; explained by: kubectl runway help finding {first}",
                args.which.workload,
                counted(n, "finding")
            )
        }
    });
    Ok(args.exit.of(if request.errors() == 0 { Outcome::YES } else { Outcome::NO }))
}
