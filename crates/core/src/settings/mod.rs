//! Settings: every key with its default, the layers that set it, and where each value came from.
//!
//! In: texts of settings files, variables and flags, already read. Out: [`Settings`], each value with its [`Origin`].
//! Uses: flux, problem, suggest, text, yaml, finding.
//! Never: looking for files or variables; that is done outside and handed in as [`layers::Layer`]s.
//! Start at [`layers::resolve`].

pub mod keys;
pub mod labels;
pub mod layers;

pub use keys::{KEYS, Key, Shape};
pub use layers::{Layer, Origin, Value, resolve};

use crate::flux::reference::Repository;
use crate::problem::Problem;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// When a registry is asked over plain http.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainHttp {
    /// Only on loopback.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// A cluster that the settings name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Cluster {
    /// The name in reports.
    pub name: String,
    /// The kubeconfig context.
    pub context: String,
    /// Its runtime, when said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
    /// Its environment, when said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Its region, when said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Its labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// All settings, resolved.
#[derive(Debug, Clone)]
pub struct Settings {
    values: BTreeMap<&'static str, (Value, Origin)>,
    /// The settings' clusters.
    pub clusters: Vec<Cluster>,
    /// Where that list came from.
    pub clusters_from: Origin,
}

impl Settings {
    /// Each key's value and origin, in the order of the documentation.
    pub fn all(&self) -> impl Iterator<Item = (&'static Key, &Value, &Origin)> {
        KEYS.iter().filter_map(|key| self.values.get(key.path).map(|(value, origin)| (key, value, origin)))
    }

    /// Where a key's value came from.
    pub fn origin(&self, path: &str) -> &Origin {
        self.values.get(path).map_or(&Origin::Default, |(_, origin)| origin)
    }

    fn text(&self, path: &str) -> &str {
        match self.values.get(path) {
            Some((Value::Text(text), _)) => text,
            _ => "",
        }
    }

    fn list(&self, path: &str) -> &[String] {
        match self.values.get(path) {
            Some((Value::List(list), _)) => list,
            _ => &[],
        }
    }

    fn flag(&self, path: &str) -> bool {
        self.text(path) == "true"
    }

    fn number(&self, path: &str) -> u64 {
        // The shape was checked when the layer was read.
        self.text(path).parse().unwrap_or(0)
    }

    fn optional(&self, path: &str) -> Option<&str> {
        Some(self.text(path)).filter(|text| !text.is_empty())
    }

    /// `registry.base`: host and path that all artifacts lie below.
    pub fn base(&self) -> &str {
        self.text("registry.base")
    }

    /// `registry.plainHttp`.
    pub fn plain_http(&self) -> PlainHttp {
        match self.text("registry.plainHttp") {
            "true" => PlainHttp::Always,
            "false" => PlainHttp::Never,
            _ => PlainHttp::Auto,
        }
    }

    /// `registry.tokenHosts`: hosts that may give tokens for registries of other domains.
    ///
    /// It counts in a project's file as well, which others may have written. Such a file names the registry already, and a host
    /// here is asked only when that registry itself names it, over its own TLS: who wrote the file cannot make an honest
    /// registry do so, and a registry that is not honest can ask for the password itself.
    pub fn token_hosts(&self) -> &[String] {
        self.list("registry.tokenHosts")
    }

    /// `registry.caFile`, `registry.certFile` or `registry.keyFile`, when set; in a settings file it is meant from the
    /// file's folder.
    pub fn registry_file(&self, path: &str) -> Option<PathBuf> {
        let file = Path::new(self.optional(path)?);
        Some(match self.origin(path) {
            Origin::File(place) => Path::new(&place.file).parent().unwrap_or(Path::new("")).join(file),
            Origin::Default | Origin::Variable(_) | Origin::Flag(_) => file.to_owned(),
        })
    }

    /// `namespace`: where the Flux objects live.
    pub fn namespace(&self) -> &str {
        self.text("namespace")
    }

    /// `runtime`, when set.
    pub fn runtime(&self) -> Option<&str> {
        self.optional("runtime")
    }

    /// `environment`, when set.
    pub fn environment(&self) -> Option<&str> {
        self.optional("environment")
    }

    /// `runtimes`: the known ones.
    pub fn runtimes(&self) -> &[String] {
        self.list("runtimes")
    }

    /// `environments`: the known ones.
    pub fn environments(&self) -> &[String] {
        self.list("environments")
    }

    /// `source.apiVersion`: version of the OCIRepository API that is written.
    pub fn source_api_version(&self) -> &str {
        self.text("source.apiVersion")
    }

    /// `source.interval`.
    pub fn source_interval(&self) -> &str {
        self.text("source.interval")
    }

    /// `source.secretRef`: name of the pull secret, when there is one.
    pub fn source_secret(&self) -> Option<&str> {
        self.optional("source.secretRef")
    }

    /// `source.certSecretRef`: name of the Secret with certificates, when there is one.
    pub fn source_certificates(&self) -> Option<&str> {
        self.optional("source.certSecretRef")
    }

    /// `source.insecure`: whether the objects allow plain http.
    pub fn source_insecure(&self) -> bool {
        self.flag("source.insecure")
    }

    /// `kustomization.interval`.
    pub fn kustomization_interval(&self) -> &str {
        self.text("kustomization.interval")
    }

    /// `parent.sourceInterval`.
    pub fn parent_source_interval(&self) -> &str {
        self.text("parent.sourceInterval")
    }

    /// `parent.interval`.
    pub fn parent_interval(&self) -> &str {
        self.text("parent.interval")
    }

    /// `parent.secretRef`: name of the parent's pull secret, when there is one.
    pub fn parent_secret(&self) -> Option<&str> {
        self.optional("parent.secretRef")
    }

    /// `parent.certSecretRef`: name of the parent's Secret with certificates, when there is one.
    pub fn parent_certificates(&self) -> Option<&str> {
        self.optional("parent.certSecretRef")
    }

    /// `deploy.namespaces`: where a workload's objects may go; empty: anywhere.
    pub fn deploy_namespaces(&self, workload: &str) -> Vec<String> {
        self.list("deploy.namespaces").iter().map(|pattern| pattern.replace("{workload}", workload)).collect()
    }

    /// `guard.maxRemovals`: removals that a push may make without a word.
    pub fn max_removals(&self) -> u64 {
        self.number("guard.maxRemovals")
    }

    /// `guard.maxRemovalPercent`: the same as a share of what the tag holds.
    pub fn max_removal_percent(&self) -> u64 {
        self.number("guard.maxRemovalPercent")
    }

    /// Repository of a runtime's inventory.
    pub fn inventory_repository(&self, runtime: &str) -> Result<Repository, Problem> {
        self.repository("artifacts.inventory", &[("{runtime}", runtime)])
    }

    /// Repository of a workload's deploy artifact.
    pub fn deploy_repository(&self, workload: &str) -> Result<Repository, Problem> {
        self.repository("artifacts.deploy", &[("{workload}", workload)])
    }

    /// Text of a runtime's inventory repository, not checked: the runtime may be a variable.
    pub fn inventory_url(&self, runtime: &str) -> String {
        format!("oci://{}", self.expand("artifacts.inventory", &[("{runtime}", runtime)]))
    }

    /// Text of a workload's deploy repository, not checked: used for objects, whose checks come later.
    pub fn deploy_url(&self, workload: &str) -> String {
        format!("oci://{}", self.expand("artifacts.deploy", &[("{workload}", workload)]))
    }

    fn expand(&self, path: &str, names: &[(&str, &str)]) -> String {
        let mut text = self.text(path).replace("{base}", self.base());
        for (name, value) in names {
            text = text.replace(name, value);
        }
        text
    }

    fn repository(&self, path: &str, names: &[(&str, &str)]) -> Result<Repository, Problem> {
        let text = self.expand(path, names);
        Repository::parse(&text).map_err(|problem| {
            let origin = format!("settings key {path}, registry.base from {}", self.origin("registry.base"));
            problem.cause(origin)
        })
    }
}
