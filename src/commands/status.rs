//! `status`: the verdict per workload and cluster, and for one workload the whole chain.

use super::context::Context;
use super::flags::{ExitFlags, OutputFlags};
use super::follow::{self, FollowFlags};
use super::look::{Answer, Look, LookFlags, names};
use super::outputs;
use crate::clock;
use crate::exit::Outcome;
use crate::render::output::Output;
use crate::render::status::{self as render, Columns};
use crate::render::{junit, markdown_rows, matrix, objects};
use crate::ui::Ui;
use runway_core::api;
use runway_core::assess::{Item, Selection};
use runway_core::problem::Problem;

/// Say whether each workload is what is published.
#[derive(Debug, clap::Args)]
#[command(mut_arg("output", super::flags::formats(&FORMATS)))]
pub(crate) struct Args {
    /// Workloads to look at [default: all]
    workloads: Vec<String>,
    #[command(flatten)]
    look: LookFlags,
    /// Look at the applied objects too: each must be there and healthy; with --wait it is waited for
    #[arg(long)]
    objects: bool,
    /// Show only these verdicts, such as Failed,Missing or '!Ready'; may be repeated
    #[arg(long, value_name = "VERDICT")]
    verdict: Vec<String>,
    /// Show only what is not Ready
    #[arg(long)]
    not_ready: bool,
    #[command(flatten)]
    exit: ExitFlags,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    follow: FollowFlags,
}

const FORMATS: [&str; 9] = ["table", "wide", "matrix", "tree", "name", "markdown", "junit", "json", "yaml"];

pub(crate) fn run(mut args: Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let outputs = Output::parse_all(&args.output.output, &FORMATS)?;
    if args.not_ready {
        args.verdict.push("!Ready".to_owned());
    }
    let selection = Selection::parse(&args.verdict)?;
    let settings = context.settings(&args.look.which)?;
    let named = names(&args.workloads)?;
    let goes_on = args.follow.wait || args.follow.watch;
    let within = if goes_on { context.endless() } else { context.clone() };
    let look = Look { flags: &args.look, named: &named, objects: args.objects, context: &within, settings: &settings, ui };
    if args.follow.watch {
        return follow::watch(&look, &selection, &outputs);
    }
    let (answer, outcome) = if args.follow.wait {
        let begun = clock::monotonic();
        match follow::wait(&look, &args.follow)? {
            // What Flux has applied need not run.
            (_, outcome) if args.objects && !outcome.no && !outcome.late && !outcome.nothing => {
                follow::come_up(&look, &args.follow, begun)?
            }
            ended => ended,
        }
    } else {
        let answer = crate::block_on(look.answer())?;
        let outcome = answer.outcome();
        (answer, outcome)
    };
    let context = if goes_on { &context.now() } else { context };
    // A snapshot has no more to show.
    let more = args.look.snapshot.is_none().then(|| look.again("tree"));
    show(&answer, &args, &selection, &outputs, &Where { context, ui, more: more.as_deref() })?;
    Ok(args.exit.of(outcome))
}

/// Where output goes, and what time it is.
struct Where<'a> {
    context: &'a Context,
    ui: &'a Ui,
    /// The command that shows all objects of what was named.
    more: Option<&'a str>,
}

fn show(answer: &Answer, args: &Args, selection: &Selection, outputs: &[Output], to: &Where<'_>) -> Result<(), Problem> {
    let (now, style) = (to.context.now, to.ui.style());
    let shown: Vec<&Item> = answer.items.iter().filter(|item| selection.shows(item)).collect();
    let document = || api::status::document(now.to_string(), answer.clusters.clone(), &answer.items, &shown);
    outputs::show(outputs, (to.context, to.ui), document, |format| {
        Ok(match format {
            "wide" => render::rows(&shown, now, style, Columns::Wide),
            "name" => render::names(&shown),
            "markdown" => markdown_rows::rows(&answer.items, &shown, answer.clusters.len()),
            "junit" => junit::junit(&answer.clusters, &shown, now),
            "tree" => objects::forest(&shown, now, style),
            "matrix" => matrix::matrix(&answer.clusters, &shown, style),
            _ => match shown.as_slice() {
                [] => String::new(),
                [one] if !args.workloads.is_empty() => {
                    let applied = answer.applied.get(&one.cluster).filter(|_| one.objects.is_none());
                    let tree = applied.map(|ids| objects::applied(ids, to.more, style)).unwrap_or_default();
                    render::chain(one, now, style) + &tree
                }
                items if answer.clusters.len() > 1 => render::rows_for_people(items, now, style, Columns::Clusters),
                items => render::rows_for_people(items, now, style, Columns::Narrow),
            },
        })
    })?;
    answer.warn(to.ui);
    if answer.items.len() > 1 {
        to.ui.note(&render::summary(&answer.items, answer.clusters.len()));
    }
    Ok(())
}
