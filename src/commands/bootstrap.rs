//! `bootstrap`: the parent pair that every cluster needs.

use super::context::Context;
use super::flags::{ClusterFlags, ExitFlags, PlaceFlags, one_context};
use crate::cluster::{self, Address, Cluster};
use crate::env;
use crate::exit::Outcome;
use crate::ui::Ui;
use runway_core::bootstrap::{self, ENVIRONMENT_VARIABLE, RUNTIME_VARIABLE};
use runway_core::diff::{differences, fields::shown};
use runway_core::problem::{Class, Problem};
use serde_json::Value;

/// Print, check or apply the parent pair that makes a cluster follow an inventory.
#[derive(Debug, clap::Args)]
#[command(mut_arg("context", one_context))]
pub(crate) struct Args {
    #[command(flatten)]
    which: PlaceFlags,
    /// Keep the variables even when runtime and environment are known
    #[arg(long, conflicts_with_all = ["check", "apply"])]
    keep_variables: bool,
    /// Compare with what the cluster has
    #[arg(long, conflicts_with = "apply")]
    check: bool,
    /// Apply to the cluster, by server-side apply as the field manager runway
    #[arg(long)]
    apply: bool,
    /// With --apply: ask the API server, change nothing
    #[arg(long, requires = "apply")]
    dry_run: bool,
    /// With --apply: take over fields that somebody else wrote
    #[arg(long, requires = "apply")]
    force_conflicts: bool,
    #[command(flatten)]
    exit: ExitFlags,
    #[command(flatten)]
    cluster: ClusterFlags,
}

pub(crate) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let flags = args.cluster.one()?;
    let settings = context.settings(&args.which)?;
    let acts = args.check || args.apply;
    let known = settings.runtime().zip(settings.environment()).filter(|_| !args.keep_variables);
    let (runtime, environment) = match known {
        Some(names) => names,
        None if acts => {
            return Err(Problem::usage("a cluster has one runtime and one environment").hint("say which with --runtime and -e"));
        }
        None if settings.runtime().is_some() != settings.environment().is_some() && !args.keep_variables => {
            return Err(Problem::usage("only one of runtime and environment is known")
                .hint("give both --runtime and -e, or neither to keep the variables"));
        }
        None => (RUNTIME_VARIABLE, ENVIRONMENT_VARIABLE),
    };
    let pair = bootstrap::pair(&settings, runtime, environment);
    if !acts {
        ui.answer(&bootstrap::text(&pair, environment)?)?;
        return Ok(Outcome::YES);
    }
    crate::block_on(async {
        let around = cluster::Surroundings { variables: &env::variable, home: env::home() };
        let cluster = cluster::connect(&flags, flags.context.as_deref(), &around, context.budget)?;
        if args.check {
            check(&cluster, &pair, ui).await.map(|outcome| args.exit.of(outcome))
        } else {
            apply(&cluster, &pair, args, ui).await
        }
    })
}

/// Compares field by field, the API's defaults and `suspend` left out.
async fn check(cluster: &Cluster, pair: &[Value; 2], ui: &Ui) -> Result<Outcome, Problem> {
    let mut answer = String::new();
    for object in pair {
        let address = address(object)?;
        let Some(live) = cluster.get_object(&address).await? else {
            answer.push_str(&format!("- {address} is absent\n"));
            continue;
        };
        let text = |field: &str, key: &str| live.pointer(&format!("/metadata/{field}"))?.get(key)?.as_str().map(str::to_owned);
        let spec = live.get("spec").unwrap_or(&Value::Null);
        for field in differences(&address.kind, object, spec, &text) {
            let (has, wants) = (shown(field.live.as_ref()), shown(field.published.as_ref()));
            answer.push_str(&format!("~ {address} {}: {has} -> {wants}\n", field.path));
        }
    }
    if answer.is_empty() {
        ui.note(&format!("the parent pair of {} is as it should be", cluster.name()));
        return Ok(Outcome::YES);
    }
    ui.answer(&(runway_core::text::visible_lines(&answer) + "\n"))?;
    Ok(Outcome::NO)
}

async fn apply(cluster: &Cluster, pair: &[Value; 2], args: &Args, ui: &Ui) -> Result<Outcome, Problem> {
    // Both are asked before either is changed: half a parent is worse than none.
    for object in pair {
        cluster.apply(object, true, args.force_conflicts).await?;
    }
    for object in pair {
        let address = address(object)?;
        if args.dry_run {
            ui.answer(&format!("{address} would be applied\n"))?;
            continue;
        }
        cluster.apply(object, false, args.force_conflicts).await?;
        ui.answer(&format!("{address} applied\n"))?;
    }
    Ok(Outcome::YES)
}

fn address(object: &Value) -> Result<Address, Problem> {
    Address::of(object).ok_or_else(|| Problem::new(Class::Internal, "the parent pair has an object without a name"))
}
