//! `deploy push`: build, check, then the push that inventories have too.

use super::super::context::{Context, environment};
use super::super::publish::{Compared, Push, PushFlags};
use super::request::{ManifestFlags, Request, WorkloadFlags};
use crate::exit::Outcome;
use crate::gather::expected::Held;
use crate::ui::Ui;
use runway_core::deploy::{self, Object};
use runway_core::problem::Problem;
use runway_core::publish::{self, Things, plan_objects};
use std::sync::Arc;

/// Publish a workload's manifests: plan, guard, push, read back.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: WorkloadFlags,
    #[command(flatten)]
    manifests: ManifestFlags,
    #[command(flatten)]
    push: PushFlags,
}

pub(super) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    // Before anything is rendered: nothing that helm says changes it.
    let settings = args.which.settings(None, context)?;
    if let Some(environment) = settings.environment() {
        args.push.tags_are_of(environment, Things::Objects, &settings, &context.start)?;
    }
    let request = Request::new(&args.which, &args.manifests, context, ui)?.accepted(ui)?;
    let (settings, workload) = (&request.settings, &args.which.workload);
    let environment = environment(settings)?;
    let tree = Arc::new(deploy::write(&request.objects)?);
    let (things, count) = (Things::Objects, request.objects.len());
    let push = Push { flags: &args.push, context, settings, environment, tree: &tree, things, count };
    let receipt = push.run(
        || settings.deploy_repository(workload),
        |held| {
            let old = held.map(objects).transpose();
            let (old, plain) = match old {
                Err(problem) if args.push.force => {
                    ui.warning(&format!("what is published cannot be read, and is replaced: {problem}"));
                    (Some(Vec::new()), false)
                }
                old => old?.map_or((None, false), |(objects, plain)| (Some(objects), plain)),
            };
            if old.is_some() && !plain && !args.push.force {
                return Err(Problem::input("what is published cannot be compared with what would be")
                    .cause(
                        "it has a kustomization file, which decides what Flux applies of it: nobody can say here what would go",
                    )
                    .hint("--force replaces it without a plan"));
            }
            let plan = plan_objects(&request.objects, old.as_deref(), request.declared.prunes);
            // Whoever packed them, and in whatever files: the same objects are no change.
            Ok(Compared { same: plain && plan.is_empty(), plan })
        },
        ui,
    )?;
    if receipt.result == publish::Outcome::Pushed {
        ui.note(&format!("next: kubectl runway status {workload} -e {environment}"));
    }
    Ok(Outcome::YES)
}

/// The objects of an artifact, and whether every manifest in it counts.
pub(super) fn objects(held: &Held) -> Result<(Vec<Object>, bool), Problem> {
    deploy::held(&held.tree, &held.origin)
        .map_err(|finding| Problem::input("the deploy artifact cannot be read").cause(finding.message).at(finding.place))
}
