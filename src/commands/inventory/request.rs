//! What build, verify and push share: which runtime, which environment, which file, and the objects that follow.

use super::super::context::{Context, known};
use super::super::flags::WorkloadsFlags;
use crate::files::find;
use crate::gather::expected::{Declared, declared};
use crate::ui::Ui;
use runway_core::objects::{self, Pair};
use runway_core::problem::{Place, Problem};
use runway_core::settings::Settings;
use runway_core::verify::{self, Facts};

/// A declared file, read and accepted.
pub(super) struct Request {
    pub(super) settings: Settings,
    pub(super) runtime: String,
    pub(super) environment: String,
    pub(super) pairs: Vec<Pair>,
}

impl Request {
    /// Finds and reads the file, shows everything that is wrong with it, and builds the objects.
    pub(super) fn new(flags: &WorkloadsFlags, context: &Context, ui: &Ui) -> Result<Self, Problem> {
        let settings = context.settings(flags)?;
        let runtime = runtime(flags, &settings, context)?;
        let environment = environment(&settings)?;
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
        let pairs = objects::build(&declared.workloads, &settings, &environment);
        Ok(Self { settings, runtime, environment, pairs })
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

/// `-e`, its variable or setting; never guessed.
pub(super) fn environment(settings: &Settings) -> Result<String, Problem> {
    settings.environment().map(str::to_owned).ok_or_else(|| {
        Problem::usage("no environment was named")
            .cause("it is never guessed: it decides which clusters change")
            .hint(format!("add -e, one of {}", settings.environments().join(", ")))
    })
}
