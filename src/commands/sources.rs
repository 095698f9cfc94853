//! Any source of an inventory, for every command that reads one: a workloads.yml counts as what it would become.

use super::context::Context;
use crate::files::{find, read};
use crate::gather::expected::{self, Declared, Held, Named};
use crate::gather::source::Source;
use crate::registry::Client;
use crate::ui::Ui;
use runway_core::finding::Severity;
use runway_core::inventory;
use runway_core::problem::{Place, Problem};
use runway_core::settings::Settings;
use runway_core::verify::{self, Facts};
use std::path::Path;

/// What a source is read for.
pub(super) struct Reading<'a> {
    pub(super) context: &'a Context,
    pub(super) settings: &'a Settings,
    /// The runtime, when it is known; else a file says it by the folder that it lies in.
    pub(super) runtime: Option<&'a str>,
    pub(super) environment: &'a str,
    pub(super) client: &'a Client,
    pub(super) ui: &'a Ui,
}

impl Reading<'_> {
    /// The files of a source; `None`: asked, and not there.
    pub(super) async fn held(&self, source: &Source) -> Result<Option<Held>, Problem> {
        let Source::File(path) = source else { return expected::held(source, self.environment, self.client).await };
        let shown = shown(path, &self.context.start);
        let declared = match expected::named(path, &shown)? {
            Named::Manifests(text) => return Held::of_manifests(text, self.environment, &shown).map(Some),
            Named::Workloads(declared) => declared,
        };
        let runtime = match (self.runtime, find::runtime_of(path)) {
            (Some(runtime), _) => runtime.to_owned(),
            (None, Some(runtime)) => runtime,
            (None, None) => return Err(no_runtime(self.settings)),
        };
        let declared = accepted(*declared, self.settings, &runtime, self.environment, self.ui)?;
        let tree = inventory::write_all(&declared.workloads, self.settings, self.environment)?;
        Ok(Some(Held { digest: None, tree, origin: declared.file }))
    }
}

/// A file as the user knows it.
pub(super) fn shown(path: &Path, start: &Path) -> String {
    read::shown(path.strip_prefix(start).unwrap_or(path))
}

/// A file says its runtime by the folder that it lies in; this one does not.
pub(super) fn no_runtime(settings: &Settings) -> Problem {
    Problem::usage("no runtime was named")
        .cause("the file does not lie in config/runtimes/<runtime>/")
        .hint(format!("add --runtime, one of {}", settings.runtimes().join(", ")))
}

/// Checks a file, shows everything that is wrong with it, and refuses one with errors: nothing is built of it.
pub(super) fn accepted(
    mut declared: Declared,
    settings: &Settings,
    runtime: &str,
    environment: &str,
    ui: &Ui,
) -> Result<Declared, Problem> {
    let facts = Facts {
        runtime: runtime.to_owned(),
        environments: vec![environment.to_owned()],
        named: true,
        release: None,
        others: Vec::new(),
    };
    declared.findings.extend(verify::declared::check(&declared.workloads, settings, &facts));
    declared.findings = verify::ordered(declared.findings);
    ui.findings(&declared.findings, (&declared.file, &declared.text));
    if !declared.is_refused() {
        return Ok(declared);
    }
    let errors = declared.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let noun = if errors == 1 { "an error".to_owned() } else { format!("{errors} errors") };
    Err(Problem::input(format!("the file has {noun}; nothing was built")).at(Place::file(declared.file)))
}
