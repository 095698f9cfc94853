//! `inventory build`.

use super::super::context::Context;
use super::super::flags::{ExitFlags, WorkloadsFlags};
use super::super::publish::tag_is_of;
use super::request::Request;
use crate::exit::Outcome;
use crate::files::layout::Layout;
use crate::files::{folder, read, write};
use crate::gather::publish::Destination;
use crate::gather::{expected, provenance};
use crate::ui::Ui;
use runway_core::artifact::{self, Tree};
use runway_core::problem::Problem;
use runway_core::publish::Things;
use runway_core::text::visible;
use std::path::{Path, PathBuf};

/// Print the Flux objects of a runtime's workloads, or write them to a folder.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    workloads: WorkloadsFlags,
    /// Write DIR/<environment>/inventory.yaml instead of printing
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,
    /// Write the artifact to an OCI layout: layout:DIR[:TAG]
    #[arg(long, value_name = "layout:DIR", conflicts_with = "output_dir")]
    to: Option<String>,
    /// Write nothing; exit with 1 when what is there differs
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    exit: ExitFlags,
}

pub(super) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let request = Request::new(&args.workloads, context, ui)?;
    let tree = if args.to.is_some() { request.packable(ui)? } else { request.tree()? };
    let outcome = match (&args.output_dir, &args.to) {
        (Some(folder), _) => to_folder(args, folder, &tree, &request.environment, (context, ui)),
        (None, Some(to)) => to_layout(args, to, &tree, &request, context, ui),
        (None, None) if args.check => {
            Err(Problem::usage("--check has nothing to compare with").hint("add --output-dir DIR or --to layout:DIR"))
        }
        (None, None) => {
            for (_, content) in tree.files() {
                ui.answer_bytes(content)?;
            }
            Ok(Outcome::YES)
        }
    };
    outcome.map(|outcome| args.exit.of(outcome))
}

/// Writes the files, or compares them with what is there.
///
/// A manifest in the environment's folder that was not built is published with what was, and applied by every cluster. Other
/// files, such as reports, apply nothing.
fn to_folder(
    args: &Args,
    root: &Path,
    tree: &Tree,
    environment: &str,
    (context, ui): (&Context, &Ui),
) -> Result<Outcome, Problem> {
    let strangers = folder::names(&context.start.join(root).join(environment))?;
    // With their case, as Flux takes them.
    let is_manifest = |name: &String| name == "Kustomization" || matches!(name.rsplit_once('.'), Some((_, "yaml" | "yml")));
    let strangers = strangers.into_iter().filter(is_manifest).map(|name| format!("{environment}/{name}"));
    let strangers: Vec<String> = strangers.filter(|path| tree.get(path).is_none()).collect();
    if !args.check {
        write::tree(&context.start.join(root), tree, |path| ui.note(&format!("wrote {}", root.join(path).display())))?;
        for path in &strangers {
            let shown = root.join(path);
            ui.warning(&format!("{} was not built: a push of the folder would publish it, too", shown.display()));
        }
        return Ok(Outcome::YES);
    }
    for path in &strangers {
        ui.answer(&format!("{} is not built\n", visible(&root.join(path).display().to_string())))?;
    }
    let mut same = strangers.is_empty();
    for (path, content) in tree.files() {
        let file = context.start.join(root).join(&path);
        if read::optional(&file, "the built file")?.as_deref().map(str::as_bytes) != Some(content) {
            same = false;
            ui.answer(&format!("{} differs\n", root.join(&path).display()))?;
        }
    }
    Ok(if same { Outcome::YES } else { Outcome::NO })
}

/// Writes the artifact to a layout, or compares its files with what the tag holds there.
fn to_layout(args: &Args, to: &str, tree: &Tree, request: &Request, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let destination = Destination::parse(to, &request.environment, &context.start)?;
    let Destination::Layout(root, tag) = &destination else {
        return Err(Problem::usage("build writes to a layout on disk only").hint("to publish: kubectl runway inventory push"));
    };
    tag_is_of(tag, &request.environment, Things::Workloads, &request.settings)?;
    if args.check {
        let same = expected::from_layout(root, tag)?.is_some_and(|held| held.tree == *tree);
        if !same {
            ui.answer(&format!("{to} differs\n"))?;
        }
        return Ok(if same { Outcome::YES } else { Outcome::NO });
    }
    let given = provenance::Given { source: None, revision: None, annotations: &[] };
    let artifact = artifact::build(tree, &crate::block_on(provenance::of(&given, &context.start))?);
    Layout::new(root.clone()).push(&artifact, tag)?;
    ui.note(&format!("wrote {to} as {tag}@{}", artifact.manifest.digest));
    Ok(Outcome::YES)
}
