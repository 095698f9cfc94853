//! What build, verify and push share: which runtime, which environment, which file, and the objects that follow.

use super::super::context::{Context, environment, known};
use super::super::flags::WorkloadsFlags;
use crate::files::find;
use crate::gather::expected::{Declared, declared};
use crate::gather::source::Source;
use crate::ui::Ui;
use runway_core::artifact::Tree;
use runway_core::flux::reference::{Reference, Target};
use runway_core::inventory::{self, Inventory};
use runway_core::objects;
use runway_core::problem::{Place, Problem};
use runway_core::settings::Settings;
use runway_core::verify::{self, Facts};
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
        let environment = environment(&settings)?.to_owned();
        let mut declared =
            declared(flags.file.as_deref(), &context.start, &runtime)?.ok_or_else(|| no_file(&runtime, context))?;
        let facts = Facts {
            runtime: runtime.clone(),
            environments: vec![environment.clone()],
            named: true,
            release: None,
            others: Vec::new(),
        };
        declared.findings.extend(verify::declared::check(&declared.workloads, &settings, &facts));
        declared.findings = verify::ordered(declared.findings);
        ui.findings(&declared.findings, &declared.text);
        refuse(&declared)?;
        Ok(Self { settings, runtime, environment, workloads: declared.workloads, file: declared.file })
    }

    /// The tree that would be published.
    pub(super) fn tree(&self) -> Result<Tree, Problem> {
        inventory::write_all(&self.workloads, &self.settings, &self.environment)
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

    /// The same without a file: for commands that read only what is published.
    pub(super) fn without_file(flags: &WorkloadsFlags, context: &Context) -> Result<Self, Problem> {
        let settings = context.settings(flags)?;
        let runtime = runtime(flags, &settings, context)?;
        let environment = environment(&settings)?.to_owned();
        Ok(Self { settings, runtime, environment, workloads: Workloads::default(), file: String::new() })
    }
}

/// Neither `-f` nor the repository has a file.
pub(super) fn no_file(runtime: &str, context: &Context) -> Problem {
    Problem::input(format!("there is no workloads.yml for the runtime {runtime}"))
        .cause(format!("looked for config/runtimes/{runtime}/workloads.yml in {} and above", context.start.display()))
        .hint("name the file with -f FILE, or go into the repository (-C DIR)")
}

/// A file with errors is not used: nothing is written, nothing is pushed.
fn refuse(declared: &Declared) -> Result<(), Problem> {
    if !declared.is_refused() {
        return Ok(());
    }
    let errors = declared.findings.iter().filter(|f| f.severity == runway_core::finding::Severity::Error).count();
    let noun = if errors == 1 { "an error".to_owned() } else { format!("{errors} errors") };
    Err(Problem::input(format!("the file has {noun}; nothing was built")).at(Place::file(declared.file.clone())))
}

/// `--runtime`, its variable or setting; else the folder of `-f`; else the only runtime of the repository.
pub(super) fn runtime(flags: &WorkloadsFlags, settings: &Settings, context: &Context) -> Result<String, Problem> {
    if let Some(runtime) = settings.runtime() {
        return Ok(runtime.to_owned());
    }
    let runtime = match &flags.file {
        Some(file) => find::runtime_of(&context.start.join(file)).ok_or_else(|| {
            Problem::usage("no runtime was named")
                .cause("the file does not lie in config/runtimes/<runtime>/")
                .hint(format!("add --runtime, one of {}", settings.runtimes().join(", ")))
        })?,
        None => find::only_runtime(&context.start)?,
    };
    known("runtime", Some(&runtime), settings.runtimes())?;
    Ok(runtime)
}

/// What a user named as a source; nothing: the settings' repository of the runtime, tagged with the environment.
pub(super) fn published(text: Option<&str>, settings: &Settings, environment: &str, start: &Path) -> Result<Source, Problem> {
    match (text, settings.runtime()) {
        (Some(text), _) if text != "published" => Source::parse(text, start),
        (_, Some(runtime)) => published_of(runtime, settings, environment),
        (_, None) => Err(not_named(settings)),
    }
}

/// The settings' repository of a runtime, tagged with the environment.
pub(super) fn published_of(runtime: &str, settings: &Settings, environment: &str) -> Result<Source, Problem> {
    let repository = settings.inventory_repository(runtime)?;
    Ok(Source::Registry(Reference { repository, target: Some(Target::Tag(environment.to_owned())) }))
}

/// Neither a source nor a runtime whose inventory it could be.
pub(super) fn not_named(settings: &Settings) -> Problem {
    Problem::usage("no inventory was named")
        .cause("it is that of a runtime, and neither --runtime nor RUNWAY_RUNTIME nor the settings name one")
        .hint(format!("add --runtime, one of {}, or name a source: oci://…, layout:DIR", settings.runtimes().join(", ")))
}
