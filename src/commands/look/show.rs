//! How the answer about named workloads is shown: in a form for people that each command has, and as a document.

use super::clusters::{Look, names};
use super::flags::NamedFlags;
use crate::commands::context::Context;
use crate::commands::outputs;
use crate::exit::Outcome;
use crate::render::output::Output;
use crate::render::style::Style;
use crate::ui::Ui;
use runway_core::api;
use runway_core::assess::Item;
use runway_core::problem::Problem;

/// Looks, and shows: as `human` has it in the first of the formats, else as a document.
pub(crate) fn show_named(
    flags: &NamedFlags,
    (context, ui): (&Context, &Ui),
    formats: &[&str],
    human: impl Fn(&[&Item], jiff::Timestamp, Style) -> String,
) -> Result<Outcome, Problem> {
    let outputs = Output::parse_all(&flags.output.output, formats)?;
    let settings = context.settings(&flags.look.which)?;
    let named = names(&flags.workloads)?;
    let look = Look { flags: &flags.look, named: &named, objects: true, context, settings: &settings, ui };
    let answer = crate::block_on(look.answer())?;
    let items: Vec<&Item> = answer.items.iter().collect();
    let now = context.now;
    let document = || api::status::document(now.to_string(), answer.clusters.clone(), &answer.items, &items);
    outputs::show(&outputs, (context, ui), document, |_| Ok(human(&items, now, ui.style())))?;
    answer.warn(ui);
    Ok(flags.exit.of(answer.outcome()))
}
