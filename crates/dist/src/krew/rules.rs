//! What a manifest must be.

use super::manifest::{Manifest, Platform, Selector};
use crate::release::{NO_CHECKSUM, is_sha256};

const API_VERSION: &str = "krew.googlecontainertools.github.com/v1alpha2";

/// The systems that krew's validator knows: a platform that selects none of them is an error.
pub const PLATFORMS: [(&str, &str); 11] = [
    ("windows", "386"),
    ("windows", "amd64"),
    ("windows", "arm64"),
    ("linux", "386"),
    ("linux", "amd64"),
    ("linux", "arm"),
    ("linux", "arm64"),
    ("linux", "ppc64le"),
    ("darwin", "386"),
    ("darwin", "amd64"),
    ("darwin", "arm64"),
];

/// Names that Windows keeps for devices.
const DEVICES: [&str; 4] = ["CON", "PRN", "AUX", "NUL"];

/// What the index's reviewers ask of the short description, in characters.
const SHORT: usize = 50;
/// And of the lines of the long texts.
const WIDTH: usize = 80;

/// Everything that is wrong with the manifest in this file; empty when krew's validator and the index's reviewers would take it.
pub fn problems(file: &str, text: &str) -> Vec<String> {
    let manifest: Manifest = match serde_saphyr::from_str(text) {
        Ok(manifest) => manifest,
        Err(error) => return vec![format!("{file}: {}", error.without_snippet())],
    };
    let mut found = header(file, &manifest);
    found.extend(words(&manifest));
    for (index, platform) in manifest.spec.platforms.iter().enumerate() {
        found.extend(of_platform(platform).into_iter().map(|problem| format!("platforms[{index}]: {problem}")));
    }
    found.extend(overlaps(&manifest.spec.platforms));
    found
}

fn header(file: &str, manifest: &Manifest) -> Vec<String> {
    let mut found = Vec::new();
    let name = file.strip_suffix(".yaml").unwrap_or_else(|| {
        found.push(format!("the file must end with .yaml: {file}"));
        file
    });
    if manifest.api_version != API_VERSION {
        found.push(format!("apiVersion must be {API_VERSION}: {}", manifest.api_version));
    }
    if manifest.kind != "Plugin" {
        found.push(format!("kind must be Plugin: {}", manifest.kind));
    }
    if !is_safe_name(name) {
        found.push(format!("not a plugin's name: {name}"));
    }
    if manifest.metadata.name != name {
        found.push(format!("metadata.name must be the file's, {name}: {}", manifest.metadata.name));
    }
    match manifest.spec.version.strip_prefix('v') {
        Some(version) if semver::Version::parse(version).is_ok() => {}
        _ => found.push(format!("version must be v and a semantic version: {}", manifest.spec.version)),
    }
    if manifest.spec.platforms.is_empty() {
        found.push("there must be a platform".to_owned());
    }
    found
}

fn words(manifest: &Manifest) -> Vec<String> {
    let spec = &manifest.spec;
    let mut found = Vec::new();
    if spec.short_description.is_empty() {
        found.push("there must be a shortDescription".to_owned());
    }
    if spec.short_description.contains(['\r', '\n']) {
        found.push("shortDescription must be one line".to_owned());
    }
    if spec.short_description.chars().count() > SHORT {
        found.push(format!("shortDescription has more than {SHORT} characters"));
    }
    for (field, text) in [("description", &spec.description), ("caveats", &spec.caveats)] {
        if text.lines().any(|line| line.chars().count() > WIDTH) {
            found.push(format!("{field} has a line of more than {WIDTH} characters"));
        }
    }
    if !spec.homepage.starts_with("https://") {
        found.push("there must be a homepage".to_owned());
    }
    found
}

fn of_platform(platform: &Platform) -> Vec<String> {
    let mut found = Vec::new();
    if !platform.uri.starts_with("https://") {
        found.push(format!("uri must be an https address: {}", platform.uri));
    }
    if !is_sha256(&platform.sha256) {
        found.push(format!("sha256 must be 64 lower-case hexadecimal digits: {}", platform.sha256));
    }
    if platform.bin.is_empty() {
        found.push("there must be a bin".to_owned());
    }
    if let Some(files) = &platform.files {
        if files.is_empty() {
            found.push("files must be absent or have an item".to_owned());
        }
        if files.iter().any(|operation| operation.from.is_empty() || operation.to.is_empty()) {
            found.push("each item of files needs from and to".to_owned());
        }
    }
    match &platform.selector {
        None => found.push("there must be a selector".to_owned()),
        Some(selector) => found.extend(of_selector(selector)),
    }
    let windows = PLATFORMS.iter().filter(|(os, _)| *os == "windows");
    let mut selected = windows.filter(|(os, arch)| platform.selector.as_ref().is_some_and(|one| one.matches(os, arch)));
    if selected.next().is_some() && !is_exe(&platform.bin) {
        found.push(format!("on Windows only a program that ends with .exe can be called: {}", platform.bin));
    }
    found
}

fn of_selector(selector: &Selector) -> Vec<String> {
    let mut found = Vec::new();
    if selector.match_labels.is_none() && selector.match_expressions.is_none() {
        found.push("the selector must not be empty".to_owned());
    }
    if selector.match_labels.as_ref().is_some_and(std::collections::BTreeMap::is_empty) {
        found.push("matchLabels must be absent or have a label".to_owned());
    }
    if selector.match_expressions.as_ref().is_some_and(Vec::is_empty) {
        found.push("matchExpressions must be absent or have an item".to_owned());
    }
    let labels = selector.match_labels.iter().flatten().map(|(key, _)| key);
    let expressions = selector.match_expressions.iter().flatten().map(|expression| &expression.key);
    for key in labels.chain(expressions).filter(|key| !matches!(key.as_str(), "os" | "arch")) {
        found.push(format!("a selector knows os and arch only: {key}"));
    }
    if found.is_empty() && !PLATFORMS.iter().any(|(os, arch)| selector.matches(os, arch)) {
        found.push("the selector matches no system that krew knows".to_owned());
    }
    found
}

fn overlaps(platforms: &[Platform]) -> Vec<String> {
    let mut found = Vec::new();
    for (os, arch) in PLATFORMS {
        let matching = platforms.iter().filter(|platform| platform.selector.as_ref().is_some_and(|one| one.matches(os, arch)));
        let count = matching.count();
        if count > 1 {
            found.push(format!("{count} platforms are for {os}/{arch}"));
        }
    }
    found
}

/// Whether Windows would call this a program.
pub(super) fn is_exe(bin: &str) -> bool {
    std::path::Path::new(bin).extension().is_some_and(|extension| extension == "exe")
}

fn is_safe_name(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let port =
        ["COM", "LPT"].iter().any(|port| upper.strip_prefix(port).is_some_and(|rest| matches!(rest.as_bytes(), [b'1'..=b'9'])));
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        && !port
        && !DEVICES.contains(&upper.as_str())
}

impl Manifest {
    /// Reads a manifest that [`problems`] has nothing to say about.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn read(file: &str, text: &str) -> Result<Self, String> {
        match problems(file, text).as_slice() {
            [] => serde_saphyr::from_str(text).map_err(|error| error.without_snippet().to_string()),
            wrong => Err(wrong.join("\n")),
        }
    }

    /// Whether all archives have checksums: those of a release, not what stands there before one.
    pub fn is_released(&self) -> bool {
        self.spec.platforms.iter().all(|platform| platform.sha256 != NO_CHECKSUM)
    }

    /// The archive for a system.
    pub fn platform(&self, os: &str, arch: &str) -> Option<&Platform> {
        self.spec.platforms.iter().find(|platform| platform.selector.as_ref().is_some_and(|one| one.matches(os, arch)))
    }
}
