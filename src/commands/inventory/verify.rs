//! `inventory verify`: every check, before anything is built or pushed.

use super::super::context::Context;
use super::super::flags::{ClusterFlags, ExitFlags, ManyFlags, OutputFlags, RegistryFlags, WorkloadsFlags};
use super::super::report::{FORMATS, Report, counted, worst};
use super::super::sources::shown;
use super::request::{no_file, runtime, warn_of_another};
use crate::cluster::{self, Cluster, Surroundings};
use crate::exit::Outcome;
use crate::gather::expected::{self, Declared, Named};
use crate::gather::facts;
use crate::gather::source::Source;
use crate::gather::targets;
use crate::render::findings::Sources;
use crate::render::output::Output;
use crate::ui::Ui;
use crate::{env, registry};
use futures_util::future::join_all;
use runway_core::api::verify::count;
use runway_core::finding::{Finding, Severity};
use runway_core::flux::crds::Release;
use runway_core::inventory;
use runway_core::objects::{self, Pair};
use runway_core::problem::{Place, Problem};
use runway_core::settings::Settings;
use runway_core::verify::asked::Refusal;
use runway_core::verify::{Facts, asked, declared, ordered, published, strict};
use runway_core::workloads::Workloads;
use std::path::{Path, PathBuf};

/// Check an inventory before it is published.
#[derive(Debug, clap::Args)]
#[command(mut_arg("output", super::super::flags::formats(&FORMATS)))]
pub(crate) struct Args {
    /// What is checked: a workloads.yml, a file of manifests, a folder, oci://… or layout:DIR [default: the declared file]
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
    /// Ask the cluster whether it would accept each object; nothing is stored. --context implies it, for each of them
    #[arg(long)]
    server_dry_run: bool,
    #[command(flatten)]
    exit: ExitFlags,
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
    /// The runtime, and the environment when one was named.
    scope: Vec<String>,
    /// Clusters that gave no answer, and others that did.
    partial: bool,
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
    let work = Work { args, which, context, settings: &settings, release, ui };
    let mut checked = match &source {
        None => work.declared()?,
        Some(Source::File(path)) => work.named(path)?,
        Some(source) => crate::block_on(work.published(source))?,
    };
    checked.scope = settings.runtime().into_iter().chain(settings.environment()).map(str::to_owned).collect();
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
    Ok(args.exit.of(Outcome { no: errors, nothing: unknown && !errors, partial: checked.partial, ..Outcome::YES }))
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
    ui: &'a Ui,
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

    /// A file that was named as the source: manifests, or a workloads.yml.
    fn named(&self, path: &Path) -> Result<Checked, Problem> {
        let shown = shown(path, &self.context.start);
        match expected::named(path, &shown)? {
            Named::Workloads(file) => self.file(*file, runtime(&self.which, self.settings, self.context)?),
            Named::Manifests(text) => self.manifests(text, &shown),
        }
    }

    /// One file of manifests stands for the folder of every environment that it may be meant for.
    fn manifests(&self, text: String, shown: &str) -> Result<Checked, Problem> {
        self.no_questions()?;
        let mut facts = self.facts(self.settings.runtime().unwrap_or_default().to_owned());
        facts.environments.truncate(1);
        let environment = facts.environments.first().cloned().unwrap_or_default();
        let tree = inventory::one_file(&environment, text.clone())?;
        let mut findings = published::check(&tree, &environment, shown, &facts);
        for finding in &mut findings {
            shown.clone_into(&mut finding.place.file);
        }
        let (inventory, _) = inventory::read(&tree, &environment, shown);
        let workloads = inventory.names().map(str::to_owned).collect();
        let what = if facts.named { environment } else { shown.to_owned() };
        Ok(Checked { findings, workloads, what, sources: Sources::from([(shown.to_owned(), text)]), ..Checked::default() })
    }

    fn no_questions(&self) -> Result<(), Problem> {
        if self.args.artifacts || self.args.server_dry_run || !self.args.cluster.context.is_empty() {
            return Err(Problem::usage("--artifacts and --server-dry-run check a workloads.yml, not what was built from it"));
        }
        Ok(())
    }

    /// The declared file.
    fn declared(&self) -> Result<Checked, Problem> {
        let runtime = runtime(&self.which, self.settings, self.context)?;
        warn_of_another(&self.which, &runtime, self.context, self.ui);
        let file = expected::declared(self.which.file.as_deref(), &self.context.start, &runtime)?;
        let file = file.ok_or_else(|| no_file(&runtime, self.context))?;
        self.file(file, runtime)
    }

    /// A workloads.yml: offline first, then what was asked for beyond.
    fn file(&self, file: Declared, runtime: String) -> Result<Checked, Problem> {
        let facts = self.facts(runtime);
        let (mut findings, mut partial) = (file.findings, false);
        findings.extend(declared::check(&file.workloads, self.settings, &facts));
        for environment in &facts.environments {
            // One without a workload, or with a value that cannot be written, has been told.
            let tree = inventory::write_all(&file.workloads, self.settings, environment);
            findings.extend(tree.ok().and_then(|tree| declared::too_large(&tree, environment, &file.file)));
        }
        // What is wrong already would only be said again, by others and later.
        if findings.iter().all(|finding| finding.severity == Severity::Warning) {
            let (more, silent) = self.asked(&file.workloads, &facts)?;
            findings.extend(more);
            partial = silent;
        }
        let (runtime, environments) = (&facts.runtime, facts.environments.join(", "));
        Ok(Checked {
            findings,
            workloads: file.workloads.items.into_iter().map(|item| item.id).filter(|id| !id.is_empty()).collect(),
            what: format!("{runtime} {environments}"),
            sources: Sources::from([(file.file, file.text)]),
            partial,
            ..Checked::default()
        })
    }

    /// What registries and clusters say, and whether some of the clusters said nothing.
    fn asked(&self, workloads: &Workloads, facts: &Facts) -> Result<(Vec<Finding>, bool), Problem> {
        let rehearse = self.args.server_dry_run || !self.args.cluster.context.is_empty();
        let (mut findings, mut silent) = (Vec::new(), false);
        let build = |environment: &String| objects::build(workloads, self.settings, environment);
        let pairs: Vec<Pair> = facts.environments.iter().flat_map(build).collect();
        if self.args.artifacts {
            let client = self.client()?;
            let answers = crate::block_on(async { Ok(facts::artifacts(&client, &pairs).await) })?;
            findings.extend(asked::artifacts(workloads, &answers));
        }
        if rehearse {
            let (refusals, some_silent) = crate::block_on(self.rehearse(&pairs))?;
            findings.extend(asked::refusals(workloads, &refusals));
            silent = some_silent;
        }
        Ok((findings, silent))
    }

    /// Asks every chosen cluster about every object. A cluster without an answer is told, and among several it is no end.
    async fn rehearse(&self, pairs: &[Pair]) -> Result<(Vec<Refusal>, bool), Problem> {
        let around = Surroundings { variables: &env::variable, home: env::home() };
        let flags = self.args.cluster.all()?;
        let choice = ManyFlags::default().choice(&self.args.cluster, &self.which)?;
        let configured = cluster::configured(&flags, &around)?;
        let targets = targets::targets(&choice, self.settings, &configured)?;
        let (mut refusals, mut troubles) = (Vec::new(), Vec::new());
        let ask = async |target: &targets::Target| {
            let cluster: Cluster = configured.connect(target.context.as_deref(), self.context.budget)?;
            let name = target.name.as_deref().unwrap_or(cluster.name()).to_owned();
            facts::dry_run(&cluster, &name, pairs).await
        };
        for (target, answer) in targets.iter().zip(join_all(targets.iter().map(ask)).await) {
            match answer {
                Ok(refused) => refusals.extend(refused),
                Err(problem) => troubles.push((target.name.clone().unwrap_or_default(), problem)),
            }
        }
        if troubles.len() == targets.len() {
            return troubles.into_iter().next().map_or(Ok((refusals, false)), |(_, problem)| Err(problem));
        }
        for (name, problem) in &troubles {
            self.ui.warning(&format!("{name} gave no answer: {problem}"));
        }
        Ok((refusals, !troubles.is_empty()))
    }

    fn client(&self) -> Result<registry::Client, Problem> {
        self.context.registry(self.settings, &self.args.registry)
    }

    /// Where it was read, as the user wrote it: what follows from that, from wherever this was started, they need not know.
    fn origin(&self, source: &Source, environment: &str, read: String) -> String {
        match (source, &self.args.source) {
            (Source::Folder(_) | Source::Layout(_, Some(_)), Some(typed)) => typed.trim_end_matches('/').to_owned(),
            (Source::Layout(_, None), Some(typed)) => format!("{typed}:{environment}"),
            _ => read,
        }
    }

    /// What a folder, a layout or a registry holds.
    async fn published(&self, source: &Source) -> Result<Checked, Problem> {
        self.no_questions()?;
        let facts = self.facts(self.settings.runtime().unwrap_or_default().to_owned());
        let client = self.client()?;
        let mut checked = Checked::default();
        let (mut seen, mut missing) = (Vec::new(), None);
        for environment in &facts.environments {
            let mut held = match expected::held(source, environment, &client).await? {
                Ok(held) => held,
                Err(why) => {
                    missing = Some(why);
                    continue;
                }
            };
            held.origin = self.origin(source, environment, held.origin);
            // An environment that nobody named and that is not there is none to check, as long as another is.
            if !facts.named && !held.tree.has_folder(environment) && facts.environments.iter().any(|it| held.tree.has_folder(it))
            {
                continue;
            }
            checked.findings.extend(published::check(&held.tree, environment, &held.origin, &facts));
            checked.sources.extend(published::sources(&held.tree, environment, &held.origin));
            let (inventory, _) = inventory::read(&held.tree, environment, &held.origin);
            checked.workloads.extend(inventory.entries.into_iter().map(|entry| entry.name));
            seen.push(environment.as_str());
        }
        if seen.is_empty() {
            let text = self.args.source.clone().unwrap_or_default();
            let problem =
                Problem::input("there is nothing to verify").cause("no tag for an environment is there").at(Place::file(text));
            return Err(missing.into_iter().fold(problem, |problem, why| {
                let causes = problem.causes.into_iter().chain(why.causes).collect();
                Problem { causes, hints: why.hints, ..problem }
            }));
        }
        checked.workloads.sort();
        checked.workloads.dedup();
        checked.what = seen.join(", ");
        Ok(checked)
    }
}

fn show(checked: &Checked, outputs: &[Output], context: &Context, ui: &Ui) -> Result<(), Problem> {
    let scope: Vec<&str> = checked.scope.iter().map(String::as_str).collect();
    let report = Report {
        suite: "inventory verify",
        scope: &scope,
        rendered: None,
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
        worst(&checked.findings).map(|finding| format!("; explained by: kubectl runway help finding {}", finding.code));
    format!(
        "verified {} for {}: {found}{}",
        counted(checked.workloads.len(), "workload"),
        checked.what,
        explained.unwrap_or_default()
    )
}
