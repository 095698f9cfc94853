//! `inventory push`: build, then the push that deploy artifacts have too.

use super::super::context::Context;
use super::super::flags::WorkloadsFlags;
use super::super::publish::{Compared, Push, PushFlags};
use super::request::Request;
use crate::exit::Outcome;
use crate::ui::Ui;
use runway_core::inventory;
use runway_core::problem::Problem;
use runway_core::publish::{self, plan};

/// Publish the inventory: plan, guard, push, read back.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  kubectl runway inventory push --runtime gke -e production --dry-run\n  kubectl runway inventory push --runtime gke -e production\n  kubectl runway inventory push --runtime gke -e production --to layout:out\n\nExit codes: 0 pushed or unchanged, 2 not done, 5 refused by the guard or because somebody moved the tag."
)]
pub(crate) struct Args {
    #[command(flatten)]
    workloads: WorkloadsFlags,
    #[command(flatten)]
    push: PushFlags,
}

pub(super) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let request = Request::new(&args.workloads, context, ui)?;
    let (settings, environment) = (&request.settings, &request.environment);
    let tree = inventory::write(&request.pairs, environment)?;
    let push = Push { flags: &args.push, context, settings, environment, tree: &tree };
    let receipt = push.run(
        || settings.inventory_repository(&request.runtime),
        |held| {
            let old = held.map(|held| held.inventory(environment)).transpose()?;
            let objects = request.pairs.iter().flat_map(|pair| [pair.source.clone(), pair.kustomization.clone()]);
            let plan = plan(&inventory::read::from_objects(objects), old.as_ref());
            Ok(Compared { plan, same: held.is_some_and(|held| held.tree == tree) })
        },
        ui,
    )?;
    if receipt.result == publish::Outcome::Pushed {
        ui.note(&format!("next: kubectl runway status --runtime {} -e {environment}", request.runtime));
    }
    Ok(Outcome::YES)
}
