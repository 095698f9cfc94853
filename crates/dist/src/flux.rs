//! Flux's rules: the schema of its plugin catalog, what the catalog's checks add, and what `flux plugin install` refuses.

use serde::Deserialize;
use std::collections::BTreeSet;

use crate::archive::{Kind, entries};
use crate::release::is_sha256;
use crate::sha256;

const API_VERSION: &str = "cli.fluxcd.io/v1beta1";

/// Commands of flux itself: a plugin of such a name would never be called.
const RESERVED: [&str; 30] = [
    "bootstrap",
    "build",
    "catalog",
    "check",
    "completion",
    "create",
    "debug",
    "delete",
    "diff",
    "envsubst",
    "events",
    "export",
    "get",
    "help",
    "install",
    "list",
    "logs",
    "migrate",
    "plugin",
    "pull",
    "push",
    "reconcile",
    "resume",
    "stats",
    "suspend",
    "tag",
    "trace",
    "tree",
    "uninstall",
    "version",
];

/// A plugin's manifest.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// Flux's group and version.
    pub api_version: String,
    /// `Plugin`.
    pub kind: String,
    /// `flux NAME` is how it is called.
    pub name: String,
    /// One line.
    pub description: String,
    /// For people.
    pub homepage: String,
    /// The project.
    pub source: String,
    /// The program in the archives, and as it is installed.
    pub bin: String,
    /// Newest first.
    pub versions: Vec<Version>,
}

/// One release.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Without `v`.
    pub version: String,
    /// An archive for each system.
    pub platforms: Vec<Platform>,
}

/// One archive.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Platform {
    /// In Go's words.
    pub os: String,
    /// In Go's words.
    pub arch: String,
    /// Where it is downloaded from.
    pub url: String,
    /// `sha256:` and the sum.
    pub checksum: String,
    /// Where in the archive the program is; by its name when absent.
    pub extract_path: Option<String>,
}

/// Flux's catalog: all plugins, without their versions.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Catalog {
    /// Flux's group and version.
    pub api_version: String,
    /// `PluginCatalog`.
    pub kind: String,
    /// The plugins.
    pub plugins: Vec<Listed>,
}

/// A plugin in the catalog.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// As in its manifest.
    pub name: String,
    /// As in its manifest.
    pub description: String,
    /// As in its manifest.
    pub homepage: String,
    /// As in its manifest.
    pub source: String,
    /// By its SPDX name.
    pub license: String,
}

/// Everything that is wrong with a manifest; empty when the catalog and the flux command would take it.
pub fn problems(text: &str) -> Vec<String> {
    let manifest: Manifest = match serde_saphyr::from_str(text) {
        Ok(manifest) => manifest,
        Err(error) => return vec![error.without_snippet().to_string()],
    };
    let mut found = header(&manifest);
    let versions: Vec<_> = manifest.versions.iter().map(|one| semver::Version::parse(&one.version)).collect();
    for (one, parsed) in manifest.versions.iter().zip(&versions) {
        match parsed {
            Ok(parsed) if parsed.build.is_empty() => {}
            _ => found.push(format!("a version is a semantic version without v and without +: {}", one.version)),
        }
        found.extend(of_version(one).into_iter().map(|problem| format!("{}: {problem}", one.version)));
    }
    if !versions.is_sorted_by(|newer, older| matches!((newer, older), (Ok(newer), Ok(older)) if newer > older)) {
        found.push("versions must stand from the newest to the oldest, each once".to_owned());
    }
    found
}

fn header(manifest: &Manifest) -> Vec<String> {
    let mut found = Vec::new();
    let name = &manifest.name;
    if manifest.api_version != API_VERSION {
        found.push(format!("apiVersion must be {API_VERSION}: {}", manifest.api_version));
    }
    if manifest.kind != "Plugin" {
        found.push(format!("kind must be Plugin: {}", manifest.kind));
    }
    if !is_name(name) {
        found.push(format!("not a plugin's name: {name}"));
    }
    if RESERVED.contains(&name.as_str()) {
        found.push(format!("a command of flux itself: {name}"));
    }
    // The schema takes any name; the command installs nothing but flux-…, and removes flux-NAME.
    if manifest.bin != format!("flux-{name}") {
        found.push(format!("bin must be flux-{name}: {}", manifest.bin));
    }
    if manifest.description.is_empty() {
        found.push("there must be a description".to_owned());
    }
    for (field, url) in [("homepage", &manifest.homepage), ("source", &manifest.source)] {
        if !url.starts_with("https://") {
            found.push(format!("{field} must be an https address: {url}"));
        }
    }
    if manifest.versions.is_empty() {
        found.push("there must be a version".to_owned());
    }
    found
}

fn of_version(version: &Version) -> Vec<String> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    if version.platforms.is_empty() {
        found.push("there must be a platform".to_owned());
    }
    for platform in &version.platforms {
        let system = format!("{}/{}", platform.os, platform.arch);
        if !matches!(platform.os.as_str(), "darwin" | "linux" | "windows") || !matches!(platform.arch.as_str(), "amd64" | "arm64")
        {
            found.push(format!("not a system that Flux knows: {system}"));
        }
        if !platform.url.starts_with("https://") {
            found.push(format!("url must be an https address: {}", platform.url));
        }
        // Anything else is installed as if it were the program.
        if ![".tar.gz", ".tgz"].iter().any(|suffix| platform.url.ends_with(suffix)) {
            found.push(format!("url must end with .tar.gz: {}", platform.url));
        }
        if !platform.checksum.strip_prefix("sha256:").is_some_and(is_sha256) {
            found.push(format!("checksum must be sha256: and 64 lower-case hexadecimal digits: {}", platform.checksum));
        }
        if !seen.insert(system.clone()) {
            found.push(format!("twice: {system}"));
        }
    }
    found
}

impl Manifest {
    /// Reads a manifest that [`problems`] has nothing to say about.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Self, String> {
        match problems(text).as_slice() {
            [] => serde_saphyr::from_str(text).map_err(|error| error.without_snippet().to_string()),
            wrong => Err(wrong.join("\n")),
        }
    }

    /// The newest version's archive for a system.
    pub fn platform(&self, os: &str, arch: &str) -> Option<&Platform> {
        self.versions.first()?.platforms.iter().find(|platform| platform.os == os && platform.arch == arch)
    }
}

/// What is wrong with a catalog that holds this one manifest.
pub fn catalog_problems(catalog: &str, manifest: &str) -> Vec<String> {
    let read = serde_saphyr::from_str::<Catalog>(catalog).map_err(|error| error.without_snippet().to_string());
    let plugin = serde_saphyr::from_str::<Manifest>(manifest).map_err(|error| error.without_snippet().to_string());
    let (catalog, plugin) = match (read, plugin) {
        (Ok(catalog), Ok(plugin)) => (catalog, plugin),
        (catalog, plugin) => return [catalog.err(), plugin.err()].into_iter().flatten().collect(),
    };
    let mut found = Vec::new();
    if catalog.api_version != API_VERSION || catalog.kind != "PluginCatalog" {
        found.push(format!("must be a PluginCatalog of {API_VERSION}: {} {}", catalog.api_version, catalog.kind));
    }
    match catalog.plugins.as_slice() {
        [one] => {
            let same = one.name == plugin.name && one.description == plugin.description;
            if !same || one.homepage != plugin.homepage || one.source != plugin.source {
                found.push(format!("the catalog's entry and the manifest differ: {}", one.name));
            }
            if one.license.is_empty() {
                found.push("there must be a license".to_owned());
            }
        }
        several => found.push(format!("there must be one plugin, as there is one manifest: {}", several.len())),
    }
    found
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// The program that `flux plugin install` takes out of an archive: the first regular file of that name, in whichever folder.
///
/// # Errors
///
/// When the sum does not match, the archive is none, or the program is not in it.
pub fn extract(manifest: &Manifest, platform: &Platform, archive: &[u8]) -> Result<Vec<u8>, String> {
    let actual = format!("sha256:{}", sha256(archive));
    if actual != platform.checksum {
        return Err(format!("checksum verification failed (expected: {}, got: {actual})", platform.checksum));
    }
    let exe = if platform.os == "windows" { ".exe" } else { "" };
    let wanted = platform.extract_path.clone().unwrap_or_else(|| format!("{}{exe}", manifest.bin));
    let found = entries(archive).map_err(|error| format!("failed to read the archive: {error}"))?.into_iter().find(|entry| {
        let local = !entry.name.starts_with('/') && !entry.name.split('/').any(|part| part == "..");
        let base = entry.name.rsplit('/').next().unwrap_or_default();
        let named = if wanted.contains('/') { entry.name == wanted } else { base == wanted };
        local && entry.kind == Kind::File && named
    });
    found.map(|entry| entry.content).ok_or_else(|| format!("binary {wanted} not found in archive"))
}
