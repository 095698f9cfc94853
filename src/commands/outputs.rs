//! Every `-o` of a command line: to stdout, or to a file.

use super::context::Context;
use crate::files::write;
use crate::render::output::{self, Output};
use crate::ui::Ui;
use runway_core::problem::Problem;
use serde::Serialize;

/// Formats for people, which are drawn as their terminal can show them.
const FOR_PEOPLE: [&str; 6] = ["table", "wide", "text", "human", "tree", "matrix"];

/// Says which of the files could not be written, before anything is done that cannot be undone.
pub(super) fn check(outputs: &[Output], context: &Context) -> Result<(), Problem> {
    outputs.iter().filter_map(|output| output.path.as_ref()).try_for_each(|path| write::check(&context.start.join(path)))
}

/// Shows an answer in every format that was asked for: the document as JSON and YAML, all else as `text` has it. Standard output
/// comes first, and a file that cannot be written keeps no other from being written.
pub(super) fn show<D: Serialize>(
    outputs: &[Output],
    (context, ui): (&Context, &Ui),
    document: impl Fn() -> D,
    text: impl Fn(&str) -> Result<String, Problem>,
) -> Result<(), Problem> {
    let one = |output: &Output| {
        let text = match output.format.as_str() {
            "json" => output::json(&document())?,
            "yaml" => output::yaml(&document())?,
            format => text(format)?,
        };
        match &output.path {
            None if FOR_PEOPLE.contains(&output.format.as_str()) => ui.answer(&ui.style().drawn(text)),
            None => ui.answer(&text),
            Some(path) => write::output(&context.start.join(path), text.as_bytes()),
        }
    };
    let (files, answers): (Vec<&Output>, Vec<&Output>) = outputs.iter().partition(|output| output.path.is_some());
    let ends: Vec<Result<(), Problem>> = answers.into_iter().chain(files).map(one).collect();
    ends.into_iter().collect()
}
