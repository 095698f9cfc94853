//! The program without a command: what it is, what is here, and where to begin.

use super::context::Context;
use super::flags::PlaceFlags;
use super::pages::summaries;
use super::topics::{columns, rows};
use crate::cluster::{self, KubeFlags};
use crate::env;
use crate::exit::Outcome;
use crate::files::find;
use crate::ui::Ui;
use runway_core::problem::Problem;
use runway_core::text::visible;
use std::path::Path;

/// The name of the plugin of flux.
const FLUX: &str = "flux runway";

/// Shows the screen. Only files are read, and what is wrong with them is one of the things to be seen.
pub(super) fn show(command: &clap::Command, directory: Option<&Path>, ui: &Ui) -> Result<Outcome, Problem> {
    let start = find::start(directory)?;
    let summary = command.get_about().map(ToString::to_string).unwrap_or_default();
    let mut out = format!("{summary}\n\nHere:\n");
    let (lists, runtimes) = workloads(&start);
    let has_lists = runtimes > 0;
    let (cluster, has_cluster) = current_context();
    for (what, found) in [("workloads.yml", lists), ("settings", settings(&start)), ("cluster", cluster)] {
        out.push_str(&format!("  {what:14} {}\n", visible(&found)));
    }
    out.push_str("\nBegin with:\n");
    let mut first = Vec::new();
    if has_cluster {
        first.push(("kubectl runway status", "is what was published what runs?"));
        first.push(("kubectl runway explain WORKLOAD", "why is one not Ready, and what to do next"));
    }
    if has_lists {
        // Of several runtimes one has to be named.
        let open = runtimes > 1 && !names_runtime(&start);
        let line = if open {
            "kubectl runway inventory diff --runtime RUNTIME -e ENVIRONMENT"
        } else {
            "kubectl runway inventory diff -e ENVIRONMENT"
        };
        first.push((line, "what would a push change?"));
    }
    if !has_cluster && !has_lists {
        first.push(("kubectl runway -C DIR inventory verify", "in the folder of a repository with config/runtimes/"));
        first.push(("kubectl runway status --kubeconfig FILE", "with the kubeconfig of a cluster that Flux runs on"));
    }
    if ui.name() != FLUX {
        // flux asks the plugin itself.
        first.push(("kubectl runway completion install", "TAB completes commands, contexts and workloads"));
    }
    first.push(("kubectl runway help", "everything else"));
    out.push_str(&rows(first));
    out.push_str("\nCommands:\n");
    out.push_str(&columns(&summaries(command).collect::<Vec<_>>()));
    ui.answer_text(&out).map(|()| Outcome::YES)
}

/// Whether the settings or a variable choose a runtime.
fn names_runtime(start: &Path) -> bool {
    let settings = Context::at(start.to_path_buf()).and_then(|context| context.settings(&PlaceFlags::default()));
    settings.is_ok_and(|settings| settings.runtime().is_some())
}

/// The lists of the repository, and how many there are.
fn workloads(start: &Path) -> (String, usize) {
    let found: Vec<String> = find::runtimes(start).into_iter().map(|(runtime, _)| runtime).collect();
    match found.as_slice() {
        [] => (format!("none: no config/runtimes/<runtime>/workloads.yml in {} or above", start.display()), 0),
        runtimes => (format!("for {}, in {}", runtimes.join(", "), find::root(start).unwrap_or(start).display()), runtimes.len()),
    }
}

fn settings(start: &Path) -> String {
    let context = match Context::at(start.to_path_buf()).and_then(|context| context.settings(&PlaceFlags::default())) {
        Ok(_) => None,
        Err(problem) => Some(problem.to_string()),
    };
    match (context, find::settings(start)) {
        (Some(why), _) => format!("cannot be used: {why}"),
        (None, Some(file)) => file.display().to_string(),
        (None, None) => format!("defaults; no {} here or above", find::SETTINGS),
    }
}

/// The current context, and whether there is one.
fn current_context() -> (String, bool) {
    let (flags, around) = (KubeFlags::default(), cluster::Surroundings { variables: &env::variable, home: env::home() });
    match cluster::configured(&flags, &around).and_then(|configured| configured.contexts()) {
        Ok(contexts) => match (contexts.current, contexts.all.len()) {
            (Some(name), 0 | 1) => (format!("{name}, the current context"), true),
            (Some(name), n) => (format!("{name}, the current one of {n} contexts"), true),
            (None, n) => (format!("none chosen: {n} contexts, no current one; name one with --context"), true),
        },
        Err(problem) => (std::iter::once(&problem.what).chain(&problem.causes).cloned().collect::<Vec<_>>().join("; "), false),
    }
}
