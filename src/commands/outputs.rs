//! Every `-o` of a command line: to stdout, or to a file.

use super::context::Context;
use crate::files::write;
use crate::render::output::{self, Output};
use crate::ui::Ui;
use runway_core::problem::Problem;
use serde::Serialize;

/// Formats for people, which are drawn as their terminal can show them.
const FOR_PEOPLE: [&str; 6] = ["table", "wide", "text", "human", "tree", "matrix"];

/// Shows an answer in every format that was asked for: the document as JSON and YAML, all else as `text` has it.
pub(super) fn show<D: Serialize>(
    outputs: &[Output],
    (context, ui): (&Context, &Ui),
    document: impl Fn() -> D,
    text: impl Fn(&str) -> Result<String, Problem>,
) -> Result<(), Problem> {
    for output in outputs {
        let text = match output.format.as_str() {
            "json" => output::json(&document())?,
            "yaml" => output::yaml(&document())?,
            format => text(format)?,
        };
        match &output.path {
            None if FOR_PEOPLE.contains(&output.format.as_str()) => ui.answer(&ui.style().drawn(text))?,
            None => ui.answer(&text)?,
            Some(path) => write::atomic(&context.start.join(path), text.as_bytes())?,
        }
    }
    Ok(())
}
