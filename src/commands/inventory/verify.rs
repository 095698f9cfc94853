//! `inventory verify`: every check, before anything is built or pushed.

use super::super::context::Context;
use super::super::flags::{ClusterFlags, OutputFlags, RegistryFlags, WorkloadsFlags};
use super::super::report::{FORMATS, Report, counted};
use super::request::{no_file, runtime};
use crate::cluster::{self, Surroundings};
use crate::exit::Outcome;
use crate::gather::source::Source;
use crate::gather::{expected, facts};
use crate::render::findings::Sources;
use crate::render::output::Output;
use crate::ui::Ui;
use crate::{env, registry};
use runway_core::api::verify::count;
use runway_core::finding::{Finding, Severity};
use runway_core::flux::crds::Release;
use runway_core::objects::{self, Pair};
use runway_core::problem::{Place, Problem};
use runway_core::settings::Settings;
use runway_core::verify::{Facts, asked, declared, ordered, published, strict};
use runway_core::workloads::Workloads;
use std::path::PathBuf;

/// Check an inventory before it is published.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that the user types")]
#[derive(Debug, clap::Args)]
#[command(mut_arg("output", super::super::flags::formats(&FORMATS)))]
pub(crate) struct Args {
    /// What is checked: a workloads.yml, a folder, oci://… or layout:DIR [default: the declared file]
    source: Option<String>,
    #[command(flatten)]
    which: WorkloadsFlags,
    /// Count warnings as errors
    #[arg(long)]
    strict: bool,
    /// Version of Flux on the clusters, such as 2.9 [default: the newest that serves what is written]
    #[arg(long, value_name = "VERSION")]
    flux_version: Option<String>,
    /// Ask the registry for the deploy artifact of each workload
    #[arg(long)]
    artifacts: bool,
    /// Ask the cluster whether it would accept each object; nothing is stored. --context implies it
    #[arg(long)]
    server_dry_run: bool,
    /// Whether an answer of no exits with 1
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true", hide_default_value = true)]
    exit_code: bool,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    registry: RegistryFlags,
    #[command(flatten)]
    cluster: ClusterFlags,
}

/// What was checked, and what is wrong with it.
#[derive(Default)]
struct Checked {
    findings: Vec<Finding>,
    sources: Sources,
    workloads: Vec<String>,
    /// What it was, for the summary: a runtime or an origin, and its environments.
    what: String,
}

pub(super) fn run(args: &Args, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let outputs = Output::parse_all(&args.output.output, &FORMATS)?;
    let release = args.flux_version.as_deref().map(Release::parse).transpose()?;
    let source = args.source.as_deref().map(|text| Source::parse(text, &context.start)).transpose()?;
    let mut which = args.which.clone();
    if source.is_some() && which.file.is_some() {
        return Err(Problem::usage("what is checked is named twice").cause("as an argument, and with -f"));
    }
    if let Some(Source::File(path)) = &source {
        which.file = Some(args.source.as_deref().map_or_else(|| path.clone(), PathBuf::from));
    }
    let settings = context.settings(&which)?;
    let work = Work { args, which, context, settings: &settings, release };
    let mut checked = match &source {
        None | Some(Source::File(_)) => work.declared()?,
        Some(source) => crate::block_on(work.published(source))?,
    };
    checked.findings = ordered(checked.findings);
    if args.strict {
        // What could not be asked is no finding about the inventory, however strictly it is looked at.
        let (mut known, unknown): (Vec<_>, Vec<_>) = checked.findings.into_iter().partition(|finding| !is_unknown(finding));
        strict(&mut known);
        checked.findings = ordered(known.into_iter().chain(unknown).collect());
    }
    show(&checked, &outputs, context, ui)?;
    let errors = count(&checked.findings, Severity::Error) > 0;
    let unknown = checked.findings.iter().any(is_unknown);
    Ok(Outcome { no: errors && args.exit_code, nothing: unknown && !errors, ..Outcome::YES })
}

fn is_unknown(finding: &Finding) -> bool {
    finding.code == "artifact-unknown"
}

struct Work<'a> {
    args: &'a Args,
    which: WorkloadsFlags,
    context: &'a Context,
    settings: &'a Settings,
    release: Option<Release>,
}

impl Work<'_> {
    /// The environments to check: the one that was named, else all that are known.
    fn facts(&self, runtime: String) -> Facts {
        let named = self.settings.environment();
        Facts {
            environments: named.map_or_else(|| self.settings.environments().to_vec(), |name| vec![name.to_owned()]),
            named: named.is_some(),
            release: self.release,
            others: facts::others(&self.context.start, &runtime),
            runtime,
        }
    }

    /// A workloads.yml: offline first, then what was asked for beyond.
    fn declared(&self) -> Result<Checked, Problem> {
        let runtime = runtime(&self.which, self.settings, self.context)?;
        let file = expected::declared(self.which.file.as_deref(), &self.context.start, &runtime)?;
        let file = file.ok_or_else(|| no_file(&runtime, self.context))?;
        let facts = self.facts(runtime);
        let mut findings = file.findings;
        findings.extend(declared::check(&file.workloads, self.settings, &facts));
        // What is wrong already would only be said again, by others and later.
        if findings.iter().all(|finding| finding.severity == Severity::Warning) {
            findings.extend(self.asked(&file.workloads, &facts)?);
        }
        let (runtime, environments) = (&facts.runtime, facts.environments.join(", "));
        Ok(Checked {
            findings,
            workloads: file.workloads.items.into_iter().map(|item| item.id).filter(|id| !id.is_empty()).collect(),
            what: format!("{runtime} {environments}"),
            sources: Sources::from([(file.file, file.text)]),
        })
    }

    /// What registries and a cluster say.
    fn asked(&self, workloads: &Workloads, facts: &Facts) -> Result<Vec<Finding>, Problem> {
        let flags = self.args.cluster.kube()?;
        let rehearse = self.args.server_dry_run || flags.context.is_some();
        if !self.args.artifacts && !rehearse {
            return Ok(Vec::new());
        }
        let build = |environment: &String| objects::build(workloads, self.settings, environment);
        let pairs: Vec<Pair> = facts.environments.iter().flat_map(build).collect();
        crate::block_on(async {
            let mut findings = Vec::new();
            if self.args.artifacts {
                let client = self.client()?;
                findings.extend(asked::artifacts(workloads, &facts::artifacts(&client, &pairs).await));
            }
            if rehearse {
                let around = Surroundings { variables: &env::variable, home: env::home() };
                let cluster = cluster::connect(&flags, flags.context.as_deref(), &around, self.context.budget)?;
                findings.extend(asked::refusals(workloads, &facts::dry_run(&cluster, &pairs).await?));
            }
            Ok(findings)
        })
    }

    fn client(&self) -> Result<registry::Client, Problem> {
        self.context.registry(self.settings, &self.args.registry)
    }

    /// What a folder, a layout or a registry holds.
    async fn published(&self, source: &Source) -> Result<Checked, Problem> {
        if self.args.artifacts || self.args.server_dry_run || !self.args.cluster.context.is_empty() {
            return Err(Problem::usage("--artifacts and --server-dry-run check a workloads.yml, not what was built from it"));
        }
        let facts = self.facts(self.settings.runtime().unwrap_or_default().to_owned());
        let client = self.client()?;
        let mut checked = Checked::default();
        let mut seen = Vec::new();
        for environment in &facts.environments {
            let Some(held) = expected::held(source, environment, &client).await? else { continue };
            // An environment that nobody named and that is not there is none to check, as long as another is.
            if !facts.named && !held.tree.has_folder(environment) && facts.environments.iter().any(|it| held.tree.has_folder(it))
            {
                continue;
            }
            checked.findings.extend(published::check(&held.tree, environment, &held.origin, &facts));
            checked.sources.extend(published::sources(&held.tree, environment, &held.origin));
            let (inventory, _) = runway_core::inventory::read(&held.tree, environment, &held.origin);
            checked.workloads.extend(inventory.entries.into_iter().map(|entry| entry.name));
            seen.push(environment.as_str());
        }
        if seen.is_empty() {
            let text = self.args.source.clone().unwrap_or_default();
            return Err(Problem::input("there is nothing to verify")
                .cause("no tag for an environment is there")
                .at(Place::file(text)));
        }
        checked.workloads.sort();
        checked.workloads.dedup();
        checked.what = seen.join(", ");
        Ok(checked)
    }
}

fn show(checked: &Checked, outputs: &[Output], context: &Context, ui: &Ui) -> Result<(), Problem> {
    let report = Report {
        suite: "inventory verify",
        findings: &checked.findings,
        sources: &checked.sources,
        workloads: &checked.workloads,
    };
    report.show(outputs, context, ui)?;
    ui.note(&summary(checked));
    Ok(())
}

fn summary(checked: &Checked) -> String {
    let (errors, warnings) = (count(&checked.findings, Severity::Error), count(&checked.findings, Severity::Warning));
    let parts: Vec<String> = [(errors, "error"), (warnings, "warning")]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| counted(number, word))
        .collect();
    let found = if parts.is_empty() { "no findings".to_owned() } else { parts.join(", ") };
    let explained =
        checked.findings.first().map(|finding| format!("; explained by: kubectl runway help finding {}", finding.code));
    format!(
        "verified {} for {}: {found}{}",
        counted(checked.workloads.len(), "workload"),
        checked.what,
        explained.unwrap_or_default()
    )
}
