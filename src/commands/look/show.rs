//! How the answer about named workloads is shown: in a form for people that each command has, and as a document.

use super::clusters::Look;
use crate::commands::flags::OutputFlags;
use crate::exit::Outcome;
use crate::files::write;
use crate::render::output::{self, Output};
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
    for output in outputs {
        let text = match output.format.as_str() {
            "json" => output::json(&document())?,
            "yaml" => output::yaml(&document())?,
            _ => human(&items, now, look.ui.style()),
        };
        match &output.path {
            None => look.ui.answer(&text)?,
            Some(path) => write::atomic(&look.context.start.join(path), text.as_bytes())?,
        }
    }
    answer.warn(look.ui);
    Ok(answer.outcome())
}
