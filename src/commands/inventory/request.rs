//! What build, verify and push share: which runtime, which environment, which file, and the objects that follow.

use super::super::context::{Context, environment, known, no_environment};
use super::super::flags::WorkloadsFlags;
use super::super::sources::{Reading, accepted, no_runtime};
use crate::files::find;
use crate::files::layout::Layout;
use crate::gather::expected::{Held, declared};
use crate::gather::source::Source;
use crate::registry::Client;
use crate::ui::Ui;
use runway_core::artifact::Tree;
use runway_core::flux::reference::{Reference, Target};
use runway_core::inventory::{self, Inventory};
use runway_core::objects;
use runway_core::problem::{Place, Problem};
use runway_core::settings::Settings;
use runway_core::verify;
use runway_core::workloads::Workloads;
use std::path::Path;

/// A declared file, read and accepted.
pub(super) struct Request {
    pub(super) settings: Settings,
    pub(super) runtime: String,
    pub(super) environment: String,
    /// What the file lists.
    pub(super) workloads: Workloads,
    /// The declared file as the user reads it.
    pub(super) file: String,
}

impl Request {
    /// Finds and reads the file, shows everything that is wrong with it, and builds the objects.
    pub(super) fn new(flags: &WorkloadsFlags, context: &Context, ui: &Ui) -> Result<Self, Problem> {
        let settings = context.settings(flags)?;
        let runtime = runtime(flags, &settings, context)?;
        warn_of_another(flags, &runtime, context, ui);
        let environment = environment(&settings)?.to_owned();
        let declared = declared(flags.file.as_deref(), &context.start, &runtime)?.ok_or_else(|| no_file(&runtime, context))?;
        let declared = accepted(declared, &settings, &runtime, &environment, ui)?;
        Ok(Self { settings, runtime, environment, workloads: declared.workloads, file: declared.file })
    }

    /// The tree that would be published.
    pub(super) fn tree(&self) -> Result<Tree, Problem> {
        inventory::write_all(&self.workloads, &self.settings, &self.environment)
    }

    /// The same for those who make an artifact of it: one that could not be read again is refused.
    pub(super) fn packable(&self, ui: &Ui) -> Result<Tree, Problem> {
        let tree = self.tree()?;
        let Some(finding) = verify::declared::too_large(&tree, &self.environment, &self.file) else { return Ok(tree) };
        ui.findings(&[finding], (&self.file, ""));
        Err(Problem::input("the inventory is too large for an artifact; nothing was packed").at(Place::file(self.file.clone())))
    }

    /// The workloads that it declares for the environment.
    pub(super) fn names(&self) -> Vec<&str> {
        let of = self.workloads.items.iter().filter(|workload| workload.is_in(&self.environment));
        of.map(|workload| workload.id.as_str()).collect()
    }

    /// The inventory that it declares.
    pub(super) fn inventory(&self) -> Inventory {
        self.inventory_of(|_| true)
    }

    /// The same of some workloads.
    pub(super) fn inventory_of(&self, is_wanted: impl Fn(&str) -> bool) -> Inventory {
        let pairs = objects::some(&self.workloads, &self.settings, &self.environment, is_wanted);
        inventory::read::from_objects(pairs.flat_map(|pair| [pair.source, pair.kustomization]))
    }
}

/// Neither `-f` nor the repository has a file.
pub(super) fn no_file(runtime: &str, context: &Context) -> Problem {
    Problem::input(format!("there is no workloads.yml for the runtime {runtime}"))
        .cause(format!("looked for config/runtimes/{runtime}/workloads.yml in {} and above", context.start.display()))
        .hint("name the file with -f FILE, or go into the repository (-C DIR)")
}

/// `--runtime`, its variable or setting; else the folder of `-f`; else the only runtime of the repository.
pub(super) fn runtime(flags: &WorkloadsFlags, settings: &Settings, context: &Context) -> Result<String, Problem> {
    if let Some(runtime) = settings.runtime() {
        return Ok(runtime.to_owned());
    }
    let runtime = match &flags.file {
        Some(file) => find::runtime_of(&context.start.join(file)).ok_or_else(|| no_runtime(settings))?,
        None => find::only_runtime(&context.start)?,
    };
    known("runtime", Some(&runtime), settings.runtimes())?;
    Ok(runtime)
}

/// The folder of `-f` names another runtime than was chosen: the one thing or the other is a mistake.
pub(super) fn warn_of_another(flags: &WorkloadsFlags, runtime: &str, context: &Context, ui: &Ui) {
    let Some(file) = &flags.file else { return };
    if let Some(other) = find::runtime_of(&context.start.join(file)).filter(|other| other != runtime) {
        ui.warning(&format!("{} is the list of the runtime {other}, and the runtime is {runtime}", file.display()));
    }
}

/// What a user named as a source; nothing: the settings' repository of the runtime, tagged with the environment.
pub(super) fn published(text: Option<&str>, settings: &Settings, runtime: Option<&str>, start: &Path) -> Result<Source, Problem> {
    match (text, runtime) {
        (Some(text), _) if text != "published" => Source::parse(text, start),
        (_, Some(runtime)) => {
            let repository = settings.inventory_repository(runtime)?;
            Ok(Source::Registry(Reference { repository, target: Some(Target::Tag(environment(settings)?.to_owned())) }))
        }
        (_, None) => Err(not_named(settings)),
    }
}

/// With what a source is read.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) context: &'a Context,
    pub(super) settings: &'a Settings,
    /// The runtime, when it is known; else a file says it by the folder that it lies in.
    pub(super) runtime: Option<&'a str>,
    pub(super) client: &'a Client,
    pub(super) ui: &'a Ui,
}

/// Reads a published inventory, and says which environment's it is: that of the settings, else what the source says itself. It
/// is the tag when a folder of that name is in there, else the only folder.
pub(super) async fn read(source: &Source, around: &Surroundings<'_>) -> Result<Result<(Held, String), Problem>, Problem> {
    let Surroundings { context, settings, runtime, client, ui } = *around;
    let reading = |environment| Reading { context, settings, runtime, environment, client, ui };
    if let Some(environment) = settings.environment() {
        let held = reading(environment).held(source).await?;
        return Ok(held.map(|held| (held, environment.to_owned())));
    }
    let only;
    let tag = match source {
        Source::Registry(Reference { target: Some(target), .. }) => target.as_str(),
        Source::Layout(_, Some(tag)) => tag,
        Source::Layout(root, None) => {
            only = Layout::new(root.clone()).tags()?;
            match only.as_slice() {
                [tag] => tag,
                _ => return Err(no_environment(settings, ", and the layout has not one tag alone")),
            }
        }
        Source::Folder(_) => "",
        Source::Registry(_) | Source::File(_) | Source::Cluster(_) => return Err(no_environment(settings, "")),
    };
    let held = match reading(tag).held(source).await? {
        Ok(held) => held,
        Err(why) => return Ok(Err(why)),
    };
    let folders = held.tree.top_folders();
    let environment = match folders.iter().next() {
        _ if folders.contains(tag) => tag.to_owned(),
        Some(only) if folders.len() == 1 => (*only).to_owned(),
        _ => return Err(no_environment(settings, ", and the artifact has not one folder alone")),
    };
    Ok(Ok((held, environment)))
}

/// What was named is not there; `why` is what the registry or the layout says about it.
pub(super) fn missing(why: Problem, name: &str) -> Problem {
    Problem { what: "there is no such inventory".to_owned(), place: Some(Place::file(name)), ..why }
}

/// Neither a source nor a runtime whose inventory it could be.
pub(super) fn not_named(settings: &Settings) -> Problem {
    Problem::usage("no inventory was named")
        .cause("it is that of a runtime, and neither --runtime nor RUNWAY_RUNTIME nor the settings name one")
        .hint(format!("add --runtime, one of {}, or name a source: oci://…, layout:DIR", settings.runtimes().join(", ")))
}
