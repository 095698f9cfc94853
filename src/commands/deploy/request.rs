//! What build, verify, diff and push share: which workload, which manifests, and the objects that follow.

use super::super::context::Context;
use super::super::flags::PlaceFlags;
use super::super::report::Rendered;
use crate::env;
use crate::gather::manifests::{self, Gathered, Manifests};
use crate::process::helm::Chart;
use crate::render::findings::Sources;
use crate::ui::Ui;
use runway_core::artifact::size;
use runway_core::deploy::{self, Declared, Object, Rules, Text};
use runway_core::finding::{Finding, Severity};
use runway_core::flux::names;
use runway_core::problem::{Class, Place, Problem};
use runway_core::settings::Settings;
use std::path::{Path, PathBuf};

/// Which workload, in which environment.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct WorkloadFlags {
    /// The workload's runway_service_id
    #[arg(value_name = "WORKLOAD")]
    pub(super) workload: String,
    /// The environment, such as staging or production
    #[arg(short, long, value_name = "NAME")]
    environment: Option<String>,
}

/// Where the manifests are, and what is asked of them.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct ManifestFlags {
    /// A folder of manifests
    #[arg(long, value_name = "DIR", conflicts_with_all = ["file", "chart"])]
    path: Option<PathBuf>,
    /// A file of manifests; - reads standard input
    #[arg(short, long, value_name = "FILE", conflicts_with = "chart")]
    file: Option<PathBuf>,
    /// A Helm chart: a folder, an archive, or a reference that helm understands
    #[arg(long, value_name = "CHART", help_heading = "Chart options")]
    chart: Option<String>,
    /// The version of a chart that is a reference
    #[arg(long, value_name = "VERSION", requires = "chart", help_heading = "Chart options")]
    chart_version: Option<String>,
    /// Let helm get the charts that this one depends on, into its own folder
    #[arg(long, requires = "chart", help_heading = "Chart options")]
    dependency_update: bool,
    /// A file of values for the chart; may be repeated
    #[arg(long, value_name = "FILE", requires = "chart", help_heading = "Chart options")]
    values: Vec<PathBuf>,
    /// A value for the chart, KEY=VALUE; may be repeated
    #[arg(long, value_name = "KEY=VALUE", requires = "chart", help_heading = "Chart options")]
    set: Vec<String>,
    /// A value for the chart that is always a text, KEY=VALUE; may be repeated
    #[arg(long, value_name = "KEY=VALUE", requires = "chart", help_heading = "Chart options")]
    set_string: Vec<String>,
    /// The namespace of objects that name none [default: of a chart the workload's id, else none]
    #[arg(long, value_name = "NAME")]
    target_namespace: Option<String>,
    /// Publish Secrets as they are
    #[arg(long)]
    allow_secrets: bool,
    /// The runtime whose list the workload has to be in [default: every runtime of the repository]
    #[arg(long, value_name = "NAME")]
    runtime: Option<String>,
    /// The list that the workload has to be in [default: config/runtimes/*/workloads.yml]
    #[arg(long, value_name = "FILE")]
    workloads: Option<PathBuf>,
}

impl WorkloadFlags {
    /// The environment, as far as it can be known when the rest cannot.
    pub(super) fn environment(&self, context: &Context) -> Option<String> {
        let settings = self.settings(None, context).ok()?;
        settings.environment().map(str::to_owned)
    }

    /// The settings, and the workload's id when it is one.
    pub(super) fn settings(&self, runtime: Option<String>, context: &Context) -> Result<Settings, Problem> {
        if let Some(why) = names::label_fault(&self.workload) {
            return Err(Problem::usage(format!("'{}' is no workload's id", self.workload)).cause(why));
        }
        let settings =
            context.settings(&PlaceFlags { runtime, environment: self.environment.clone(), ..PlaceFlags::default() })?;
        let known = settings.runtimes().iter().map(String::as_str).chain(settings.runtime());
        if let Some(runtime) = known.into_iter().find(|runtime| names::parent(runtime) == self.workload) {
            return Err(Problem::usage(format!("'{}' is no workload's id", self.workload))
                .cause(format!("it is the name of the pair that applies the inventory of {runtime}")));
        }
        Ok(settings)
    }
}

/// A workload's manifests, read and checked.
pub(super) struct Request {
    pub(super) settings: Settings,
    pub(super) objects: Vec<Object>,
    pub(super) findings: Vec<Finding>,
    /// What the platform's lists say.
    pub(super) declared: Declared,
    texts: Vec<(String, String)>,
}

/// Findings that are shown with their lines; more is a flood.
const SHOWN: usize = 50;

impl Request {
    /// Reads the manifests and finds all that is wrong with them.
    pub(super) fn new(which: &WorkloadFlags, flags: &ManifestFlags, context: &Context, ui: &Ui) -> Result<Self, Problem> {
        let settings = which.settings(flags.runtime.clone(), context)?;
        let source = flags.manifests(&which.workload, context)?;
        let gathered = crate::block_on(manifests::gather(
            &source,
            &context.start,
            env::variable("PATH").as_deref(),
            context.budget.remaining(),
        ))?;
        let declared = flags.declared(&which.workload, &settings, context, ui)?;
        let Gathered { origin, texts, mut findings, complaint } = gathered;
        if !complaint.is_empty() {
            ui.warning(&format!("helm says: {complaint}"));
        }
        let allowed = settings.deploy_namespaces(&which.workload);
        let default = matches!(source, Manifests::Chart(_)).then_some(which.workload.as_str());
        let rules = Rules {
            namespace: flags.target_namespace.as_deref().or(default),
            namespaces_set_by_flux: &declared.set_namespaces,
            substitutions: &declared.substitutions,
            namespaces: &allowed,
            allow_secrets: flags.allow_secrets,
        };
        let list: Vec<Text<'_>> = texts.iter().map(|(file, content)| Text { file, content }).collect();
        let read = deploy::read(&list, &rules);
        findings.extend(read.findings.iter().cloned().map(|mut finding| {
            if finding.code == "empty-artifact" {
                finding.place = Place::file(origin.as_str());
            }
            finding
        }));
        if let Some(why) = deploy::write(&read.objects).ok().as_ref().and_then(size::fault) {
            let mut finding = Finding::error("artifact-size", Place::file(origin.as_str()), why);
            finding.hint("leave out what is no manifest, or split the workload");
            findings.push(finding);
        }
        findings.extend(declared.findings.iter().cloned());
        for finding in &mut findings {
            finding.of(&which.workload);
        }
        Ok(Self { settings, objects: read.objects, findings, declared, texts })
    }

    /// Shows the findings, and refuses manifests with errors: nothing is written, nothing is pushed.
    pub(super) fn accepted(self, ui: &Ui) -> Result<Self, Problem> {
        self.show(ui);
        match self.errors() {
            0 => Ok(self),
            1 => Err(Problem::input("the manifests have an error and are not used")),
            n => Err(Problem::input(format!("the manifests have {n} errors and are not used"))),
        }
    }

    /// How many findings forbid the use of the manifests.
    pub(super) fn errors(&self) -> usize {
        self.findings.iter().filter(|finding| finding.severity == Severity::Error).count()
    }

    /// The texts, by file.
    pub(super) fn sources(&self) -> Sources {
        self.texts.iter().cloned().collect()
    }

    /// The findings, each with its line, on stderr.
    pub(super) fn show(&self, ui: &Ui) {
        let shown = self.findings.get(..SHOWN).unwrap_or(&self.findings);
        for finding in shown {
            let source = self.texts.iter().find(|(file, _)| *file == finding.place.file).map_or("", |(_, text)| text);
            ui.findings(std::slice::from_ref(finding), (&finding.place.file, source));
        }
        if self.findings.len() > shown.len() {
            ui.warning(&format!("{} more findings are not shown", self.findings.len() - shown.len()));
        }
    }
}

impl ManifestFlags {
    /// Where what helm prints comes from.
    pub(super) fn rendered_from(&self, context: &Context) -> Rendered {
        let local = |path: &Path| Some(context.start.join(path)).filter(|path| path.exists());
        Rendered {
            chart: self.chart.as_deref().filter(|chart| !chart.contains("://")).and_then(|chart| local(Path::new(chart))),
            values: self.values.first().and_then(|values| local(values)),
        }
    }

    fn manifests(&self, workload: &str, context: &Context) -> Result<Manifests, Problem> {
        if let Some(namespace) = &self.target_namespace
            && let Some(why) = names::label_fault(namespace)
        {
            return Err(Problem::usage(format!("--target-namespace '{namespace}' is no namespace")).cause(why));
        }
        match (&self.path, &self.file, &self.chart) {
            (Some(folder), ..) => Ok(Manifests::Folder(context.start.join(folder))),
            (None, Some(file), _) if file.as_os_str() == "-" => Ok(Manifests::File(file.clone())),
            (None, Some(file), _) => Ok(Manifests::File(context.start.join(file))),
            (None, None, Some(chart)) => self.rendered(chart, workload, context).map(Manifests::Chart),
            (None, None, None) => Err(Problem::usage("no manifests were named")
                .hint("add --path DIR, -f FILE, -f - for standard input, or --chart CHART")),
        }
    }

    fn rendered(&self, chart: &str, workload: &str, context: &Context) -> Result<Chart, Problem> {
        let local = context.start.join(chart);
        // A name with one slash may be a chart of a repository that helm knows; everything else is a path.
        let is_path = chart.starts_with(['.', '/']) || !chart.contains('/');
        if !chart.contains("://") && is_path && !local.exists() {
            return Err(Problem::new(Class::Input, "the chart cannot be rendered")
                .cause("there is no such folder or archive")
                .at(Place::file(chart))
                .hint("--chart takes a folder, an archive, or a reference: oci://HOST/CHART, REPOSITORY/CHART"));
        }
        let given = chart;
        let chart = if !chart.contains("://") && local.exists() {
            local.to_str().map(str::to_owned).ok_or_else(|| Problem::usage("the chart's path is no UTF-8 text"))?
        } else {
            chart.to_owned()
        };
        let values: Vec<PathBuf> = self.values.iter().map(|file| context.start.join(file)).collect();
        if let Some((given, _)) = self.values.iter().zip(&values).find(|(_, file)| !file.is_file()) {
            return Err(Problem::new(Class::Input, "the chart's values cannot be read")
                .cause("there is no such file")
                .at(Place::file(given.display().to_string())));
        }
        Ok(Chart {
            reference: chart,
            given: given.to_owned(),
            version: self.chart_version.clone(),
            dependency_update: self.dependency_update,
            release: workload.to_owned(),
            namespace: self.target_namespace.clone().unwrap_or_else(|| workload.to_owned()),
            values,
            set: self.set.clone(),
            set_string: self.set_string.clone(),
        })
    }

    fn declared(&self, workload: &str, settings: &Settings, context: &Context, ui: &Ui) -> Result<Declared, Problem> {
        let (lists, refused) = manifests::lists(self.workloads.as_deref(), &context.start, settings.runtime())?;
        if lists.is_empty() && refused.is_empty() {
            ui.note(&format!("there is no workloads.yml here: whether {workload} is in one was not checked (--workloads FILE)"));
        }
        for file in refused {
            ui.warning(&format!("{file} has errors; whether {workload} is in it was not checked"));
        }
        let lists: Vec<_> = lists.into_iter().map(|list| list.workloads).collect();
        Ok(deploy::declared(workload, settings.environment(), &lists, settings))
    }
}
