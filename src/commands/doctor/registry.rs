//! `doctor registry`: from the name of a registry to the right to write, step by step, without writing anything.

use super::super::context::{Context, no_environment};
use super::super::flags::{ExitFlags, OutputFlags, PlaceFlags, RegistryFlags};
use super::super::outputs;
use crate::exit::Outcome;
use crate::registry::{Check, State};
use crate::render::output::Output;
use crate::render::table::table;
use crate::ui::Ui;
use runway_core::api::doctor::{self, DoctorReport, Item};
use runway_core::flux::names;
use runway_core::flux::reference::{Reference, Target};
use runway_core::problem::Problem;
use runway_core::settings::Settings;

/// Which login a registry gets from where, and what it may do.
#[derive(Debug, clap::Args)]
#[command(mut_arg("output", super::super::flags::formats(&FORMATS)))]
pub(crate) struct Args {
    /// A workload, or oci://REPOSITORY[:TAG|@DIGEST] [default: the runtime's inventory]
    #[arg(value_name = "WORKLOAD|oci://REPOSITORY")]
    subject: Option<String>,
    /// Do not ask for the right to write
    #[arg(long)]
    read_only: bool,
    #[command(flatten)]
    which: PlaceFlags,
    #[command(flatten)]
    registry: RegistryFlags,
    #[command(flatten)]
    exit: ExitFlags,
    #[command(flatten)]
    output: OutputFlags,
}

const FORMATS: [&str; 3] = ["table", "json", "yaml"];

pub(super) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let outputs = Output::parse_all(&args.output.output, &FORMATS)?;
    let settings = context.settings(&args.which)?;
    let reference = subject(args.subject.as_deref(), &settings)?;
    let target = match &reference.target {
        Some(target) => target.clone(),
        None => tag(args.subject.as_deref(), &settings)?,
    };
    let client = context.registry_at(&reference.repository.host, &settings, &args.registry)?;
    let checks = crate::block_on(async { Ok(client.probe(&reference, &target, !args.read_only).await) })?;
    let shown = Reference { target: Some(target), ..reference }.to_string();
    let text = || {
        let row = |check: &Check| vec![check.name.to_owned(), word(check.state).to_owned(), check.message.clone()];
        let rows: Vec<Vec<String>> = checks.iter().map(row).collect();
        format!("{shown}\n\n{}", table(&["CHECK", "STATE", "MESSAGE"], &rows, ui.style()))
    };
    outputs::show(&outputs, (context, ui), || document(&shown, &checks), |_| Ok(text()))?;
    let mut told: Vec<&Problem> = Vec::new();
    for problem in checks.iter().filter_map(|check| check.problem.as_ref()) {
        // A login that cannot be read fails every step that needs it.
        if !told.contains(&problem) {
            ui.problem(problem);
            told.push(problem);
        }
    }
    Ok(args.exit.of(outcome(&checks)))
}

/// No answer at all when it did not come to the question that every command asks.
fn outcome(checks: &[Check]) -> Outcome {
    let nothing = checks.iter().any(|check| check.name == "pull" && check.state == State::Skipped);
    Outcome { nothing, no: checks.iter().any(|check| check.state == State::Failed), ..Outcome::YES }
}

fn subject(text: Option<&str>, settings: &Settings) -> Result<Reference, Problem> {
    let repository = match text {
        Some(text) if text.starts_with("oci://") => return Reference::parse(text),
        Some(text) => match names::label_fault(text) {
            None => settings.deploy_repository(text)?,
            Some(why) => {
                return Err(Problem::usage(format!("'{text}' is neither a workload's id nor oci://REPOSITORY")).cause(why));
            }
        },
        None => {
            let runtime = settings.runtime().ok_or_else(|| {
                Problem::usage("no repository was named").hint(format!(
                    "name a workload or oci://REPOSITORY, or add --runtime, one of {}",
                    settings.runtimes().join(", ")
                ))
            })?;
            settings.inventory_repository(runtime)?
        }
    };
    Ok(Reference { repository, target: None })
}

/// What is looked for: the environment's tag, which is never guessed; of a repository, one that need not be there.
fn tag(subject: Option<&str>, settings: &Settings) -> Result<Target, Problem> {
    let of_repository = subject.filter(|text| text.starts_with("oci://")).map(|_| "latest");
    let tag = settings.environment().or(of_repository);
    let tag = tag.ok_or_else(|| no_environment(settings, ", and it is the tag that is looked for"))?;
    Ok(Target::Tag(tag.to_owned()))
}

fn document(subject: &str, checks: &[Check]) -> DoctorReport {
    let item = |check: &Check| Item::new(check.name, word(check.state), &check.message, check.problem.as_ref());
    doctor::document(subject.to_owned(), checks.iter().map(item).collect())
}

fn word(state: State) -> &'static str {
    match state {
        State::Ok => "ok",
        State::Failed => "failed",
        State::Skipped => "skipped",
    }
}
