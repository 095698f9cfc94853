//! The manifests, rendered from the templates that stand beside them.
//!
//! A template has `{{word}}` for a value, and blocks of lines that are repeated: those between `{{#versions}}` and `{{/versions}}`
//! for each version, those between `{{#platforms}}` and `{{/platforms}}` for each platform of the version at hand. An unknown word
//! is an error, so that no manifest carries a hole.

use semver::Version;

use crate::release::{Checksums, NO_CHECKSUM};
use crate::targets::{Catalog, TARGETS, Target};

/// Where the archives are downloaded from, by a project's address on GitLab: its generic packages, which need no login where
/// the project is public. `{version}` stands for a version.
///
/// # Errors
///
/// When the address is no `https://HOST/PATH`.
pub fn download_url(repository: &str) -> Result<String, String> {
    let rest = repository.strip_prefix("https://").and_then(|rest| rest.split_once('/'));
    let (host, path) = rest.ok_or_else(|| format!("not a project's address: {repository}"))?;
    let id = path.trim_end_matches('/').replace('/', "%2F");
    Ok(format!("https://{host}/api/v4/projects/{id}/packages/generic/kubectl-runway/{{version}}"))
}

/// What the manifests say beside their own text.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The version that is made now. Without `v`.
    pub version: &'a str,
    /// The project's address.
    pub repository: &'a str,
    /// The folder of a version's archives, without a slash at its end; `{version}` stands for the version.
    pub url: &'a str,
    /// Of the archives that there are, those of older versions too.
    pub checksums: &'a Checksums,
    /// Whether platforms whose archive is not there stay out, as in a release, or stand there with [`NO_CHECKSUM`].
    pub only_there: bool,
}

/// Renders a catalog's manifest.
///
/// # Errors
///
/// When the template has an unknown word or an unclosed block, or when no platform is left.
pub fn render(template: &str, catalog: Catalog, facts: &Facts<'_>) -> Result<String, String> {
    let own = Version::parse(facts.version).map_err(|error| format!("{}: {error}", facts.version))?;
    // What is written about the template itself stays there.
    let lines: Vec<&str> = template.lines().filter(|line| !line.starts_with("#:")).collect();
    let mut versions = facts.checksums.versions()?;
    if !versions.contains(&own) {
        versions.push(own);
        versions.sort_by(|a, b| b.cmp(a));
    }
    let mut text = String::new();
    for (block, lines) in blocks(&lines, "versions")? {
        if block {
            for version in &versions {
                text.push_str(&of_version(&lines, catalog, &version.to_string(), facts)?);
            }
        } else {
            text.push_str(&of_version(&lines, catalog, facts.version, facts)?);
        }
    }
    Ok(text)
}

/// Lines about one version.
fn of_version(lines: &[&str], catalog: Catalog, version: &str, facts: &Facts<'_>) -> Result<String, String> {
    // Only the version that is made now can have archives that are yet to come.
    let only_there = facts.only_there || version != facts.version;
    let is_there = |target: &Target| facts.checksums.get(&catalog.archive(version, *target)).is_some();
    let targets: Vec<Target> = TARGETS.into_iter().filter(|target| !only_there || is_there(target)).collect();
    if targets.is_empty() {
        return Err(format!("there is no archive of {version} to write a manifest about"));
    }
    let about = About { catalog, version, facts, released: targets.iter().all(is_there) };
    let mut text = String::new();
    for (block, lines) in blocks(lines, "platforms")? {
        let lines = lines.iter().fold(String::new(), |all, line| all + line + "\n");
        if block {
            for target in &targets {
                text.push_str(&about.filled(&lines, Some(*target))?);
            }
        } else {
            text.push_str(&about.filled(&lines, None)?);
        }
    }
    Ok(text)
}

/// The lines in their order, and whether they are a block of this name.
fn blocks<'a>(lines: &[&'a str], name: &str) -> Result<Vec<(bool, Vec<&'a str>)>, String> {
    let (open, close) = (format!("{{{{#{name}}}}}"), format!("{{{{/{name}}}}}"));
    let mut all: Vec<(bool, Vec<&str>)> = vec![(false, Vec::new())];
    let mut inside = false;
    for line in lines {
        if line.trim() == if inside { close.as_str() } else { open.as_str() } {
            inside = !inside;
            all.push((inside, Vec::new()));
        } else if let Some((_, part)) = all.last_mut() {
            part.push(line);
        }
    }
    if inside { Err(format!("{open} without {close}")) } else { Ok(all) }
}

/// What is written about: one version in one catalog.
struct About<'a> {
    catalog: Catalog,
    version: &'a str,
    facts: &'a Facts<'a>,
    released: bool,
}

impl About<'_> {
    fn filled(&self, text: &str, target: Option<Target>) -> Result<String, String> {
        let mut result = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (word, after) = after.split_once("}}").ok_or_else(|| format!("{{{{ without }}}}: {text}"))?;
            result.push_str(before);
            result.push_str(&self.value(word, target).ok_or_else(|| format!("unknown word {{{{{word}}}}}"))?);
            rest = after;
        }
        result.push_str(rest);
        Ok(result)
    }

    fn value(&self, word: &str, target: Option<Target>) -> Option<String> {
        let Self { catalog, version, facts, released } = *self;
        let archive = |target| catalog.archive(version, target);
        let value = match (word, target) {
            ("version", _) => version.to_owned(),
            ("repository", _) => facts.repository.to_owned(),
            ("note", _) if released => format!("# Release {version}. Written by `cargo xtask`."),
            ("note", _) => format!(
                "# {version} is not released yet. Zeros stand where its checksums will be: whatever is downloaded, nothing is installed.\n\
                 # Written by `cargo xtask manifests`; a release's own is written by `cargo xtask dist`."
            ),
            ("os", Some(target)) => target.os.to_owned(),
            ("arch", Some(target)) => target.arch.to_owned(),
            ("bin", Some(target)) => format!("{}{}", catalog.program(), target.exe()),
            ("url", Some(target)) => format!("{}/{}", facts.url.replace("{version}", version), archive(target)),
            ("sha256", Some(target)) => facts.checksums.get(&archive(target)).unwrap_or(NO_CHECKSUM).to_owned(),
            _ => return None,
        };
        Some(value)
    }
}

/// The committed manifests: what each file holds, by its path in the repository.
///
/// krew's and Flux's own are those of this version, Flux's with all that were released before it; the index's (`plugins/`) is that of the newest release, since `kubectl krew
/// index add` follows the branch, which runs ahead of releases.
///
/// # Errors
///
/// As [`render`], and when `checksums` is no such file.
pub fn committed(
    templates: &Templates<'_>,
    version: &str,
    repository: &str,
    checksums: &str,
) -> Result<Vec<(&'static str, String)>, String> {
    let checksums = Checksums::parse(checksums)?;
    let released = checksums.versions()?;
    if let Some(early) = released.iter().find(|version| !version.pre.is_empty()) {
        return Err(format!("a prerelease is in no catalog: {early}"));
    }
    let newest = released.first().map_or_else(|| version.to_owned(), Version::to_string);
    let url = download_url(repository)?;
    let of = |catalog: Catalog, version: &str| {
        let only_there = released.iter().any(|one| one.to_string() == version);
        let facts = Facts { version, repository, url: &url, checksums: &checksums, only_there };
        render(templates.of(catalog), catalog, &facts)
    };
    Ok(vec![
        ("krew/runway.yaml", of(Catalog::Krew, version)?),
        ("plugin.yaml", of(Catalog::Flux, version)?),
        ("plugins/runway.yaml", of(Catalog::Krew, &newest)?),
    ])
}

/// The templates' texts.
#[derive(Debug, Clone, Copy)]
pub struct Templates<'a> {
    /// `krew/runway.yaml.in`.
    pub krew: &'a str,
    /// `plugin.yaml.in`.
    pub flux: &'a str,
}

impl Templates<'_> {
    /// The template of a catalog's manifest.
    pub fn of(&self, catalog: Catalog) -> &str {
        match catalog {
            Catalog::Krew => self.krew,
            Catalog::Flux => self.flux,
        }
    }
}
