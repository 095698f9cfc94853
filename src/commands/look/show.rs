//! How the answer about named workloads is shown: in a form for people that each command has, and as a document.

use super::clusters::Look;
use crate::commands::flags::OutputFlags;
use crate::commands::outputs;
use crate::exit::Outcome;
use crate::render::output::Output;
use crate::render::style::Style;
use runway_core::api;
use runway_core::assess::Item;
use runway_core::problem::Problem;

/// Looks, and shows.
pub(crate) fn show_one(
    look: &Look<'_>,
    flags: &OutputFlags,
    format: &str,
    human: impl Fn(&[&Item], jiff::Timestamp, Style) -> String,
) -> Result<Outcome, Problem> {
    let outputs = Output::parse_all(&flags.output, &[format, "json", "yaml"], format)?;
    let answer = crate::block_on(look.answer())?;
    let items: Vec<&Item> = answer.items.iter().collect();
    let now = look.context.now;
    let document = || api::status::document(now.to_string(), answer.clusters.clone(), &answer.items, &items);
    outputs::show(&outputs, (look.context, look.ui), document, |_| Ok(human(&items, now, look.ui.style())))?;
    answer.warn(look.ui);
    Ok(answer.outcome())
}
