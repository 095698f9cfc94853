//! The manifest's fields.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A plugin's manifest.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// krew's group and version.
    #[serde(default)]
    pub api_version: String,
    /// `Plugin`.
    #[serde(default)]
    pub kind: String,
    /// Its name.
    #[serde(default)]
    pub metadata: Metadata,
    /// All else.
    #[serde(default)]
    pub spec: Spec,
}

/// What names the plugin.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// `kubectl NAME` is how it is called.
    #[serde(default)]
    pub name: String,
}

/// What the plugin is and where it comes from.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Spec {
    /// With `v`.
    pub version: String,
    /// One line.
    pub short_description: String,
    /// Some lines.
    pub description: String,
    /// Printed after the installation.
    pub caveats: String,
    /// For people.
    pub homepage: String,
    /// An archive for each system.
    pub platforms: Vec<Platform>,
}

/// One archive.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Platform {
    /// Where it is downloaded from.
    pub uri: String,
    /// Its checksum.
    pub sha256: String,
    /// The program in it, after the file operations.
    pub bin: String,
    /// Which files are kept, and where; all when absent.
    pub files: Option<Vec<FileOperation>>,
    /// The systems that it is for.
    pub selector: Option<Selector>,
}

/// A move of files from the archive into the plugin's folder.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FileOperation {
    /// A path or a pattern.
    pub from: String,
    /// A folder, or a file's new name.
    pub to: String,
}

/// A label selector over `os` and `arch`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Selector {
    /// All have to be equal.
    pub match_labels: Option<BTreeMap<String, String>>,
    /// All have to hold.
    pub match_expressions: Option<Vec<Expression>>,
}

/// One condition on a label.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expression {
    /// `os` or `arch`.
    pub key: String,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    pub operator: String,
    /// What it is compared with.
    pub values: Vec<String>,
}

impl Selector {
    /// Whether a system is selected.
    pub fn matches(&self, os: &str, arch: &str) -> bool {
        let value = |key: &str| match key {
            "os" => Some(os),
            "arch" => Some(arch),
            _ => None,
        };
        let labels = self.match_labels.iter().flatten().all(|(key, wanted)| value(key) == Some(wanted));
        labels && self.match_expressions.iter().flatten().all(|expression| expression.holds(value(&expression.key)))
    }
}

impl Expression {
    fn holds(&self, value: Option<&str>) -> bool {
        let listed = value.is_some_and(|value| self.values.iter().any(|one| one == value));
        match self.operator.as_str() {
            "In" => listed,
            "NotIn" => !listed,
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => false,
        }
    }
}
