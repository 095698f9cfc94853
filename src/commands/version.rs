//! `version`: which program this is, and what it knows.

use super::context::Context;
use super::flags::OutputFlags;
use super::outputs;
use crate::exit::Outcome;
use crate::render::output::Output;
use crate::ui::Ui;
use runway_core::flux::crds::Release;
use runway_core::problem::Problem;
use serde_json::json;

/// Print the version.
#[derive(Debug, clap::Args)]
#[command(mut_arg("output", super::flags::formats(&FORMATS)))]
pub(crate) struct Args {
    #[command(flatten)]
    output: OutputFlags,
}

const FORMATS: [&str; 3] = ["text", "json", "yaml"];
const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let outputs = Output::parse_all(&args.output.output, &FORMATS)?;
    let platform = format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH);
    let flux: Vec<String> = Release::ALL.iter().map(Release::to_string).collect();
    let document = || {
        json!({
            "apiVersion": runway_core::api::API_VERSION,
            "kind": "Version",
            "version": VERSION,
            "platform": platform,
            "fluxVersions": flux,
        })
    };
    let text = || format!("kubectl-runway {VERSION}, {platform}\nchecks objects against Flux {}\n", flux.join(", "));
    outputs::show(&outputs, (context, ui), document, |_| Ok(text()))?;
    Ok(Outcome::YES)
}
