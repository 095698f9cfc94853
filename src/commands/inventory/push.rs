//! `inventory push`: build, then the push that deploy artifacts have too.

use super::super::context::Context;
use super::super::flags::{ClusterFlags, WorkloadsFlags, one_context};
use super::super::publish::{Compared, Push, PushFlags};
use super::request::Request;
use crate::cluster::{self, KubeFlags};
use crate::env;
use crate::exit::Outcome;
use crate::ui::Ui;
use runway_core::flux::object::Object;
use runway_core::inventory;
use runway_core::observed::Gap;
use runway_core::problem::{Class, Problem};
use runway_core::publish::{self, Things, plan, plan_of_misplaced, plan_of_trees};
use runway_core::settings::Settings;
use std::collections::HashSet;
use std::sync::Arc;

/// Publish the inventory: plan, guard, push, read back.
#[derive(Debug, clap::Args)]
#[command(mut_arg("context", one_context))]
pub(crate) struct Args {
    #[command(flatten)]
    workloads: WorkloadsFlags,
    #[command(flatten)]
    push: PushFlags,
    #[command(flatten)]
    cluster: ClusterFlags,
}

pub(super) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let cluster = args.cluster.one()?;
    let request = Request::new(&args.workloads, context, ui)?;
    let (settings, environment) = (&request.settings, &request.environment);
    args.push.tags_are_of(environment, Things::Workloads, settings, &context.start)?;
    let tree = Arc::new(request.packable(ui)?);
    let suspended = suspended(&cluster, settings, context)?;
    let push = Push {
        flags: &args.push,
        context,
        settings,
        environment,
        tree: &tree,
        things: Things::Workloads,
        count: request.names().len(),
    };
    let receipt = push.run(
        || settings.inventory_repository(&request.runtime),
        |held| {
            let names = request.names();
            let some = |names: &HashSet<&str>| request.inventory_of(|name| names.contains(name));
            let short = held.and_then(|held| {
                plan_of_trees(&names, some, (&tree, &held.tree), (settings.namespace(), environment))
            });
            let mut plan = match (short, held) {
                (Some(plan), _) => plan,
                (None, Some(held)) if !held.tree.has_folder(environment) => {
                    ui.warning(&format!(
                        "what the tag holds has no folder {environment}: what clusters still have of earlier inventories is not in this plan"
                    ));
                    let (near, far) = inventory::read::everywhere(&held.tree, environment);
                    plan_of_misplaced(&request.inventory(), (&near, &far))
                }
                (None, held) => plan(&request.inventory(), held.map(|held| held.inventory(environment)).transpose()?.as_ref()),
            };
            plan.suspended_on_a_cluster(settings.namespace(), &suspended);
            // Another order is no change. What another tool laid down in other files may be one: files can be left out.
            let same = held.is_some_and(|held| held.tree == *tree || (plan.identical && held.tree.has_same_files(&tree)));
            Ok(Compared { plan, same })
        },
        ui,
    )?;
    if receipt.result == publish::Outcome::Pushed {
        if receipt.repository == settings.inventory_url(&request.runtime) {
            context.remember(settings, (&request.runtime, environment), request.names());
        }
        ui.note(&format!("next: kubectl runway status --runtime {} -e {environment}", request.runtime));
    }
    Ok(Outcome::YES)
}

/// The Kustomizations that somebody has suspended on the cluster of `--context`. Without it no cluster is asked.
fn suspended(flags: &KubeFlags, settings: &Settings, context: &Context) -> Result<HashSet<String>, Problem> {
    let Some(name) = &flags.context else { return Ok(HashSet::new()) };
    let around = cluster::Surroundings { variables: &env::variable, home: env::home() };
    let cluster = cluster::connect(flags, Some(name), &around, context.budget)?;
    let fault =
        |gap: Gap| Problem::new(Class::Cluster, format!("the cluster {name} cannot say what is suspended")).cause(gap.message);
    let objects = crate::block_on(async { cluster.objects(settings.namespace()).await.map_err(fault) })?;
    let kustomizations = objects.kustomizations.map_err(fault)?;
    Ok(kustomizations.into_iter().filter(Object::suspended).map(|object| object.metadata.name).collect())
}
