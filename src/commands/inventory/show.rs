//! `inventory show`.

use super::super::context::Context;
use super::super::flags::{RegistryFlags, WorkloadsFlags};
use super::request::environment;
use crate::exit::Outcome;
use crate::gather::expected;
use crate::gather::source::Source;
use crate::ui::Ui;
use runway_core::flux::reference::{Reference, Target};
use runway_core::problem::{Class, Place, Problem};
use runway_core::yaml::emit;

/// Print a published inventory.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  kubectl runway inventory show --runtime gke -e production\n  kubectl runway inventory show oci://registry.example.com/runway/provisioner/gke-inventory:production -e production\n  kubectl runway inventory show layout:out -e production"
)]
pub(crate) struct Args {
    /// oci://REPOSITORY[:TAG], layout:DIR[:TAG] or a folder [default: what is published]
    source: Option<String>,
    #[command(flatten)]
    workloads: WorkloadsFlags,
    #[command(flatten)]
    registry: RegistryFlags,
}

pub(super) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let settings = context.settings(&args.workloads)?;
    let environment = environment(&settings)?;
    let source = match (&args.source, settings.runtime()) {
        (Some(text), _) => Source::parse(text, &context.start)?,
        (None, Some(runtime)) => {
            let repository = settings.inventory_repository(runtime)?;
            Source::Registry(Reference { repository, target: Some(Target::Tag(environment.clone())) })
        }
        (None, None) => {
            return Err(Problem::usage("no inventory was named")
                .hint(format!("name a source, or add --runtime, one of {}", settings.runtimes().join(", "))));
        }
    };
    let client = context.registry(&settings, &args.registry)?;
    let held = crate::block_on(expected::held(&source, &environment, &client))?.ok_or_else(|| {
        Problem::new(Class::Registry, "there is no such inventory").at(Place::file(describe(&source, &environment)))
    })?;
    let inventory = held.inventory(&environment)?;
    if !inventory.has_folder {
        let folders: Vec<&str> = held.tree.top_folders().into_iter().collect();
        return Err(Problem::input(format!("the artifact has no folder {environment}"))
            .cause(format!("it has {}", if folders.is_empty() { "no folder at all".to_owned() } else { folders.join(", ") }))
            .at(Place::file(held.origin)));
    }
    let objects = inventory.entries.iter().flat_map(|entry| [entry.source.as_ref(), entry.kustomization.as_ref()]).flatten();
    ui.answer(&emit::documents(objects)?)?;
    Ok(Outcome::YES)
}

fn describe(source: &Source, environment: &str) -> String {
    match source {
        Source::Registry(reference) => reference.to_string(),
        Source::Layout(root, tag) => format!("layout:{}:{}", root.display(), tag.as_deref().unwrap_or(environment)),
        Source::Folder(path) | Source::File(path) => path.display().to_string(),
        Source::Cluster(context) => format!("cluster:{context}"),
    }
}
